"""Bare columns of a grouped SELECT, which are neither grouped nor aggregated.

As in SQLite they take their value from one row of the group: with exactly one MIN or MAX, the row
that holds it; else the first. DuckDB refuses them, so each becomes FIRST(column ORDER BY ...).
"""

from __future__ import annotations

from sqlglot import exp

from binder.analysis.sql.aggregates import aggregates_of, is_aggregate, window_parts
from binder.analysis.sql.types import kind
from binder.language.annotations import annotate, notes
from binder.language.sqltree import copied


def settle_bare_columns(select: exp.Select, row_order: list[exp.Expr]) -> None:
    """Takes the bare columns of a SELECT from the row that stands for the group. row_order: the
    items of an ORDER BY that puts its rows in order."""
    group = select.args.get("group")
    grouped = set(group.expressions) if group else set()
    order = [*_extreme(select), *row_order]
    for part in (*select.expressions, select.args.get("having"), select.args.get("order")):
        if part is not None:
            take_first(part, grouped, order)


def _extreme(select: exp.Select) -> list[exp.Expr]:
    """The order that puts the row first which holds the only MIN or MAX of a SELECT."""
    found: list[exp.Expr] = []
    for part in select.expressions:
        found += aggregates_of(part)
    if len(found) != 1 or not isinstance(found[0], (exp.Min, exp.Max)) or not found[0].this:
        return []
    # SELECT city, MAX(people): the city with the most people. NULLS LAST, because MAX skips NULLs.
    held = copied(found[0].this)
    return [exp.Ordered(this=held, desc=isinstance(found[0], exp.Max), nulls_first=False)]


def take_first(node: exp.Expr, grouped: set[exp.Expr], order: list[exp.Expr]) -> None:
    """Puts FIRST(column) in the place of each bare column of an expression."""
    # what stands inside an aggregate is not bare, and a sub-select has groups of its own
    if node in grouped or is_aggregate(node) or isinstance(node, exp.Query):
        return
    if isinstance(node, exp.Column):
        if notes(node).field is not None and not isinstance(node.this, exp.Star):
            node.replace(_first(node, order))
        return
    parts = window_parts(node) if isinstance(node, exp.Window) else list(node.iter_expressions())
    for part in parts:
        take_first(part, grouped, order)


def _first(column: exp.Column, order: list[exp.Expr]) -> exp.First:
    value: exp.Expr = copied(column)
    if order:
        value = exp.Order(this=value, expressions=[copied(item) for item in order])
    first = exp.First(this=value)
    annotate(first, family=kind(column))
    return first
