"""The way out of a run: every request goes through a Sender, which records, counts and keeps."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any

from binder.dispatch.answer_cache import AnswerCache
from binder.dispatch.answers import InputAnswer
from binder.dispatch.failures import about_inputs
from binder.errors import BinderError, LMError
from binder.executors import Input
from binder.language.functions.own import Function
from binder.lm import LM, Reply, Request, RequestUsage
from binder.plan import Ask
from binder.results.progress import Display, Progress
from binder.results.result import Usage
from binder.results.trace import Trace


@dataclass
class Totals:
    """What a run wanted and used so far; questions: asked, cached: answered before."""

    wanted: int = 0
    answered: int = 0
    questions: int = 0
    cached: int = 0
    applied: int = 0  # inputs of own functions
    spent: RequestUsage = field(default_factory=RequestUsage)
    started: float = field(default_factory=time.monotonic)

    @property
    def usage(self) -> Usage:
        """The same, as a result tells it."""
        spent, seconds = self.spent, round(time.monotonic() - self.started, 4)
        tokens = spent.prompt_tokens, spent.completion_tokens
        return Usage(
            self.questions, self.cached, spent.requests, *tokens, spent.cost, seconds, self.applied
        )

    def progress(self, stage: str) -> Progress:
        """The same, as a display shows it."""
        done, spent = self.answered + self.cached, self.spent
        seconds = time.monotonic() - self.started
        return Progress(self.wanted, done, self.cached, spent.requests, spent.cost, seconds, stage)


class Sender:
    """Sends the requests of one run. slots: each is for all tries of a request."""

    def __init__(
        self,
        lm: LM,
        cache: AnswerCache | None,
        trace: Trace,
        slots: asyncio.Semaphore,
        display: Display,
    ):
        self.lm, self.cache, self.trace = lm, cache, trace
        self.slots, self.display = slots, display
        self.totals = Totals(started=trace.started)
        self.ended: BinderError | None = None  # nothing is sent after an error of all requests
        self.kept: Future[None] | None = None  # the last answers, and with them all before

    def announce(self, request: Request, keys: Sequence[str], number: int) -> None:
        """Keeps which inputs a request is about, before it is sent: a reply that nobody lived to
        read is read by the next run. number: of the try."""
        if self.cache is not None:
            self.cache.pack(request, keys, number)

    async def send(self, ask: Ask, request: Request) -> tuple[Reply, int]:
        """A reply to a question, and the number of the event that records it."""
        return await self._complete(request, {"call": ask.call.name, "question": ask.call.question})

    def keep(
        self,
        ask: Ask,
        keys: Mapping[Input, str],
        request: Request,
        answers: Mapping[Input, InputAnswer],
    ) -> None:
        """Keeps what a reply said; `kept` tells when it is durable."""
        if self.cache is not None:
            self.kept = self.cache.keep(ask, keys, request, answers)
        self.totals.answered += len(answers)
        self.show()

    def applied(
        self,
        ask: Ask,
        function: Function,
        keys: Mapping[Input, str],
        answers: Mapping[Input, InputAnswer],
    ) -> int:
        """Records, counts and keeps what an own function returned; the number of the event."""
        told = []
        for value, said in answers.items():
            known = {"key": keys.get(value), "input": value, "value": said.value}
            why = {"fault": said.fault, "message": said.message, "attempts": said.attempts}
            told.append({**known, **why, "request": ""})
        if self.cache is not None and self.cache.told is not None:
            self.cache.told("recalled", question=function.name, answers=told)
        event = self.trace.add("applied", call=ask.call.name, function=function.name, answers=told)
        applied = sum(said.attempts > 0 for said in answers.values())  # not to a NULL
        self.totals.applied += applied
        self.totals.spent += RequestUsage(cost=function.cost * applied or None)
        if self.cache is not None and function.keep:
            self.kept = self.cache.keep_values(ask, keys, answers)
        self.totals.answered += len(answers)
        self.show()
        return event

    async def sample(self, request: Request) -> Reply:
        """A reply to a request for candidates."""
        async with self.slots:
            self.show("writing candidates")
            reply, _ = await self._complete(request, {})
            self.show()
            return reply

    def show(self, stage: str = "") -> None:
        """Shows whoever watches how far the run has come."""
        self.display(self.totals.progress(stage))

    async def _complete(self, request: Request, about: dict[str, Any]) -> tuple[Reply, int]:
        """A reply and the number of its event."""
        if self.ended is not None:
            raise self.ended
        asked = {**about, "request": request.data()}
        try:
            reply = await self.lm.complete(request)
        except BinderError as error:
            self._failed(request, asked, error)
            raise
        self.totals.spent += reply.usage
        return reply, self.trace.add("asked", **asked, reply=reply.data(), cached=reply.cached)

    def _failed(self, request: Request, asked: dict[str, Any], error: BinderError) -> None:
        """Records and counts a request that failed."""
        self.trace.add(
            "failed",
            **asked,
            error=error.message,
            fault=type(error).__name__,
            status=getattr(error, "status", None),
        )
        if isinstance(error, LMError):
            self.totals.spent += error.usage or RequestUsage(requests=1)
        # The run can do without embeddings.
        if not about_inputs(error) and not request.embed:
            self.ended = error
