"""A program and tables come in; it is executed without rules, with each rule, with all, and by
DuckDB alone: what differs is told.

python -m tests.plan.differential 10000    runs so many random programs
"""

from __future__ import annotations

import json
import os
import re
import sys
from collections import Counter
from collections.abc import Callable
from functools import cache, partial
from typing import Any

import duckdb
import pandas as pd
from hypothesis import HealthCheck, Phase, given, settings

from binder.analysis.sql import check
from binder.executors import Batch, Mapping, Rows, execute
from binder.executors.mappings import SqlEngine
from binder.executors.sql import SqlExecutor
from binder.executors.workers.duckdb_client import Limits, Worker
from binder.executors.workers.duckdb_worker import DuckDBSession
from binder.executors.workers.protocol import answer
from binder.executors.workers.transport import Header, Payload
from binder.language.skeleton import parse
from binder.plan import Plan
from binder.plan.naive import build
from binder.plan.rules import RULES, optimize
from binder.prompt.replies import NoValue, read_value
from binder.prompt.wire import wire
from binder.tables.table import Table, load
from tests.oracle import ANSWERS, MAPS
from tests.plan import programs

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
    program = re.sub(r"#(\w+)\(", r'QA("map@\1?", ', re.sub(r"{[^}]*}", "", program))
    program = re.sub(r"\$rows\[([^\]]*)\]", r'QA("ans@how many?"; \1)', program)
    return re.sub(r"\$count\[([^\]]*)\]", r'QA("ans@how many?"; (\1))', program)


def plain(program: str) -> str:
    """`#long(w.a)` as a function of DuckDB, row order said outright."""
    program = re.sub(r"#(\w+)\(", r"lm_\1(", re.sub("[{}]", "", program))
    program = re.sub(r"\$rows\[[^\]]*\]", "COUNT(*)", program)
    return re.sub(r"\$count\[([^\]]*)\]", r"NULLIF((SELECT COUNT(*) FROM (\1)), 0)", program)


def ordered(program: str) -> bool:
    """Whether a program says the order of all its rows: between braces, outside of sub-selects."""
    while (outside := re.sub(r"\([^()]*\)", "", program)) != program:
        program = outside
    return "{" in program


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


class InProcess:
    """A session in this process, without limits: thousands of queries need not wait for pipes."""

    def __init__(self, answer: Callable[[Header, memoryview], tuple[Header, Payload]]):
        self.pid = os.getpid()
        self._answer = answer

    def poll(self) -> int | None:
        """None: it lives as long as this process."""
        return None

    def exchange(self, header: Header, payload: Payload, seconds: float) -> tuple[Header, Payload]:
        """The answer to a frame, however long it takes."""
        return self._answer(header, memoryview(payload))

    def kill(self) -> None:
        """There is no process to end."""


class Near(Worker):
    """A worker in this process: thousands of programs need not wait for pipes."""

    def __init__(self) -> None:
        session = DuckDBSession(1024, 1)
        super().__init__((), Limits(), lambda arguments: InProcess(partial(answer, session)))


@cache
def near() -> Near:
    return Near()


def answers(batch: Batch, asked: set[tuple[object, ...]]) -> Mapping:
    """What the language model of the tests says, as dispatch reads it."""
    ask = batch.ask
    found: dict[Any, Any] = {}
    for value in batch.inputs:
        asked.add(
            (
                ask.call.question,
                json.dumps([wire(cell) for cell in value]),
                str(batch.parts.get(value)),
            )
        )
        if ask.call.kind == "ans":
            found[value] = [
                _read(item, ask.call_type)
                for item in ANSWERS[ask.call.question](
                    [list(map(list, p.rows)) for p in batch.parts[value]]
                )
            ]
        else:
            found[value] = _read(
                MAPS[ask.call.question]([wire(cell) for cell in value]), ask.call_type
            )
    return Mapping(found)


def _read(item: Any, call_type: Any) -> Any:
    value = read_value(item, call_type.type, call_type.options, call_type.spellings)
    return None if isinstance(value, NoValue) else value


def made_of(plan: Plan) -> tuple[object, ...]:
    """All that tells how a plan is executed, to compare two plans of one program."""
    asks = [
        (
            step.where_of is None,
            step.adaptive,
            ask.call.name,
            ask.covers,
            ask.collect.site.stage,
            ask.collect.site.node,
            [(one.node, one.outcomes, one.clause) for one in ask.collect.filters],
            first_rows and (first_rows.rows, first_rows.match, first_rows.within),
        )
        for step in plan.steps
        for ask in step.asks
        for first_rows in [ask.collect.first_rows]
    ]
    return plan.query.tree, asks


def run(plan: Plan, engine: SqlEngine | None = None) -> tuple[Rows, int]:
    """The rows of a plan, and how many questions were asked."""
    execution = execute(plan, SqlExecutor(plan, engine or near()))
    asked: set[tuple[object, ...]] = set()
    try:
        batches = next(execution)
        while True:
            batches = execution.send(tuple(answers(batch, asked) for batch in batches))
    except StopIteration as done:
        rows: Rows = done.value
        return rows, len(asked)


def expected(program: str, tables: tuple[Table, ...]) -> list[tuple[Any, ...]]:
    """The rows that DuckDB alone yields."""
    for stored in tables:
        engine().register(stored.name, stored.data)
    return engine().execute(plain(program)).fetchall()


def differ(w: list[Any], v: list[Any], program: str, singly: bool = True) -> None:
    """Fails where the rows differ, or where rules ask more. singly: each rule alone, too."""
    tables = (table("w", w), table("v", v))
    near().use(tables)
    checked = check(parse(asked(program)), tables)
    naive = build(checked)
    reference, most = run(naive)
    rows = expected(program, tables)
    for rules in (RULES, *((rule,) for rule in RULES if singly)):
        plan = optimize(checked, rules)
        if len(rules) == 1 and made_of(plan) == made_of(naive):
            continue
        ruled, count = run(plan)
        names = ", ".join(rule.__name__ for rule in rules)
        shown = checked.present(ruled.rows)[0]
        assert ruled.rows == reference.rows, f"{names}: {ruled.rows} instead of {reference.rows}"
        assert count <= most, f"{names} ask {count} questions, without them it is {most}"
        assert shown == rows if ordered(program) else Counter(shown) == Counter(rows), (
            f"{names}: {shown}, SQL: {rows}"
        )


def main(count: int) -> None:
    """Runs so many random programs and tells what they asked."""
    done = 0

    @settings(
        max_examples=count,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
        phases=(Phase.generate,),
    )
    @given(programs.Rows, programs.Rows, programs.programs())
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
