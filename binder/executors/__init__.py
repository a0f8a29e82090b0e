"""The execution of a plan as a generator: it yields Batches, is sent Mappings, and returns Rows.

Executors never see the language model. One that runs plans supplies five verbs (check, collect,
bind, query, close), and `execute` does the rest."""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

if TYPE_CHECKING:  # the processes that run programs have no plans
    import pyarrow

    from binder.language.program import Program
    from binder.plan import Ask, Plan, ProgramPlan
    from binder.tables.table import Table

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
Said = Callable[["Ask", Input], dict[str, Any]]  # what the language model was sent and replied
Held = Callable[["Ask", Sequence[Input]], int]  # how many inputs were answered before


class Executor(Protocol):
    """Runs one program. This is all that a connection knows of it, whatever its language."""

    plan: ProgramPlan

    @property
    def program(self) -> Program:
        """The program that runs."""
        return self.plan.checked.program

    @property
    def tables_of(self) -> tuple[Table, ...]:
        """The tables that it was checked against."""
        return self.plan.checked.tables

    @property
    def asks(self) -> Sequence[Ask]:
        """What is asked, as far as it is known."""

    def execution(self) -> Execution:
        """The run of the program."""

    def explain(
        self, batch_rows: int, held: Held, price: tuple[float, float] | None
    ) -> ProgramPlan:
        """The plan with its bill; asks nothing, and refuses what execution refuses."""

    def present(
        self, rows: Sequence[tuple[Value, ...]]
    ) -> tuple[list[tuple[Value, ...]], list[tuple[str, ...]]]:
        """Rows as values of the program's columns, and as displayed."""

    def origin(self, row: int, column: int, said: Said) -> dict[str, Any]:
        """Where a cell of the result came from."""


class PlanExecutor(Protocol):
    """Runs the plain part of one plan, for `execute`."""

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


def execute(plan: Plan, executor: PlanExecutor) -> Execution:
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
