"""Executions and a language model come in; what each execution returned goes out: all are driven together, and nothing is asked twice.

Each round takes the union of what the executions want, asks for what is not known yet, and fans the answers back.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from binder.errors import BadReply, BinderError, LMError, Refused
from binder.executors import Batch, Execution, Input, Mapping, Part, Rows, Value
from binder.lm import LM, Reply, Request
from binder.lm import Usage as Spent
from binder.plan import Ask
from binder.prompt import ans_request, map_request, wire
from binder.reading import Fault, read_answers, read_list, read_value
from binder.result import Missing
from binder.trace import Trace

ATTEMPTS = 3  # requests for one input whose answer is missing or of the wrong type


@dataclass(frozen=True)
class Found:
    """What is known about one input: its value, or why there is none, and the request (an event of the trace) that said so."""

    value: Value
    fault: str | None = None
    message: str = ""
    attempts: int = 1
    event: int | None = None


Key = tuple[str, ...]


@dataclass
class Dispatch:
    """Asks the language model for whatever executions want; known is shared by all of them."""

    lm: LM
    model: str
    trace: Trace
    batch_rows: int = 20
    concurrency: int = 16
    known: dict[Key, dict[Input, Found]] = field(default_factory=dict)
    spent: Spent = field(default_factory=Spent)
    questions: int = 0
    repeated: int = 0

    async def drive(self, executions: Sequence[Execution]) -> list[Rows | BinderError]:
        """Runs executions to their end; a BinderError stands for one that failed. Errors of the language model are raised."""
        self._slots = asyncio.Semaphore(self.concurrency)
        outcomes: list[Rows | BinderError | None] = [None] * len(executions)
        wanted: dict[int, Batch] = {}
        for index, execution in enumerate(executions):
            await self._advance(index, execution, None, outcomes, wanted)
        try:
            while wanted:
                batches, wanted = wanted, {}
                await self._ask(list(batches.values()))
                for index, batch in batches.items():
                    await self._advance(index, executions[index], self._mapping(batch), outcomes, wanted)
        finally:
            for execution in executions:
                execution.close()
        return [outcome for outcome in outcomes if outcome is not None]

    async def _advance(
        self, index: int, execution: Execution, mapping: Mapping | None, outcomes: list[Rows | BinderError | None], wanted: dict[int, Batch]
    ) -> None:
        """One step of an execution, in a thread because it waits for its worker."""
        step = await asyncio.to_thread(_step, execution, mapping)
        if isinstance(step, Batch):
            wanted[index] = step
        else:
            outcomes[index] = step

    async def _ask(self, batches: Sequence[Batch]) -> None:
        """Asks for every input that some batch wants and nobody knows."""
        fresh: dict[Key, tuple[Ask, dict[Input, tuple[Part, ...] | None]]] = {}
        for batch in batches:
            key = _key(batch.ask)
            known = self.known.setdefault(key, {})
            _, inputs = fresh.setdefault(key, (batch.ask, {}))
            for value in batch.inputs:
                if _identity(batch, value) in known or _identity(batch, value) in inputs:
                    self.repeated += 1
                else:
                    inputs[_identity(batch, value)] = batch.parts.get(value)
        asking: list[Coroutine[Any, Any, None]] = []
        for key, (ask, inputs) in fresh.items():
            self.questions += len(inputs)
            if ask.call.kind == "ans":
                asking += [self._ans(key, ask, value, parts or ()) for value, parts in inputs.items()]
            else:
                asking += [self._map(key, ask, chunk) for chunk in _chunks(list(inputs), self.batch_rows)]
        await _together(asking)

    async def _map(self, key: Key, ask: Ask, inputs: list[Input], attempt: int = 1) -> None:
        """One request about several inputs; what is missing or cannot be read is asked again, in smaller requests."""
        rows = {f"r{i + 1}": value for i, value in enumerate(inputs)}
        typing = ask.typing
        request = map_request(
            ask.call.question, ask.columns, rows, model=self.model, type=typing.type, options=typing.options, spellings=typing.spellings, table=ask.title,
            sample=attempt - 1,
        )  # fmt: skip
        try:
            reply, event = await self._complete(ask, request)
            answers = read_answers(reply.text, rows)
        except (BadReply, Refused) as error:
            if isinstance(error, Refused) and error.status not in (None, 413):
                raise
            await self._isolate(key, ask, inputs, error, attempt)
            return
        again: list[Input] = []
        for name, value in rows.items():
            found = read_value(answers[name], typing.type, typing.options, typing.spellings) if name in answers else Fault("bad_type", "")
            if isinstance(found, Fault) and found.kind != "no_answer" and attempt < ATTEMPTS:
                again.append(value)
                continue
            fault = ("missing" if name not in answers else found.kind) if isinstance(found, Fault) else None
            self._keep(key, value, found, fault, attempt, event)
        size = max(1, len(inputs) // 2) if attempt == 1 else 1
        await _together([self._map(key, ask, chunk, attempt + 1) for chunk in _chunks(again, size)])

    async def _isolate(self, key: Key, ask: Ask, inputs: list[Input], error: LMError, attempt: int) -> None:
        """A request that is too long, refused or never answered readably is split until the input at fault stands alone."""
        if len(inputs) > 1:
            await _together([self._map(key, ask, chunk, attempt) for chunk in _chunks(inputs, (len(inputs) + 1) // 2)])
            return
        fault = "bad_reply" if isinstance(error, BadReply) else "refused"
        self.known[key][inputs[0]] = Found(None, fault, error.message, attempt)

    async def _ans(self, key: Key, ask: Ask, value: Input, parts: tuple[Part, ...]) -> None:
        """One question about whole tables."""
        typing = ask.typing
        for attempt in range(1, ATTEMPTS + 1):
            request = ans_request(
                ask.call.question, parts, model=self.model, type=typing.type, options=typing.options, spellings=typing.spellings, table=ask.title,
                sample=attempt - 1,
            )  # fmt: skip
            reply, event = await self._complete(ask, request)
            try:
                items = [read_value(item, typing.type, typing.options, typing.spellings) for item in read_list(reply.text)]
            except BadReply:
                items = [Fault("bad_type", reply.text[:200])]
            bad = next((item for item in items if isinstance(item, Fault) and item.kind == "bad_type"), None)
            if bad is None:
                break
        values = [item for item in items if not isinstance(item, Fault)]
        fault = bad if bad is not None else Fault("no_answer") if not values else None
        self.known[key][value] = Found(values, fault.kind if fault else None, _message(fault), attempt, event)

    def _keep(self, key: Key, value: Input, found: Value | Fault, fault: str | None, attempt: int, event: int) -> None:
        kept = None if isinstance(found, Fault) else found
        message = "" if fault is None else "the reply leaves it out" if fault == "missing" else _message(found)
        self.known[key][value] = Found(kept, fault, message, attempt, event)

    async def _complete(self, ask: Ask, request: Request) -> tuple[Reply, int]:
        """A reply and the number of the event that records it."""
        async with self._slots:
            reply = await self.lm.complete(request)
        self.spent += reply.usage
        event = self.trace.add("asked", call=ask.call.name, question=ask.call.question, request=request.messages[-1].content, reply=reply.text)
        return reply, event

    def _mapping(self, batch: Batch) -> Mapping:
        known = self.known[_key(batch.ask)]
        return Mapping({value: known[_identity(batch, value)].value for value in batch.inputs})

    def said(self, ask: Ask, value: Input) -> dict[str, Any]:
        """What the language model was sent and replied about an input: an event of the trace."""
        known = self.known.get(_key(ask), {})
        found = known.get(value) or (next(iter(known.values()), None) if ask.call.kind == "ans" else None)
        if found is None or found.event is None:
            return {}
        data = self.trace.events[found.event].data
        return {"fault": found.fault, "event": found.event, "request": data["request"], "reply": data["reply"]}

    def missing(self, asks: Sequence[Ask]) -> list[Missing]:
        """The values that are not there, of the calls of one program."""
        entries = []
        for key, ask in {_key(ask): ask for ask in asks}.items():
            for value, found in self.known.get(key, {}).items():
                if found.fault is not None:
                    inputs = dict(zip(ask.columns, value, strict=False)) if ask.call.kind == "map" else {}
                    entries.append(Missing(ask.call.question, inputs, found.fault, found.attempts, found.message))
        return entries


def _chunks(inputs: list[Input], size: int) -> list[list[Input]]:
    return [inputs[i : i + size] for i in range(0, len(inputs), size)]


async def _together(coroutines: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Awaits all; after the first error the others are cancelled and none is left running."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def _step(execution: Execution, mapping: Mapping | None) -> Batch | Rows | BinderError:
    try:
        return next(execution) if mapping is None else execution.send(mapping)
    except StopIteration as done:
        rows: Rows = done.value
        return rows
    except BinderError as error:
        return error


def _key(ask: Ask) -> Key:
    """What makes two calls the same question, whatever program they stand in."""
    typing = ask.typing
    return (ask.call.kind, ask.call.question, json.dumps([ask.columns, typing.type, typing.options, typing.spellings, ask.title]))


def _identity(batch: Batch, value: Input) -> Input:
    """An input as it is known: for ans, what is read."""
    return (json.dumps([[p.columns, [[wire(v) for v in row] for row in p.rows]] for p in batch.parts[value]]),) if batch.parts else value


def _message(fault: Any) -> str:
    if fault is None:
        return ""
    return "the reply says there is no answer" if fault.kind == "no_answer" else f"the reply is not of the type asked for: {fault.text[:80]!r}"
