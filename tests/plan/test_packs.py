"""Inputs go in; packs come out that lose nothing, are as few as can be, and as equal as can be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from binder.plan.cost import packs


@given(st.integers(0, 500), st.integers(1, 60))
def test_packs_are_few_and_equal(inputs: int, most: int) -> None:
    packed = packs(range(inputs), most)
    assert [value for pack in packed for value in pack] == list(range(inputs))
    assert len(packed) == -(-inputs // most)
    sizes = {len(pack) for pack in packed}
    assert not sizes or (max(sizes) <= most and max(sizes) - min(sizes) <= 1)
    assert len(packed) < 2 or min(sizes) >= most // 2, "a pack of several is half full"
