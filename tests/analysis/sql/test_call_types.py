"""What a call may answer, taken from where it stands. The cases of
tests/fixtures/analysis/call_types.txt go in; what came of each is compared with what stands
there."""

from __future__ import annotations

import pytest

from tests.cases import Case, cases, compare


@pytest.mark.parametrize("case", cases("analysis/call_types.txt"))
def test_types(case: Case) -> None:
    compare(case)
