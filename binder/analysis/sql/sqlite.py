"""SQLite's habits: its answer wherever DuckDB would refuse.

Text functions over a typed column of a web table read the text of its cells, as the author of the
program saw it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import cache
from typing import Any

from sqlglot import exp

from binder.analysis.sql import sqlite_dates
from binder.analysis.sql.coercion import as_text, moment, number
from binder.analysis.sql.types import COMPUTED, DATE_PARTS, TEXT_READERS, kind
from binder.language.annotations import annotate, notes
from binder.language.sqltree import copied, nodes, tree_of

_READS_TEXT = (
    *TEXT_READERS, exp.RegexpReplace, exp.RegexpExtractAll, exp.Initcap, exp.Reverse, exp.Pad,
    exp.SimilarTo, exp.ConcatWs, exp.Levenshtein,
)  # fmt: skip
_SUBJECTS = ("this", "expression", "expressions", "delimiter", "substr", "replacement")


def rewrite(tree: exp.Expr) -> exp.Expr:
    """Applies every habit, inner expressions first."""
    for node in reversed(nodes(tree)):
        habit = _habit(node.__class__)  # type: ignore[arg-type]  # any class can be hashed
        if habit is not None:
            habit(node)
    return tree


@cache
def _habit(node: type[Any]) -> Callable[[Any], None] | None:
    """What is done to the expressions of a class."""
    return next((habit for family, habit in _HABITS if issubclass(node, family)), None)


def _function(node: exp.Anonymous) -> None:
    made = _FUNCTIONS.get(node.name.upper())
    if made is not None:
        with contextlib.suppress(IndexError):  # too few arguments, as DuckDB will say
            node.replace(made(node))


def _substring_index(node: exp.SubstringIndex) -> None:
    node.replace(
        exp.SplitPart(
            this=as_text(node.this), delimiter=node.args["delimiter"], part_index=node.args["count"]
        )
    )


def _texts(node: exp.Expr) -> None:
    """Reads the operands that are texts as the text of their cells: not positions, lengths and
    other literals."""
    for name in _SUBJECTS[:1] if isinstance(node, (exp.Left, exp.Right)) else _SUBJECTS:
        value = node.args.get(name)
        if isinstance(value, exp.Expr) and not isinstance(value, exp.Literal):
            node.set(name, as_text(value))
        elif isinstance(value, list):
            node.set(
                name, [item if isinstance(item, exp.Literal) else as_text(item) for item in value]
            )


def _on_web_table(node: exp.Expr) -> bool:
    fields = [notes(part).field for part in nodes(node) if isinstance(part, exp.Column)]
    origins = [held.origin for held in fields if held is not None]
    return any(origin and origin[0].tidied for origin in origins)


def _like(node: exp.Like | exp.ILike) -> None:
    """LIKE ignores case on web tables; over a date it matches the text of the cell or the ISO
    form."""
    subject = node.this
    folded = isinstance(node, exp.Like) and _on_web_table(node)
    made = type(node) if not folded else exp.ILike
    negate = node.args.get("negate")
    text = as_text(subject)
    if kind(node.expression) == "number":
        node.set("expression", tree_of("CAST($number AS VARCHAR)", number=node.expression))
    test: exp.Expr = made(this=text, expression=node.expression, negate=negate)
    parent = node.parent
    if (
        kind(subject) == "date"
        and isinstance(text, exp.Column)
        and not isinstance(parent, exp.Escape)
    ):
        iso = tree_of("CAST($date AS VARCHAR)", date=copied(subject))
        other = made(this=iso, expression=copied(node.expression), negate=negate)
        test = exp.paren(
            exp.and_(test, other, copy=False) if negate else exp.or_(test, other, copy=False),
            copy=False,
        )
    node.replace(test)


def _cast(node: exp.Cast | exp.TryCast) -> None:
    """CAST(text AS a number) reads the number; CAST(column AS text) is the text of the cell."""
    target, source = kind(node), kind(node.this)
    if target == "text":
        node.set("this", as_text(node.this))
    elif source == "text" and target == "number" and not isinstance(node.this, exp.Literal):
        node.replace(exp.TryCast(this=number(node.this), to=node.to))
    elif (
        source in ("text", None)
        and target in ("date", "boolean")
        and not isinstance(node.this, exp.Literal)
    ):
        node.replace(exp.TryCast(this=node.this, to=node.to))


def _arithmetic(node: exp.Expr) -> None:
    _numbers(node)
    annotate(node, family=kind(node) or "")


def _numbers(node: exp.Expr) -> None:
    """Texts that are computed with are the numbers that they write; with dates and times, nothing
    is changed."""
    operands = [node.this, node.args.get("expression")]
    timed = ("date", "time")
    if any(kind(operand) in timed or isinstance(operand, exp.Interval) for operand in operands):
        return
    for name, operand in (("this", operands[0]), ("expression", operands[1])):
        if isinstance(operand, exp.Distinct):
            operand.set("expressions", [number(item) for item in operand.expressions])
        elif kind(operand) == "boolean" and isinstance(node, (exp.Sum, exp.Avg)):
            node.set(name, tree_of("CAST($truth AS BIGINT)", truth=operand))
        elif operand is not None:
            node.set(name, number(operand))


def _part_of_date(node: exp.Expr) -> None:
    """YEAR of a column of years is that column; of a text, the year of the date it writes."""
    name = "expression" if isinstance(node, exp.Extract) else "this"
    operand = node.args[name]
    year = isinstance(node, exp.Year) or (
        isinstance(node, exp.Extract) and node.name.upper() == "YEAR"
    )
    if kind(operand) == "number" and year:
        node.replace(operand)
    else:
        node.set(name, moment(operand))


def _strftime(node: exp.TimeToStr) -> None:
    """STRFTIME(format, date) as SQLite writes it, or the other way round."""
    subject, pattern = node.this, node.args["format"]
    if isinstance(subject, exp.Literal) and "%" in subject.this:
        subject, pattern = pattern, subject
    if kind(subject) == "number" and isinstance(pattern, exp.Literal) and pattern.this == "%Y":
        node.replace(tree_of("CAST($year AS VARCHAR)", year=subject))
        return
    node.set("this", moment(subject))
    node.set("format", pattern)


def _date(node: exp.Date | exp.Datetime) -> None:
    target = "DATE" if isinstance(node, exp.Date) else "TIMESTAMP"
    node.replace(tree_of(f"TRY_CAST($moment AS {target})", moment=moment(node.this)))


def _day_difference(node: exp.Anonymous) -> exp.Expr:
    """DATEDIFF(a, b) counts days from b to a; with three arguments the first is the unit."""
    unit, later, earlier = "day", *node.expressions[:2]
    if len(node.expressions) == 3:
        unit, earlier, later = node.expressions[0].name, node.expressions[1], node.expressions[2]
    return _numeric("DATE_DIFF", exp.Literal.string(unit.lower()), moment(earlier), moment(later))


def _numeric(name: str, *arguments: exp.Expr) -> exp.Expr:
    made = exp.Anonymous(this=name, expressions=list(arguments))
    annotate(made, family="number")
    return made


def _julian(node: exp.Anonymous) -> exp.Expr:
    made = sqlite_dates.julian(moment(node.expressions[0]))
    annotate(made, family="number")
    return made


def _total(node: exp.Anonymous) -> exp.Expr:
    return tree_of("COALESCE(SUM($number), 0.0)", number=number(node.expressions[0]))


def _is_null(node: exp.Anonymous) -> exp.Expr:
    return tree_of("($value IS NULL)", value=node.expressions[0])


_FUNCTIONS: dict[str, Callable[[exp.Anonymous], exp.Expr]] = {
    "DAY_DIFFERENCE": _day_difference,
    "JULIANDAY": _julian,
    "TOTAL": _total,
    "ISNULL": _is_null,
    **dict.fromkeys(sqlite_dates.FUNCTIONS, sqlite_dates.computed),
}

_HABITS: tuple[tuple[type[exp.Expr] | tuple[type[exp.Expr], ...], Callable[[Any], None]], ...] = (
    (exp.Anonymous, _function),
    ((exp.Like, exp.ILike), _like),
    ((exp.Cast, exp.TryCast), _cast),
    (exp.SubstringIndex, _substring_index),
    (exp.TimeToStr, _strftime),
    ((exp.Date, exp.Datetime), _date),
    (_READS_TEXT, _texts),
    (COMPUTED, _arithmetic),
    ((*DATE_PARTS, exp.Monthname, exp.Dayname), _part_of_date),
)
