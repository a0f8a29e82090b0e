"""Conditions over calls whose answers are true, false, NULL or unknown go in; what each can come
out as is read from DuckDB.

In a condition, `#p` is a call about the column p, which says how the call is answered: T, F or N;
`?` is not in the mapping. A line of `--- can` holds the answers of p, q and r, then the outcomes
that `can` leaves open."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from itertools import product
from pathlib import Path

import duckdb
import pytest
from sqlglot import exp

from binder.analysis.sql import check
from binder.language.annotations import site_of
from binder.language.skeleton import parse
from binder.language.sqltree import placeholders, sql_of
from binder.plan.mapping_join import looked_up, mapping_name
from binder.plan.outcomes import Outcome
from binder.plan.rules import optimize
from binder.plan.three_valued import Knowledge, can
from binder.tables.table import load

FIXTURE = Path(__file__).parent.parent / "fixtures" / "plans" / "three_valued.txt"
ANSWERS = {"T": True, "F": False, "N": None}
LETTERS = {"T": Outcome.TRUE, "F": Outcome.FALSE, "N": Outcome.NULL}
Row = tuple[str, ...]

W = load([{"p": "T", "q": "T", "r": "T"}], "w")
ONE = load([{"x": "a"}], "one")


def conditions() -> Iterator[object]:
    for block in FIXTURE.read_text(encoding="utf-8").split("=== ")[1:]:
        title, condition, _, *lines = block.strip().split("\n")
        yield pytest.param(condition, lines, id=title)


CONDITIONS = list(conditions())


def letters(outcomes: Outcome) -> set[str]:
    return {letter for letter, outcome in LETTERS.items() if outcome in outcomes}


@cache
def engine() -> duckdb.DuckDBPyConnection:
    """DuckDB with all rows of answers, and mappings that hold all but `?`."""
    connection = duckdb.connect()
    connection.execute("CREATE TABLE one AS SELECT 'a' AS x, 1 AS row_id")
    connection.execute("CREATE TABLE w (p TEXT, q TEXT, r TEXT, row_id INT)")
    rows = [(*answers, i) for i, answers in enumerate(product("TFN?", repeat=3))]
    connection.executemany("INSERT INTO w VALUES (?, ?, ?, ?)", rows)
    for number in range(6):
        name = mapping_name(f"call_{number}", "t")
        connection.execute(f'CREATE TABLE "{name}" (k0 TEXT, value BOOLEAN)')
        connection.executemany(f'INSERT INTO "{name}" VALUES (?, ?)', list(ANSWERS.items()))
    return connection


def resolved(condition: str) -> exp.Expr:
    """A condition as the WHERE of a program."""
    calls = re.sub(r"#(\w)", r'QA("map@\1?"; w.\1)', condition)
    tables = (W, ONE)
    checked = check(parse(f"SELECT p FROM w WHERE {calls}"), tables)
    tree = optimize(checked, ()).query.tree
    condition_: exp.Expr = tree.args["where"].this
    return condition_


def used(condition: str) -> list[str]:
    return sorted(set(re.findall(r"#(\w)", condition)))


def rows_of(condition: str, columns: list[exp.Expr]) -> dict[Row, tuple[object, ...]]:
    """The answers of the calls of a condition -> the values of some expressions."""
    names = used(condition)
    select = exp.Select(
        expressions=[*(exp.column(name) for name in names), *columns],
        from_=exp.From(this=exp.to_table("w")),
    )
    rows = engine().execute(sql_of(looked_up(select, "t"))).fetchall()
    return {row[: len(names)]: row[len(names) :] for row in rows}


def left_open(condition: str, known: Knowledge) -> dict[Row, str]:
    """The answers of the calls of a condition -> the outcomes that `can` leaves open."""
    node = resolved(condition)
    rows = rows_of(condition, [can(node, outcome, known) for outcome in LETTERS.values()])
    return {
        row: "".join(letter for letter, value in zip(LETTERS, values, strict=True) if value)
        for row, values in rows.items()
    }


def begun(condition: str) -> Knowledge:
    """Nothing is finished, and each mapping holds something."""
    return Knowledge(begun=frozenset(call.name for call in placeholders(resolved(condition))))


def possible(condition: str) -> dict[Row, Outcome]:
    """The answers of the calls of a condition -> what it comes out as for some answers of those
    that are unknown."""
    certain = {}
    for row, (value,) in rows_of(condition, [resolved(condition)]).items():
        if "?" not in row:
            certain[row] = {True: Outcome.TRUE, False: Outcome.FALSE, None: Outcome.NULL}[value]
    found = {}
    for row in product("TFN?", repeat=len(used(condition))):
        found[row] = Outcome(0)
        for answers in product(*("TFN" if answer == "?" else answer for answer in row)):
            found[row] |= certain[answers]
    return found


@pytest.mark.parametrize(("condition", "lines"), CONDITIONS)
def test_what_a_condition_can_come_out_as(condition: str, lines: list[str]) -> None:
    found = left_open(condition, begun(condition))
    assert [f"{' '.join(row)}  {outcomes}" for row, outcomes in sorted(found.items())] == lines


@pytest.mark.parametrize(("condition", "lines"), CONDITIONS)
def test_no_outcome_is_missed(condition: str, lines: list[str]) -> None:
    found = left_open(condition, begun(condition))
    for row, outcomes in possible(condition).items():
        assert letters(outcomes) <= set(found[row]), row


@pytest.mark.parametrize(("condition", "lines"), CONDITIONS)
def test_before_the_first_answer_no_outcome_is_missed(condition: str, lines: list[str]) -> None:
    all_unknown = possible(condition)[("?",) * len(used(condition))]
    for row, outcomes in left_open(condition, Knowledge()).items():
        assert letters(all_unknown) <= set(outcomes), row


@pytest.mark.parametrize(("condition", "lines"), CONDITIONS)
def test_when_all_is_known_one_outcome_is_left(condition: str, lines: list[str]) -> None:
    sites = frozenset(site_of(call) for call in placeholders(resolved(condition)))
    found = left_open(condition, Knowledge(done=sites))
    for row, outcomes in possible(condition).items():
        if "?" not in row:
            assert letters(outcomes) == set(found[row]), row
