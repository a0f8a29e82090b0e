"""Stand-ins for an endpoint that need no network: an LM over a recording, which is
a text file of one Request and its Reply a line, made by the Record layer."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from binder.errors import (
    BadReply,
    DataError,
    LMError,
    NotConfigured,
    RateLimited,
    Refused,
    Unreachable,
)
from binder.lm import LM, Layer, Reply, Request
from binder.lm.cache import request_key
from binder.lm.store import Store, Stored
from binder.tables.codec import dump, load


class Record(Layer):
    """Appends each request and its reply to a file, on disk before the reply is used."""

    def __init__(self, lm: LM, path: str | os.PathLike[str]):
        self.lm = lm
        self.path = Path(path)

    async def complete(self, request: Request) -> Reply:
        """The reply of the layer below, recorded."""
        reply = await self.lm.complete(request)
        self._append({"request": request.data(), "reply": reply.data()})
        return reply

    def note(self, kind: str, **data: Any) -> None:
        """Records what a replay needs besides: whose replies they are, and the values that nobody
        had to be asked for."""
        self._append({"kind": kind, **data})

    def _append(self, data: dict[str, Any]) -> None:
        line = dump(data) + "\n"
        try:
            with open(self.path, "ab+") as file:
                if file.tell():
                    file.seek(-1, os.SEEK_END)
                    if file.read() != b"\n":  # a write that was cut short: keep it to its own line
                        line = "\n" + line
                file.write(line.encode())
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise DataError(
                f"cannot write the recording: {error.strerror}", path=str(self.path)
            ) from error


class Replay(LM):
    """Serves the replies of a recording or a trace; of equal requests the one recorded last holds.

    model and endpoint are those it was made with; answers the values that were known beforehand,
    from a cache, by key."""

    def __init__(self, path: str | os.PathLike[str]):
        self.path = Path(path)
        self.model, self.endpoint = "", ""
        self.replies: dict[str, Reply | LMError] = {}
        self.answers: dict[str, Stored] = {}
        paid: set[str] = set()  # what was asked here will be known by itself
        for data in _lines(self.path):
            if data.get("kind") == "started":
                self.model, self.endpoint = data["model"], data["endpoint"]
            elif data.get("kind") in ("recalled", "applied"):
                keyed = [kept for kept in data["answers"] if kept["key"] is not None]
                known = [kept for kept in keyed if kept["request"] not in paid]
                self.answers |= {kept.pop("key"): Stored(**kept) for kept in known}
            elif "request" in data:
                request = Request.read(data["request"])
                self.replies[request.key()] = (
                    Reply.read(data["reply"]) if "reply" in data else _error(data)
                )
                self.model = self.model or request.model
                paid.add(request_key(request, self.endpoint))

    def store(self) -> Store:
        """The answers as a store of their own."""
        store = Store(None)
        store.put_answers("", self.answers).result()
        return store

    async def complete(self, request: Request) -> Reply:
        """The recorded reply to an equal request."""
        reply = self.replies.get(request.key())
        if reply is None:
            question = request.messages[-1].content if request.messages else ""
            raise NotConfigured(
                f"the recording {self.path.name} has no reply to: {question[:200]}",
                hint="the request has changed since; record it again",
            )
        if isinstance(reply, LMError):
            raise reply
        return reply


def recorded(path: Path) -> Iterator[tuple[Request, Reply]]:
    """The requests and replies of a recording or a trace."""
    for data in _lines(path):
        if "request" in data and "reply" in data:
            yield Request.read(data["request"]), Reply.read(data["reply"])


def _lines(path: Path) -> Iterator[dict[str, Any]]:
    """The objects of a file of JSON lines; a last line that was cut short is passed over."""
    try:
        # of bytes: a text may hold other ends of lines
        lines = path.read_bytes().splitlines(keepends=True)
    except OSError as error:
        raise DataError(
            f"the recording cannot be read: {error.strerror}", path=str(path)
        ) from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            data = load(line.decode())
            if "request" in data:
                Request.read(data["request"])
                Reply.read(data["reply"]) if "reply" in data else data["kind"]
            elif "kind" not in data:
                raise ValueError("no request")
            yield data
        except (ValueError, KeyError, TypeError) as error:
            if line.endswith(b"\n"):
                raise DataError(
                    f"line {number} is not a recorded reply: {error}", path=str(path), row=number
                ) from error


def _error(data: dict[str, Any]) -> LMError:
    """The error that a request ended with."""
    kinds = {kind.__name__: kind for kind in (BadReply, RateLimited, Refused, Unreachable)}
    error = kinds.get(data.get("fault", ""), Unreachable)(data["error"])
    if isinstance(error, Refused):
        error.status = data.get("status")
    return error
