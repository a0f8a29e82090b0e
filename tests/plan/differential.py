"""A program and tables come in; it is executed without rules, with each rule, with all, and by DuckDB alone: what differs is
told.

python -m tests.plan.differential 10000    runs so many random programs
"""

from __future__ import annotations

import re
import sys
from collections import Counter
from functools import cache
from typing import Any

import duckdb
import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings

from binder.plan.rules import RULES
from binder.result import Result
from binder.table import Table, load
from tests.cases import opened
from tests.plan.programs import Rows, programs

# What tests.oracle answers, as functions of DuckDB; of NULLs alone nothing is asked.
FUNCTIONS = {
    "upper(x)": "upper(x)",
    "length(x)": "length(x)",
    "long(x)": "length(x) > 4",
    "vowel(x)": "contains(lower(x), 'a')",
    "yesno(x)": "CASE WHEN x IS NULL THEN NULL WHEN length(x) > 4 THEN 'yes' ELSE 'no' END",
    "known(x)": "CASE WHEN contains(lower(x), 'a') THEN NULL ELSE upper(x) END",
    "both(x, y)": "CASE WHEN x IS NULL AND y IS NULL THEN NULL ELSE coalesce(x, '-') || '/' || coalesce(y, '-') END",
    "same(x, y)": "CASE WHEN x IS NULL AND y IS NULL THEN NULL ELSE coalesce(lower(x) = lower(y), false) END",
}


def asked(program: str) -> str:
    """`#long(w.a)` as a call; what stands between braces need not be said."""
    return re.sub(r"#(\w+)\(", r'QA("map@\1?", ', re.sub(r"{[^}]*}", "", program))


def plain(program: str) -> str:
    """`#long(w.a)` as a function of DuckDB, row order said outright."""
    return re.sub(r"#(\w+)\(", r"lm_\1(", re.sub("[{}]", "", program))


@cache
def engine() -> duckdb.DuckDBPyConnection:
    """DuckDB alone, with the functions."""
    connection = duckdb.connect()
    for head, body in FUNCTIONS.items():
        connection.execute(f"CREATE MACRO lm_{head} AS {body}")
    return connection


def table(name: str, rows: list[tuple[Any, ...]]) -> Table:
    """A typed table, also where a column is NULL throughout."""
    frame = pd.DataFrame(rows, columns=["a", "b", "n"])
    return load(frame.astype({"a": "string", "b": "string", "n": "Int64"}), name)


def run(program: str, tables: tuple[Table, ...], rules: tuple[Any, ...]) -> tuple[Result, int]:
    """The result under some rules, and how many questions were asked."""
    db, lm = opened(tables, rules)
    result = db.run(asked(program))
    assert result.usage.questions == len(lm.asked)
    return result, len(lm.asked)


def expected(program: str, tables: tuple[Table, ...]) -> list[tuple[Any, ...]]:
    """The rows that DuckDB alone yields."""
    for stored in tables:
        engine().register(stored.name, stored.data)
    return engine().execute(plain(program)).fetchall()


def differ(w: list[Any], v: list[Any], program: str, singly: bool = True) -> None:
    """Fails where the rows differ, or where rules ask more."""
    tables = (table("w", w), table("v", v))
    reference, most = run(program, tables, ())
    rows = expected(program, tables)
    ordered = "{" in program
    for rules in (RULES, *((rule,) for rule in RULES if singly)):
        ruled, count = run(program, tables, rules)
        names = ", ".join(rule.__name__ for rule in rules)
        assert ruled.rows == reference.rows, f"{names}: {ruled.rows} instead of {reference.rows}"
        assert count <= most, f"{names} ask {count} questions, without them it is {most}"
        assert ruled.rows == rows if ordered else Counter(ruled.rows) == Counter(rows), f"{names}: {ruled.rows}, SQL: {rows}"
        assert all(entry.fault == "no_answer" and entry.call == "known?" for entry in ruled.errors)


def main(count: int) -> None:
    """Runs so many random programs and tells what they asked."""
    done = 0

    @settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=(Phase.generate, Phase.shrink),
    )
    @given(Rows, Rows, programs())
    def check(w: list[Any], v: list[Any], program: str) -> None:
        nonlocal done
        done += 1
        differ(w, v, program)

    try:
        check()
    finally:
        print(f"{done:,} programs", file=sys.stderr)


if __name__ == "__main__":
    main(int(sys.argv[1]))
