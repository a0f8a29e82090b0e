"""Doubts: what must be told of the columns that a program computes with.

A column may leave cells out, read some in part, or rest on a guess. Whoever sees its cells as they
are written need not be told; whoever counts, adds, orders or compares its values must be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from binder.analysis.sql.types import COMPUTED, DATE_PARTS, TEXT_READERS, kind
from binder.errors import CheckFault
from binder.language.annotations import notes
from binder.language.program import Program
from binder.language.sqltree import is_placeholder, nodes
from binder.tables.readings.mixed import Mixture
from binder.tables.table import Column, Table

_ORDERING = (exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.Min, exp.Max, exp.Ordered)
_COMPUTING = (*COMPUTED, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Between, exp.Cast, exp.TryCast)
_DATING = (*DATE_PARTS, exp.TimeToStr, exp.DateDiff, exp.Date)
_WORDS = {
    exp.TimeToStr: "STRFTIME",
    exp.Ordered: "ORDER BY",
    exp.Group: "GROUP BY",
    exp.Predicate: "the comparison",
    exp.Cast: "CAST",
    exp.Binary: "the arithmetic",
}
_YEARS = 9999


def doubts(tree: exp.Expr, tables: Sequence[Table]) -> list[str]:
    """What must be told of the tables and columns that a resolved query computes with."""
    told = list(_totals(tree, tables))
    for column in nodes(tree):
        held = notes(column).field if isinstance(column, exp.Column) else None
        if held is None or held.origin is None:
            continue
        table, stored = held.origin
        user = _user(column)
        if user is None:
            continue
        if stored.type == "VARCHAR":
            told += _of_text(table, stored, user)
        elif stored.reading is not None:
            told += stored.reading.troubles(stored.name, _word(user))
    return list(dict.fromkeys(told))


def _totals(tree: exp.Expr, tables: Sequence[Table]) -> Iterable[str]:
    """The tables that a query aggregates though their last row sums up the others, unless the
    query speaks of that row."""
    found = nodes(tree)
    if not any(isinstance(node, exp.AggFunc) for node in found):
        return
    named = {node.name.casefold() for node in found if isinstance(node, exp.Table)}
    said = {repr(node.this).casefold() for node in found if isinstance(node, exp.Literal)}
    for table in tables:
        if table.name.casefold() in named and table.total and table.total.casefold() not in said:
            yield f"table {table.name}: its last row is {table.total}, and counts as a row"


def _user(column: exp.Expr) -> exp.Expr | None:
    """What computes with a column; None where its cells are only shown, sent or read as text."""
    node = column.parent
    while isinstance(node, (exp.Paren, exp.Distinct, exp.Neg)):
        node = node.parent
    shows = (exp.Alias, exp.Select, exp.Is, exp.Tuple, *TEXT_READERS)
    if node is None or isinstance(node, shows) or is_placeholder(node):
        return None
    return node


def _word(user: exp.Expr) -> str:
    """What a person calls a part of a query."""
    for family, word in _WORDS.items():
        if isinstance(user, family):
            return word
    return user.name.upper() if isinstance(user, exp.Anonymous) else user.key.upper()


def _of_text(table: Table, column: Column, user: exp.Expr) -> list[str]:
    """What must be told where texts are taken for numbers, or ordered though some are."""
    if not isinstance(user, (*_COMPUTING, *_ORDERING, *_DATING)):
        return []
    if column.reading is not None and column.reading.note and isinstance(user, _COMPUTING):
        return [f"{_word(user)} of {column.name}: it is text ({column.reading.note})"]
    mixed = table.mixture(column)
    if mixed is None or not mixed.others + mixed.parts:
        return []
    subject = f"{_word(user)} of {column.name}"
    cells = ", ".join(map(repr, (*mixed.others, *mixed.parts)[:3]))
    if isinstance(user, _DATING):
        lost = mixed.rows - mixed.dated
        told = f"{subject} left out {lost:,} of {mixed.rows:,} cells"
        told += f", which are not read as dates: {cells}"
        return [told] if lost else []
    if mixed.timed and isinstance(user, _ORDERING):
        return [f"{subject}: times and dates are ordered as text: {cells}"]
    if _as_number(user):
        return _not_read(mixed, subject)
    numbers = mixed.plain + mixed.in_part
    if isinstance(user, _ORDERING) and 2 * numbers >= mixed.rows:
        what = f"{numbers:,} of {mixed.rows:,} cells are numbers, but it is ordered as text"
        return [f"{subject}: {what}, for {cells}"]
    return []


def _not_read(mixed: Mixture, subject: str) -> list[str]:
    """What is told of texts that are no numbers, or more than one."""
    told = []
    for verb, rows, how, examples in (
        ("left out", mixed.other, "", mixed.others),
        ("read", mixed.in_part, " in part", mixed.parts),
    ):
        if rows:
            what = f"{rows:,} of {mixed.rows:,} cells{how}, for it is text"
            told.append(f"{subject} {verb} {what}: {', '.join(map(repr, examples))}")
    return told


def _as_number(user: exp.Expr) -> bool:
    """Whether texts below a node are taken for numbers."""
    if isinstance(user, (exp.Cast, exp.TryCast)):
        return kind(user) == "number"
    if isinstance(user, COMPUTED):
        return True
    sides = [user.this, user.args.get("expression"), user.args.get("low")]
    return isinstance(user, _COMPUTING) and any(kind(side) == "number" for side in sides if side)


def refuse_years(tree: exp.Expr, program: Program) -> None:
    """A fault where YEAR is taken of a column of numbers that are no years."""
    for node in nodes(tree):
        year = isinstance(node, exp.Year) or (
            isinstance(node, exp.Extract) and node.name.upper() == "YEAR"
        )
        column = node.args.get("expression" if isinstance(node, exp.Extract) else "this")
        if not year or not isinstance(column, exp.Column):
            continue
        held = notes(column).field
        if held is None or held.origin is None or held.kind != "number":
            continue
        table, stored = held.origin
        most = table.largest(stored)
        if most is not None and most > _YEARS:
            raise CheckFault(
                f"YEAR of {stored.name!r}: it holds numbers such as {most}, which are no years",
                text=program.text,
                span=program.span(column),
                hint="seconds since 1970: YEAR(TO_TIMESTAMP(...)); digits of a date: "
                f'connect(..., types={{"{stored.name}": "date:%Y%m%d"}})',
            )
