"""The rule that collects equal calls once."""

from __future__ import annotations

from dataclasses import replace

from binder.language.sqltree import sql_of
from binder.plan import Ask, CallSite, Plan, Step
from binder.plan.asks import key_of
from binder.plan.blocks import Stage


def ask_once(plan: Plan) -> Plan:
    """Do not collect a call again that was asked about all rows that it is needed for.

    >>> program = 'SELECT QA("map@upper?"; city) FROM w ORDER BY QA("map@upper?"; city)'
    >>> show(program, ask_once)
    Ask      map 'upper?' -> auto
      Collect  distinct 'city'

    Legal because equal arguments over equal rows are equal inputs: a site whose rows must meet all
    conditions of another one, and perhaps more, needs nothing that the other did not ask."""
    kept: list[Ask] = []
    steps: list[Step] = []
    for step in plan.steps:
        asks = []
        for ask in step.asks:
            index = _index_of_cover(kept, ask)
            if index is None:
                asks.append(ask)
            else:
                kept[index] = replace(kept[index], covers=(*kept[index].covers, *ask.covers))
        kept += asks
        if asks:
            steps.append(replace(step, asks=tuple(asks)))
    # an ask in a step may since cover more sites
    now = {ask.collect.site.number: ask for ask in kept}
    for i, step in enumerate(steps):
        asks = [now[ask.collect.site.number] for ask in step.asks]
        steps[i] = replace(step, asks=tuple(asks))
    return replace(plan, steps=tuple(steps))


def _index_of_cover(kept: list[Ask], ask: Ask) -> int | None:
    """The first of some asks whose inputs include those of another."""
    for index, first in enumerate(kept):
        if _covers(first, ask):
            return index
    return None


def _covers(first: Ask, other: Ask) -> bool:
    """Whether the inputs of one ask include those of a later one."""
    one, two = first.collect, other.collect
    if first.call.name != other.call.name or not _are_alike(one.site, two.site):
        return False
    if not _sees_the_rows_of(one.site, two.site):
        return False
    exits_alike = (one.first_rows is None) == (two.first_rows is None)
    if not exits_alike and two.site.stage is not Stage.OUTPUT:
        return False  # the one that stops early did not see all rows
    # the fewer filters, the more rows
    return set(map(key_of, one.filters)) <= set(map(key_of, two.filters))


def _are_alike(one: CallSite, two: CallSite) -> bool:
    """Whether two sites have the same arguments in the same FROM."""
    if one.block is not two.block or one.join != two.join:
        return False  # the condition of a join is evaluated on pairs of its own
    return list(map(sql_of, one.node.expressions)) == list(map(sql_of, two.node.expressions))


def _sees_the_rows_of(one: CallSite, two: CallSite) -> bool:
    """Whether the first site is evaluated on all rows that the second is, filters apart."""
    if one.stage is Stage.OUTPUT and two.stage is Stage.OUTPUT:
        return one.place.clause == two.place.clause
    if one.stage is two.stage:
        return True
    # of some groups are not all rows, and fewer rows than of all
    if Stage.MEMBERS in (one.stage, two.stage):
        return one.stage is Stage.ROWS
    # rows come before output; groups are neither
    return Stage.GROUPS not in (one.stage, two.stage) and (one.stage, two.stage) != (
        Stage.OUTPUT,
        Stage.ROWS,
    )
