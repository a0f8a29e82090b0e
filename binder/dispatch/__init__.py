"""What executions want to know, asked together: each round takes the union of their batches, asks
for what is not known yet, and hands the answers back. Nothing is asked twice."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from dataclasses import asdict, dataclass, field
from itertools import chain
from typing import Any

from binder.dispatch.answer_cache import AnswerCache, Claims
from binder.dispatch.answers import InputAnswer
from binder.dispatch.apply_task import WINDOW, ApplyTask
from binder.dispatch.ask_task import AskTask
from binder.dispatch.batch_size import BatchSize
from binder.dispatch.failures import together
from binder.dispatch.injection import orders
from binder.dispatch.questions import QuestionKey, as_wanted, input_key, question_key
from binder.dispatch.sender import Sender
from binder.errors import BinderError, BudgetExceeded, internal
from binder.executors import Batch, Execution, Input, Mapping, Part, Rows
from binder.language.functions.own import Function
from binder.lm import LM, RequestUsage
from binder.lm.budget import Budgeted, price_of
from binder.plan import Ask
from binder.plan.cost import billed, packs
from binder.prompt.units import CallUnit
from binder.results.progress import Display
from binder.results.result import Missing, Usage, plain
from binder.results.trace import Trace

MOST_QUESTIONS = 10_000  # of a run that has no budget


@dataclass
class OpenQuestion:
    """A question and the inputs that nobody knows yet. inputs: with the tables to read, for ans."""

    ask: Ask
    inputs: dict[Input, tuple[Part, ...]] = field(default_factory=dict)

    def cells(self) -> Iterable[Any]:
        """All values that the language model is sent."""
        if self.ask.call.per_input:
            rows = list(self.inputs)
        else:
            rows = [row for parts in self.inputs.values() for part in parts for row in part.rows]
        return (cell for row in rows for cell in row)


class Dispatch:
    """Asks the language model for whatever the executions of one run want. known: what it said, by
    question, shared by all of them; reasoning: kinds of calls whose replies reason first."""

    def __init__(
        self,
        trace: Trace,
        slots: asyncio.Semaphore,
        lm: LM,
        cache: AnswerCache | None,
        budget: Budgeted,
        model: str,
        batch_rows: int,
        display: Display,
        reasoning: frozenset[str],
    ):
        self.trace, self.cache, self.budget = trace, cache, budget
        self.model, self.reasoning = model, reasoning
        self.size = BatchSize(batch_rows)
        self.sender = Sender(lm, cache, trace, slots, display)
        self.totals = self.sender.totals
        self.known: dict[QuestionKey, dict[Input, InputAnswer]] = {}
        self.units: dict[QuestionKey, CallUnit] = {}
        self.limits: dict[str, asyncio.Semaphore] = {}  # of own functions, by name

    async def drive(self, executions: Sequence[Execution]) -> list[Rows | BinderError]:
        """Runs executions to their end; a BinderError stands for one that failed. Errors of the
        language model are raised."""
        try:
            steps = [await _advanced(execution, None) for execution in executions]
            while wanted := {i: step for i, step in enumerate(steps) if isinstance(step, tuple)}:
                await self._ask(list(chain.from_iterable(wanted.values())))
                for i, batches in wanted.items():
                    mappings = tuple(map(self._mapping, batches))
                    steps[i] = await _advanced(executions[i], mappings)
        finally:
            for execution in executions:
                execution.close()
        return [step for step in steps if not isinstance(step, tuple)]

    async def _ask(self, batches: Sequence[Batch]) -> None:
        """Asks for every input that some batch wants and nobody knows."""
        questions = self._open(batches)
        for question in questions.values():
            self.totals.wanted += len(question.inputs)
            self._warn_of_orders(question)
        left = questions
        try:
            while left:
                left = await self._round(left)
        finally:
            self._sort_known(questions)

    def _open(self, batches: Sequence[Batch]) -> dict[QuestionKey, OpenQuestion]:
        """The inputs that nobody knows, each once."""
        questions: dict[QuestionKey, OpenQuestion] = {}
        for batch in batches:
            key = question_key(batch.ask)
            known = self.known.setdefault(key, {})
            question = questions.setdefault(key, OpenQuestion(batch.ask))
            for value in batch.inputs:
                same = input_key(batch, value)
                if same not in known:
                    question.inputs.setdefault(same, batch.parts.get(value, ()))
        return questions

    def _sort_known(self, questions: dict[QuestionKey, OpenQuestion]) -> None:
        """Puts what is known in the order of the inputs: replies come in any order."""
        for key, question in questions.items():
            known = self.known[key]
            for value in question.inputs:
                if value in known:
                    known[value] = known.pop(value)

    def _warn_of_orders(self, question: OpenQuestion) -> None:
        """Notes cells that read like orders to the language model."""
        if question.ask.call.function is not None:
            return  # it is sent nothing
        found = orders(question.cells())
        if found:
            text = question.ask.call.question
            self.trace.add("suspected", question=text, cells=found[:20], count=len(found))

    async def _round(
        self, questions: dict[QuestionKey, OpenQuestion]
    ) -> dict[QuestionKey, OpenQuestion]:
        """Recalls what was answered before and asks for the rest; what another run is asking for is
        left for the next round."""
        claims = Claims(self.cache)
        requests: list[Coroutine[Any, Any, None]] = []
        applications: list[Coroutine[Any, Any, None]] = []
        cost = 0.0  # of the own functions
        left: dict[QuestionKey, OpenQuestion] = {}
        try:
            for key, question in questions.items():
                keys = await self._recall(key, question)
                unknown = [value for value in question.inputs if value not in self.known[key]]
                mine = dict.fromkeys(claims.claim(keys, unknown))
                others = [value for value in unknown if value not in mine]
                if others:
                    inputs = {value: question.inputs[value] for value in others}
                    left[key] = OpenQuestion(question.ask, inputs)
                if (function := question.ask.call.function) is not None:
                    cost += function.cost * len(mine)
                    applications += self._applications(key, function, question, keys, list(mine))
                    continue
                self.totals.questions += len(mine)
                requests += self._requests(key, question, keys, list(mine))
            if requests or cost:
                self._check_budget(RequestUsage(len(requests), cost=cost))
                self.budget.spent += RequestUsage(cost=cost)  # requests are counted when sent
            await together([*requests, *applications])
        finally:
            for work in [*requests, *applications]:
                work.close()  # where nothing was sent at all
            await self._release(claims)
        await claims.wait_for_others()
        return left

    async def _recall(self, key: QuestionKey, question: OpenQuestion) -> dict[Input, str]:
        """The keys of all inputs in the cache; what was answered before is known from here on."""
        if self.cache is None:
            return {}
        call = question.ask.call
        keys = self.cache.keys(question.ask, question.inputs)
        stored = await self.cache.recall(keys)
        if not stored:
            return keys
        answers = [{"key": keys[value], **said.data()} for value, said in stored.items()]
        if self.cache.told is not None:
            self.cache.told("recalled", question=call.question, answers=answers)
        event = self.trace.add("recalled", call=call.name, question=call.question, answers=answers)
        for value, said in stored.items():
            answer = said.value if call.per_input else list(said.value or [])
            self.known[key][value] = InputAnswer(
                answer, said.fault, said.message, said.attempts, event
            )
        self.totals.cached += len(stored)
        self.sender.show()
        return keys

    def _requests(
        self, key: QuestionKey, question: OpenQuestion, keys: dict[Input, str], inputs: list[Input]
    ) -> list[Coroutine[Any, Any, None]]:
        """The work on the inputs of one question, not yet begun, packed into requests."""
        ask, steps = question.ask, question.ask.call.kind in self.reasoning
        unit = self.units.setdefault(key, CallUnit(ask.call.question))
        task = AskTask(ask, self.model, self.sender, self.size, self.known[key], keys, unit, steps)
        if not ask.call.per_input:
            return [task.ask_tables(value, question.inputs[value]) for value in inputs]
        # A reply that was paid and not read costs nothing if it is asked for in the same words.
        unread: list[list[Input]] = []
        if self.cache is not None:
            unread = self.cache.unread({keys[value]: value for value in inputs})
        again = {value for pack in unread for value in pack}
        fresh = [value for value in inputs if value not in again]
        return [task.ask_inputs(pack) for pack in [*unread, *packs(fresh, self.size.rows)]]

    def _applications(
        self,
        key: QuestionKey,
        function: Function,
        question: OpenQuestion,
        keys: dict[Input, str],
        inputs: list[Input],
    ) -> list[Coroutine[Any, Any, None]]:
        """The work of an own function on its inputs, not yet begun."""
        slots = self.limits.setdefault(function.name, asyncio.Semaphore(function.limit))
        known = self.known[key]
        task = ApplyTask(question.ask, function, self.sender, slots, known, keys)
        if function.batch:
            return [task.apply_batch(pack) for pack in packs(inputs, WINDOW)]
        return [task.apply_one(value) for value in inputs]

    async def _release(self, claims: Claims) -> None:
        """Gives up the claims of a round, once its answers are durable."""
        try:
            if self.sender.kept is not None:
                await asyncio.wrap_future(self.sender.kept)
        finally:
            claims.release()

    def _check_budget(self, needed: RequestUsage) -> None:
        """Refuses the work of a round, before it begins, where it exceeds the budget; a run without
        a budget may ask so many questions and no more."""
        if self.totals.questions > MOST_QUESTIONS and not self.budget.budget.limits():
            price = price_of(self.model, self.budget.prices)
            sent = self.totals.spent.requests
            bill = billed(self.totals.questions, sent + needed.requests, price)
            raise BudgetExceeded(
                f"the run needs at least {bill.questions:,} questions in {bill.spending}; "
                f"more than {MOST_QUESTIONS:,} need a budget",
                spent=self.totals.questions,
                limit=MOST_QUESTIONS,
                hint="set one: connect(..., budget=Budget(requests=...)), or --max-requests"
                " on the command line",
            )
        self.budget.check(needed)

    def _mapping(self, batch: Batch) -> Mapping:
        """The answers to a batch, as its program uses them."""
        known = self.known[question_key(batch.ask)]
        answers = {value: known[input_key(batch, value)].value for value in batch.inputs}
        return Mapping({value: as_wanted(batch.ask, said) for value, said in answers.items()})

    def said(self, ask: Ask, value: Input) -> dict[str, Any]:
        """What the language model was sent and replied about an input: an event of the trace."""
        known = self.known.get(question_key(ask), {})
        found = known.get(value)
        if found is None and not ask.call.per_input:
            found = next(iter(known.values()), None)
        if found is None:
            return {}
        if found.event is None:  # no request was answered
            return {"fault": found.fault, "message": found.message}
        event = self.trace.events[found.event]
        told = {"fault": found.fault, "event": found.event}
        if event.kind == "applied":
            return {**told, "source": "function"}
        if event.kind == "recalled":
            return {**told, "source": "cache", **self._paid(event.data["answers"], value)}
        sent = event.data["request"]["messages"][-1]["content"]
        text = event.data["reply"]["choices"][0]["text"]
        source = "cache" if event.data["cached"] else "live"
        return {**told, "source": source, "request": sent, "reply": text}

    def _paid(self, answers: list[dict[str, Any]], value: Input) -> dict[str, Any]:
        """The request that was paid for a recalled answer, and its reply."""
        kept = (answer for answer in answers if tuple(answer["input"]) == value)
        paid = str(next(kept, {}).get("request", ""))
        return {"request": paid, "reply": self.cache and self.cache.reply(paid)}

    @property
    def usage(self) -> Usage:
        """What was asked so far, and what it cost."""
        return self.totals.usage

    def partial(self) -> dict[str, Any]:
        """The answers so far, as JSON data: they are right, only not complete."""
        answers = []
        for key, known in self.known.items():
            for value, found in known.items():
                said = {"value": plain(found.value), "fault": found.fault}
                answers.append({"question": key[1], "input": list(value), **said})
        totals = self.totals
        return {
            "wanted": totals.wanted,
            "answered": totals.answered,
            "cached": totals.cached,
            "answers": answers,
            "usage": asdict(totals.spent),
        }

    def missing(self, asks: Sequence[Ask]) -> list[Missing]:
        """The missing values of the calls of one program."""
        entries = []
        for key, ask in {question_key(ask): ask for ask in asks}.items():
            for value, found in self.known.get(key, {}).items():
                if found.fault is None:
                    continue
                names = ask.columns if ask.call.per_input else ()
                inputs = dict(zip(names, value, strict=False))
                why = found.fault, found.attempts, found.message
                entries.append(Missing(ask.call.question, inputs, *why))
        return entries


async def _advanced(
    execution: Execution, mappings: tuple[Mapping, ...] | None
) -> tuple[Batch, ...] | Rows | BinderError:
    """One step of an execution, in a thread because it waits for its worker: what it wants next, or
    its outcome."""
    stepping = asyncio.ensure_future(asyncio.to_thread(_step, execution, mappings))
    try:
        return await asyncio.shield(stepping)
    finally:
        # When cancelled: an execution can be closed only between its steps.
        await asyncio.wait([stepping])


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
