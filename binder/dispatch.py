"""Executions and a language model come in; what each execution returned goes out: all are driven together.

Each round takes the union of what they want, asks for what is not known yet, and fans the answers back: nothing is asked twice.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any

from binder.asking import Asking, Found, Size, about_inputs, chunks, together
from binder.errors import BinderError, LMError
from binder.executors import Batch, Execution, Input, Mapping, Part, Rows
from binder.lm import LM, Reply, Request
from binder.lm import Usage as Spent
from binder.plan import Ask
from binder.prompt import wire
from binder.result import Missing
from binder.trace import Trace

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

    def __post_init__(self) -> None:
        self.slots = asyncio.Semaphore(self.concurrency)  # each taken for all tries of a request and the waits between them
        self.size = Size(self.batch_rows)
        self.ended: BinderError | None = None

    async def drive(self, executions: Sequence[Execution]) -> list[Rows | BinderError]:
        """Runs executions to their end; a BinderError stands for one that failed. Errors of the language model are raised."""
        outcomes: list[Rows | BinderError | None] = [None] * len(executions)
        wanted: dict[int, Batch] = {}
        try:
            for index, execution in enumerate(executions):
                await self._advance(index, execution, None, outcomes, wanted)
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
        self,
        index: int,
        execution: Execution,
        mapping: Mapping | None,
        outcomes: list[Rows | BinderError | None],
        wanted: dict[int, Batch],
    ) -> None:
        """One step of an execution, in a thread because it waits for its worker."""
        stepping = asyncio.ensure_future(asyncio.to_thread(_step, execution, mapping))
        try:
            step = await asyncio.shield(stepping)
        finally:
            await asyncio.wait([stepping])  # when cancelled: an execution can be closed only between its steps
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
        asked: list[Coroutine[Any, Any, None]] = []
        for key, (ask, inputs) in fresh.items():
            self.questions += len(inputs)
            asking = Asking(ask, self.model, self._send, self.slots, self.size, self.known[key])
            if ask.call.kind == "ans":
                asked += [asking.ans(value, parts or ()) for value, parts in inputs.items()]
            else:
                asked += [asking.map(chunk) for chunk in chunks(list(inputs), self.size.rows)]
        try:
            await together(asked)
        finally:
            for key, (_, inputs) in fresh.items():  # what is known is in the order of the inputs, not in that of the replies
                known = self.known[key]
                known.update({value: known.pop(value) for value in inputs if value in known})

    async def _send(self, ask: Ask, request: Request) -> tuple[Reply, int]:
        """A reply and the number of the event that records it; nothing is sent after an error that ends the run."""
        if self.ended is not None:
            raise self.ended
        asked = {"call": ask.call.name, "question": ask.call.question, "request": request.messages[-1].content}
        try:
            reply = await self.lm.complete(request)
        except BinderError as error:
            self.trace.add("failed", **asked, error=error.message)
            self.spent += error.usage or Spent(requests=1) if isinstance(error, LMError) else Spent()
            self.ended = self.ended if about_inputs(error) else error
            raise
        self.spent += reply.usage
        return reply, self.trace.add("asked", **asked, reply=reply.text)

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
    if not batch.parts:
        return value
    return (json.dumps([[part.columns, [[wire(cell) for cell in row] for row in part.rows]] for part in batch.parts[value]]),)
