"""Rules turn a plan into one that asks fewer questions and yields the same rows; each says why it is legal.

RULES=() is the reference meaning. Every rule is tested by executing with and without it: the same rows, never more questions.
"""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from binder.check.rows import is_grouped
from binder.plan import Ask, Plan, Rule
from binder.plan.collect import conjuncts
from binder.program import placeholders


def filter_first(plan: Plan) -> Plan:
    """Collect only rows that meet the other conditions of WHERE.

    Legal because a row that fails one conjunct of its own WHERE is dropped whatever the call would answer. A condition that
    holds a call takes
    part where that call is asked before, and is not this one, which is asked about the same rows there.
    """
    asks: list[Ask] = []
    asked: set[int] = set()
    for ask in plan.asks:
        site = ask.collect.site
        where = site.select.args.get("where")
        if where is not None and site.level in ("rows", "output"):
            known = [(c, placeholders(c)) for c in conjuncts(where.this)]
            kept = [c for c, calls in known if all(call.meta["site"] in asked and call != site.node for call in calls)]
            ask = replace(ask, collect=replace(ask.collect, where=tuple(kept)))
        asked.update(ask.covers)
        asks.append(ask)
    return replace(plan, asks=tuple(asks))


def ask_what_is_shown(plan: Plan) -> Plan:
    """A call among the projections of a SELECT without grouping is asked about the rows that come out, LIMIT included.

    Legal because a projection outside of window functions is evaluated on no other row, and because nothing that decides
    which rows come
    out holds an unasked call: else all its rows are collected.
    """

    def shown(ask: Ask) -> Ask:
        site = ask.collect.site
        if site.level != "rows" or _clause(site.node) != "expressions" or is_grouped(site.select):
            return ask
        if isinstance(site.node.find_ancestor(exp.Window, exp.Select), exp.Window):
            return ask
        return replace(ask, collect=replace(ask.collect, site=replace(site, level="output")))

    return replace(plan, asks=tuple(shown(ask) for ask in plan.asks))


def ask_once(plan: Plan) -> Plan:
    """Sites of one call that collect the same rows of the same SELECT are one ask.

    Legal because equal arguments over equal rows are equal inputs; the ask stands where the first of them stood, so nothing
    waits for it.
    """
    kept: dict[tuple[object, ...], Ask] = {}
    for ask in plan.asks:
        site = ask.collect.site
        inputs = ", ".join(argument.sql("duckdb") for argument in site.node.expressions)
        conditions = tuple(condition.sql("duckdb") for condition in ask.collect.where)
        key = (ask.call.name, id(site.select), site.level, site.join, inputs, conditions)
        first = kept.get(key)
        kept[key] = ask if first is None else replace(first, covers=(*first.covers, *ask.covers))
    return replace(plan, asks=tuple(kept.values()))


def _clause(node: exp.Expr) -> str | None:
    """The clause of its SELECT in which a node stands."""
    while node.parent is not None and not isinstance(node.parent, exp.Select):
        node = node.parent
    return node.arg_key


RULES: tuple[Rule, ...] = (filter_first, ask_what_is_shown, ask_once)


def optimize(plan: Plan, rules: tuple[Rule, ...] = RULES) -> Plan:
    """The plan after all rules, in order."""
    for rule in rules:
        plan = rule(plan)
    return plan
