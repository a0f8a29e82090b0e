"""The tasks that the language model is set: for each kind of call its instructions, its request
and how its replies are read.

The last user message is one JSON object (the wire format), so that cells are data and never read as
instructions."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypedDict, Unpack

from binder.errors import UsageError
from binder.language.call_kinds import ANS, CALL_KINDS, MAP, CallKind, register_kind
from binder.lm import Message, Request
from binder.prompt import told
from binder.prompt.replies import JSON, NoValue, Value, read_answers, read_list, read_value
from binder.prompt.units import CallUnit
from binder.prompt.wire import wire

if TYPE_CHECKING:
    from binder.tables.table import Table


class Wanted(TypedDict, total=False):
    """What a request says about the answers: their type, the only options, spellings in use, and
    the table's title. unit: in which they are read; it is not said."""

    type: str
    options: Sequence[str] | None
    spellings: Sequence[str] | None
    table: str | None
    unit: CallUnit | None


# Type -> the JSON types of an answer; every answer may be null.
TYPES: dict[str, list[str]] = {
    "auto": ["string", "number", "boolean", "null"],
    "text": ["string", "null"],
    "number": ["number", "null"],
    "boolean": ["boolean", "null"],
    "date": ["string", "null"],
}


class Task:
    """How the calls of a kind are asked and their replies are read."""

    def __init__(self, kind: CallKind):
        self.kind = kind

    def instructions(self, steps: bool) -> str:
        """What the language model is told. steps: the reply reasons before it answers."""
        names = ("task", self.kind.name, "steps") if steps else ("task", self.kind.name)
        return "\n\n".join(map(told, names))

    def value(self, item: JSON, wanted: Wanted) -> Value | NoValue:
        """One answer as a value of the type that is wanted."""
        return read_value(
            item,
            wanted.get("type", "auto"),
            wanted.get("options"),
            wanted.get("spellings"),
            wanted.get("unit"),
        )

    def _request(
        self,
        rows: Mapping[str, object],
        answers: Mapping[str, object],
        wanted: Wanted,
        model: str,
        sample: int,
        steps: bool,
        has_rows: bool = True,
    ) -> Request:
        """The request about some rows, with the schema of its answers."""
        task = {"task": self.kind.name, **rows, **_told(wanted)}
        said = self.instructions(steps) if has_rows else f"{self.instructions(steps)}\n{_WORLD}"
        messages = Message("system", said), Message("user", _json(task))
        # In this order: thought first.
        reply = {"steps": {"type": "string"}, "answers": answers} if steps else {"answers": answers}
        schema = {
            "type": "object",
            "properties": reply,
            "required": list(reply),
            "additionalProperties": False,
        }
        return Request(messages, model, sample=sample, schema=_json(schema))


_WORLD = (
    "This task has no rows: the question is about the world, and you answer from what you know."
)


class InputTask(Task):
    """A task of many inputs, each with an answer of its own."""

    def request(
        self,
        question: str,
        columns: Sequence[str],
        rows: Mapping[str, Sequence[object]],
        *,
        model: str,
        sample: int = 0,
        steps: bool = False,
        **wanted: Unpack[Wanted],
    ) -> Request:
        """The request that asks a question about each row, by its key."""
        sent = {
            "question": question,
            "columns": list(columns),
            "rows": {key: [wire(value) for value in row] for key, row in rows.items()},
        }
        answers = {
            "type": "object",
            "properties": dict.fromkeys(rows, _answer_schema(wanted)),
            "required": list(rows),
            "additionalProperties": False,
        }
        return self._request(sent, answers, wanted, model, sample, steps)

    def answers(self, text: str, keys: Collection[str]) -> dict[str, JSON]:
        """The answers in a reply, by key."""
        return read_answers(text, keys)


class TableTask(Task):
    """A task of whole tables, answered once, by a list."""

    def request(
        self,
        question: str,
        tables: Sequence[tuple[Sequence[str], Iterable[Sequence[object]]]],
        *,
        model: str,
        sample: int = 0,
        steps: bool = False,
        **wanted: Unpack[Wanted],
    ) -> Request:
        """The request that asks a question once about all the rows of some tables, each with its
        columns; without a table, about the world."""
        first, *more = (
            {"columns": list(names), "rows": [[wire(value) for value in row] for row in rows]}
            for names, rows in tables or ([((), ())])
        )
        sent = {"question": question, **first, "more": more}
        answers = {"type": "array", "items": _answer_schema(wanted)}
        return self._request(sent, answers, wanted, model, sample, steps, bool(tables))

    def answers(self, text: str) -> list[JSON]:
        """The answers in a reply; BadReply where it has none."""
        return read_list(text)


TASKS: dict[str, InputTask | TableTask] = {}


def register(task: InputTask | TableTask) -> None:
    """Makes a kind of call known: to the languages, and how it is asked."""
    if task.kind.per_input != isinstance(task, InputTask):
        raise UsageError("a kind with a value per input needs an InputTask, others a TableTask")
    if CALL_KINDS.get(task.kind.name) is not task.kind:
        register_kind(task.kind)
    TASKS[task.kind.name] = task


map_task, ans_task = InputTask(MAP), TableTask(ANS)
register(map_task)
register(ans_task)
map_request, ans_request = map_task.request, ans_task.request


def direct_request(
    question: str, tables: Sequence[Table], *, model: str, steps: bool = False
) -> Request:
    """The request that asks a question about whole tables, as an ans does; columns of several
    tables bear the table's name."""
    several = len(tables) > 1
    parts = []
    for table in tables:
        names = [f"{table.name}.{one.name}" if several else one.name for one in table.columns]
        texts = [table.texts(column) for column in table.columns]
        parts.append((names, list(zip(*texts, strict=True))))
    return ans_request(question, parts, model=model, table=tables[0].title, steps=steps)


def _told(wanted: Wanted) -> dict[str, object]:
    """The part of a task that says what the answers shall look like."""
    return {
        "type": wanted.get("type", "auto"),
        "options": wire(list(wanted.get("options") or ())) or None,
        "spellings": wire(list(wanted.get("spellings") or ())) or None,
        "table": wanted.get("table"),
    }


def _answer_schema(wanted: Wanted) -> dict[str, object]:
    """The JSON schema of one answer."""
    type, options = wanted.get("type", "auto"), wanted.get("options")
    if options and type != "boolean":
        return {"type": ["string", "null"], "enum": [*(wire(option) for option in options), None]}
    return {"type": TYPES[type]}


def _json(data: object) -> str:
    """JSON text, readable."""
    return json.dumps(data, ensure_ascii=False)
