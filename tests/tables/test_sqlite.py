"""SQLite files: values that do not fit their column, broken views and bytes, hidden tables."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import pytest

from binder.errors import DataError
from binder.tables.table import Table, load_all


def tables(folder: Path, script: str) -> dict[str, Table]:
    path = folder / "t.sqlite"
    with sqlite3.connect(path) as connection:
        connection.executescript(script)
    connection.close()
    return {table.name: table for table in load_all(path)}


@pytest.mark.parametrize(
    ("declared", "values", "kind", "cells"),
    [
        ("INTEGER", "(10), (''), (9)", "BIGINT", [10, None, 9]),
        ("INTEGER", "(10), (2.5)", "DOUBLE", [10.0, 2.5]),
        ("INTEGER", "(5), ('many')", "VARCHAR", ["5", "many"]),
        ("REAL", "(1), ('')", "DOUBLE", [1.0, None]),
        ("DECIMAL(10,2)", "(1.5), ('')", "DOUBLE", [1.5, None]),
        ("BOOLEAN", "(1), (0), (NULL)", "BOOLEAN", [True, False, None]),
        ("TEXT", "('007'), ('')", "VARCHAR", ["007", ""]),
        ("", "(1), ('2')", "BIGINT", [1, 2]),
    ],
)
def test_stray_values(
    tmp_path: Path, declared: str, values: str, kind: str, cells: list[object]
) -> None:
    found = tables(tmp_path, f"CREATE TABLE t (x {declared}); INSERT INTO t VALUES {values};")
    assert found["t"].columns[0].type == kind
    assert found["t"].data.column("x").to_pylist() == cells


def test_empty_texts_among_numbers_are_told(tmp_path: Path) -> None:
    found = tables(tmp_path, "CREATE TABLE t (x INT); INSERT INTO t VALUES (1), ('');")
    assert found["t"].notes == ("1 cells of x are empty texts, and read as NULL",)


def test_a_broken_view_closes_no_file(tmp_path: Path) -> None:
    script = "CREATE TABLE a (x INT); CREATE TABLE b (y INT); CREATE VIEW v AS SELECT * FROM b;"
    found = tables(tmp_path, script + "DROP TABLE b;")
    assert list(found) == ["a"]
    assert found["a"].notes[0].startswith("v cannot be read and is left out: no such table")
    with pytest.raises(DataError, match="as SQLite: v cannot be read"):
        tables(tmp_path, "DROP TABLE a;")


def test_a_broken_byte_closes_no_file(tmp_path: Path) -> None:
    script = "CREATE TABLE t (x TEXT); INSERT INTO t VALUES ('ok'), (CAST(x'61ff' AS TEXT));"
    table = tables(tmp_path, script)["t"]
    assert table.data.column("x").to_pylist() == ["ok", "a\ufffd"]
    assert "1 texts are not UTF-8" in table.notes[0]


def test_the_tables_of_an_index_are_hidden(tmp_path: Path) -> None:
    found = tables(tmp_path, "CREATE VIRTUAL TABLE docs USING fts5(title);")
    assert list(found) == ["docs"]
