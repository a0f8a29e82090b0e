"""Which expressions of a program are rows of a table: those of which it is certain, no others."""

from __future__ import annotations

import ast

import pytest

from binder.analysis.python.dataflow import Flow, strings
from binder.tables.table import load

W = load([{"a": 1}], "w")

ROWS = [  # the name x is a row of the table
    "x = w[0]",
    "x = max(w, key=lambda r: r['a'])",
    "for x in w: pass",
    "for i, x in enumerate(w): pass",
    "for x, y in zip(w, [1]): pass",
    "rows = sorted(w)\nx = rows[0]",
    "rows = [r for r in w if r['a']]\nfor x in rows: pass",
    "x = None\nfor x in w: pass",
    "x = next(filter(lambda r: r['a'], w))",
]
OTHERS = [
    "x = w[0]\nx = {}",
    "x = w",
    "for x in [1, 2]: pass",
    "for i, x in zip([1], [2]): pass",
    "for x, r in enumerate(w): pass",
    "rows = [r['a'] for r in w]\nx = rows[0]",
    "x = w[0]\nx += 1",
    "x = y\ny = x",
]


def flow_of(text: str) -> Flow:
    lines = "".join(f"    {line}\n" for line in text.split("\n"))
    return Flow(ast.parse(f"def solve(w):\n{lines}    return 1"), {"w": W})


@pytest.mark.parametrize("text", ROWS)
def test_a_name_is_a_row_where_every_value_is_one(text: str) -> None:
    assert flow_of(text).row_of(ast.Name("x")) is W


@pytest.mark.parametrize("text", OTHERS)
def test_a_name_is_no_row_where_that_is_not_certain(text: str) -> None:
    assert flow_of(text).row_of(ast.Name("x")) is None


def test_what_is_read_and_what_is_stored_is_noted() -> None:
    flow = flow_of("made = {'b': 1}\nmade['c'] = 2\nd = dict(d=3)\nfor r in w: made[r['a']] = r")
    assert [(node.slice.value, table) for node, table in flow.reads] == [("a", W)]  # type: ignore[attr-defined]
    assert flow.stored == {"b", "c", "d"}


def test_headers_are_the_texts_of_a_list_or_of_the_name_of_one() -> None:
    flow = flow_of("columns = ['a', 'b', 1]\nothers = columns")
    assert [text for _, text in strings(ast.Name("columns"), flow)] == ["a", "b"]
    assert [text for _, text in strings(ast.Constant("c"), flow)] == ["c"]
    assert [*strings(ast.Name("others"), flow)] == []
