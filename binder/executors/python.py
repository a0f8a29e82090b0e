"""The executor of Binder Python: a plan comes in; its execution goes out, which yields what the
program asks when it asks it.

A program that was stopped because its process had to be killed for another's sake is run again with
the answers it had: it is deterministic, so it asks the same."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from binder.analysis.sql import raw_text
from binder.analysis.sql.call_types import CallType
from binder.analysis.sql.scope import Field
from binder.errors import LimitExceeded, ProgramFailed, Span
from binder.executors import Batch, Execution, Input, Mapping, Part, Rows, Said, Value
from binder.executors.mapping_tables import typed
from binder.executors.workers.monty_client import Sandbox
from binder.language.call_kinds import CALL_KINDS
from binder.language.program import Program
from binder.language.python import Text
from binder.plan import Ask
from binder.plan.python import PythonPlan, bill
from binder.tables.codec import decode
from binder.tables.table import Column, Table

MOST = 50  # calls told of a value
_NUMBERS = itertools.count(1)


class PendingCall:
    """One call that was made: its Ask, the input of every row in order, where in the tables the
    rows stand, and the answers."""

    def __init__(
        self,
        ask: Ask,
        inputs: list[Input],
        places: list[list[int] | None],
        parts: dict[Input, tuple[Part, ...]],
    ):
        self.ask, self.inputs, self.places, self.parts = ask, inputs, places, parts
        self.known: dict[Input, Value] = {}
        self.values: list[Value] = []


class PythonExecutor:
    """Executes one Python program in the sandbox."""

    def __init__(self, plan: PythonPlan, sandbox: Sandbox):
        self.plan = plan
        self.sandbox = sandbox
        self.made: list[PendingCall] = []
        self.known: dict[tuple[Any, ...], dict[Input, Value]] = {}  # what was said, by question
        self.number, self.generation = next(_NUMBERS), 0
        self.now = datetime.datetime.now().replace(
            microsecond=0
        )  # for the whole run, so that it can be repeated
        self.rows: list[tuple[Value, ...]] = []

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
        """What was asked."""
        return [asked.ask for asked in self.made]

    def execution(self) -> Execution:
        """Runs the program: it yields a Batch for each call that needs answers, and is sent their
        Mapping."""
        try:
            reply = self._step(None)
            while "call" in reply:
                asked = self._asked(reply)
                wanted = list(
                    dict.fromkeys(
                        value for value in asked.inputs if any(cell is not None for cell in value)
                    )
                )
                ask = asked.ask
                known = self.known.setdefault(
                    (ask.call.kind, ask.call.question, ask.columns, ask.title), {}
                )
                fresh = tuple(value for value in wanted if value not in known)
                if fresh:
                    (mapping,) = yield (Batch(ask, fresh, asked.parts),)
                    known.update(mapping.values)
                self._answered(asked, Mapping({value: known[value] for value in wanted}))
                self.made.append(asked)
                reply = self._step(asked.values)
            rows = rows_of(decode(reply["value"]))
            if len(rows.rows) > self.sandbox.limits.rows:
                raise LimitExceeded("rows", self.sandbox.limits.rows)
            self.rows = rows.rows
            return rows
        except ProgramFailed as error:
            self._mark(error)
            raise
        finally:
            self.close()

    def explain(self, batch_rows: int, held: object = None, price: object = None) -> PythonPlan:
        """The plan with its bill; runs nothing."""
        return replace(self.plan, bill=bill(self.plan, batch_rows), explained=True)

    def present(
        self, rows: Sequence[tuple[Value, ...]]
    ) -> tuple[list[tuple[Value, ...]], list[tuple[str, ...]]]:
        """Rows as values, and as a person is shown them."""
        stored = self.plan.checked.answer
        return raw_text.present(
            rows,
            [
                Field("", origin=stored if i == 0 else None)
                for i in range(len(rows[0]) if rows else 0)
            ],
            {},
        )

    def origin(self, row: int, column: int, said: Said) -> dict[str, Any]:
        """Where a value may have come from: the inputs whose answer equals it, or else all that the
        program asked about."""
        value = self.rows[row][column]
        calls = [(asked, place) for asked in self.made for place in range(len(asked.inputs))]
        same = [
            (asked, place)
            for asked, place in calls
            if value is not None and value in _answers(asked, place)
        ]
        found: dict[str, Any] = {"row": row, "column": column, "rows": {}, "calls": []}
        told: set[tuple[int, Input]] = set()
        for asked, place in same or calls:
            key = (id(asked.ask), asked.inputs[place])
            if key in told or len(told) >= MOST:
                continue
            told.add(key)
            inputs = (
                dict(zip(asked.ask.columns, asked.inputs[place], strict=False))
                if asked.ask.call.per_input
                else {}
            )
            found["calls"].append(
                {
                    "call": asked.ask.call.question,
                    "kind": asked.ask.call.kind,
                    "inputs": inputs,
                    "value": asked.known.get(asked.inputs[place]),
                    **said(asked.ask, asked.inputs[place]),
                }
            )
            for table, number in (
                item for item in asked.places[place : place + 1] if item is not None
            ):
                name = self.plan.checked.parameters[table][1].name
                found["rows"][name] = sorted({*found["rows"].get(name, []), number})
        return found

    def close(self) -> None:
        """Lets go of the program."""
        if self.sandbox.lives(self.generation):
            self.sandbox.end(self.number)
        self.generation = 0

    def _step(self, values: list[Value] | None) -> dict[str, Any]:
        """Starts the program or goes on with it; after a kill, the program is taken to where it
        was."""
        if values is not None and self.sandbox.lives(self.generation):
            try:
                return self.sandbox.resume(self.number, values)
            except LimitExceeded as stop:
                if stop.kind != "memory_mb" or self.sandbox.lives(self.generation):
                    # the limit was this program's; a process that is gone may be another's fault
                    raise
        try:
            reply = self.sandbox.start(self.number, self._frame())
        finally:
            self.generation = self.sandbox.generation
        for asked in self.made:
            reply = self.sandbox.resume(self.number, asked.values)
        return reply

    def _frame(self) -> dict[str, Any]:
        checked = self.plan.checked
        return {
            "now": self.now.isoformat(),
            "source": self.program.skeleton,
            "calls": [call.name for call in self.program.calls],
            "parameters": [name for name, _ in checked.parameters],
            "tables": [
                (
                    table.name,
                    [_column(column, checked.texts[table.name]) for column in table.columns],
                )
                for _, table in checked.parameters
            ],
        }

    def _asked(self, reply: dict[str, Any]) -> PendingCall:
        """The call that the program pauses at."""
        call = self.program.call(reply["call"])
        assert call is not None
        columns = tuple(reply["columns"])
        cells = [tuple(decode(cell) for cell in row) for row in reply["inputs"]]
        titles = {
            self.plan.checked.parameters[place[0]][1].title
            for place in reply["places"]
            if place is not None
        }
        call_type = self.plan.checked.call_types.get(
            call.name, CallType(CALL_KINDS[call.kind].type)
        )
        title = titles.pop() if len(titles) == 1 else None
        ask = Ask(replace(call, question=reply["question"]), call_type, columns, title)
        if call.per_input:
            return PendingCall(ask, cells, reply["places"], {})
        key: Input = (f"{call.name} {len(self.made)}",)
        return PendingCall(ask, [key], reply["places"], {key: (Part(columns, tuple(cells)),)})

    def _answered(self, asked: PendingCall, mapping: Mapping) -> None:
        """Gives each row its answer; their type is read off the replies, as in SQL."""
        if not asked.ask.call.per_input:
            (key,) = asked.inputs
            asked.values = typed(list(mapping.values[key] or []), "auto").to_pylist()
            asked.known[key] = asked.values
            return
        values = typed(list(mapping.values.values()), asked.ask.call_type.type).to_pylist()
        asked.known = dict(zip(mapping.values, values, strict=True))
        asked.values = [asked.known.get(value) for value in asked.inputs]

    def _mark(self, error: ProgramFailed) -> None:
        """Shows an exception of the program at the line where it was raised."""
        source = Text(self.program.text)
        if error.line is not None and error.line <= len(source.lines):
            line = source.lines[error.line - 1]
            start = source.starts[error.line - 1] + len(line) - len(line.lstrip())
            error.text, error.span = self.program.text, Span(start, start + len(line.strip()))


def _column(column: Column, texts: frozenset[str]) -> tuple[str, str, str]:
    """A header, the data that a program is given under it, and the data that the language model is
    sent."""
    raw = column.raw or column.name
    return column.name, raw if column.name in texts else column.name, raw


def _answers(asked: PendingCall, place: int) -> list[Value]:
    """The answers that a call gave for one of its rows."""
    value = asked.known.get(asked.inputs[place])
    return value if isinstance(value, list) else [value]


def rows_of(value: Value) -> Rows:
    """What solve returned as rows: a scalar one row, a list one row per item, lists or dicts its
    rows, a dict one row per key."""
    if value is None:
        return Rows(("answer",), ("auto",), [])
    if isinstance(value, dict):
        rows = [
            (key, *item) if isinstance(item, (list, tuple)) else (key, item)
            for key, item in value.items()
        ]
        return _table(rows, ("key", "value"))
    if not isinstance(value, (list, tuple)):
        return _table([(value,)], ("answer",))
    items = list(value)
    if items and all(isinstance(item, dict) for item in items):
        columns = list(dict.fromkeys(str(key) for item in items for key in item))
        return _table(
            [
                tuple({str(k): v for k, v in item.items()}.get(name) for name in columns)
                for item in items
            ],
            columns,
        )
    if items and all(isinstance(item, (list, tuple)) for item in items):
        return _table([tuple(item) for item in items], ("answer",))
    return _table([(item,) for item in items], ("answer",))


def _table(rows: list[tuple[Value, ...]], names: Sequence[str]) -> Rows:
    """Rows of one width, with a name for each column."""
    width = max([len(row) for row in rows], default=len(names))
    columns = tuple(names) if len(names) == width else tuple(_names(width))
    return Rows(columns, ("auto",) * width, [row + (None,) * (width - len(row)) for row in rows])


def _names(width: int) -> Iterator[str]:
    return (f"column_{index + 1}" for index in range(width))
