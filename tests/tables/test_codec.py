"""Values of all types have keys of their own, and come back as they were."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.tables.codec import dump, load, value_key, value_keys

APART = [
    1, 1.0, "1", True, None, "true", "null", "", "None", 0, -0.0, 0.0, [], [1], [[1]], ["1"], {}, "1.0", Decimal("1"),
    Decimal("1.0"), date(2020, 1, 1), datetime(2020, 1, 1), "2020-01-01", "2020-01-01T00:00:00", time(1, 2), b"1",
    "\u00e9", "e\u0301", "\ud800", "a b", "a  b",
]  # fmt: skip

cells = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.dates() | st.datetimes() | st.times()
    | st.decimals(allow_nan=False) | st.binary() | st.characters(categories=["Cs"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.text("ab"), inner),
)  # fmt: skip


def test_types_are_kept_apart() -> None:
    assert len({value_key(input=[value]) for value in APART}) == len(APART)


def test_the_order_of_parts_does_not_matter_but_their_names_do() -> None:
    assert value_key(a=1, b=[2]) == value_key(b=(2,), a=1)
    assert value_key(a=1, b=2) != value_key(a=2, b=1)
    assert value_key(a=["b", "c"]) != value_key(a=["bc"]) != value_key(a=["b"], c=[])


def test_a_key_is_the_same_in_every_process() -> None:
    text = r'{"input":["Z\u00fcrich",1.5,null,{"$date":"2020-01-02"}],"model":"m"}'
    assert (
        value_key(model="m", input=("Zürich", 1.5, None, date(2020, 1, 2)))
        == hashlib.sha256(text.encode()).hexdigest()
    )
    assert value_key(input={"b", "a"}) == value_key(input={"a", "b"})


def test_keys_of_many_inputs_are_those_of_each() -> None:
    inputs = [("a", 1), ("ü", None), (date(2020, 1, 2),), ()]
    for parts in ({"kind": "map", "columns": ["x"], "sample": 0}, {"columns": []}, {"z": {}}):
        assert value_keys(inputs, **parts) == [value_key(input=value, **parts) for value in inputs]


@given(cells)
def test_what_is_written_is_read(value: Any) -> None:
    text = dump(value)
    text.encode("utf-8")
    assert load(text) == value
    assert value_key(v=load(text)) == value_key(v=value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("Zürich", '"Zürich"'),
        (date(2020, 1, 2), '{"$date": "2020-01-02"}'),
        ([1, None], "[1, null]"),
    ],
)
def test_what_is_written_is_readable(value: Any, text: str) -> None:
    assert dump(value) == text
