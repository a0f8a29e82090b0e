"""The whole story: tables and a question come in; a program is written, checked, planned, executed
and voted; an Answer goes out.

question -> generate -> check -> plan -> dispatch(execute ...) -> vote -> Answer
program  ------------>  check -> plan -> dispatch(execute)     -> Result
"""

from __future__ import annotations

import asyncio
import os
from collections import abc
from collections.abc import Callable, Coroutine, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, TypeVar

from binder.analysis.python import check as check_python
from binder.analysis.sql import check
from binder.candidates.adaptive import AdaptiveVote
from binder.candidates.answer import Answer, Candidate
from binder.candidates.confidence import believe
from binder.candidates.generate import ProgramWriter, Sample
from binder.candidates.sampling import Sampling, shares
from binder.candidates.vote import Voting, vote
from binder.dispatch import Dispatch
from binder.dispatch.stack import DEFAULT, Place, Stack, StackSettings, build_stack
from binder.errors import (
    BinderError,
    BudgetExceeded,
    LimitExceeded,
    MissingValues,
    UsageError,
    contained,
)
from binder.executors import Input, Rows
from binder.executors.python import PythonExecutor
from binder.executors.sql import SqlExecutor
from binder.executors.workers.duckdb_client import Worker
from binder.executors.workers.monty_client import Sandbox, available
from binder.executors.workers.subprocess import Limits
from binder.language.python import parse as parse_python
from binder.language.repair import parsed
from binder.lm import LM
from binder.lm.budget import Budget, Price, price_of
from binder.lm.event_loop import await_on_loop, run
from binder.lm.providers.openai import endpoint
from binder.plan import Ask, Plan, Rule
from binder.plan.cost import spent_on
from binder.plan.naive import build
from binder.plan.python import AnyPlan
from binder.plan.python import build as plan_python
from binder.plan.rules import RULES, optimize
from binder.prompt.memory import Memory
from binder.results.progress import Display, display, off
from binder.results.result import Result, count
from binder.results.trace import Event, Trace
from binder.tables.table import Table, load, load_all
from binder.tables.zones import zone_of

Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Settings:
    """How a connection asks and what it may use; see `connect`."""

    model: str
    limits: Limits
    concurrency: int
    batch_rows: int
    deadline: float | None
    strict: bool
    rules: tuple[Rule, ...]
    tracer: Callable[[Event], None] | None
    display: Display
    sampling: Sampling
    voting: Voting
    reasoning: frozenset[str]
    embeddings: str | None


class Binder:
    """Tables, an engine in a worker process, and a language model. Made by `connect`; close it, or
    use it in a `with`."""

    def __init__(
        self,
        tables: tuple[Table, ...],
        stack: Stack,
        memory: Memory,
        settings: Settings,
        beside: Binder | None = None,
    ):
        self.tables = tables
        self.stack, self.memory, self.settings = stack, memory, settings
        self._beside = beside  # whose stack this is
        self._worker = Worker(tables, settings.limits)
        self._sandbox = Sandbox(tables, settings.limits)
        self._slots: asyncio.Semaphore = (
            beside._slots if beside else asyncio.Semaphore(settings.concurrency)
        )
        self._planned = lru_cache(maxsize=256)(self._plan)

    def run(self, program: str, language: str = "sql") -> Result:
        """Executes a program. A ProgramError marks what is wrong with its text; nothing was asked
        then."""
        return run(self._run(program, language))

    def ask(self, question: str, samples: int = 5, language: str = "auto") -> Answer:
        """Answers a question: samples programs, executes all, and votes."""
        return run(self._ask(question, samples, language))

    def explain(self, program: str, language: str = "sql", analyze: bool = False) -> AnyPlan:
        """The plan of a program and its bill: prints what `run` would do; asks nothing, refuses
        what `run` refuses. analyze: run it, too, and add what each call came to."""
        price = price_of(self.settings.model, self.stack.budget.prices)
        plan = self._executor(self._planned(program, language)).explain(
            self.settings.batch_rows, self._held, price
        )
        if not analyze or not isinstance(plan, Plan):
            return plan
        return replace(plan, spent=spent_on(self.run(program, language).trace))

    def _held(self, ask: Ask, inputs: Sequence[Input]) -> int:
        """How many inputs of a call were answered before."""
        recall = self.stack.recall
        if recall is None or not ask.call.per_input:
            return 0
        return len(recall.store.get_answers(recall.keys(ask, inputs).values()))

    async def run_async(self, program: str, language: str = "sql") -> Result:
        """`run` for asynchronous code, in any event loop."""
        return await await_on_loop(self._run(program, language))

    async def ask_async(self, question: str, samples: int = 5, language: str = "auto") -> Answer:
        """`ask` for asynchronous code, in any event loop."""
        return await await_on_loop(self._ask(question, samples, language))

    def use(self, *tables: Table) -> None:
        """Puts other tables in the place of those that there are; the worker process stays."""
        if [id(table) for table in tables] == [id(table) for table in self.tables]:
            return
        self.tables = tables
        self._worker.use(tables)
        self._sandbox.use(tables)
        self._planned.cache_clear()

    def add(self, name: str, source: Any, tidy: bool | None = None) -> None:
        """Adds a table: a result of a run, or any source that `connect` takes. One of that name is
        replaced."""
        table = load(source, name, tidy=tidy)
        others = [kept for kept in self.tables if kept.name.casefold() != name.casefold()]
        self.use(*others, table)

    def beside(self, *tables: Table) -> Binder:
        """Another engine, for use at the same time: endpoint, cache, budget and slots are those of
        this one."""
        return Binder(
            tables or self.tables,
            self.stack,
            self.memory,
            replace(self.settings, display=off),
            beside=self,
        )

    def close(self) -> None:
        """Ends the worker and lets go of connections."""
        self._worker.close()
        self._sandbox.close()
        if self._beside is None:
            run(self.stack.lm.close())

    def __enter__(self) -> Binder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Binder({', '.join(map(repr, self.tables))}; model={self.settings.model or None!r})"

    @contained()
    def _plan(self, program: str, language: str) -> AnyPlan:
        if language == "python":
            available()
            return plan_python(check_python(parse_python(program), self.tables))
        return optimize(
            build(check(parsed(program, self.tables, language), self.tables)), self.settings.rules
        )

    @contained()
    def _executor(self, plan: AnyPlan) -> SqlExecutor | PythonExecutor:
        """What executes a plan."""
        return (
            SqlExecutor(plan, self._worker)
            if isinstance(plan, Plan)
            else PythonExecutor(plan, self._sandbox)
        )

    async def _run(self, program: str, language: str) -> Result:
        dispatch = self._dispatch()
        sample = Sample(program, language, self._planned(program, language))
        (candidate,) = await self._within(self._execute([sample], dispatch), dispatch)
        if candidate.error is not None:
            raise candidate.error
        assert candidate.result is not None
        missing = candidate.result.errors
        if self.settings.strict and missing:
            raise MissingValues(
                f"{count(len(missing), 'value')} missing, first: {missing[0]}",
                errors=missing,
                hint="strict=False keeps them as NULL",
            )
        return candidate.result

    async def _ask(self, question: str, samples: int, language: str) -> Answer:
        if not isinstance(question, str):
            raise UsageError(f"a question is a text, not {question!r:.40}")
        if not question.strip():
            raise UsageError("the question is empty", hint="write what to ask")
        settings = self.settings
        wanted = shares(samples, language, self.tables, settings.sampling)
        dispatch = self._dispatch()
        trace = dispatch.trace
        shown = self.tables, self.memory, settings.model, settings.sampling
        author = ProgramWriter(
            question,
            *shown,
            dispatch.sample,
            self._planned,
            trace,
            "ans" in settings.reasoning,
            settings.embeddings,
        )
        poll = AdaptiveVote(
            author, lambda written: self._execute(written, dispatch), wanted, settings.voting
        )
        candidates = await self._within(poll.run(), dispatch)
        answer = vote(question, candidates, dispatch.usage, trace, settings.voting)
        if settings.voting.belief and answer.values:
            sure = believe(
                question,
                self.tables,
                answer.texts,
                settings.model,
                settings.voting.belief,
                dispatch.sample,
            )
            belief = await self._within(sure, dispatch)
            trace.add("believed", belief=belief)
            if belief is not None:
                answer = replace(answer, confidence=belief, usage=dispatch.usage)
        return replace(answer, keep=partial(self.memory.add, question, self.tables))

    async def _execute(self, samples: Sequence[Sample], dispatch: Dispatch) -> list[Candidate]:
        """All samples that have a plan, executed together; each with its result or its error."""
        running: dict[int, SqlExecutor | PythonExecutor] = {}
        for index, sample in enumerate(samples):
            if sample.plan is not None:
                try:
                    running[index] = self._executor(sample.plan)
                except BinderError as error:
                    sample.error = error
        outcomes = dict(
            zip(
                running,
                await dispatch.drive([e.execution() for e in running.values()]),
                strict=True,
            )
        )
        candidates = []
        for index, sample in enumerate(samples):
            outcome: Rows | Result | BinderError | None = outcomes.get(index, sample.error)
            if isinstance(outcome, Rows):
                outcome = self._result(running[index], outcome, dispatch)
            if isinstance(outcome, Result):
                candidates.append(Candidate(outcome.program, sample.language, outcome))
            else:
                candidates.append(
                    Candidate(sample.program, sample.language, sample.result, outcome)
                )
        return candidates

    async def _within(self, work: Coroutine[Any, Any, Outcome], dispatch: Dispatch) -> Outcome:
        """What the work of one run yields, within the deadline; a stop by the budget tells what is
        known so far."""
        deadline = self.settings.deadline
        try:
            async with asyncio.timeout(deadline):
                return await work
        except TimeoutError:
            assert deadline is not None
            raise LimitExceeded(
                "deadline",
                deadline,
                hint="what was answered is in the cache: run it again to go on",
            ) from None
        except BudgetExceeded as stop:
            stop.partial = dispatch.partial()
            raise
        finally:
            self.settings.display(None)

    def _result(
        self, executor: SqlExecutor | PythonExecutor, rows: Rows, dispatch: Dispatch
    ) -> Result | BinderError:
        program = executor.program
        try:
            values, texts = contained()(executor.present)(rows.rows)
        except BinderError as error:
            return error
        dispatch.trace.add(
            "executed", program=program.text, rows=len(rows.rows), repairs=program.repairs
        )
        errors, usage = dispatch.missing(executor.asks), dispatch.usage
        origin = partial(self._origin, executor, dispatch)
        return Result(
            rows.columns,
            values,
            texts,
            errors,
            usage,
            dispatch.trace,
            program.text,
            program.repairs,
            origin,
            rows.kinds,
        )

    def _origin(
        self, executor: SqlExecutor | PythonExecutor, dispatch: Dispatch, row: int, column: int
    ) -> dict[str, Any]:
        if executor.tables_of is not self.tables:
            raise UsageError(
                "the tables were changed since this result was made",
                hint="ask where a value came from before `use`",
            )
        return executor.origin(row, column, dispatch.said)

    def _dispatch(self) -> Dispatch:
        stack, settings = self.stack, self.settings
        trace = Trace(tracer=settings.tracer)
        trace.add(
            "started", model=settings.model, endpoint=stack.recall.endpoint if stack.recall else ""
        )
        for table in self.tables:
            if table.notes:
                trace.add("loaded", table=table.name, notes=list(table.notes))
        zone = zone_of([table.data for table in self.tables])[1]
        if zone is not None:
            trace.add("loaded", table=self.tables[0].name, notes=[zone])
        how = settings.model, settings.batch_rows, settings.display, settings.reasoning
        return Dispatch(trace, self._slots, stack.lm, stack.recall, stack.budget, *how)


def _open(tables: Any, tidy: bool | None) -> tuple[Table, ...]:
    """The tables of whatever connect was given."""
    if isinstance(tables, (str, os.PathLike)) and str(tables).lower().endswith(".duckdb"):
        from binder.executors.workers.duckdb_worker import read_database

        return load_all(read_database(os.fspath(tables)), tidy)
    return load_all(tables, tidy)


def connect(
    tables: Any,
    model: str | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    *,
    cache: str | os.PathLike[str] | Place | None = DEFAULT,
    concurrency: int = 16,
    batch_rows: int = 20,
    budget: Budget | None = None,
    prices: abc.Mapping[str, Price] | None = None,
    limits: Limits | None = None,
    timeout: float = 60.0,
    deadline: float | None = None,
    memory: Memory | str | os.PathLike[str] | None = None,
    strict: bool = False,
    tidy: bool | None = None,
    title: str | None = None,
    replay: str | os.PathLike[str] | None = None,
    record: str | os.PathLike[str] | None = None,
    tracer: Callable[[Event], None] | None = None,
    progress: Display | None = None,
    lm: LM | None = None,
    rules: Sequence[Rule] = RULES,
    sampling: Sampling | None = None,
    voting: Voting | None = None,
    reasoning: abc.Mapping[str, bool] | None = None,
    embeddings: str | None = None,
) -> Binder:
    """Opens tables for programs and questions.

    tables: {name: DataFrame, Arrow table, relation, path (.csv .tsv .json .parquet) or list of
    dicts}, one of these alone (then named `w`), or the path of a .duckdb or .sqlite file. tidy:
    type columns from their text (by default only where the source has no types); title: what the
    table is called where it comes from, for the language model. model, base_url and api_key are
    else taken from BINDER_MODEL, OPENAI_BASE_URL and OPENAI_API_KEY. lm: anything with the two
    methods of binder.lm.LM instead of an endpoint; replay: a trace or recording whose replies stand
    for it, offline. record: a file to which every request and its reply is appended, for `replay`.
    cache: the file in which answers are kept (None: none; by default one in the platform's cache
    folder, and none with lm=). budget: the most requests, tokens and US dollars of this connection;
    prices: dollars per million tokens, {model: (prompt, completion)}. concurrency: requests at a
    time; batch_rows: inputs per request; timeout: seconds per request, deadline: per run; limits:
    of the engine's own work. sampling: how candidates are asked for; voting: how they are weighed.
    reasoning: whether the language model reasons step by step before it answers, {"map": False,
    "ans": True} unless said. memory: a file of your own solved questions, which are shown beside
    those that come with binder (see Memory); embeddings: the model of the endpoint that says which
    of them are near to a question in meaning, beside those that are in words. strict: raise
    MissingValues where a value is missing. tracer: told of each Event; progress: a display, else a
    line."""
    if concurrency < 1 or batch_rows < 1:
        raise UsageError("concurrency and batch_rows must be at least 1")
    opened = _open(tables, tidy)
    if title is not None:
        opened = tuple(replace(table, title=title) for table in opened)
    stack, name = build_stack(
        StackSettings(
            endpoint(model, base_url, api_key),
            lm=lm,
            replay=replay,
            record=record,
            cache=cache,
            timeout=timeout,
            budget=budget or Budget(),
            prices=prices or {},
            embeddings=embeddings,
        )
    )
    shown = progress if progress is not None else display()
    own = limits or Limits(), concurrency, batch_rows, deadline, strict, tuple(rules), tracer, shown
    steps = frozenset(kind for kind, on in {"ans": True, **(reasoning or {})}.items() if on)
    settings = Settings(name, *own, sampling or Sampling(), voting or Voting(), steps, embeddings)
    if stack.recall is not None:
        stack = replace(stack, recall=replace(stack.recall, reasoning=steps))
    return Binder(opened, stack, memory if isinstance(memory, Memory) else Memory(memory), settings)
