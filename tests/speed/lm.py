"""Requests of any of the systems come in; right answers go out, in the form that each expects, and
a count of what was sent.

A token is four characters of the messages or of the reply, for all systems alike.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from tests.server import Body, Canned, Server, completion, task_of
from tests.speed.workloads import KNOWN, know, number

NAME = re.compile(r"\b(?:item|maker) \d+\b")
QUESTION = re.compile(rf"\b({'|'.join(KNOWN)}|largest)\b")


@dataclass
class Count:
    """What a system asked."""

    requests: int = 0
    questions: int = 0
    tokens: int = 0


class Knowing:
    """The reply to each request; seconds per answer come on top of the server's latency. Goes into
    Server.reply."""

    def __init__(self, per_answer: float = 0.0):
        self.per_answer = per_answer
        self.count = Count()

    def __call__(self, body: Body) -> Canned:
        task = task_of(body)
        text, questions = _ours(task) if task else _theirs(body["messages"][-1]["content"])
        sent = sum(len(_text(message["content"])) for message in body["messages"])
        self.count.requests += 1
        self.count.questions += questions
        self.count.tokens += -(-sent // 4) - (-len(text) // 4)
        wait = self.per_answer * questions
        if body.get("stream"):
            return Canned(_stream(text), headers={"content-type": "text/event-stream"}, wait=wait)
        return Canned(json.dumps(completion(text)), wait=wait)


@contextmanager
def serving(latency: float = 0.0, per_answer: float = 0.0) -> Iterator[tuple[Server, Knowing]]:
    """A server that knows; latency is seconds a request."""
    with Server(latency=latency) as server:
        server.reply = knowing = Knowing(per_answer)
        yield server, knowing


def _ours(task: dict[str, Any]) -> tuple[str, int]:
    """The reply to a question in binder's wire format."""
    if task["task"] == "ans":
        return json.dumps({"answers": [max((row[0] for row in task["rows"]), key=number)]}), 1
    question = QUESTION.findall(task["question"])[-1]
    answers = {key: know(question, str(row[0])) for key, row in task["rows"].items()}
    return json.dumps({"answers": answers}), len(answers)


def _theirs(content: Any) -> tuple[str, int]:
    """The reply to a prompt about one value, or about all that it holds."""
    text = _text(content)
    question, names = QUESTION.findall(text)[-1], NAME.findall(text)
    return (max(names, key=number) if question == "largest" else str(know(question, names[-1]))), 1


def _text(content: Any) -> str:
    return (
        content if isinstance(content, str) else " ".join(part.get("text", "") for part in content)
    )


def _stream(text: str) -> bytes:
    """A reply as server-sent events."""
    about = {"id": "c", "object": "chat.completion.chunk", "created": 0, "model": "m"}
    chunks: list[dict[str, Any]] = [
        about
        | {
            "choices": [
                {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": None}
            ]
        },
        about | {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        about | {"choices": [], "usage": completion(text)["usage"]},
    ]
    return (
        "".join(f"data: {json.dumps(chunk)}\n\n" for chunk in chunks).encode() + b"data: [DONE]\n\n"
    )
