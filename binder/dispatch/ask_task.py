"""One question and inputs whose answers are unknown: asks until each has an answer, or a reason why
it has none.

Replies are matched by key, never by position. Unanswered inputs are asked again together. If a
request makes no progress it is sent again, then split in half until the failing input is isolated.
Errors that are not about inputs are raised."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from binder.dispatch.answers import InputAnswer
from binder.dispatch.batch_size import BatchSize
from binder.dispatch.failures import about_inputs, together
from binder.dispatch.sender import Sender
from binder.errors import BadReply, LMError, RateLimited, Refused, Unreachable
from binder.executors import Input, Part, Value
from binder.lm import Reply, Request
from binder.plan import Ask
from binder.plan.cost import packs
from binder.prompt.replies import JSON, NoValue
from binder.prompt.tasks import TASKS, InputTask, TableTask, Wanted
from binder.prompt.units import CallUnit, measures

TRIES = 3  # of a request without progress, before it is halved
ALONE = 5  # of a request about one input, before it is given up
TYPED = 3  # answers of the wrong type to one input, before it is given up

REASONS = {
    "no_answer": "the model replied that there is no answer",
    "bad_type": "the reply has the wrong type: {!r}",
    "missing": "the reply has no answer for this input: {!r}",
}
FAILURES: dict[type[LMError], str] = {
    BadReply: "bad_reply",
    RateLimited: "rate_limited",
    Refused: "refused",
    Unreachable: "unreachable",
}


@dataclass
class AskTask:
    """The work on one question.

    answers: what is known about its inputs, also to others; keys: of its inputs in the cache, where
    there is one; unit: of answers that are numbers; steps: whether replies reason before they
    answer."""

    ask: Ask
    model: str
    sender: Sender
    size: BatchSize
    answers: dict[Input, InputAnswer]
    keys: Mapping[Input, str]
    unit: CallUnit
    steps: bool = False
    open: dict[Input, InputAnswer] = field(default_factory=dict)  # why there is no answer yet
    attempts: Counter[Input] = field(default_factory=Counter)
    mistyped: Counter[Input] = field(default_factory=Counter)

    async def ask_inputs(self, inputs: Sequence[Input], tries: int = ALONE) -> None:
        """Asks about inputs in one request and, until all have an answer, about those left."""
        for sample in itertools.count():
            async with self.sender.slots:
                if len(inputs) > self.size.rows:  # it has shrunk since they were put together
                    break
                tries = min(tries, await self._request(inputs, sample))
            left = [value for value in inputs if value not in self.answers]
            if len(left) < len(inputs):  # there is progress
                if left:
                    await self.ask_inputs(left)
                return
            if sample + 1 >= tries:
                break
        await self._divide(inputs)

    async def ask_tables(self, value: Input, parts: tuple[Part, ...]) -> None:
        """Asks one question about whole tables."""
        task, tries = TASKS[self.ask.call.kind], ALONE
        assert isinstance(task, TableTask)
        for sample in itertools.count():
            request = task.request(self.ask.call.question, parts, **self._how(sample))
            try:
                async with self.sender.slots:
                    reply, event = await self.sender.send(self.ask, request)
            except LMError as error:
                tries = min(tries, self._failed([value], request, error, no_value=[]))
            else:
                self.size.right(1, request)
                tries = min(tries, self._read_list(task, value, reply, event))
                answered = {value: self.open[value]} if sample + 1 >= tries else {}
                self.sender.keep(self.ask, self.keys, request, answered)
            if sample + 1 >= tries:
                self.answers[value] = self.open[value]
                return

    async def _divide(self, inputs: Sequence[Input]) -> None:
        """Asks about inputs in smaller requests; a single input is given up."""
        if len(inputs) == 1:
            self.answers[inputs[0]] = self.open[inputs[0]]
            return
        if len(inputs) > self.size.rows:
            await together([self.ask_inputs(pack) for pack in packs(inputs, self.size.rows)])
            return
        halves = packs(inputs, (len(inputs) + 1) // 2)
        await together([self.ask_inputs(half, 2 if len(half) == 1 else 1) for half in halves])

    async def _request(self, inputs: Sequence[Input], sample: int) -> int:
        """One request about inputs; how often it is worth sending if it makes no progress."""
        task = TASKS[self.ask.call.kind]
        assert isinstance(task, InputTask)
        rows = {f"r{i + 1}": value for i, value in enumerate(inputs)}
        question, columns = self.ask.call.question, self.ask.columns
        request = task.request(question, columns, rows, **self._how(sample))
        if self.keys:
            self.sender.announce(request, [self.keys[value] for value in inputs], sample + 1)
        try:
            reply, event = await self.sender.send(self.ask, request)
        except LMError as error:
            return self._failed(inputs, request, error, no_value=None)
        items = task.answers(reply.text, rows)
        answered: dict[Input, InputAnswer] = {}
        for key, value in rows.items():
            self.attempts[value] += max(1, reply.usage.requests)
            if key in items:
                answered |= self._answered(value, task.value(items[key], self._wanted()), event)
            else:
                self.open[value] = self._no_answer(value, "missing", reply.text, event, None)
        sure = {value for key, value in rows.items() if self._is_sure(items.get(key))}
        kept = {value: said for value, said in answered.items() if value in sure}
        self.sender.keep(self.ask, self.keys, request, kept)
        self.answers.update(answered)
        if reply.finish == "length" and len(items) < len(rows):
            self.size.too_large(len(rows), len(items) or len(rows) // 2, request)
        else:
            self.size.right(len(rows), request)
        return TRIES if len(inputs) > 1 else ALONE

    def _is_sure(self, said: JSON) -> bool:
        """Whether an answer means the same in another run: not a number in a unit that only its
        neighbours tell."""
        is_number = self.ask.call_type.type == "number"
        return self.unit.named or not (is_number and isinstance(said, str) and measures(said))

    def _read_list(self, task: TableTask, value: Input, reply: Reply, event: int) -> int:
        """Notes the answers about whole tables; how often they are worth asking for."""
        self.attempts[value] += max(1, reply.usage.requests)
        try:
            items = task.answers(reply.text)
        except BadReply:
            self.open[value] = self._no_answer(value, "missing", reply.text, event, [])
            return ALONE
        values, mistyped = [], []
        for item in items:
            read = task.value(item, self._wanted())
            if not isinstance(read, NoValue):
                values.append(read)
            elif read.kind == "bad_type":
                mistyped.append(read.text)
        if mistyped:
            self.open[value] = self._no_answer(value, "bad_type", mistyped[0], event, values)
            return TYPED
        if values:
            attempts = self.attempts[value]
            self.open[value] = InputAnswer(values, attempts=attempts, event=event)
        else:
            self.open[value] = self._no_answer(value, "no_answer", "", event, [])
        return 1

    def _answered(
        self, value: Input, read: Value | NoValue, event: int
    ) -> dict[Input, InputAnswer]:
        """The answer to an input, where it is final: one of the wrong type is asked for again."""
        if not isinstance(read, NoValue):
            return {value: InputAnswer(read, attempts=self.attempts[value], event=event)}
        self.open[value] = self._no_answer(value, read.kind, read.text, event, None)
        self.mistyped[value] += read.kind == "bad_type"
        final = read.kind == "no_answer" or self.mistyped[value] >= TYPED
        return {value: self.open[value]} if final else {}

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
        self._note(inputs, "too_long" if too_long else FAILURES[type(error)], error, no_value)
        if too_long:
            return 2 if doubted else 1
        if len(inputs) == 1:
            return TRIES if error.retryable else ALONE
        # What can be retried was sent more than once, by the layer below.
        return 1 if error.retryable and not isinstance(error, RateLimited) else TRIES

    def _note(self, inputs: Sequence[Input], fault: str, error: LMError, no_value: Value) -> None:
        """Notes why inputs have no answer yet."""
        for value in inputs:
            self.attempts[value] += max(1, error.usage.requests if error.usage else 1)
            attempts = self.attempts[value]
            self.open[value] = InputAnswer(no_value, fault, error.message, attempts)

    def _no_answer(
        self, value: Input, fault: str, text: str, event: int, no_value: Value
    ) -> InputAnswer:
        """Why an input has no answer, in case it stays so."""
        message = REASONS[fault].format(text[:80])
        return InputAnswer(no_value, fault, message, self.attempts[value], event)

    def _how(self, sample: int) -> dict[str, Any]:
        """How a request is made, whatever it is about."""
        return {"model": self.model, "sample": sample, "steps": self.steps, **self._wanted()}

    def _wanted(self) -> Wanted:
        """What the answers must look like."""
        call_type = self.ask.call_type
        return {
            "type": call_type.type,
            "options": call_type.options,
            "spellings": call_type.spellings,
            "table": self.ask.title,
            "unit": self.unit,
        }
