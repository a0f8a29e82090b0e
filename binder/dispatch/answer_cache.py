"""Inputs of an Ask come in; what was answered about them before comes out, whatever program, run or
process paid for it.

Only what is certain is kept: values, and that there is no answer. A value is on disk before it is
used."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any

from binder.dispatch.ask_task import Found
from binder.executors import Input
from binder.lm import Request
from binder.lm.cache import request_key
from binder.lm.store import PackedRequest, Store, Stored
from binder.plan import Ask
from binder.prompt.tasks import instructions
from binder.tables.codec import value_keys

KEPT = (None, "no_answer")  # faults of what is kept


@dataclass(frozen=True)
class AnswerCache:
    """The value-level side of a Store, for one model of one endpoint. told: who is told of what is
    recalled, as of an event."""

    store: Store
    model: str
    endpoint: str = ""
    reasoning: frozenset[str] = frozenset()  # kinds of questions whose replies reason first
    told: Callable[..., None] | None = None

    def keys(self, ask: Ask, inputs: Iterable[Input]) -> dict[Input, str]:
        """What the answer to each input is kept under: all that can change it."""
        call_type = ask.call_type
        asked = {
            "model": self.model,
            "endpoint": self.endpoint,
            "prompt": version(ask.call.kind, ask.call.kind in self.reasoning),
            "kind": ask.call.kind,
            "question": ask.call.question,
            "columns": ask.columns,
            "type": call_type.type,
            "options": call_type.options,
            "spellings": call_type.spellings,
            "table": ask.title,
            "sample": 0,
        }
        wanted = list(inputs)
        return dict(zip(wanted, value_keys(wanted, **asked), strict=True))

    async def found(self, keys: Mapping[Input, str]) -> dict[Input, Stored]:
        """The inputs that were answered before."""
        if len(keys) > 50:  # long enough to hold up the loop
            stored = await asyncio.to_thread(self.store.get_answers, keys.values())
        else:
            stored = self.store.get_answers(keys.values())
        return {value: stored[key] for value, key in keys.items() if key in stored}

    def pack(self, request: Request, keys: Iterable[str], number: int) -> None:
        """Tells the store which inputs a request is about."""
        self.store.pack(request_key(request, self.endpoint), PackedRequest(tuple(keys), number))

    def unread(self, wanted: Mapping[str, Input]) -> list[list[Input]]:
        """Groups of inputs whose reply was paid and not read: the same request again costs
        nothing."""
        return [
            [wanted[key] for key in pack.inputs]
            for pack in self.store.unread(wanted)
            if pack.attempt == 1
        ]

    def keep(
        self, ask: Ask, keys: Mapping[Input, str], request: Request, found: Mapping[Input, Found]
    ) -> Future[None]:
        """Keeps what a reply said; a reply that said nothing is dropped, so that it is asked for
        again.

        The future says when it is kept; what was put before is then kept, too.
        """
        paid = request_key(request, self.endpoint)
        about = ask.call.kind, self.model, self.endpoint, ask.call.question
        kept = {
            keys[value]: Stored(
                said.value, said.fault, said.message, said.attempts, *about, value, paid
            )
            for value, said in found.items()
            if said.fault in KEPT and value in keys
        }
        return self.store.put_answers(paid, kept) if kept else self.store.forget([paid])

    def reply(self, paid: str) -> str | None:
        """The text of a reply that is kept."""
        reply = self.store.get_reply(paid) if paid else None
        return reply.text if reply is not None else None

    @property
    def claims(self) -> dict[str, asyncio.Future[None]]:
        """The inputs that are being asked about somewhere in this process, by key."""
        return self.store.flights.claims


def version(kind: str, steps: bool) -> str:
    """The digest of the instructions for a kind of question: other instructions, other answers."""
    return hashlib.sha256(instructions(kind, steps).encode()).hexdigest()[:16]


def value_of(stored: Stored, kind: str) -> Any:
    """A value as it was kept."""
    return stored.value if kind == "map" else list(stored.value or [])
