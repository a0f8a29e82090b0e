"""A question and the rows it is asked about go in, the Request for the language model comes out:
the tasks map and ans. The last user message is one JSON object (the wire format), so that cells are
data and never read as instructions."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack

from binder.lm import Message, Request
from binder.prompt import told
from binder.prompt.wire import wire

if TYPE_CHECKING:
    from binder.tables.table import Table

Type = Literal["auto", "text", "number", "boolean", "date"]


class Wanted(TypedDict, total=False):
    """What a request says about the answers: their type, the only ones allowed, names to be written
    so, and the table's title."""

    type: Type
    options: Sequence[str] | None
    spellings: Sequence[str] | None
    table: str | None


# Type -> the JSON types of an answer; every answer may be null.
TYPES: dict[Type, list[str]] = {
    "auto": ["string", "number", "boolean", "null"],
    "text": ["string", "null"],
    "number": ["number", "null"],
    "boolean": ["boolean", "null"],
    "date": ["string", "null"],
}


def map_request(
    question: str,
    columns: Sequence[str],
    rows: Mapping[str, Sequence[object]],
    *,
    model: str,
    sample: int = 0,
    steps: bool = False,
    **wanted: Unpack[Wanted],
) -> Request:
    """The request that asks a question about each row, by its key. steps: the reply reasons before
    it answers."""
    task = {
        "task": "map",
        "question": question,
        "columns": list(columns),
        "rows": {key: [wire(value) for value in row] for key, row in rows.items()},
        **_told(wanted),
    }
    properties = dict.fromkeys(rows, _answer_schema(wanted))
    answers = {
        "type": "object",
        "properties": properties,
        "required": list(rows),
        "additionalProperties": False,
    }
    return _request(task, answers, model, sample, steps)


def ans_request(
    question: str,
    tables: Sequence[tuple[Sequence[str], Iterable[Sequence[object]]]],
    *,
    model: str,
    sample: int = 0,
    steps: bool = False,
    **wanted: Unpack[Wanted],
) -> Request:
    """The request that asks a question once about all the rows of one or more tables, each with its
    columns."""
    first, *more = (
        {"columns": list(names), "rows": [[wire(value) for value in row] for row in rows]}
        for names, rows in tables
    )
    task = {"task": "ans", "question": question, **first, "more": more, **_told(wanted)}
    return _request(task, {"type": "array", "items": _answer_schema(wanted)}, model, sample, steps)


def direct_request(
    question: str, tables: Sequence[Table], *, model: str, steps: bool = False
) -> Request:
    """The request that asks a question about whole tables, as an ans does; columns of several
    tables bear the table's name."""
    several = len(tables) > 1
    parts = [
        (
            [f"{table.name}.{column.name}" if several else column.name for column in table.columns],
            list(zip(*(table.texts(column) for column in table.columns), strict=True)),
        )
        for table in tables
    ]
    return ans_request(question, parts, model=model, table=tables[0].title, steps=steps)


def instructions(kind: str, steps: bool) -> str:
    """What the language model is told about a kind of task."""
    return "\n\n".join(map(told, ("task", kind, "steps") if steps else ("task", kind)))


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


def _request(
    task: Mapping[str, Any], answers: Mapping[str, Any], model: str, sample: int, steps: bool
) -> Request:
    """The request for a task, with the schema of its answers."""
    messages = Message("system", instructions(task["task"], steps)), Message("user", _json(task))
    said = (
        {"steps": {"type": "string"}, "answers": answers} if steps else {"answers": answers}
    )  # in this order: thought first
    schema = {
        "type": "object",
        "properties": said,
        "required": list(said),
        "additionalProperties": False,
    }
    return Request(messages, model, sample=sample, schema=_json(schema))


def _json(data: object) -> str:
    """JSON text, readable."""
    return json.dumps(data, ensure_ascii=False)
