"""A language model for tests: requests on the wire come in; answers that follow from the question
and the input alone go out.

A question names what it does (`upper?`, `length?`, `long?`); the log says what was asked, one line
a question."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from binder.lm import Choice, Reply, Request, RequestUsage

Row = list[Any]


def _text(row: Row) -> str:
    return " ".join(str(value) for value in row if value is not None)


MAPS: dict[str, Callable[[Row], Any]] = {
    "upper?": lambda row: _text(row).upper(),
    "length?": lambda row: len(_text(row)),
    "first letter?": lambda row: _text(row)[:1],
    "long?": lambda row: len(_text(row)) > 4,
    "vowel?": lambda row: "a" in _text(row).casefold(),
    "yesno?": lambda row: "yes" if len(_text(row)) > 4 else "no",
    "same?": lambda row: str(row[0]).casefold() == str(row[-1]).casefold(),
    "both?": lambda row: "/".join("-" if value is None else str(value) for value in row),
    "founded?": lambda row: f"{1900 + len(_text(row))}-01-0{len(_text(row)) % 9 + 1}",
    "known?": lambda row: None if "a" in _text(row).casefold() else _text(row).upper(),
    "nothing?": lambda row: None,
    "a poem?": lambda row: [_text(row), "and more"],
}

ANSWERS: dict[str, Callable[[list[list[Row]]], list[Any]]] = {
    "all?": lambda parts: [row[0] for part in parts for row in part],
    "first?": lambda parts: [row[0] for row in parts[0][:1]],
    "how many?": lambda parts: [sum(len(part) for part in parts)],
    "longest?": lambda parts: [max((str(row[0]) for part in parts for row in part), key=len)],
    "any long?": lambda parts: [
        "yes" if any(len(str(row[0])) > 4 for part in parts for row in part) else "no"
    ],
    "nothing?": lambda parts: [],
}


class Oracle:
    """Answers by the two tables above; asked logs every question with its inputs."""

    def __init__(self) -> None:
        self.asked: list[str] = []

    async def complete(self, request: Request) -> Reply:
        """The reply to one task."""
        task = json.loads(request.messages[-1].content)
        rows = task["rows"]
        if task["task"] == "map":
            answer = MAPS[task["question"]]
            self.asked += [
                f"{task['question']} {json.dumps(row, ensure_ascii=False)}" for row in rows.values()
            ]
            said: Any = {key: answer(row) for key, row in rows.items()}
        else:
            parts = [rows, *(more["rows"] for more in task["more"])]
            self.asked.append(f"{task['question']} {json.dumps(parts, ensure_ascii=False)}")
            said = ANSWERS[task["question"]](parts)
        return Reply(
            (Choice(json.dumps({"answers": said}, ensure_ascii=False)),), RequestUsage(requests=1)
        )

    async def close(self) -> None:
        """Nothing is open."""
