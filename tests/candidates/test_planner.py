"""Programs are planned once for the same tables; faults are told, and not kept."""

from __future__ import annotations

import asyncio

import pytest

from binder.candidates.planner import Planner
from binder.errors import CheckFault, InternalError, UsageError
from binder.plan import Plan
from binder.plan.rules import RULES
from binder.tables.table import load

TABLES = (load([{"a": "x", "n": 1}], "w"),)
SQL, PYTHON = "SELECT a FROM w", "def solve(w):\n    return w[0]['a']"


def test_a_program_is_planned_once() -> None:
    planner = Planner(TABLES, RULES)
    plan = planner.plan(SQL, "sql")
    assert planner.plan(SQL, "sql") is plan
    assert asyncio.run(planner.plan_in_thread(SQL, "sql")) is plan
    assert planner.plan(PYTHON, "python") is planner.plan(PYTHON, "python")


@pytest.mark.parametrize(
    ("program", "language", "error"),
    [("SELECT b FROM w", "sql", CheckFault), (SQL, "cobol", UsageError)],
)
def test_a_program_without_a_plan_is_told_each_time(
    program: str, language: str, error: type[Exception]
) -> None:
    planner = Planner(TABLES, RULES)
    for _ in range(2):
        with pytest.raises(error):
            planner.plan(program, language)


def test_a_rule_that_fails_is_a_fault_of_binder_with_its_place() -> None:
    def rule(plan: Plan) -> Plan:
        raise KeyError("broken")

    with pytest.raises(InternalError, match=r"KeyError: 'broken' \(in .*test_planner"):
        Planner(TABLES, (rule,)).plan(SQL, "sql")
