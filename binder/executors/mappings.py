"""The mappings of one execution as tables of a SQL engine, from its first query to its end.

Their names bear a tag that no other execution has meanwhile. Tags are used again, so that a plan
that is run again sends the same queries, which the engine has verified before."""

from __future__ import annotations

import itertools
import weakref
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import pyarrow as pa

from binder.executors import Input
from binder.plan import Plan
from binder.plan.mapping_join import mapping_name

Sent = tuple[str, dict[str, Any]]  # a query, and what binder takes it to be made of


@dataclass
class Prepared:
    """What is kept of a plan for its next run. bound: the engine took it; sent: its query, by tag;
    inputs: what its collects yield before anything is known, by site and reach."""

    bound: bool = False
    sent: dict[str, Sent] = field(default_factory=dict)
    inputs: dict[tuple[int, int | None], list[Input]] = field(default_factory=dict)


class PlanMemory:
    """What a SQL engine keeps between executions: of each plan, and the tags that none has now."""

    def __init__(self) -> None:
        self._prepared: weakref.WeakKeyDictionary[Plan, Prepared] = weakref.WeakKeyDictionary()
        self._free: list[str] = []
        self._numbers = itertools.count(1)

    def of(self, plan: Plan) -> Prepared:
        """What is kept of a plan."""
        return self._prepared.setdefault(plan, Prepared())

    def take_tag(self) -> str:
        """A tag that no other execution has."""
        try:
            return self._free.pop()
        except IndexError:
            return f"#{next(self._numbers)}"

    def give_back(self, tag: str) -> None:
        """Frees the tag of an execution that has ended."""
        self._free.append(tag)

    def clear(self) -> None:
        """Forgets all plans: the tables have changed."""
        self._prepared.clear()


class SqlEngine(Protocol):
    """What runs plain SQL over the tables of a connection and over mappings. generation: changes
    when the engine has lost the mappings it was given."""

    memory: PlanMemory
    generation: int

    def run(self, sql: str, says: dict[str, Any] | None = None) -> tuple[pa.Table, list[str]]:
        """The rows of a query, and the names of their types. says: what the query is made of, for
        an engine that verifies it."""

    def describe(self, sql: str, says: dict[str, Any] | None = None) -> tuple[list[str], list[str]]:
        """Columns and types of a query, which is bound and not run; a QueryError where the engine
        refuses it."""

    def load(self, name: str, table: pa.Table) -> None:
        """Makes a table known before the next query, in the place of one of that name."""

    def forget(self, names: Sequence[str]) -> None:
        """Forgets tables, some time before the next query."""


class Mappings:
    """The mappings of one execution; tag: None before its first query, and after its end."""

    def __init__(self, engine: SqlEngine, tables: dict[str, pa.Table]):
        self.engine, self.tables = engine, tables
        self.tag: str | None = None
        self.generation = 0
        self._loaded: set[str] = set()

    def put(self, call: str, table: pa.Table) -> None:
        """Replaces the mapping of a call."""
        self.tables[call] = table
        self._loaded.discard(call)

    def show(self) -> str:
        """Gives the engine all mappings that it has not, and says the tag of their names."""
        if self.tag is None:
            self.tag = self.engine.memory.take_tag()
        if self.generation != self.engine.generation:
            self.generation = self.engine.generation
            self._loaded.clear()
        for call in self.tables.keys() - self._loaded:
            self.engine.load(mapping_name(call, self.tag), self.tables[call])
            self._loaded.add(call)
        return self.tag

    def close(self) -> None:
        """Makes the engine forget the mappings; they are kept here."""
        if self.tag is None:
            return
        if self._loaded and self.generation == self.engine.generation:
            self.engine.forget([mapping_name(call, self.tag) for call in self._loaded])
        self._loaded.clear()
        self.engine.memory.give_back(self.tag)
        self.tag = None
