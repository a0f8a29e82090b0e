"""The small changes to the asks of a plan that rules are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace

from sqlglot import exp

from binder.language.sqltree import placeholders, sql_of
from binder.plan import Ask, Plan, RowFilter

# A filter as it is compared with others: equal ones are kept once.
FilterKey = tuple[str, int, int, str]


def each(plan: Plan, change: Callable[[Ask], Ask]) -> Plan:
    """The plan with each of its asks changed."""
    steps = [replace(step, asks=tuple(map(change, step.asks))) for step in plan.steps]
    return replace(plan, steps=tuple(steps))


def filtered(ask: Ask, added: Iterable[RowFilter]) -> Ask:
    """The ask with more filters, those left out that cannot rule out any row."""
    # rules overlap: a filter that two of them find stands once, where the first one put it
    filters = {key_of(one): one for one in ask.collect.filters}
    for one in added:
        if _can_tell(one, ask.collect.site.node):
            filters[key_of(one)] = one
    return replace(ask, collect=replace(ask.collect, filters=tuple(filters.values())))


def _can_tell(row_filter: RowFilter, call: exp.Anonymous) -> bool:
    """Whether a filter can rule out rows for a call. One that depends on this call alone cannot:
    until the call is answered, it is open on every row. Branches are the exception: the call may
    stand in several, and be known in one."""
    others = placeholders(row_filter.node)
    if not others or any(other != call for other in others):
        return True
    return row_filter.node.find(exp.Case, exp.If) is not None


def key_of(row_filter: RowFilter) -> FilterKey:
    """What makes two filters the same."""
    return (
        sql_of(row_filter.node),
        row_filter.outcomes.value,
        id(row_filter.block),
        row_filter.clause,
    )
