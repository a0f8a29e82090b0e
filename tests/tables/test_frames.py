"""Frames: an index that has a name, types that the engine lacks, a dict of columns."""

from __future__ import annotations

from decimal import Decimal

import pandas as pd
import pyarrow as pa
import pytest

from binder.errors import DataError
from binder.tables.table import load, load_all


def test_a_named_index_is_a_column() -> None:
    frame = pd.DataFrame({"team": ["a", "b", "a"], "pts": [1, 2, 3]}).groupby("team").sum()
    assert load(frame).data.to_pylist() == [
        {"row_id": 0, "team": "a", "pts": 4},
        {"row_id": 1, "team": "b", "pts": 2},
    ]
    assert load(frame.rename_axis(None)).notes[0].startswith("the index has no name")
    filtered = pd.DataFrame({"a": [1, 2, 3]})[lambda f: f.a > 1]
    assert (load(filtered).notes, load(filtered).num_rows) == ((), 2)


def test_a_series_is_a_table() -> None:
    counts = pd.Series(["x", "y", "x"], name="kind").value_counts()
    assert load(counts).data.to_pylist() == [
        {"row_id": 0, "kind": "x", "count": 2},
        {"row_id": 1, "kind": "y", "count": 1},
    ]


def test_a_dict_of_columns_is_a_table() -> None:
    (table,) = load_all({"a": [1, 2], "b": ["x", "y"]})
    assert (table.name, [column.type for column in table.columns]) == ("w", ["BIGINT", "VARCHAR"])
    with pytest.raises(DataError, match="the columns differ in length: a: 1, b: 2"):
        load_all({"a": [1], "b": [1, 2]})


def test_types_that_the_engine_lacks() -> None:
    wide = pa.table({"id": pa.array([Decimal(1), None], pa.decimal256(50, 0))})
    assert [c.type for c in load(wide).columns] == ["DECIMAL(38,0)"]
    wider = load(pa.table({"id": pa.array([Decimal(10**50)], pa.decimal256(60, 0))}))
    assert wider.data.column("id").to_pylist() == [str(10**50)]
    assert wider.notes == ("id has numbers of more than 38 digits, and is text here",)
    with pytest.raises(DataError, match="column 'z' holds complex numbers"):
        load(pd.DataFrame({"z": [1 + 2j]}))
    with pytest.raises(DataError, match="cannot be made of a Array|cannot be made of a Int64Array"):
        load(pa.array([1]))


def test_an_ordered_category_is_told() -> None:
    sizes = pd.Categorical(["s", "l"], categories=["s", "m", "l"], ordered=True)
    assert "is an ordered category" in load(pd.DataFrame({"size": sizes})).notes[0]
