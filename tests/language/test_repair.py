"""The cases of tests/fixtures/language/repair.txt go in; what came of each is compared with what
stands there."""

from __future__ import annotations

import pytest

from tests.cases import Case, cases, compare


@pytest.mark.parametrize("case", cases("language/repair.txt"))
def test_repair(case: Case) -> None:
    compare(case)
