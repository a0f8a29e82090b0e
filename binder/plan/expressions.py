"""Builders of the SQL expressions that plans are made of."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from binder.language.sqltree import copied
from binder.plan.outcomes import Outcome


def quoted(name: str) -> exp.Identifier:
    """A name in quotes."""
    return exp.to_identifier(name, quoted=True)


def unused(name: str, taken: set[str]) -> str:
    """A name that is not among some taken ones, which are in lower case."""
    while name.casefold() in taken:
        name += "_"
    return name


def column(name: str, table: str) -> exp.Column:
    """A column of a table, both in quotes."""
    return exp.column(quoted(name), quoted(table))


def number(value: int) -> exp.Expr:
    """A number as it is written."""
    return exp.Literal.number(value)


def is_not(node: exp.Expr, constant: exp.Expr) -> exp.Expr:
    """NOT (node) IS constant"""
    return exp.Not(this=exp.Is(this=_in_parentheses(node), expression=constant))


def any_present(values: Sequence[exp.Expr]) -> exp.Expr:
    """Whether one of some values is not NULL."""
    return some([is_not(copied(value), exp.null()) for value in values])


def comes_out(node: exp.Expr, outcomes: Outcome) -> exp.Expr:
    """A condition that is true exactly where another comes out as one of the outcomes."""
    node = _in_parentheses(node)
    if outcomes == Outcome.TRUE:
        return node
    if outcomes == Outcome.FALSE:
        return exp.Not(this=node)
    if outcomes == Outcome.NULL:
        return exp.Is(this=node, expression=exp.null())
    excluded = {
        Outcome.NOT_NULL: exp.null(),
        Outcome.NOT_TRUE: exp.true(),
        Outcome.NOT_FALSE: exp.false(),
    }
    return is_not(node, excluded[outcomes])


def opposite(node: exp.Expr) -> exp.Expr:
    """True exactly where a condition is not."""
    if isinstance(node, exp.Boolean):
        return exp.Boolean(this=not node.this)
    return is_not(exp.paren(node), exp.true())


def every(parts: Sequence[exp.Expr]) -> exp.Expr:
    """All conditions together; those that are always true are left out."""
    if any(isinstance(part, exp.Boolean) and not part.this for part in parts):
        return exp.false()
    left = _distinct(parts)
    return exp.and_(*left, copy=False) if left else exp.true()


def some(parts: Sequence[exp.Expr]) -> exp.Expr:
    """Any of the conditions; those that are never true are left out."""
    if any(is_true(part) for part in parts):
        return exp.true()
    left = _distinct(parts)
    return exp.paren(exp.or_(*left, copy=False), copy=False) if left else exp.false()


def is_true(node: exp.Expr) -> bool:
    """Whether a condition is always true."""
    return isinstance(node, exp.Boolean) and bool(node.this)


def _distinct(parts: Sequence[exp.Expr]) -> list[exp.Expr]:
    return list(dict.fromkeys(part for part in parts if not isinstance(part, exp.Boolean)))


def _in_parentheses(node: exp.Expr) -> exp.Expr:
    return node if isinstance(node, exp.Paren) else exp.paren(node, copy=False)
