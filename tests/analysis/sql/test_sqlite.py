"""SQLite's answer where DuckDB would refuse. The cases of tests/fixtures/analysis/sqlite.txt go in;
what came of each is compared with what stands there."""

from __future__ import annotations

import pytest

from tests.cases import Case, cases, compare


@pytest.mark.parametrize("case", cases("analysis/sqlite.txt"))
def test_habits(case: Case) -> None:
    compare(case)
