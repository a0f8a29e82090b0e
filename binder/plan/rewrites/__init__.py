"""Rewrites: they make the tree of a program simpler before its plan is built.

Each edits the tree in place and keeps its rows, their order, and the value of every call. What then
stands in one SELECT shares its WHERE, its LIMIT and its order, so no rule has to see through joins
and sub-selects.

The order counts: what only asks whether a row exists becomes simpler first, sub-selects that stay
after inlining are those that the next two open up, and conditions of joins come last because
inlining brings more of them. The turn of calls that were
asked one after the other before a rewrite stays with them, as `layer` among the notes of a call:
calls are copied and moved with their expressions, and a list beside the tree would have to follow.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sqlglot import exp

from binder.analysis.sql import Checked
from binder.language.sqltree import copied
from binder.plan import Rewrite
from binder.plan.naive import label
from binder.plan.rewrites.existence import join_as_exists, show_nothing
from binder.plan.rewrites.inline import inline_subqueries
from binder.plan.rewrites.join_conditions import join_in_where
from binder.plan.rewrites.pull_up import ask_outside
from binder.plan.rewrites.push_down import filter_inside

REWRITES: tuple[Rewrite, ...] = (
    show_nothing,
    join_as_exists,
    inline_subqueries,
    ask_outside,
    filter_inside,
    join_in_where,
)


def rewritten(checked: Checked, rewrites: Sequence[Rewrite] = REWRITES) -> Checked:
    """The program with its tree rewritten; the same object if there is nothing to rewrite."""
    if not rewrites or not checked.call_types:
        return checked
    # what is sent with a call is told from the program as it is written
    label(checked)
    # one copy for all rewrites: the tree that was checked stays as it is
    root = exp.Subquery(this=copied(checked.query))
    changed = False
    for rewrite in rewrites:
        changed |= rewrite(root)
    tree: exp.Expr = root.this
    return replace(checked, query=tree.pop()) if changed else checked
