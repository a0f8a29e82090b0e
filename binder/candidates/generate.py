"""A question and tables come in; samples go out: programs, each with its plan or with the error
that says what is wrong with it, and direct answers, read by the language model from tables that fit
a prompt. A program that failed goes back to be repaired."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from binder.candidates.answer import DIRECT
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
)
from binder.language import grammar
from binder.language.extract import extract, language_of
from binder.language.program import LANGUAGES
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
Planned = Callable[[str, str], AnyPlan]  # of a program and its language


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
    """The language model as it is asked about one question. complete sends a request, planned plans
    a program.

    steps: whether direct answers reason first; embeddings: the model that says which solved
    questions are near in meaning; drawn: how many samples of each kind have come, those given up
    included."""

    question: str
    tables: Sequence[Table]
    memory: Memory
    model: str
    sampling: Sampling
    complete: Complete
    planned: Planned
    trace: Trace
    steps: bool = False
    embeddings: str | None = None
    near: Mapping[str, float] = field(default_factory=dict)
    drawn: Counter[str] = field(default_factory=Counter)

    async def write(self, wanted: Mapping[str, int], alone: bool) -> list[Sample]:
        """Samples of each kind, equal ones as one with several votes. alone: a request for each;
        else one for all of a kind, to which fewer may come. What the budget does not last for stays
        to be drawn."""
        if (
            self.embeddings
            and not self.drawn
            and wanted.keys() - {DIRECT}
            and not self.memory.fixed
        ):
            self.near = await self._nearness(self.embeddings)
        asked = {kind: self._request(kind, count) for kind, count in wanted.items()}
        requests = [
            (kind, one) for kind, whole in asked.items() for one in self._sent(kind, whole, alone)
        ]
        replies = await gathered(self.complete(request) for _, request in requests)
        samples: list[Sample] = []
        for kind, whole in asked.items():
            choices: list[Choice] = []
            for (of, request), reply in zip(requests, replies, strict=True):
                if of == kind and isinstance(reply, Reply):
                    choices += reply.choices[: request.n]
                elif of == kind and not isinstance(reply, BudgetExceeded):
                    self.drawn[kind] += request.n
            self.drawn[kind] += len(choices)
            if choices:
                samples += (
                    self._answers(choices)
                    if kind == DIRECT
                    else self._programs(kind, choices, whole)
                )
        return samples

    async def repair(self, sample: Sample, problem: str) -> Sample | None:
        """The program that comes back for one with a problem; None where there is none, or the same
        again."""
        assert sample.request is not None
        outside = isinstance(sample.error, SyntaxFault) and self.sampling.constrain != "never"
        held = self._grammar(sample.language) if outside else sample.request.grammar
        request = replace(
            repair_request(sample.request, sample.text, problem, sample.tries), grammar=held
        )
        try:
            reply = await self.complete(request)
        except BinderError as error:
            if about_inputs(error):
                return None
            raise
        found = extract(reply.text)
        self.trace.add("repaired", program=sample.text, problem=problem, repaired=found)
        if found == sample.text:
            return None
        return self._checked(found, sample.language, sample.votes, request, sample.tries + 1)

    async def _nearness(self, model: str) -> dict[str, float]:
        """How near solved questions are in meaning; empty where the endpoint does not tell."""
        solved = [exemplar.question for exemplar in self.memory.exemplars]
        try:
            return await nearness(self.question, solved, model, self.complete)
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
            shown = self.memory.retrieve(self.question, self.tables, kind, near=self.near)
            if not self.drawn[kind]:
                self.trace.add(
                    "retrieved",
                    question=self.question,
                    language=kind,
                    exemplars=[shot.question for shot in shown],
                )
            request = program_request(
                self.question,
                self.tables,
                shown,
                model=self.model,
                language=kind,
                room=sampling.prompt_tokens,
            )
            request = replace(
                request, grammar=self._grammar(kind) if sampling.constrain == "always" else None
            )
        several = count > 1 or self.drawn[kind] > 0
        return replace(
            request,
            n=count,
            temperature=sampling.temperature if several else 0.0,
            seed=sampling.seed,
            effort=sampling.effort,
            max_tokens=sampling.max_tokens,
        )

    def _programs(self, kind: str, choices: Sequence[Choice], request: Request) -> list[Sample]:
        """The programs in replies, checked."""
        texts = [extract(choice.text) for choice in choices]
        self.trace.add("sampled", language=kind, programs=texts)
        return [self._checked(said, kind, votes, request) for said, votes in Counter(texts).items()]

    def _checked(
        self, said: str, asked: str, votes: int, request: Request, tries: int = 0
    ) -> Sample:
        """A program with its plan, or with what is wrong with it. It counts as what it is written
        in, whatever was asked for."""
        language = written if (written := language_of(said)) in LANGUAGES else asked
        sample = Sample(said, language, votes=votes, request=request, tries=tries)
        try:
            sample.plan = self.planned(said, language)
        except (
            ProgramError,
            PlanError,
            InternalError,
            UsageError,
        ) as error:  # the last: nothing is installed that could run it
            span = error.span if isinstance(error, ProgramError) else None
            self.trace.add(
                "rejected",
                program=said,
                message=error.message,
                span=list(span) if span else None,
                hint=error.hint,
            )
            sample.error = error
        return sample

    def _answers(self, choices: Sequence[Choice]) -> list[Sample]:
        """The direct answers in replies; one that cannot be read has no say."""
        answers = []
        for choice in choices:
            try:
                read = [read_value(item) for item in read_list(choice.text)]
                answers.append([value for value in read if not isinstance(value, NoValue)])
            except BadReply as error:
                self.trace.add("failed", message=error.message)
                answers.append([])
        self.trace.add("sampled", language=DIRECT, answers=answers)
        samples: dict[str, Sample] = {}
        for values in answers:
            key = json.dumps(values, ensure_ascii=False)
            shown: list[tuple[str, ...]] = [(text(value),) for value in values]
            result = Result(
                ("answer",), [(value,) for value in values], shown, [], Usage(), self.trace, ""
            )
            samples.setdefault(key, Sample(key, DIRECT, votes=0, result=result)).votes += 1
        return list(samples.values())

    def _grammar(self, language: str) -> str | None:
        """The grammar of a language with the headers of the tables; None where it is too long for
        endpoints."""
        headers = {table.name: [column.name for column in table.columns] for table in self.tables}
        definition = grammar.text(language, headers)
        return definition if len(definition) <= LONGEST else None
