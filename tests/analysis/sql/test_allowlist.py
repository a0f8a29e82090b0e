"""The cases of tests/fixtures/analysis/allowlist.txt go in; what came of each is compared with what
stands there."""

from __future__ import annotations

import pytest

from tests.cases import Case, cases, compare


@pytest.mark.parametrize("case", cases("analysis/allowlist.txt"))
def test_functions(case: Case) -> None:
    compare(case)
