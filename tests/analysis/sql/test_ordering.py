"""Row order, first rows, and rows that stand for groups. The cases of
tests/fixtures/analysis/ordering.txt go in; what came of each is compared with what stands there."""

from __future__ import annotations

import pytest

from tests.cases import Case, cases, compare


@pytest.mark.parametrize("case", cases("analysis/ordering.txt"))
def test_rows(case: Case) -> None:
    compare(case)
