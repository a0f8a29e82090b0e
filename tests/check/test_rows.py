"""Row order, first rows, and rows that stand for groups.
The cases of tests/fixtures/check/rows.txt go in; what came of each is compared with what stands there."""

from __future__ import annotations

import pytest

from tests.cases import Case, cases, compare


@pytest.mark.parametrize("case", cases("check/rows.txt"))
def test_rows(case: Case) -> None:
    compare(case)
