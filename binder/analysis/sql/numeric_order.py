"""Texts that are numbers all through are ordered as numbers: 9, 10, 100."""

from __future__ import annotations

from sqlglot import exp

from binder.analysis.sql.coercion import number
from binder.language.annotations import annotate, notes
from binder.language.sqltree import copied, nodes

_ORDERED = (exp.GT, exp.GTE, exp.LT, exp.LTE)


def rewrite(tree: exp.Expr) -> None:
    """ORDER BY, MIN, MAX and comparisons of such columns."""
    for node in reversed(nodes(tree)):
        if isinstance(node, (exp.Min, exp.Max)) and _is_numeric(node.this):
            _extreme(node)
        elif isinstance(node, exp.Ordered) and _is_numeric(node.this):
            _order(node)
        elif isinstance(node, _ORDERED) and _is_numeric(node.this) and _is_numeric(node.expression):
            node.set("this", number(node.this))
            node.set("expression", number(node.expression))


def _is_numeric(node: exp.Expr | None) -> bool:
    """Whether an expression is a text column whose cells are all numbers."""
    held = notes(node).field if isinstance(node, exp.Column) else None
    if held is None or held.kind != "text" or held.origin is None:
        return False
    table, stored = held.origin
    # the hidden raw text is there to be shown, and never stands for a number
    if held.name == stored.raw:
        return False
    mixed = table.mixture(stored)
    # 1.10 comes after 1.9 among versions, and before it among decimals: an identifier stays a text
    dotted = stored.reading is not None and stored.reading.kind == "identifier"
    return (
        mixed is not None
        and mixed.plain > 0
        and mixed.plain == mixed.rows
        and not (dotted and any("." in cell for cell in table.spellings(stored.name) or ()))
    )


def _extreme(node: exp.Min | exp.Max) -> None:
    """MAX(text) as the text of the largest number."""
    # MAX(number) would show 7 for the cell "007": ARG_MAX hands back the cell itself
    made: type[exp.Expr] = exp.ArgMax if isinstance(node, exp.Max) else exp.ArgMin
    text = node.this
    found = made(this=text, expression=number(copied(text)))
    annotate(found, family="text")
    node.replace(found)


def _order(node: exp.Ordered) -> None:
    """ORDER BY text as by its number, then by the text."""
    order = node.parent
    if not isinstance(order, exp.Order):
        return
    first = copied(node)
    first.set("this", number(first.this))
    position = next(i for i, item in enumerate(order.expressions) if item is node)
    items = list(order.expressions)
    order.set("expressions", [*items[:position], first, *items[position:]])
