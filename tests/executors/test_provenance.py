"""Cells of results go in; the rows and the calls behind them come out."""

from __future__ import annotations

from typing import Any

import pytest

from binder.errors import QueryError
from binder.plan.mapping_join import mapping_name
from binder.tables.table import load, tidy
from tests.cases import opened

W = tidy(["city", "country"], [["Paris", "FR"], ["Rome", "IT"], ["Lyon", "FR"], ["Rome", "IT"]])
V = load([{"name": "rome", "n": 1}, {"name": "paris", "n": 2}], "v")


def why(program: str, row: int, column: int | str = 0) -> dict[str, Any]:
    db, _ = opened([W, V])
    return db.run(program).why(row, column)


def inputs(found: dict[str, Any]) -> list[tuple[str, dict[str, Any], Any]]:
    return [(call["call"], call["inputs"], call["value"]) for call in found["calls"]]


def test_a_cell_of_a_row() -> None:
    found = why('SELECT city, QA("map@upper?"; city) AS u FROM w ORDER BY city DESC', 0, "u")
    assert found["rows"] == {"w": [1]} and inputs(found) == [("upper?", {"city": "Rome"}, "ROME")]
    assert '"Rome"' in found["calls"][0]["request"] and "ROME" in found["calls"][0]["reply"]


def test_a_cell_of_a_group() -> None:
    found = why('SELECT country, MAX(QA("map@length?"; city)) FROM w GROUP BY country', 1, 1)
    assert found["rows"] == {"w": [1, 3]} and inputs(found) == [("length?", {"city": "Rome"}, 4)]


def test_a_cell_of_a_join() -> None:
    found = why('SELECT w.city FROM w JOIN v ON QA("map@same?"; w.city; v.name)', 2)
    assert found["rows"] == {"w": [3], "v": [0]}
    assert inputs(found) == [("same?", {"city": "Rome", "name": "rome"}, True)]


def test_a_call_over_nothing_but_a_sub_select() -> None:
    found = why('SELECT name, QA("ans@how many?"; (SELECT city FROM w)) FROM v', 1, 1)
    assert found["rows"] == {"v": [1]} and inputs(found) == [("how many?", {}, [4])]


@pytest.mark.parametrize(
    "program",
    [
        'SELECT city FROM w WHERE QA("map@long?"; city) UNION SELECT name FROM v',
        'SELECT DISTINCT QA("map@upper?"; country) FROM w',
        'WITH c AS (SELECT QA("map@upper?"; city) AS u FROM w) SELECT u FROM c LIMIT 1',
        'SELECT COUNT(*) FROM w WHERE QA("map@long?"; city)',
        'SELECT city FROM w WHERE EXISTS (SELECT 1 FROM v WHERE QA("map@same?"; w.city; v.name))',
        'QA("ans@all?"; (SELECT city FROM w))',
        'SELECT QA("map@length?"; MAX(QA("map@upper?"; city))) FROM w',
        'SELECT city FROM w SEMI JOIN v ON QA("map@same?"; w.city; v.name)',
        'SELECT ROW_NUMBER() OVER (PARTITION BY QA("map@upper?"; country)) FROM w',
    ],
)
def test_every_shape_of_a_program_tells_its_calls(program: str) -> None:
    found = why(program, 0)
    assert found["calls"] and all(
        {"call", "kind", "inputs", "value"} <= set(call) for call in found["calls"]
    )


def test_looking_twice_finds_the_same_and_leaves_nothing_behind() -> None:
    db, _ = opened([W, V])
    result = db.run('SELECT QA("map@upper?"; city) FROM w')
    assert result.why(0) == result.why(0)
    assert result.origin is not None
    executor = result.origin.args[0]  # type: ignore[attr-defined]
    assert list(executor.known) == ["call_0"] and executor.mappings.tag is None
    with pytest.raises(QueryError, match="is not a table of this program"):
        db._workers.sql.run(f'SELECT * FROM "{mapping_name("call_0", "#1")}"')
