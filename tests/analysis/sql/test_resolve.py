"""What a name means, what is repaired for free, and what is refused. The cases of
tests/fixtures/analysis/resolve.txt go in; what came of each is compared with what stands there."""

from __future__ import annotations

import pytest

from tests.cases import Case, cases, compare


@pytest.mark.parametrize("case", cases("analysis/resolve.txt"))
def test_names(case: Case) -> None:
    compare(case)
