"""A second SQL engine: sqlite3 of the standard library runs the queries of a plan."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

import pyarrow as pa
import sqlglot

from binder.analysis.sql import check
from binder.errors import QueryError
from binder.executors.mappings import PlanMemory
from binder.language.skeleton import parse
from binder.plan.rules import optimize
from binder.tables.table import Table, load
from tests.plan.differential import run


class SqliteEngine:
    generation = 1

    def __init__(self, tables: Sequence[Table]):
        self.memory = PlanMemory()
        self.connection = sqlite3.connect(":memory:")
        self.connection.row_factory = sqlite3.Row
        for table in tables:
            self.load(table.name, table.data)

    def load(self, name: str, table: pa.Table) -> None:
        columns = ", ".join(f'"{column}"' for column in table.column_names)
        self.forget([name])
        self.connection.execute(f'CREATE TABLE "{name}" ({columns})')
        marks = ", ".join("?" * table.num_columns)
        rows = zip(*table.to_pydict().values(), strict=True)
        self.connection.executemany(f'INSERT INTO "{name}" VALUES ({marks})', rows)

    def forget(self, names: Sequence[str]) -> None:
        for name in names:
            self.connection.execute(f'DROP TABLE IF EXISTS "{name}"')

    def run(self, sql: str, says: dict[str, Any] | None = None) -> tuple[pa.Table, list[str]]:
        try:
            cursor = self.connection.execute(sqlglot.transpile(sql, "duckdb", "sqlite")[0])
        except sqlite3.Error as error:
            raise QueryError(str(error)) from error
        table = pa.Table.from_pylist([dict(row) for row in cursor])
        return table, [""] * table.num_columns

    def describe(self, sql: str, says: dict[str, Any] | None = None) -> tuple[list[str], list[str]]:
        return self.run(sql)[0].column_names, []


def test_a_program_with_a_map_call_runs_in_sqlite() -> None:
    tables = (load(pa.table({"n": [0, 1, 2], "town": ["Oslo", "Bergen", "Oslo"]})),)
    program = 'SELECT n, QA("map@upper?"; town) AS t FROM w WHERE QA("map@long?"; town) OR n = 2'
    rows, asked = run(optimize(check(parse(program), tables)), SqliteEngine(tables))
    assert rows.rows == [(1, "BERGEN"), (2, "OSLO")] and asked == 4
