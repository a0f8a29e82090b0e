"""The rule that asks calls inside of aggregates about the rows of groups that matter."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from binder.analysis.sql.ordering import is_aggregate
from binder.plan import Ask, CallSite, Plan, RowFilter
from binder.plan.asks import each, filtered
from binder.plan.blocks import OF_GROUPS, SelectPlace, Stage
from binder.plan.matters import filters_of
from binder.plan.outcomes import Outcome


def ask_in_groups_that_matter(plan: Plan) -> Plan:
    """Ask a call inside of an aggregate about the rows of groups that can meet the other conditions
    of HAVING, that no OR and no CASE around the aggregate settles, and that LIMIT lets through.

    >>> program = '''SELECT country, MAX(QA("map@length?"; city)) FROM w GROUP BY country
    ...              HAVING COUNT(*) > 2'''
    >>> show(program, ask_in_groups_that_matter)
    Ask      map 'length?' -> auto
      Collect  distinct 'city'  where COUNT(*) > 2

    Legal because no value of a group that does not come out is read. Which rows a group has must be
    known: until then all rows are collected."""

    def change(ask: Ask) -> Ask:
        site = ask.collect.site
        aggregate = _aggregate_around(site)
        if aggregate is None:
            return ask
        around = SelectPlace(site.block, site.place.path[site.place.path.index(aggregate) :])
        found = [replace(one, clause=OF_GROUPS) for one in filters_of(around)]
        # the condition that the call itself stands in is not known before its answers are
        others = [part for part in site.block.conjuncts("having") if not site.place.is_inside(part)]
        found += [RowFilter(part, Outcome.TRUE, site.block, OF_GROUPS) for part in others]
        if site.place.clause == "expressions":
            site = replace(site, stage=Stage.MEMBERS)
        return filtered(replace(ask, collect=replace(ask.collect, site=site)), found)

    return each(plan, change)


def _aggregate_around(site: CallSite) -> exp.Expr | None:
    """The outermost aggregate around a call, FILTER included, if it is evaluated on each group."""
    place, block = site.place, site.block
    if site.stage is not Stage.ROWS or not block.is_grouped or block.has("distinct", "qualify"):
        return None
    if place.clause not in ("expressions", "having", "order") or not place.is_direct:
        return None
    group = block.select.args.get("group")
    if group is not None and {key for key, value in group.args.items() if value} != {"expressions"}:
        return None  # a row belongs to several groups
    if any(isinstance(step, exp.Window) for step in place.path):
        return None  # it sees all groups
    found = None
    for step in place.path:
        if is_aggregate(step):
            found = step
    return found
