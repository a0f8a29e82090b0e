"""Inputs go in; packs come out that lose nothing, are as few as can be, and as equal as can be."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from binder.plan.cost import packs


@given(st.integers(1, 500), st.integers(1, 60))
def test_packs_are_few_and_equal(inputs: int, most: int) -> None:
    packed = packs(range(inputs), most)
    assert [value for pack in packed for value in pack] == list(range(inputs))
    assert len(packed) == -(-inputs // most)
    sizes = [len(pack) for pack in packed]
    assert max(sizes) <= most
    assert max(sizes) - min(sizes) <= 1


@given(st.integers(2, 60), st.data())
def test_no_pack_of_several_is_less_than_half_full(most: int, draw: st.DataObject) -> None:
    inputs = draw.draw(st.integers(most + 1, 500))
    assert min(len(pack) for pack in packs(range(inputs), most)) >= most // 2


def test_nothing_makes_no_pack() -> None:
    assert list(packs([], 20)) == []
