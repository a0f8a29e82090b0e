"""Executions and a language model come in; what each execution returned goes out: all are driven
together.

Each round takes the union of what they want, asks for what is not known yet, and fans the answers
back: nothing is asked twice."""

from __future__ import annotations

import asyncio
import json
import time
from collections import abc
from collections.abc import Coroutine, Sequence
from concurrent.futures import Future
from dataclasses import asdict, dataclass, field
from functools import partial
from typing import Any

from binder.dispatch.answer_cache import AnswerCache, value_of
from binder.dispatch.ask_task import AskTask, Found, Size, about_inputs, same_question, together
from binder.dispatch.injection import orders
from binder.errors import BinderError, BudgetExceeded, LMError, internal
from binder.executors import Batch, Execution, Input, Mapping, Part, Rows
from binder.lm import LM, Reply, Request, RequestUsage
from binder.lm.budget import Budgeted, price_of
from binder.plan import Ask
from binder.plan.cost import billed, packs
from binder.prompt.wire import wire
from binder.results.progress import Display, Progress
from binder.results.result import Missing, Usage, plain
from binder.results.trace import Trace
from binder.tables.cells import read_boolean

MOST_QUESTIONS = 10_000  # of a run that has no budget
QuestionKey = tuple[str, ...]
Fresh = dict[
    QuestionKey, tuple[Ask, dict[Input, tuple[Part, ...] | None]]
]  # inputs that nobody knows yet, by question


@dataclass
class Dispatch:
    """Asks the language model for whatever executions want; known is shared by all of them."""

    trace: Trace
    slots: asyncio.Semaphore  # each for all tries of a request
    lm: LM
    recall: AnswerCache | None
    budget: Budgeted
    model: str
    batch_rows: int
    display: Display
    reasoning: frozenset[str]  # kinds of questions whose replies reason first
    known: dict[QuestionKey, dict[Input, Found]] = field(default_factory=dict)
    spent: RequestUsage = field(default_factory=RequestUsage)
    questions: int = 0  # asked
    cached: int = 0  # answered before
    wanted: int = 0
    answered: int = 0

    def __post_init__(self) -> None:
        self.size = Size(self.batch_rows)
        self.ended: BinderError | None = None
        self.kept: Future[None] | None = None  # the last answers, and with them all before

    async def drive(self, executions: Sequence[Execution]) -> list[Rows | BinderError]:
        """Runs executions to their end; a BinderError stands for one that failed. Errors of the
        language model are raised."""
        try:
            steps = [await _advanced(execution, None) for execution in executions]
            while wanted := {
                index: step for index, step in enumerate(steps) if isinstance(step, tuple)
            }:
                await self._ask([batch for batches in wanted.values() for batch in batches])
                for index, batches in wanted.items():
                    steps[index] = await _advanced(
                        executions[index], tuple(map(self._mapping, batches))
                    )
        finally:
            for execution in executions:
                execution.close()
        return [step for step in steps if not isinstance(step, tuple)]

    async def _ask(self, batches: Sequence[Batch]) -> None:
        """Asks for every input that some batch wants and nobody knows."""
        fresh: Fresh = {}
        for batch in batches:
            key = _key(batch.ask)
            known = self.known.setdefault(key, {})
            _, inputs = fresh.setdefault(key, (batch.ask, {}))
            for value in batch.inputs:
                same = _identity(batch, value)
                if same not in known and same not in inputs:
                    inputs[same] = batch.parts.get(value)
        self.wanted += sum(len(inputs) for _, inputs in fresh.values())
        for ask, inputs in fresh.values():
            self._suspect(ask, inputs)
        try:
            left = fresh
            while left := await self._round(left):
                pass
        finally:
            for (
                key,
                (_, inputs),
            ) in (
                fresh.items()
            ):  # what is known is in the order of the inputs, not in that of the replies
                known = self.known[key]
                known.update({value: known.pop(value) for value in inputs if value in known})

    def _suspect(self, ask: Ask, inputs: dict[Input, tuple[Part, ...] | None]) -> None:
        """Notes cells that read like orders to the language model."""
        read = (row for parts in inputs.values() for part in parts or () for row in part.rows)
        found = orders(cell for row in (inputs if ask.call.per_input else read) for cell in row)
        if found:
            self.trace.add(
                "suspected", question=ask.call.question, cells=found[:20], count=len(found)
            )

    async def _round(self, fresh: Fresh) -> Fresh:
        """Recalls what was answered before and asks for the rest, but for what another run is
        asking for: that is left."""
        asked: list[Coroutine[Any, Any, None]] = []
        claimed: list[str] = []
        others: list[asyncio.Future[None]] = []
        left: Fresh = {}
        for key, (ask, inputs) in fresh.items():
            keys = await self._recalled(key, ask, inputs)
            mine = [value for value in inputs if value not in self.known[key]]
            if self.recall is not None:
                waiting = {
                    value: self.recall.claims[keys[value]]
                    for value in mine
                    if keys[value] in self.recall.claims
                }
                mine = [value for value in mine if value not in waiting]
                self.recall.claims.update(
                    {keys[value]: asyncio.get_running_loop().create_future() for value in mine}
                )
                claimed += [keys[value] for value in mine]
                others += waiting.values()
                if waiting:
                    left[key] = (ask, {value: inputs[value] for value in waiting})
            self.questions += len(mine)
            steps, pack, keep = (
                ask.call.kind in self.reasoning,
                partial(self._pack, keys),
                partial(self._keep, ask, keys),
            )
            asking = AskTask(
                ask,
                self.model,
                self._send,
                self.slots,
                self.size,
                self.known[key],
                pack,
                keep,
                steps,
            )
            if not ask.call.per_input:
                asked += [asking.ans(value, inputs[value] or ()) for value in mine]
            else:
                unread = (
                    self.recall.unread({keys[value]: value for value in mine})
                    if self.recall is not None
                    else []
                )
                again = {value for pack in unread for value in pack}
                left_over = [value for value in mine if value not in again]
                asked += [asking.map(pack) for pack in [*unread, *packs(left_over, self.size.rows)]]
        try:
            if asked:
                self._affordable(len(asked))
                self.budget.check(RequestUsage(len(asked)))
            await together(asked)
        finally:
            for coroutine in asked:
                coroutine.close()  # where nothing was sent at all
            try:
                if self.kept is not None:
                    await asyncio.wrap_future(self.kept)
            finally:
                for name in claimed:
                    self.recall.claims.pop(name).set_result(None)  # type: ignore[union-attr]
        if others:
            await asyncio.wait(others)
        return left

    def _affordable(self, requests: int) -> None:
        """Refuses the requests of a round, none of which is sent yet, where a run without a budget
        asks too much with them."""
        if self.questions <= MOST_QUESTIONS or self.budget.budget.limits():
            return
        price = price_of(self.model, self.budget.prices)
        needed = billed(self.questions, self.spent.requests + requests, price)
        raise BudgetExceeded(
            f"the run asks at least {needed.questions:,} questions in {needed.spending}: "
            f"more than {MOST_QUESTIONS:,} are asked only within a budget",
            spent=self.questions,
            limit=MOST_QUESTIONS,
            hint="set one: connect(..., budget=Budget(requests=...)), or --max-requests on the command line",
        )

    async def _recalled(
        self, key: QuestionKey, ask: Ask, inputs: abc.Mapping[Input, Any]
    ) -> dict[Input, str]:
        """Takes over what was answered before; the keys of all inputs."""
        if self.recall is None:
            return {}
        keys = self.recall.keys(ask, inputs)
        stored = await self.recall.found(keys)
        if stored:
            answers = [{"key": keys[value], **said.data()} for value, said in stored.items()]
            if self.recall.told is not None:
                self.recall.told("recalled", question=ask.call.question, answers=answers)
            event = self.trace.add(
                "recalled", call=ask.call.name, question=ask.call.question, answers=answers
            )
            self.cached += len(stored)
            for value, said in stored.items():
                self.known[key][value] = Found(
                    value_of(said, ask.call.kind), said.fault, said.message, said.attempts, event
                )
            self._show()
        return keys

    def _pack(
        self, keys: abc.Mapping[Input, str], request: Request, inputs: Sequence[Input], number: int
    ) -> None:
        """What a request is about is kept too: a reply that nobody lived to read is read by the
        next run."""
        if self.recall is not None:
            self.recall.pack(request, [keys[value] for value in inputs], number)

    def _keep(
        self, ask: Ask, keys: abc.Mapping[Input, str], request: Request, found: dict[Input, Found]
    ) -> None:
        """What a reply said is kept: before it is used, which is after the round."""
        if self.recall is not None:
            self.kept = self.recall.keep(ask, keys, request, found)
        self.answered += len(found)
        self._show()

    def _show(self, stage: str = "") -> None:
        """Tells whoever watches how far the run has come."""
        seconds = time.monotonic() - self.trace.started
        done = self.answered + self.cached
        self.display(
            Progress(
                self.wanted, done, self.cached, self.spent.requests, self.spent.cost, seconds, stage
            )
        )

    async def sample(self, request: Request) -> Reply:
        """A reply to a request for candidates."""
        async with self.slots:
            self._show("writing candidates")
            reply, _ = await self._complete(request, {})
            self._show()
            return reply

    async def _send(self, ask: Ask, request: Request) -> tuple[Reply, int]:
        """A reply to a question, and the number of the event that records it."""
        return await self._complete(request, {"call": ask.call.name, "question": ask.call.question})

    async def _complete(self, request: Request, about: dict[str, Any]) -> tuple[Reply, int]:
        """A reply and the number of its event; nothing is sent after an error that ends the run."""
        if self.ended is not None:
            raise self.ended
        asked = {**about, "request": request.data()}
        try:
            reply = await self.lm.complete(request)
        except BinderError as error:
            self.trace.add(
                "failed",
                **asked,
                error=error.message,
                fault=type(error).__name__,
                status=getattr(error, "status", None),
            )
            self.spent += (
                error.usage or RequestUsage(requests=1)
                if isinstance(error, LMError)
                else RequestUsage()
            )
            self.ended = self.ended if about_inputs(error) or request.embed else error
            raise
        self.spent += reply.usage
        return reply, self.trace.add("asked", **asked, reply=reply.data(), cached=reply.cached)

    def _mapping(self, batch: Batch) -> Mapping:
        known = self.known[_key(batch.ask)]
        values = {value: known[_identity(batch, value)].value for value in batch.inputs}
        return Mapping(
            {value: _as_wanted(batch.ask, said) for value, said in values.items()}
            if _truth(batch.ask)
            else values
        )

    def said(self, ask: Ask, value: Input) -> dict[str, Any]:
        """What the language model was sent and replied about an input: an event of the trace."""
        known = self.known.get(_key(ask), {})
        found = known.get(value) or (
            next(iter(known.values()), None) if not ask.call.per_input else None
        )
        if found is None:
            return {}
        if found.event is None:  # no request was answered
            return {"fault": found.fault, "message": found.message}
        event = self.trace.events[found.event]
        told = {"fault": found.fault, "event": found.event, "source": "cache"}
        if event.kind == "recalled":
            kept: dict[str, Any] = next(
                (answer for answer in event.data["answers"] if tuple(answer["input"]) == value), {}
            )
            paid = str(kept.get("request", ""))
            return {**told, "request": paid, "reply": self.recall and self.recall.reply(paid)}
        data = event.data
        sent, text = data["request"]["messages"][-1]["content"], data["reply"]["choices"][0]["text"]
        return {
            **told,
            "source": "cache" if data["cached"] else "live",
            "request": sent,
            "reply": text,
        }

    @property
    def usage(self) -> Usage:
        """What was asked so far, and what it cost."""
        spent, seconds = self.spent, round(time.monotonic() - self.trace.started, 4)
        tokens = spent.prompt_tokens, spent.completion_tokens
        return Usage(self.questions, self.cached, spent.requests, *tokens, spent.cost, seconds)

    def partial(self) -> dict[str, Any]:
        """What is known so far, as JSON data: the answers are right, there are only not all of
        them."""
        answers = [
            {
                "question": key[1],
                "input": list(value),
                "value": plain(found.value),
                "fault": found.fault,
            }
            for key, known in self.known.items()
            for value, found in known.items()
        ]
        return {
            "wanted": self.wanted,
            "answered": self.answered,
            "cached": self.cached,
            "answers": answers,
            "usage": asdict(self.spent),
        }

    def missing(self, asks: Sequence[Ask]) -> list[Missing]:
        """The values that are not there, of the calls of one program."""
        entries = []
        for key, ask in {_key(ask): ask for ask in asks}.items():
            for value, found in self.known.get(key, {}).items():
                if found.fault is not None:
                    inputs = (
                        dict(zip(ask.columns, value, strict=False)) if ask.call.per_input else {}
                    )
                    entries.append(
                        Missing(
                            ask.call.question, inputs, found.fault, found.attempts, found.message
                        )
                    )
        return entries


async def _advanced(
    execution: Execution, mappings: tuple[Mapping, ...] | None
) -> tuple[Batch, ...] | Rows | BinderError:
    """One step of an execution, in a thread because it waits for its worker: what it wants next, or
    what it has come to."""
    stepping = asyncio.ensure_future(asyncio.to_thread(_step, execution, mappings))
    try:
        return await asyncio.shield(stepping)
    finally:
        await asyncio.wait(
            [stepping]
        )  # when cancelled: an execution can be closed only between its steps


def _step(
    execution: Execution, mappings: tuple[Mapping, ...] | None
) -> tuple[Batch, ...] | Rows | BinderError:
    try:
        return next(execution) if mappings is None else execution.send(mappings)
    except StopIteration as done:
        rows: Rows = done.value
        return rows
    except BinderError as error:
        return error
    except Exception as error:  # noqa: BLE001  the programs beside this one go on
        return internal(error)


def _key(ask: Ask) -> QuestionKey:
    """What makes two calls the same question, whatever program they stand in and however it uses
    the answer."""
    call_type = ask.call_type
    wanted = "truth" if _truth(ask) else [call_type.type, call_type.options]
    return (
        ask.call.kind,
        same_question(ask.call.question),
        json.dumps([ask.columns, wanted, call_type.spellings, ask.title]),
    )


def _truth(ask: Ask) -> bool:
    """Whether the answers are true or false, or yes or no: one can be told from the other."""
    options = ask.call_type.options
    return ask.call_type.type == "boolean" or (
        options is not None and {option.casefold() for option in options} == {"yes", "no"}
    )


def _as_wanted(ask: Ask, value: Any) -> Any:
    """A truth as the program uses it, where the same question was asked for another program."""
    if isinstance(value, list):
        return [_as_wanted(ask, item) for item in value]
    if ask.call_type.type == "boolean":
        return read_boolean(value) if isinstance(value, str) else value
    if isinstance(value, bool):
        said = "yes" if value else "no"
        return next(
            option for option in ask.call_type.options or (said,) if option.casefold() == said
        )
    spoken = {option.casefold(): option for option in ask.call_type.options or ()}
    return spoken.get(value.casefold(), value) if isinstance(value, str) else value


def _identity(batch: Batch, value: Input) -> Input:
    """An input as it is known: for ans, what is read."""
    if not batch.parts:
        return value
    return (
        json.dumps(
            [
                [part.columns, [[wire(cell) for cell in row] for row in part.rows]]
                for part in batch.parts[value]
            ]
        ),
    )
