"""Comparisons between values of one kind.

Text against a number compares as a number (NULL where it is none), text against a date as a date, a
date against a number as its year. A text literal is read as what it is compared with, or linked to
the cells it means (value_linking).
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

from sqlglot import exp

from binder.analysis.sql.types import kind, picked
from binder.analysis.sql.value_linking import UNEQUAL, Link, absent, linked, raw_of
from binder.language.annotations import annotate, notes
from binder.language.program import Origin
from binder.language.sqltree import copied, nodes, tree_of
from binder.tables.cells import read_boolean
from binder.tables.dates import read_date
from binder.tables.numbers import read_number
from binder.tables.readings import Reading
from binder.tables.readings.dates import read_compact
from binder.tables.readings.literals import read_literal

EQUALITIES = (exp.EQ, exp.NullSafeEQ, *UNEQUAL)
COMPARISONS = (*EQUALITIES, exp.GT, exp.GTE, exp.LT, exp.LTE)
Sides = tuple[exp.Expr, exp.Expr]


class Literals:
    """Rewrites the comparisons of one tree in place; `repairs` lists the literals that were
    respelt, `doubts` those of a person's that no cell equals."""

    def __init__(self, origin: Origin) -> None:
        self.origin = origin
        self.repairs: list[str] = []
        self.doubts: list[str] = []

    def rewrite(self, tree: exp.Expr) -> None:
        """All comparisons of the tree, inner ones first."""
        for node in reversed(nodes(tree)):
            if isinstance(node, exp.Between):
                self._between(node)
            elif isinstance(node, exp.In):
                self._in(node)
            elif isinstance(node, exp.Nullif):
                _nullif(node)
            elif isinstance(node, COMPARISONS):
                self._comparison(node)

    def _between(self, node: exp.Between) -> None:
        low = exp.GTE(this=copied(node.this), expression=node.args["low"])
        high = exp.LTE(this=node.this, expression=node.args["high"])
        node.replace(exp.paren(exp.And(this=low, expression=high), copy=False))
        self._comparison(low)
        self._comparison(high)

    def _comparison(self, node: exp.Binary) -> None:
        left, right = node.this, node.expression
        if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
            for one, other in zip(list(left.expressions), list(right.expressions), strict=False):
                _replace(one, other)
            return
        equality = isinstance(node, EQUALITIES)
        if equality and self._linked(node, absent(node, left, right)):
            return
        if isinstance(left, exp.Literal) and not isinstance(right, exp.Literal):
            right, left = _align(right, left)
        else:
            left, right = _align(left, right)
        node.set("this", left)
        node.set("expression", right)
        if equality:
            self._linked(node, linked(node, self.origin))

    def _linked(self, node: exp.Expr, link: Link | None) -> bool:
        """Puts the test of a link in the place of a comparison."""
        test = self._test(link)
        if test is None:
            return False
        node.replace(test)
        return True

    def _test(self, link: Link | None) -> exp.Expr | None:
        """The test of a link, if there is one; what the link tells is kept."""
        if link is None:
            return None
        # without a test nothing was changed: the reader is only told what the literal resembles
        told = self.doubts if link.test is None else self.repairs
        told.append(link.told)
        return link.test

    def _in(self, node: exp.In) -> None:
        query = node.args.get("query")
        if query is not None:
            _in_query(node, query.unnest())
        elif node.expressions:  # else it is IN a list value
            self._in_list(node)

    def _in_list(self, node: exp.In) -> None:
        kept: list[exp.Expr] = []
        apart: list[exp.Expr] = []  # members that compare in another way than the rest
        negative = isinstance(node.parent, exp.Not)
        subject = copied(node.this)
        for item in node.expressions:
            left, right = _align(subject, item)
            equal = exp.EQ(this=left, expression=right)
            link = absent(equal, node.this, item) or linked(equal, self.origin, negative)
            test = self._test(link) or equal
            if isinstance(test, exp.In):
                kept += test.expressions
            elif isinstance(test, exp.EQ) and test.this == node.this:
                kept.append(test.expression)
            else:
                apart.append(test)
                subject = copied(node.this)
        if kept:
            node.set("expressions", kept)
            apart.insert(0, copied(node))
        if len(apart) > 1 or not kept:
            node.replace(exp.paren(exp.or_(*apart, copy=False), copy=False))


def _replace(one: exp.Expr, other: exp.Expr) -> None:
    """Aligns two values where they stand."""
    for given, aligned in zip((one, other), _align(one, other), strict=True):
        if aligned is not given:
            given.replace(aligned)


def _in_query(node: exp.In, inner: exp.Expr) -> None:
    kinds = (kind(node.this), kind(inner))
    if kinds == ("text", "number"):
        node.set("this", number(node.this))
    elif kinds == ("number", "text") and isinstance(inner, exp.Select):
        shown = inner.expressions[0]
        shown.set("this", number(shown.this))


def _nullif(node: exp.Nullif) -> None:
    """NULLIF(n, '-') of a number that no '-' equals is the number."""
    value, other = node.this, node.expression
    left, right = _align(value, other)
    if left is value:
        node.set("expression", right)
    elif right is other and isinstance(other, exp.Literal):
        node.replace(value)


# both sides of a comparison as one kind


def _align(left: exp.Expr, right: exp.Expr) -> Sides:
    """Both sides as one kind; a literal, if there is one, stands right."""
    if isinstance(right, exp.Literal) and right.is_string:
        read = _LITERALS.get(kind(left) or "")
        return (read(left, right) or (as_text(left), right)) if read else (left, right)
    kinds = {kind(left), kind(right)}
    if kinds == {"text", "number"}:
        return number(left), number(right)
    if kinds == {"date", "number"}:
        if isinstance(right, exp.Literal) and (day := read_compact(right.this)) is not None:
            return left, date_literal(day)
        return _year(left), _year(right)
    if kinds == {"date", "text"}:
        return moment(left), moment(right)
    return left, right


def _as_value(left: exp.Expr, literal: exp.Literal) -> Sides | None:
    """A number, a date or a time, read as the cells of the column are."""
    value = read_literal(literal.this, _reading(left), kind(left) or "")
    return None if value is None else (left, _written(value))


def _as_date(left: exp.Expr, literal: exp.Literal) -> Sides | None:
    if (read := _as_value(left, literal)) is not None:
        return read
    year = re.fullmatch(r"\s*(\d{4})\s*", literal.this)
    return (exp.Year(this=left), exp.Literal.number(year[1])) if year else None


def _as_truth(left: exp.Expr, literal: exp.Literal) -> Sides | None:
    truth = read_boolean(literal.this)
    return (left, exp.Boolean(this=truth)) if truth is not None else None


# how a text literal is read that is compared with a value of a kind; None: it is no such value
_LITERALS: dict[str, Callable[[exp.Expr, Any], Sides | None]] = {
    "number": _as_value,
    "date": _as_date,
    "time": _as_value,
    "boolean": _as_truth,
}


_PLAIN = Reading("", "")


def _reading(node: exp.Expr) -> Reading:
    """How the stored column that an operand shows is read."""
    held = notes(picked(node)).field
    found = held.origin[1].reading if held is not None and held.origin is not None else None
    return found or _PLAIN


def _written(value: float | datetime.date | datetime.time) -> exp.Expr:
    """A value as SQL writes it."""
    if isinstance(value, datetime.date):
        return date_literal(value)
    if isinstance(value, datetime.time):
        return tree_of("CAST($time AS TIME)", time=str(value))
    return _signed(value)


# one value as another kind


def number(node: exp.Expr) -> exp.Expr:
    """Text as the number it writes, NULL where it writes none; anything else as it is."""
    if kind(node) != "text":
        return node
    if isinstance(node, exp.Literal) and node.is_string:
        value = read_number(node.this)
        return exp.Null() if value is None else _signed(value)
    if _reading(node).note is not None:  # several units: no sum of them is a number
        nothing = tree_of("CAST(NULL AS DOUBLE)")
        annotate(nothing, family="number")
        return nothing
    made = tree_of("number_in($text)", text=node)
    annotate(made, family="number")
    return made


def _signed(value: float) -> exp.Expr:
    return exp.Literal.number(value) if value >= 0 else exp.Neg(this=exp.Literal.number(-value))


def moment(node: exp.Expr) -> exp.Expr:
    """Text as a date or time stamp, NULL where it is none; anything else as it is."""
    if kind(node) != "text":
        return node
    if isinstance(node, exp.Literal) and node.is_string:
        day = read_date(node.this)
        if day is not None:
            return date_literal(day)
    return tree_of("TRY_CAST($text AS TIMESTAMP)", text=node)


def _year(node: exp.Expr) -> exp.Expr:
    """A date as its year; anything else as it is."""
    return exp.Year(this=node) if kind(node) == "date" else node


def date_literal(day: datetime.date) -> exp.Expr:
    """A date as SQL writes it."""
    name = "TIMESTAMP" if isinstance(day, datetime.datetime) else "DATE"
    return tree_of(f"CAST($day AS {name})", day=str(day))


def as_text(node: exp.Expr) -> exp.Expr:
    """A value as its text: the raw text of the cell where a column keeps it."""
    if isinstance(node, exp.Column) and (raw := raw_of(node)) is not None:
        return raw
    if kind(node) in ("number", "date", "time", "boolean"):
        return tree_of("CAST($value AS VARCHAR)", value=node)
    return node
