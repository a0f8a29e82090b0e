"""The executor of Binder Python.

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
from binder.errors import LimitExceeded, ProgramFailed, Span
from binder.executors import (
    Batch,
    Execution,
    Executor,
    Held,
    Input,
    Mapping,
    Part,
    Rows,
    Said,
    Value,
)
from binder.executors.mapping_tables import typed
from binder.executors.provenance import called
from binder.executors.workers.monty_client import Sandbox
from binder.language.calls import APPLY, Call
from binder.language.functions.own import LIST, Function
from binder.language.python import Text
from binder.language.relations import Field
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


class PythonExecutor(Executor):
    """Executes one Python program in the sandbox."""

    plan: PythonPlan

    def __init__(self, plan: PythonPlan, sandbox: Sandbox):
        self.plan = plan
        self.sandbox = sandbox
        self.made: list[PendingCall] = []
        self.known: dict[tuple[Any, ...], dict[Input, Value]] = {}  # what was said, by question
        self.number, self.generation = next(_NUMBERS), 0
        # one time for the whole run, so that a program that is run again does the same
        self.now = datetime.datetime.now().replace(microsecond=0)
        self.rows: list[tuple[Value, ...]] = []

    @property
    def asks(self) -> Sequence[Ask]:
        """What was asked."""
        return [asked.ask for asked in self.made]

    def execution(self) -> Execution:
        """Runs the program: it yields a Batch for each call that needs answers, and is sent their
        Mapping."""
        try:
            reply = self._step(None)
            while "value" not in reply:
                asked = self._asked(reply)
                wanted = _distinct(asked.inputs)
                known = self._answers_to(asked.ask)
                fresh = tuple(value for value in wanted if value not in known)
                if fresh:
                    (mapping,) = yield (Batch(asked.ask, fresh, asked.parts),)
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

    def explain(self, batch_rows: int, held: Held, price: tuple[float, float] | None) -> PythonPlan:
        """The plan with its bill; runs nothing."""
        return replace(self.plan, bill=bill(self.plan, batch_rows), explained=True)

    def present(
        self, rows: Sequence[tuple[Value, ...]]
    ) -> tuple[list[tuple[Value, ...]], list[tuple[str, ...]]]:
        """Rows as values, and as a person is shown them."""
        if not rows:
            return raw_text.present(rows, [], {})
        first = Field("", origin=self.plan.checked.answer)
        others = [Field("", origin=None) for _ in rows[0][1:]]
        return raw_text.present(rows, [first, *others], {})

    def origin(self, row: int, column: int, said: Said) -> dict[str, Any]:
        """Where a value may have come from: the inputs whose answer equals it, or else all that the
        program asked about."""
        cell = self.rows[row][column]
        calls: list[tuple[PendingCall, int]] = []
        for asked in self.made:
            calls += [(asked, place) for place in range(len(asked.inputs))]
        same = []
        if cell is not None:
            same = [item for item in calls if cell in _answers(*item)]
        told: set[tuple[int, Input]] = set()
        shown: list[dict[str, Any]] = []
        rows: dict[str, set[int]] = {}
        for asked, place in same or calls:
            value = asked.inputs[place]
            key = (id(asked.ask), value)
            if key in told or len(told) >= MOST:
                continue
            told.add(key)
            shown.append(called(asked.ask, value, asked.known.get(value), said))
            where = asked.places[place] if place < len(asked.places) else None
            if where is not None:
                table, number = where
                rows.setdefault(self._table(table).name, set()).add(number)
        by_table = {name: sorted(numbers) for name, numbers in rows.items()}
        return {"row": row, "column": column, "rows": by_table, "calls": shown}

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
        """The program as the sandbox is sent it."""
        checked = self.plan.checked
        tables = []
        for _, table in checked.parameters:
            columns = [_column(column, checked.texts[table.name]) for column in table.columns]
            tables.append((table.name, columns))
        return {
            "now": self.now.isoformat(),
            "source": self.program.skeleton,
            "calls": [call.name for call in self.program.calls],
            "functions": [_frame_of(function) for function in self.program.given.functions],
            "parameters": [name for name, _ in checked.parameters],
            "tables": tables,
        }

    def _answers_to(self, ask: Ask) -> dict[Input, Value]:
        """The answers so far to the question of an ask, whichever call of the program asked it."""
        key = (ask.call.kind, ask.call.question, ask.columns, ask.title)
        return self.known.setdefault(key, {})

    def _table(self, number: int) -> Table:
        """The table of a parameter of solve."""
        return self.plan.checked.parameters[number][1]

    def _asked(self, reply: dict[str, Any]) -> PendingCall:
        """The call that the program pauses at."""
        if "apply" in reply:
            return self._applied(reply)
        call = self.program.call(reply["call"])
        assert call is not None
        columns = tuple(reply["columns"])
        cells = [tuple(decode(cell) for cell in row) for row in reply["inputs"]]
        places = [place for place in reply["places"] if place is not None]
        titles = {self._table(table).title for table, _ in places}
        by_kind = CallType(call.type)
        call_type = self.plan.checked.call_types.get(call.name, by_kind)
        title = titles.pop() if len(titles) == 1 else None
        ask = Ask(replace(call, question=reply["question"]), call_type, columns, title)
        if call.per_input:
            return PendingCall(ask, cells, reply["places"], {})
        key: Input = (f"{call.name} {len(self.made)}",)
        return PendingCall(ask, [key], reply["places"], {key: (Part(columns, tuple(cells)),)})

    def _applied(self, reply: dict[str, Any]) -> PendingCall:
        """The call of an own function that the program pauses at."""
        function = next(one for one in self.program.given.functions if one.name == reply["apply"])
        call = Call(function.name, APPLY, function.name, Span(0, 0), function)
        cells = [tuple(_hashable(decode(cell)) for cell in row) for row in reply["inputs"]]
        names = tuple(one.name for one in function.parameters[: len(cells[0])])
        return PendingCall(Ask(call, CallType(call.type), names, None), cells, [], {})

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


def _frame_of(function: Function) -> list[Any]:
    """A function as the sandbox is told of it: its name and, for each parameter, its name, whether
    it is required and whether it takes a list."""
    taken = [[one.name, one.required, one.type.endswith(LIST)] for one in function.parameters]
    return [function.name, taken]


def _hashable(value: Value) -> Value:
    return tuple(map(_hashable, value)) if isinstance(value, list) else value


def _column(column: Column, texts: frozenset[str]) -> tuple[str, str, str]:
    """A header, the data that a program is given under it, and the data that the language model is
    sent."""
    raw = column.raw or column.name
    return column.name, raw if column.name in texts else column.name, raw


def _distinct(inputs: Sequence[Input]) -> list[Input]:
    """Each input once; an input of NULLs alone is not asked."""
    distinct = dict.fromkeys(inputs)
    return [value for value in distinct if any(cell is not None for cell in value)]


def _answers(asked: PendingCall, place: int) -> list[Value]:
    """The answers that a call gave for one of its rows."""
    value = asked.known.get(asked.inputs[place])
    return value if isinstance(value, list) else [value]


def rows_of(value: Value) -> Rows:
    """What solve returned as rows: a scalar one row, a list one row per item, lists or dicts its
    rows, a dict one row per key."""
    match value:
        case None:
            return Rows(("answer",), ("auto",), [])
        case dict():
            return _table([(key, *_cells(item)) for key, item in value.items()], ("key", "value"))
        case list() | tuple():
            return _rows_of_items(list(value))
        case _:
            return _table([(value,)], ("answer",))


def _rows_of_items(items: list[Value]) -> Rows:
    """The items of a list as rows: dicts by their keys, lists as they are, anything else as one
    cell. A list of several kinds is one column."""
    if items and all(isinstance(item, dict) for item in items):
        return _rows_of_dicts(items)
    if all(isinstance(item, (list, tuple)) for item in items):
        return _table([tuple(item) for item in items], ("answer",))
    return _table([(item,) for item in items], ("answer",))


def _rows_of_dicts(items: list[dict[Value, Value]]) -> Rows:
    """One row per dict, one column per key of any of them."""
    named = [{str(key): value for key, value in item.items()} for item in items]
    columns = list(dict.fromkeys(itertools.chain(*named)))
    return _table([tuple(map(item.get, columns)) for item in named], columns)


def _cells(item: Value) -> tuple[Value, ...]:
    """The cells of one item."""
    return tuple(item) if isinstance(item, (list, tuple)) else (item,)


def _table(rows: list[tuple[Value, ...]], names: Sequence[str]) -> Rows:
    """Rows of one width, with a name for each column."""
    width = max([len(row) for row in rows], default=len(names))
    columns = tuple(names) if len(names) == width else tuple(_names(width))
    return Rows(columns, ("auto",) * width, [row + (None,) * (width - len(row)) for row in rows])


def _names(width: int) -> Iterator[str]:
    return (f"column_{index + 1}" for index in range(width))
