"""Sampling and repair of candidate programs, and of direct answers, which the language model reads
from tables that fit into a prompt.

Nothing that stands in a reply ends a question: a text that is no program, and one on which binder
itself fails, is a sample with its error."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from binder.candidates.answer import DIRECT
from binder.candidates.planner import Planner
from binder.candidates.sampling import Sampling
from binder.dispatch.failures import about_inputs, gathered
from binder.errors import (
    BadReply,
    BinderError,
    BudgetExceeded,
    InternalError,
    LMError,
    PlanError,
    ProgramError,
    SyntaxFault,
    UsageError,
    contained,
)
from binder.language import grammar
from binder.language.extract import extract, language_of
from binder.lm import Choice, Reply, Request
from binder.plan.python import AnyPlan
from binder.prompt.memory import Memory
from binder.prompt.memory.embeddings import nearness
from binder.prompt.programs import program_request, repair_request
from binder.prompt.replies import NoValue, read_list, read_value
from binder.prompt.tasks import direct_request
from binder.results.result import Result, Usage, text
from binder.results.trace import Trace
from binder.tables.table import Table

LONGEST = 60_000  # characters of a grammar that is sent: endpoints refuse larger ones
Complete = Callable[[Request], Awaitable[Reply]]
# What can be wrong with a program before it runs. UsageError: the package that would run it is not
# installed.
UNPLANNED = (ProgramError, PlanError, InternalError, UsageError)


@dataclass(eq=False)
class Sample:
    """One program as it was written, or one direct answer (result), and what became of it before it
    ran. request: what it is the reply to; tries: how often it was repaired."""

    text: str
    language: str
    plan: AnyPlan | None = None
    error: BinderError | None = None
    votes: int = 1
    result: Result | None = None
    request: Request | None = None
    tries: int = 0

    @property
    def program(self) -> str | None:
        """The program, where it is one."""
        return None if self.language == DIRECT else self.text


@dataclass
class ProgramWriter:
    """Writes and repairs the candidate programs of one question.

    complete: sends a request; steps: whether direct answers reason first; embeddings: the model
    that says which solved questions are near in meaning; drawn: how many samples of each kind have
    come, those given up included."""

    question: str
    tables: Sequence[Table]
    memory: Memory
    model: str
    sampling: Sampling
    complete: Complete
    planner: Planner
    trace: Trace
    steps: bool = False
    embeddings: str | None = None
    near: Mapping[str, float] = field(default_factory=dict)
    drawn: Counter[str] = field(default_factory=Counter)

    async def write(self, wanted: Mapping[str, int], alone: bool) -> list[Sample]:
        """Samples of each kind, equal ones as one with several votes. alone: a request for each;
        else one for all of a kind, to which fewer may come. What the budget does not last for stays
        to be drawn."""
        if not self.drawn and wanted.keys() - {DIRECT}:
            self.near = await self._nearness()
        whole = {kind: self._request(kind, count) for kind, count in wanted.items()}
        requests: list[tuple[str, Request]] = []
        for kind, request in whole.items():
            requests += [(kind, one) for one in self._sent(kind, request, alone)]
        # requests of all kinds are sent at once
        replies = await gathered(self.complete(request) for _, request in requests)
        choices: dict[str, list[Choice]] = {kind: [] for kind in whole}
        for (kind, request), reply in zip(requests, replies, strict=True):
            choices[kind] += self._drawn(kind, request, reply)
        samples: list[Sample] = []
        for kind, come in choices.items():
            if come and kind == DIRECT:
                samples += self._answers(come)
            elif come:
                samples += await self._programs(kind, come, whole[kind])
        return samples

    def _drawn(self, kind: str, request: Request, reply: Reply | BaseException) -> Sequence[Choice]:
        """The choices of a reply, counted as drawn. A request that failed counts too, so that it is
        not sent for ever; one that the budget stopped does not: nothing was drawn."""
        if isinstance(reply, BudgetExceeded):
            return ()
        choices: Sequence[Choice] = ()
        if isinstance(reply, Reply):
            choices = reply.choices[: request.n]
        self.drawn[kind] += len(choices) if isinstance(reply, Reply) else request.n
        return choices

    async def repair(self, sample: Sample, problem: str) -> Sample | None:
        """The repaired program; None if the model returns none or the same one."""
        assert sample.request is not None
        # a program outside of the language is written anew under its grammar
        outside = isinstance(sample.error, SyntaxFault) and self.sampling.constrain != "never"
        held = self._grammar(sample.language) if outside else sample.request.grammar
        request = repair_request(sample.request, sample.text, problem, sample.tries)
        request = replace(request, grammar=held)
        try:
            reply = await self.complete(request)
        except BinderError as error:
            if about_inputs(error):
                return None
            raise
        found, fault = _program_in(reply.text)
        self.trace.add("repaired", program=sample.text, problem=problem, repaired=found)
        if found == sample.text:
            return None
        repaired = await self._planned(found, sample.language, request, fault)
        repaired.votes, repaired.tries = sample.votes, sample.tries + 1
        return repaired

    async def _nearness(self) -> Mapping[str, float]:
        """How near solved questions are in meaning; empty where no model is asked, or the endpoint
        does not tell."""
        if not self.embeddings or self.memory.fixed:
            return {}
        solved = [exemplar.question for exemplar in self.memory.exemplars]
        try:
            return await nearness(self.question, solved, self.embeddings, self.complete)
        except (LMError, BudgetExceeded) as error:
            self.trace.add("unembedded", message=error.message)
            return {}

    def _sent(self, kind: str, request: Request, alone: bool) -> list[Request]:
        """A request for samples as it is, or as one for each, numbered on from those that were
        drawn."""
        if not alone:
            return [request]
        first = self.drawn[kind]
        return [replace(request, n=1, sample=number) for number in range(first, first + request.n)]

    def _request(self, kind: str, count: int) -> Request:
        """The request for samples of a kind."""
        sampling = self.sampling
        if kind == DIRECT:
            request = direct_request(self.question, self.tables, model=self.model, steps=self.steps)
        else:
            request = self._program_request(kind)
        several = count > 1 or self.drawn[kind] > 0
        return replace(
            request,
            n=count,
            temperature=sampling.temperature if several else 0.0,
            seed=sampling.seed,
            effort=sampling.effort,
            max_tokens=sampling.max_tokens,
        )

    def _program_request(self, language: str) -> Request:
        """The request for programs, below the solved questions that are nearest."""
        shown = self.memory.retrieve(self.question, self.tables, language, near=self.near)
        if not self.drawn[language]:
            self.trace.add(
                "retrieved",
                question=self.question,
                language=language,
                exemplars=[shot.question for shot in shown],
            )
        request = program_request(
            self.question,
            self.tables,
            shown,
            model=self.model,
            language=language,
            room=self.sampling.prompt_tokens,
            functions=self.planner.functions,
            dialect=self.planner.dialect,
        )
        if self.sampling.constrain == "always":
            request = replace(request, grammar=self._grammar(language))
        return request

    async def _programs(
        self, kind: str, choices: Sequence[Choice], request: Request
    ) -> list[Sample]:
        """The programs in replies, each with its plan or with what is wrong with it."""
        read = [_program_in(choice.text) for choice in choices]
        self.trace.add("sampled", language=kind, programs=[program for program, _ in read])
        votes = Counter(program for program, _ in read)
        faults = dict(read)
        samples = []
        for program, count in votes.items():
            sample = await self._planned(program, kind, request, faults[program])
            sample.votes = count
            samples.append(sample)
        return samples

    async def _planned(
        self, program: str, asked: str, request: Request, fault: InternalError | None
    ) -> Sample:
        """A program with its plan, or with what is wrong with it. It counts as the language that it
        is written in, whatever was asked for."""
        sample = Sample(program, asked, request=request)
        try:
            if fault is not None:
                raise fault
            with contained():
                sample.language = language_of(program) or asked
            sample.plan = await self.planner.plan_in_thread(program, sample.language, "lm")
        except UNPLANNED as error:
            sample.error = error
            self._note_rejected(program, error)
        return sample

    def _note_rejected(self, program: str, error: BinderError) -> None:
        """Notes what is wrong with a program that has no plan."""
        span = error.span if isinstance(error, ProgramError) else None
        self.trace.add(
            "rejected",
            program=program,
            message=error.message,
            span=list(span) if span else None,
            hint=error.hint,
        )

    def _answers(self, choices: Sequence[Choice]) -> list[Sample]:
        """The direct answers in replies; one that cannot be read does not vote."""
        answers = [self._answer(choice.text) for choice in choices]
        self.trace.add("sampled", language=DIRECT, answers=answers)
        samples: dict[str, Sample] = {}
        for values in answers:
            key = json.dumps(values, ensure_ascii=False)
            if key not in samples:
                samples[key] = Sample(key, DIRECT, votes=0, result=self._direct_result(values))
            samples[key].votes += 1
        return list(samples.values())

    def _answer(self, reply: str) -> list[Any]:
        """The values that a reply lists; none where it cannot be read."""
        try:
            with contained():
                read = [read_value(item) for item in read_list(reply)]
        except (BadReply, InternalError) as error:
            self.trace.add("failed", message=error.message)
            return []
        return [value for value in read if not isinstance(value, NoValue)]

    def _direct_result(self, values: Sequence[object]) -> Result:
        """Values that were read without a program, as the result that they would be of one."""
        rows = [(value,) for value in values]
        texts: list[tuple[str, ...]] = [(text(value),) for value in values]
        return Result(("answer",), rows, texts, [], Usage(), self.trace, "")

    def _grammar(self, language: str) -> str | None:
        """The grammar of a language with the headers of the tables; None where it is too long for
        endpoints."""
        headers = {table.name: [column.name for column in table.columns] for table in self.tables}
        definition = grammar.text(language, headers)
        return definition if len(definition) <= LONGEST else None


def _program_in(reply: str) -> tuple[str, InternalError | None]:
    """The program in a reply; where reading fails, the reply as it is and the error."""
    try:
        with contained():
            return extract(reply), None
    except InternalError as error:
        return str(reply), error
