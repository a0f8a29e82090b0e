"""A plan and an executor come in; execution goes out as a generator: it yields Batches, is sent
Mappings, returns Rows.

Executors never see the language model. One supplies three verbs (collect, bind, query) and the
generator below does the rest."""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:  # the processes that run programs have no plans
    import pyarrow

    from binder.plan import Ask, Plan

Value = Any  # a cell: None, bool, int, float, str, date, datetime, Decimal ...
Input = tuple[Value, ...]


class Part(NamedTuple):
    """One argument of an ans call: a small table."""

    columns: tuple[str, ...]
    rows: tuple[tuple[Value, ...], ...]


@dataclass(frozen=True)
class Batch:
    """One Ask and the inputs it needs now. parts: for ans, what to read for each input."""

    ask: Ask
    inputs: tuple[Input, ...]
    parts: dict[Input, tuple[Part, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Mapping:
    """Inputs -> values of one call: for map one value, for ans a list."""

    values: dict[Input, Value]


@dataclass(frozen=True)
class Rows:
    """What a query yields. types: the engine's name of each column's type; kinds: as Arrow's."""

    columns: tuple[str, ...]
    types: tuple[str, ...]
    rows: list[tuple[Value, ...]]
    kinds: tuple[pyarrow.DataType, ...] = ()


Execution = Generator[tuple[Batch, ...], tuple[Mapping, ...], Rows]


class Executor(Protocol):
    """Runs the plain part of one plan."""

    def check(self) -> None:
        """Refuses, before anything is asked, what the engine would refuse afterwards."""

    def collect(self) -> tuple[Batch, ...]:
        """What has to be asked next, all of it at once; nothing when the query can be run."""

    def bind(self, ask: Ask, mapping: Mapping) -> None:
        """Adds to the mapping of a call."""

    def query(self) -> Rows:
        """The rows of the program, every call looked up."""

    def close(self) -> None:
        """Frees what the execution holds."""


def execute(plan: Plan, executor: Executor) -> Execution:
    """Executes a plan: asks as long as something that matters is unknown, then runs the query."""
    try:
        if plan.asks:
            executor.check()
        while batches := executor.collect():
            mappings = yield batches
            for batch, mapping in zip(batches, mappings, strict=True):
                executor.bind(batch.ask, mapping)
        return executor.query()
    finally:
        executor.close()
