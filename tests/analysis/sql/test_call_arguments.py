"""What is asked and what is not: arguments of map and of ans. The cases of
tests/fixtures/analysis/call_arguments.txt go in; what came of each is compared with what stands
there."""

from __future__ import annotations

import pytest

from tests.cases import Case, cases, compare


@pytest.mark.parametrize("case", cases("analysis/call_arguments.txt"))
def test_calls(case: Case) -> None:
    compare(case)
