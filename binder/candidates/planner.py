"""Plans of program texts, kept so that a program is planned once for the same tables."""

from __future__ import annotations

import asyncio
from functools import lru_cache

from binder.errors import contained
from binder.executors.languages import language_named
from binder.language.functions.own import Function
from binder.language.parameters import NONE, Parameters
from binder.language.program import Given, Origin
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
        dialect: str = "duckdb",
    ):
        self.tables, self.rules, self.functions = tables, rules, functions
        self.dialect = dialect
        self._kept = lru_cache(maxsize=KEPT)(self._planned)

    def plan(
        self, program: str, language: str, origin: Origin = "person", params: Parameters = NONE
    ) -> AnyPlan:
        """The plan of a program."""
        return self._kept(program, language, origin, params)

    async def plan_in_thread(
        self, program: str, language: str, origin: Origin = "person", params: Parameters = NONE
    ) -> AnyPlan:
        """The plan of a program. A long program takes tenths of a second, in which the event loop
        has replies to read: so a thread does it."""
        return await asyncio.to_thread(self.plan, program, language, origin, params)

    @contained()
    def _planned(self, program: str, language: str, origin: Origin, params: Parameters) -> AnyPlan:
        written = language_named(language)
        written.require()
        given = Given(origin, params, self.functions, self.dialect)
        parsed = written.parse(program, self.tables, given)
        analyzed = written.analyze(parsed, self.tables)
        plan: AnyPlan = written.plan(analyzed, self.rules)
        return plan
