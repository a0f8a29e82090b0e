"""Comparisons between values of two kinds, and literals that spell a cell. The cases of
tests/fixtures/analysis/coercion.txt go in; what came of each is compared with what stands there."""

from __future__ import annotations

import pytest

from tests.cases import Case, cases, compare


@pytest.mark.parametrize("case", cases("analysis/coercion.txt"))
def test_literals(case: Case) -> None:
    compare(case)
