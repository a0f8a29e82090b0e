"""Comparisons: the expressions with which a value is compared where it stands."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlglot import exp

from binder.analysis.sql.coercion import COMPARISONS


def compared_with(node: exp.Expr) -> list[exp.Expr]:
    """The expressions with which the one around a node compares its value."""
    parent = node.parent
    # CASE x WHEN y: y stands in a branch of the CASE that compares it
    if isinstance(parent, exp.If) and node.arg_key == "this":
        parent = parent.parent
    compared = next((found for classes, found in _COMPARED if isinstance(parent, classes)), None)
    if parent is None or compared is None:
        return []
    return [other for other in compared(parent, node) if other is not node]


def _in(parent: exp.In, node: exp.Expr) -> list[exp.Expr]:
    if parent.this is not node:
        return [parent.this]
    query = parent.args.get("query")
    return [*([query.unnest()] if query is not None else []), *parent.expressions]


def _between(parent: exp.Between, node: exp.Expr) -> list[exp.Expr]:
    return [parent.this, parent.args["low"], parent.args["high"]]


def _operands(parent: exp.Expr, node: exp.Expr) -> list[exp.Expr]:
    return [parent.this, parent.args["expression"]]


def _same_place(parent: exp.Tuple, node: exp.Expr) -> list[exp.Expr]:
    """Rows are compared place by place."""
    index = next(i for i, part in enumerate(parent.expressions) if part is node)
    found: list[exp.Expr] = []
    for other in compared_with(parent):
        row = other.selects if isinstance(other, exp.Query) else other.expressions
        if len(row) == len(parent.expressions):
            found.append(row[index].unalias())
    return found


def _tested(parent: exp.Case, node: exp.Expr) -> list[exp.Expr]:
    """CASE x WHEN y compares x with each y; the other parts of it are not compared."""
    if parent.this is None or node.arg_key != "this":
        return []
    return [parent.this, *(branch.this for branch in parent.args["ifs"])]


_COMPARED: tuple[tuple[Any, Callable[[Any, exp.Expr], list[exp.Expr]]], ...] = (
    (COMPARISONS, _operands),
    (exp.In, _in),
    (exp.Between, _between),
    (exp.Nullif, _operands),
    (exp.Tuple, _same_place),
    (exp.Case, _tested),
)
