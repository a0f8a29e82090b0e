"""Event streams: some gateways stream though nobody asked them to. The pieces are put together as
the reply that they are of."""

from __future__ import annotations

import json
from typing import Any

from binder.errors import BadReply

_TEXTS = ("content", "reasoning_content", "reasoning", "refusal")


def is_stream(body: bytes) -> bool:
    """Whether a body is a stream of server-sent events."""
    return body.lstrip(b"\xef\xbb\xbf\r\n ").startswith((b"data:", b"event:", b": ", b"id:"))


def whole(body: bytes) -> dict[str, Any]:
    """The chat completion that a stream is of; a BadReply where it ends too early."""
    choices: dict[int, dict[str, Any]] = {}
    told: dict[str, Any] = {}
    ended = False
    for event in _events(body):
        if event == "[DONE]":
            ended = True
            continue
        part = _object(event)
        told |= {name: part[name] for name in ("usage", "error") if part.get(name)}
        for piece in part.get("choices") or ():
            if isinstance(piece, dict):
                ended |= _add(choices.setdefault(piece.get("index") or 0, {}), piece)
    if not ended and "error" not in told:
        raise BadReply("the reply is a stream that ends too early", tries=2)
    return {"choices": [choices[index] for index in sorted(choices)], **told}


def _events(body: bytes) -> list[str]:
    """The data of each event: lines that belong together are one."""
    events: list[str] = []
    lines: list[str] = []
    for line in [*body.decode("utf-8-sig", "replace").splitlines(), ""]:
        if line.startswith("data:"):
            lines.append(line[5:].removeprefix(" "))
        elif not line and lines:
            events.append("\n".join(lines))
            lines = []
    return events


def _object(event: str) -> dict[str, Any]:
    try:
        found = json.loads(event)
    except (ValueError, RecursionError):
        raise BadReply("an event of the stream is not JSON", tries=2) from None
    return found if isinstance(found, dict) else {}


def _add(choice: dict[str, Any], piece: dict[str, Any]) -> bool:
    """Adds a piece to the choice that it belongs to; whether it is the last one."""
    message = choice.setdefault("message", {})
    delta = piece.get("delta") or piece.get("message") or {}
    for name in _TEXTS if isinstance(delta, dict) else ():
        if isinstance(delta.get(name), str):
            message[name] = message.get(name, "") + delta[name]
    if piece.get("finish_reason"):
        choice["finish_reason"] = piece["finish_reason"]
    return bool(piece.get("finish_reason"))
