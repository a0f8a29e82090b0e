"""Plans of program texts, kept so that a program is planned once for the same tables."""

from __future__ import annotations

import asyncio
from functools import lru_cache

from binder.errors import contained
from binder.executors.languages import language_named
from binder.language.functions.own import Function
from binder.plan import Rule
from binder.plan.python import AnyPlan
from binder.tables.table import Table

KEPT = 256  # plans


class Planner:
    """Parses, analyzes and plans programs over the tables of a connection."""

    def __init__(
        self,
        tables: tuple[Table, ...],
        rules: tuple[Rule, ...],
        functions: tuple[Function, ...] = (),
    ):
        self.tables, self.rules, self.functions = tables, rules, functions
        self.plan = lru_cache(maxsize=KEPT)(self._plan)

    async def plan_in_thread(self, program: str, language: str) -> AnyPlan:
        """The plan of a program. A long program takes tenths of a second, in which the event loop
        has replies to read: so a thread does it."""
        return await asyncio.to_thread(self.plan, program, language)

    @contained()
    def _plan(self, program: str, language: str) -> AnyPlan:
        written = language_named(language)
        written.require()
        parsed = written.parse(program, self.tables, self.functions)
        analyzed = written.analyze(parsed, self.tables)
        plan: AnyPlan = written.plan(analyzed, self.rules)
        return plan
