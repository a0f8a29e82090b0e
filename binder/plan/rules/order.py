"""The rules that order calls: one question first, and in one WHERE the cheapest."""

from __future__ import annotations

from dataclasses import replace

from binder.language.annotations import site_of
from binder.language.sqltree import placeholders
from binder.plan import Plan, Step
from binder.plan.blocks import is_one_question


def one_question_first(plan: Plan) -> Plan:
    """Ask an ans about the same tables on every row before the calls whose rows it can settle.

    >>> program = '''SELECT city FROM w
    ...              WHERE QA("map@vowel?"; city)
    ...              AND EXISTS (SELECT 1 FROM v
    ...                          WHERE people > QA("ans@how many?"; (SELECT name FROM v)))'''
    >>> show(program, filter_first, one_question_first)
    Ask      ans 'how many?' -> number
      Collect  rows of 'name'
    Ask      map 'vowel?' -> boolean
      Collect  distinct 'city'
               where EXISTS(SELECT 1 FROM v AS v
                            WHERE people > QA("how many?"; (SELECT name AS name FROM v AS `v 2`)))

    Legal because the order in which conditions are known does not change what they come out as, and
    because such an ans is one question however many rows are left."""
    steps: list[Step] = []
    for step in plan.steps:
        first = step.asks[0].collect.site
        place = len(steps)
        # it moves no further than it must: a step before it may leave no row that needs it
        if len(step.asks) == 1 and is_one_question(first.node):
            place = next((i for i, one in enumerate(steps) if _waits(one, first.number)), place)
        steps.insert(place, step)
    return replace(plan, steps=tuple(steps))


def _waits(step: Step, site: int) -> bool:
    """Whether the rows of a step depend on the call of a site."""
    for ask in step.asks:
        for one in ask.collect.filters:
            if any(site_of(call) == site for call in placeholders(one.node)):
                return True
    return False


def cheapest_first(plan: Plan) -> Plan:
    """Ask the calls of one WHERE in the order of what they cost and how many rows they settle,
    which the first answers tell.

    >>> program = 'SELECT city FROM w WHERE QA("map@long?"; city) AND QA("map@vowel?"; city)'
    >>> show(program, cheapest_first)
    Decide   in the order that the first answers suggest
    Ask      map 'long?' -> boolean
      Collect  distinct 'city'
    Ask      map 'vowel?' -> boolean
      Collect  distinct 'city'

    Legal because the order in which conditions are known does not change what they come out as.
    """
    steps: list[Step] = []
    for step in plan.steps:
        site = step.asks[0].collect.site
        before = steps[-1].asks[0].collect.site if steps else None
        if not site.is_in_where:
            steps.append(step)  # only a WHERE drops rows by its answers
        elif before is not None and before.is_in_where and before.block is site.block:
            steps[-1] = Step((*steps[-1].asks, *step.asks), site.block, adaptive=True)
        else:
            # steps of an early exit are together already
            steps.append(replace(step, adaptive=step.where_of is not None))
    return replace(plan, steps=tuple(steps))
