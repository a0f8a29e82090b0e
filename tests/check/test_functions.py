"""The cases of tests/fixtures/check/functions.txt go in; what came of each is compared with what stands there."""

from __future__ import annotations

import pytest

from tests.cases import Case, cases, compare


@pytest.mark.parametrize("case", cases("check/functions.txt"))
def test_functions(case: Case) -> None:
    compare(case)
