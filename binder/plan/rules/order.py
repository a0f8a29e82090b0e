"""The rule that orders the calls of one WHERE."""

from __future__ import annotations

from dataclasses import replace

from binder.plan import Plan, Step


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
