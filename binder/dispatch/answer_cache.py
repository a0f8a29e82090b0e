"""The answers that were paid before, whatever program, run or process paid for them.

Only what is certain is kept: values, and that there is no answer. A value is on disk before it is
used."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from binder.dispatch.answers import InputAnswer
from binder.executors import Input
from binder.lm import Request
from binder.lm.cache import request_key
from binder.lm.store import PackedRequest, Store, Stored
from binder.plan import Ask
from binder.prompt.tasks import TASKS
from binder.tables.codec import value_keys

KEPT = (None, "no_answer")  # faults of what is kept


@dataclass(frozen=True)
class AnswerCache:
    """The values in a Store, for one model of one endpoint. told: is called with what is recalled,
    as of an event."""

    store: Store
    model: str
    endpoint: str = ""
    reasoning: frozenset[str] = frozenset()  # kinds of questions whose replies reason first
    told: Callable[..., None] | None = None

    def keys(self, ask: Ask, inputs: Iterable[Input]) -> dict[Input, str]:
        """What the answer to each input is kept under: all that can change it."""
        wanted = list(inputs)
        if ask.call.function is not None:
            function = ask.call.function
            own = value_keys(wanted, function=function.name, version=function.identity)
            return dict(zip(wanted, own, strict=True))
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
        return dict(zip(wanted, value_keys(wanted, **asked), strict=True))

    async def recall(self, keys: Mapping[Input, str]) -> dict[Input, Stored]:
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
        groups = []
        for pack in self.store.unread(wanted):
            inputs = [wanted[key] for key in pack.inputs]
            if pack.attempt == 1:
                groups.append(inputs)
        return groups

    def keep(
        self,
        ask: Ask,
        keys: Mapping[Input, str],
        request: Request,
        answers: Mapping[Input, InputAnswer],
    ) -> Future[None]:
        """Keeps what a reply said; a reply that said nothing is dropped, so that it is asked for
        again.

        The future says when it is kept; what was put before is then kept, too.
        """
        paid = request_key(request, self.endpoint)
        kept = self._stored(ask, keys, answers, paid)
        return self.store.put_answers(paid, kept) if kept else self.store.forget([paid])

    def keep_values(
        self, ask: Ask, keys: Mapping[Input, str], answers: Mapping[Input, InputAnswer]
    ) -> Future[None]:
        """Keeps what an own function returned."""
        return self.store.put_answers("", self._stored(ask, keys, answers, ""))

    def _stored(
        self, ask: Ask, keys: Mapping[Input, str], answers: Mapping[Input, InputAnswer], paid: str
    ) -> dict[str, Stored]:
        """What is worth keeping of some answers, by their keys."""
        about = ask.call.kind, self.model, self.endpoint, ask.call.question
        kept = {}
        for value, said in answers.items():
            if said.fault in KEPT and value in keys:
                what = said.value, said.fault, said.message, said.attempts
                kept[keys[value]] = Stored(*what, *about, value, paid)
        return kept

    def reply(self, paid: str) -> str | None:
        """The text of a reply that is kept."""
        reply = self.store.get_reply(paid) if paid else None
        return reply.text if reply is not None else None

    @property
    def claims(self) -> dict[str, asyncio.Future[None]]:
        """The inputs that some run of this process is asking about, by key."""
        return self.store.flights.claims


class Claims:
    """The inputs that one round asks about, so that no other run of this process asks as well."""

    def __init__(self, cache: AnswerCache | None):
        self._all = {} if cache is None else cache.claims
        self._mine: dict[str, asyncio.Future[None]] = {}
        self._others: list[asyncio.Future[None]] = []

    def claim(self, keys: Mapping[Input, str], inputs: Iterable[Input]) -> list[Input]:
        """Claims inputs; those that another run claimed before are left out."""
        claimed = []
        for value in inputs:
            key = keys.get(value)  # nothing has a key where nothing is kept
            if key is not None and key not in self._all:
                self._all[key] = self._mine[key] = asyncio.get_running_loop().create_future()
            if key is None or key in self._mine:
                claimed.append(value)
            else:
                self._others.append(self._all[key])
        return claimed

    def release(self) -> None:
        """Gives up all claims: who waits looks again for what was answered."""
        for key, claim in self._mine.items():
            del self._all[key]
            claim.set_result(None)
        self._mine.clear()

    async def wait_for_others(self) -> None:
        """Waits until the other runs have given up theirs."""
        if self._others:
            await asyncio.wait(self._others)


def version(kind: str, steps: bool) -> str:
    """The digest of the instructions for a kind of question: other instructions, other answers."""
    return hashlib.sha256(TASKS[kind].instructions(steps).encode()).hexdigest()[:16]
