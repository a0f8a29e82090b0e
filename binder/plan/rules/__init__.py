"""Rules: each turns a plan into one that asks fewer questions and yields the same rows.

`RULES` holds rewrites (binder.plan.rewrites), which change the tree of a program before its plan is
built, and rules, which change the plan; each says why it is legal. `rules=()` is the reference
meaning. Every rule is tested alone and together with all others against it: the same rows, never
more questions.
"""

from __future__ import annotations

from typing import TypeGuard

from binder.analysis.sql import Checked
from binder.plan import Plan, PlanRule, Rule
from binder.plan.naive import build
from binder.plan.rewrites import REWRITES, rewritten
from binder.plan.rules.early_exit import stop_at_a_match, stop_at_the_first_of_each, stop_early
from binder.plan.rules.filters import ask_the_undecided, filter_first
from binder.plan.rules.groups import ask_in_groups_that_matter
from binder.plan.rules.order import cheapest_first, one_question_first
from binder.plan.rules.output import ask_about_ties, ask_what_is_shown
from binder.plan.rules.sharing import ask_once

RULES: tuple[Rule, ...] = (
    *REWRITES,
    filter_first,
    ask_the_undecided,
    ask_what_is_shown,
    ask_about_ties,
    ask_in_groups_that_matter,
    stop_early,
    stop_at_a_match,
    stop_at_the_first_of_each,
    ask_once,
    one_question_first,
    cheapest_first,
)

# A sub-select filters the rows that its calls and those around it see. A tree rewritten without it
# needs the same of the rules that read its WHERE, or it would ask more than the naive plan.
_AFTER_REWRITES: tuple[PlanRule, ...] = (filter_first, ask_the_undecided)


def optimize(checked: Checked, rules: tuple[Rule, ...] = RULES) -> Plan:
    """The plan of a program: its tree rewritten, the naive plan built, and all rules applied in
    order."""
    simpler = rewritten(checked, [rewrite for rewrite in REWRITES if rewrite in rules])
    plan = build(simpler)
    chosen = [rule for rule in rules if _is_plan_rule(rule)]
    if simpler is not checked:
        chosen = [*(rule for rule in _AFTER_REWRITES if rule not in chosen), *chosen]
    for rule in chosen:
        plan = rule(plan)
    return plan


def _is_plan_rule(rule: Rule) -> TypeGuard[PlanRule]:
    return rule not in REWRITES
