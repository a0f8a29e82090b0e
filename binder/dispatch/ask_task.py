"""One Ask and inputs that nobody knows yet come in; what the language model says about each is
found, or why it says nothing.

Replies are matched by key, never by position. What a reply leaves open is asked again, in one
request as long as requests bear fruit; one that does not is sent again, then halved, until an input
at fault stands alone. Errors of no single input are raised."""

from __future__ import annotations

import asyncio
import itertools
from collections import Counter
from collections.abc import Awaitable, Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from binder.errors import (
    BadReply,
    BinderError,
    BudgetExceeded,
    LMError,
    RateLimited,
    Refused,
    Unreachable,
)
from binder.executors import Input, Part, Value
from binder.lm import Reply, Request
from binder.plan import Ask
from binder.plan.cost import packs
from binder.prompt.replies import NoValue, read_answers, read_list, read_value
from binder.prompt.tasks import ans_request, map_request

Came = TypeVar("Came")
TRIES = 3  # of a request that bears no fruit, before it is halved
ALONE = 5  # of a request about one input, before it is given up
TYPED = 3  # answers of the wrong type to one input, before it is given up
SHORT = 4_000  # characters that fit into the context of any model in use
STREAK = 3  # requests in a row that were too large, before all get smaller

# Words that begin a question and are no names.
LEADING = frozenset(
    (
        "is",
        "are",
        "was",
        "were",
        "does",
        "do",
        "did",
        "which",
        "what",
        "who",
        "whose",
        "when",
        "where",
        "how",
    )
)

REASONS = {
    "no_answer": "the reply says there is no answer",
    "bad_type": "the reply is not of the type asked for: {!r}",
    "missing": "the reply holds no answer to it: {!r}",
}
FAILURES: dict[type[LMError], str] = {
    BadReply: "bad_reply",
    RateLimited: "rate_limited",
    Refused: "refused",
    Unreachable: "unreachable",
}


@dataclass(frozen=True)
class Found:
    """What is known about one input: its value, or why there is none, and the request (an event of
    the trace) that said so."""

    value: Value
    fault: str | None = None
    message: str = ""
    attempts: int = 1
    event: int | None = None


@dataclass
class Size:
    """How many inputs a request may hold: fewer once several such requests in a row, over all
    workers, were too large.

    through: the characters of the longest request that is known not to be too long.
    """

    rows: int
    worked: list[int] = field(default_factory=list)
    through: int = SHORT

    def too_large(self, asked: int, worked: int, request: Request) -> None:
        """A request about so many inputs was too large; fewer would have been right."""
        self.through = min(self.through, length(request) - 1)
        if (
            asked <= self.rows // 2
        ):  # fewer than a pack of several holds: it is one of its inputs that is large
            return
        self.worked.append(max(1, worked))
        if len(self.worked) >= STREAK:
            self.rows = min(self.rows, max(self.worked))
            self.worked.clear()

    def right(self, asked: int, request: Request) -> None:
        """A request about so many inputs was not too large."""
        self.through = max(self.through, length(request))
        if asked > self.rows // 2:
            self.worked.clear()

    def doubts(self, request: Request) -> bool:
        """Whether it is hard to believe that a request is too long; endpoints say so for other
        reasons too."""
        return length(request) <= self.through


BeforeSend = Callable[
    [Request, Sequence[Input], int], None
]  # a request that is about to be sent, its inputs and its number
AfterReply = Callable[[Request, dict[Input, "Found"]], None]  # what a reply said, for good
Send = Callable[
    [Ask, Request], Awaitable[tuple[Reply, int]]
]  # the reply, and the event that records it


@dataclass
class AskTask:
    """An Ask under way. found holds what is known for good, as soon as it is; slots limit the
    requests at a time."""

    ask: Ask
    model: str
    send: Send
    slots: asyncio.Semaphore
    size: Size
    found: dict[Input, Found]
    pack: BeforeSend
    keep: AfterReply
    steps: bool = False  # whether replies reason before they answer
    open: dict[Input, Found] = field(default_factory=dict)  # why there is no answer yet
    attempts: Counter[Input] = field(default_factory=Counter)
    mistyped: Counter[Input] = field(default_factory=Counter)

    async def map(self, inputs: Sequence[Input], tries: int = ALONE) -> None:
        """Asks about inputs in one request and, until all are found, about those that are left."""
        for sample in itertools.count():
            async with self.slots:
                if len(inputs) > self.size.rows:  # it has shrunk since they were put together
                    break
                tries = min(tries, await self._request(inputs, sample))
            left = [value for value in inputs if value not in self.found]
            if len(left) < len(inputs):
                if left:
                    await self.map(left)
                return
            if sample + 1 >= tries:
                break
        if len(inputs) == 1:
            self.found[inputs[0]] = self.open[inputs[0]]
        elif len(inputs) > self.size.rows:
            await together([self.map(pack) for pack in packs(inputs, self.size.rows)])
        else:
            await together(
                [
                    self.map(half, 2 if len(half) == 1 else 1)
                    for half in packs(inputs, (len(inputs) + 1) // 2)
                ]
            )

    async def ans(self, value: Input, parts: tuple[Part, ...]) -> None:
        """Asks one question about whole tables."""
        tries = ALONE
        for sample in itertools.count():
            request = ans_request(
                self.ask.call.question, parts, model=self.model, sample=sample, **self._wanted()
            )
            try:
                async with self.slots:
                    reply, event = await self.send(self.ask, request)
            except LMError as error:
                tries = min(tries, self._failed([value], request, error, no_value=[]))
            else:
                self.size.right(1, request)
                tries = min(tries, self._listed(value, reply, event))
                self.keep(request, {value: self.open[value]} if sample + 1 >= tries else {})
            if sample + 1 >= tries:
                self.found[value] = self.open[value]
                return

    async def _request(self, inputs: Sequence[Input], sample: int) -> int:
        """One request about inputs; how often it is worth sending if it bears no fruit."""
        rows = {f"r{i + 1}": value for i, value in enumerate(inputs)}
        request = map_request(
            self.ask.call.question,
            self.ask.columns,
            rows,
            model=self.model,
            sample=sample,
            **self._wanted(),
        )
        self.pack(request, inputs, sample + 1)
        try:
            reply, event = await self.send(self.ask, request)
        except LMError as error:
            return self._failed(inputs, request, error, no_value=None)
        answers = read_answers(reply.text, rows)
        said: dict[Input, Found] = {}
        for key, value in rows.items():
            self.attempts[value] += max(1, reply.usage.requests)
            if key in answers:
                said |= self._answered(value, self._read(answers[key]), event)
            else:
                self.open[value] = self._left(value, "missing", reply.text, event, None)
        self.keep(request, said)
        self.found.update(said)
        if reply.finish == "length" and len(answers) < len(rows):
            self.size.too_large(len(rows), len(answers) or len(rows) // 2, request)
        else:
            self.size.right(len(rows), request)
        return TRIES if len(inputs) > 1 else ALONE

    def _listed(self, value: Input, reply: Reply, event: int) -> int:
        """Notes what a reply to ans says; how often it is worth asking for."""
        self.attempts[value] += max(1, reply.usage.requests)
        try:
            items = [self._read(item) for item in read_list(reply.text)]
        except BadReply:
            self.open[value] = self._left(value, "missing", reply.text, event, [])
            return ALONE
        values = [item for item in items if not isinstance(item, NoValue)]
        mistyped = [item for item in items if isinstance(item, NoValue) and item.kind == "bad_type"]
        if mistyped:
            self.open[value] = self._left(value, "bad_type", mistyped[0].text, event, values)
            return TYPED
        told = Found(values, attempts=self.attempts[value], event=event)
        self.open[value] = told if values else self._left(value, "no_answer", "", event, [])
        return 1

    def _answered(self, value: Input, read: Value | NoValue, event: int) -> dict[Input, Found]:
        """An answer, where it is one for good; one of the wrong type is not at first."""
        if not isinstance(read, NoValue):
            return {value: Found(read, attempts=self.attempts[value], event=event)}
        self.open[value] = self._left(value, read.kind, read.text, event, None)
        self.mistyped[value] += read.kind == "bad_type"
        return (
            {value: self.open[value]}
            if read.kind == "no_answer" or self.mistyped[value] >= TYPED
            else {}
        )

    def _failed(
        self, inputs: Sequence[Input], request: Request, error: LMError, no_value: Value
    ) -> int:
        """Notes a request that failed, perhaps because of its inputs, or raises the error; how
        often it is worth sending."""
        if not about_inputs(error):
            raise error
        too_long = isinstance(error, Refused) and error.status == 413
        doubted = too_long and not request.sample and self.size.doubts(request)
        if too_long and not doubted:
            self.size.too_large(len(inputs), len(inputs) // 2, request)
        fault = "too_long" if too_long else FAILURES[type(error)]
        for value in inputs:
            self.attempts[value] += max(1, error.usage.requests if error.usage else 1)
            self.open[value] = Found(no_value, fault, error.message, self.attempts[value])
        enough = (
            error.retryable and not isinstance(error, RateLimited) and len(inputs) > 1
        )  # it has been sent more than once
        if doubted:
            return 2
        if too_long or enough:
            return 1
        return ALONE if len(inputs) == 1 and not error.retryable else TRIES

    def _left(self, value: Input, fault: str, text: str, event: int, no_value: Value) -> Found:
        """Why an input has no answer, in case it stays so."""
        return Found(no_value, fault, REASONS[fault].format(text[:80]), self.attempts[value], event)

    def _read(self, item: Any) -> Value | NoValue:
        """An item of a reply as a value of the type asked for."""
        call_type = self.ask.call_type
        return read_value(item, call_type.type, call_type.options, call_type.spellings)

    def _wanted(self) -> dict[str, Any]:
        """What the request says about the answers."""
        call_type = self.ask.call_type
        said = {
            "type": call_type.type,
            "options": call_type.options,
            "spellings": call_type.spellings,
        }
        return {**said, "table": self.ask.title, "steps": self.steps}


def about_inputs(error: BinderError) -> bool:
    """Whether an error may be due to the inputs of the request; otherwise no request can be
    answered."""
    refused = isinstance(error, Refused) and error.status in (
        None,
        413,
    )  # by a filter, or for its length
    return refused or (isinstance(error, LMError) and error.retryable)


def spares(error: BaseException) -> bool:
    """Whether an error leaves what came of other requests to be used: it is about its own request,
    or the budget is used up."""
    return isinstance(error, BudgetExceeded) or (
        isinstance(error, BinderError) and about_inputs(error)
    )


async def gathered(coroutines: Iterable[Awaitable[Came]]) -> list[Came | BaseException]:
    """What each comes to, once all have ended; an error that spares the others stands for what did
    not come. Raised is any other error, and the first of all where nothing came, but for replies
    that cannot be read."""
    outcomes = await asyncio.gather(*coroutines, return_exceptions=True)
    errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    fatal = [error for error in errors if not spares(error)]
    if fatal or (
        len(errors) == len(outcomes) and not all(isinstance(error, BadReply) for error in errors)
    ):
        raise (fatal or errors)[0]
    return outcomes


def length(request: Request) -> int:
    """The characters of the messages of a request."""
    return sum(len(message.content) for message in request.messages)


def same_question(question: str) -> str:
    """A question without what cannot change its answer: white space, a final question mark, the
    case of a leading word."""
    said = " ".join(question.split()).rstrip("? ")
    first, space, rest = said.partition(" ")
    lower = first.casefold()
    return (
        f"{lower}{space}{rest}" if lower in LEADING and first != first.upper() else said
    )  # WHO is another question


async def together(coroutines: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Awaits all; after the first error the others are cancelled and none is left running."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
