"""Programs go in; the plan as it is printed comes out: what is asked, in which order, about which
rows."""

from __future__ import annotations

import pytest

from tests.cases import Case, cases, compare


@pytest.mark.parametrize("case", cases("plans/build.txt"))
def test_build(case: Case) -> None:
    compare(case)
