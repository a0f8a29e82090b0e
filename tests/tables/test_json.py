"""JSON files: the shapes that their rows come in."""

from typing import Any

import pytest

from binder.errors import DataError
from binder.tables.json import read_rows

ROWS = [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ('[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]', ROWS),
        ('{"a": 1, "b": "x"}\n\n{"a": 2, "b": "y"}\n', ROWS),
        ('{"a": [1, 2], "b": ["x", "y"]}', ROWS),
        ('{"columns": ["a", "b"], "index": [0, 1], "data": [[1, "x"], [2, "y"]]}', ROWS),
        ('{"a": {"0": 1, "1": 2}, "b": {"0": "x", "1": "y"}}', ROWS),
        ('{"data": [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]}', ROWS),
        ('{"a": 1, "b": "x"}', ROWS[:1]),
        (
            '{"type": "FeatureCollection", "features": [{"properties": {"a": 1}, "geometry": null}]}',
            [{"a": 1, "geometry": None}],
        ),
    ],
)
def test_shapes(text: str, rows: list[dict[str, Any]]) -> None:
    assert read_rows(text, "t.json") == (rows, [])


def test_what_stands_beside_the_rows_is_told() -> None:
    rows, notes = read_rows('{"meta": {"n": 1}, "data": [{"a": 1}]}', "t.json")
    assert (rows, notes) == ([{"a": 1}], ["the rows are those under 'data'; left out: meta"])


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("{", "is not JSON"),
        ('{"a": 1}\n{"a": }\n', "line 2"),
        ("[1, 2]", "is not a list of objects"),
        ('{"x": [{"a": 1}], "y": [{"a": 1}], "z": 1}', "under several keys: x, y"),
        ('{"a": [1], "b": []}', "differ in length"),
        ("[" * 100_000, "nested too deeply"),
    ],
)
def test_faults(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        read_rows(text, "t.json")
