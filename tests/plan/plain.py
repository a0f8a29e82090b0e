"""Two tables and the answers to some calls in DuckDB alone: for tests of the SQL of plans."""

from __future__ import annotations

from functools import cache
from typing import Any

import duckdb
from sqlglot import exp

from binder.analysis.sql import check
from binder.language.skeleton import parse
from binder.language.sqltree import sql_of
from binder.plan import Plan, Rule
from binder.plan.mapping_join import looked_up, mapping_name
from binder.plan.rules import RULES, optimize
from binder.tables.table import load

CITIES = [("Paris", "FR", 2100), ("Lyon", "FR", 500), ("Rome", "IT", 2800), (None, "IT", 1)]
NAMES = [("Paris", "FR"), ("Rome", "IT")]
W = load([dict(zip(("city", "country", "people"), row, strict=True)) for row in CITIES], "w")
V = load([dict(zip(("name", "code"), row, strict=True)) for row in NAMES], "v")


@cache
def engine() -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for table in (W, V):
        connection.register(table.name, table.data)
    return connection


def plan_of(program: str, rules: tuple[Rule, ...] = RULES) -> Plan:
    return optimize(check(parse(" ".join(program.split())), (W, V)), rules)


def answer(call: str, answers: dict[Any, Any]) -> None:
    """Fills the mapping of a call of one argument."""
    name = mapping_name(call, "t")
    engine().execute(f'CREATE OR REPLACE TABLE "{name}" (k0 TEXT, value TEXT)')
    for key, value in answers.items():
        engine().execute(f'INSERT INTO "{name}" VALUES (?, ?)', [key, value])


def rows_of(tree: exp.Expr) -> list[tuple[Any, ...]]:
    return engine().execute(sql_of(looked_up(tree, "t"))).fetchall()
