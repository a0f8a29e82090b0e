"""SQLite's answer where DuckDB would refuse.
The cases of tests/fixtures/check/habits.txt go in; what came of each is compared with what stands there."""

from __future__ import annotations

import pytest

from tests.cases import Case, cases, compare


@pytest.mark.parametrize("case", cases("check/habits.txt"))
def test_habits(case: Case) -> None:
    compare(case)
