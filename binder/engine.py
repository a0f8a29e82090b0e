"""Connections: run, ask and explain, step by step.

question -> retrieve -> write programs -> plan -> execute -> vote -> confidence -> Answer
program  ----------------------------->   plan -> execute                       -> Result
"""

from __future__ import annotations

import asyncio
import os
from collections import abc
from collections.abc import Callable, Coroutine, Iterable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, TypeVar, cast

from binder.candidates.adaptive import AdaptiveVote
from binder.candidates.answer import Answer
from binder.candidates.confidence import believe
from binder.candidates.execution import ExecuteTogether, executor_of
from binder.candidates.generate import ProgramWriter, Sample
from binder.candidates.planner import Planner
from binder.candidates.sampling import Sampling, shares
from binder.candidates.vote import Voting, vote
from binder.dispatch import Dispatch
from binder.dispatch.stack import DEFAULT, Place, Stack, StackSettings, build_stack
from binder.errors import BudgetExceeded, LimitExceeded, MissingValues, UsageError, contained
from binder.executors.languages import Workers, language_named, own_functions
from binder.executors.workers.subprocess import Limits
from binder.language.call_kinds import ANS, CALL_KINDS
from binder.language.functions.own import Function
from binder.language.parameters import Params, parameters
from binder.language.program import Origin
from binder.language.sqltree import DIALECTS
from binder.lm import LM
from binder.lm.budget import Budget, Price, price_of
from binder.lm.event_loop import await_on_loop, run
from binder.lm.providers.openai import endpoint
from binder.lm.providers.openai.extras import extras
from binder.plan import Rule
from binder.plan.python import AnyPlan
from binder.plan.rules import RULES
from binder.prompt.memory import Memory
from binder.results.progress import Display, display, off
from binder.results.result import Result
from binder.results.trace import Event, Trace
from binder.tables.table import Table, load, load_all
from binder.tables.zones import zone_of

Outcome = TypeVar("Outcome")


@dataclass(frozen=True)
class Settings:
    """Settings of a connection; see `connect`."""

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
    functions: tuple[Function, ...] = ()
    dialect: str = "duckdb"


class Binder:
    """A connection: tables, a worker process that runs programs, and a language model. Created by
    `connect`; close it or use it as a context manager."""

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
        self._workers = Workers(tables, settings.limits, settings.dialect)
        self._planner = Planner(tables, settings.rules, settings.functions, settings.dialect)
        own = asyncio.Semaphore(settings.concurrency)
        self._slots: asyncio.Semaphore = beside._slots if beside is not None else own

    def run(
        self,
        program: str,
        language: str = "sql",
        params: Params = None,
        *,
        origin: Origin = "person",
    ) -> Result:
        """Runs a program. A faulty program raises ProgramError, which marks the spot, before any
        model call. params: the values of $name in the program, {name: value}, or of `?`, a list.
        origin: who wrote it; what `lm` wrote is repaired where the tables make certain what was
        meant, and what a person wrote is only warned of."""
        return run(self._run(program, language, params, origin))

    def ask(self, question: str, samples: int = 5, language: str = "auto") -> Answer:
        """Answers a question: samples programs, runs them and votes."""
        return run(self._ask(question, samples, language))

    def explain(
        self,
        program: str,
        language: str = "sql",
        analyze: bool = False,
        params: Params = None,
        *,
        origin: Origin = "person",
    ) -> AnyPlan:
        """The plan of a program and its maximum cost, without calling the model. Raises whatever
        `run` would raise before its first call. analyze: also run the program and add what each
        call actually used."""
        planned = self._planner.plan(program, language, origin, parameters(params))
        executor = executor_of(planned, self._workers)
        price = price_of(self.settings.model, self.stack.budget.prices)
        with contained():
            plan = executor.explain(self.settings.batch_rows, self.stack.held, price)
        written = language_named(language)
        if analyze and written.measurable:
            result = self.run(program, language, params, origin=origin)
            plan = written.measured(plan, result.trace)
        return cast(AnyPlan, plan)

    async def run_async(
        self,
        program: str,
        language: str = "sql",
        params: Params = None,
        *,
        origin: Origin = "person",
    ) -> Result:
        """`run` for asynchronous code, in any event loop."""
        return await await_on_loop(self._run(program, language, params, origin))

    async def ask_async(self, question: str, samples: int = 5, language: str = "auto") -> Answer:
        """`ask` for asynchronous code, in any event loop."""
        return await await_on_loop(self._ask(question, samples, language))

    def use(self, *tables: Table) -> None:
        """Replaces the tables; the worker process is kept."""
        if [id(table) for table in tables] == [id(table) for table in self.tables]:
            return
        self.tables = tables
        self._workers.use(tables)
        # a new one: a thread may still be planning over the tables of before
        settings = self.settings
        self._planner = Planner(tables, settings.rules, settings.functions, settings.dialect)

    def add(self, name: str, source: Any, tidy: bool | None = None) -> None:
        """Adds a table: a result of a run, or any source that `connect` takes. One of that name is
        replaced."""
        table = load(source, name, tidy=tidy)
        others = [kept for kept in self.tables if kept.name.casefold() != name.casefold()]
        self.use(*others, table)

    def beside(self, *tables: Table) -> Binder:
        """A second connection for concurrent use that shares this one's endpoint, cache, budget and
        concurrency."""
        settings = replace(self.settings, display=off)
        return Binder(tables or self.tables, self.stack, self.memory, settings, beside=self)

    def close(self) -> None:
        """Stops the worker processes and closes all connections."""
        self._workers.close()
        if self._beside is None:
            run(self.stack.lm.close())

    def __enter__(self) -> Binder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Binder({', '.join(map(repr, self.tables))}; model={self.settings.model or None!r})"

    async def _run(self, program: str, language: str, params: Params, origin: Origin) -> Result:
        """The result of a program: plan it, execute it."""
        dispatch = self._dispatch()
        planner, given = self._planner, parameters(params)
        plan = await planner.plan_in_thread(program, language, origin, given)
        execute = ExecuteTogether(self._workers, dispatch)
        sample = Sample(program, language, plan)
        (candidate,) = await self._within_deadline(execute([sample]), dispatch)
        if candidate.error is not None:
            raise candidate.error
        assert candidate.result is not None
        if self.settings.strict:
            _refuse_missing(candidate.result)
        return candidate.result

    async def _ask(self, question: str, samples: int, language: str) -> Answer:
        """The answer to a question: retrieve, write programs, plan, execute, vote, confidence.

        The writer retrieves solved questions, writes programs like them and has them planned;
        which of them are executed, and whether more are written, the vote decides as it goes."""
        _check_question(question)
        settings = self.settings
        wanted = shares(samples, language, self.tables, settings.sampling)
        dispatch = self._dispatch()
        writer = self._writer(question, dispatch)
        execute = ExecuteTogether(self._workers, dispatch)
        candidates_of = AdaptiveVote(writer, execute, wanted, settings.voting)
        candidates = await self._within_deadline(candidates_of.run(), dispatch)
        answer = vote(question, candidates, dispatch.usage, dispatch.trace, settings.voting)
        if settings.voting.belief and answer.values:
            answer = await self._believed(answer, dispatch)
        return replace(answer, keep=partial(self.memory.add, question, self.tables))

    def _writer(self, question: str, dispatch: Dispatch) -> ProgramWriter:
        """Who writes programs for a question."""
        settings = self.settings
        return ProgramWriter(
            question=question,
            tables=self.tables,
            memory=self.memory,
            model=settings.model,
            sampling=settings.sampling,
            complete=dispatch.sender.sample,
            planner=self._planner,
            trace=dispatch.trace,
            steps=ANS.name in settings.reasoning,
            embeddings=settings.embeddings,
        )

    async def _believed(self, answer: Answer, dispatch: Dispatch) -> Answer:
        """The answer with the model's own confidence in it, if the model tells."""
        belief = await self._within_deadline(
            believe(
                answer.question,
                self.tables,
                answer.texts,
                model=self.settings.model,
                times=self.settings.voting.belief,
                complete=dispatch.sender.sample,
            ),
            dispatch,
        )
        dispatch.trace.add("believed", belief=belief)
        if belief is None:
            return answer
        return replace(answer, confidence=belief, usage=dispatch.usage)

    async def _within_deadline(
        self, work: Coroutine[Any, Any, Outcome], dispatch: Dispatch
    ) -> Outcome:
        """Runs the work of one run within the deadline. BudgetExceeded gets the answers known so
        far in `partial`."""
        deadline = self.settings.deadline
        try:
            async with asyncio.timeout(deadline):
                return await work
        except TimeoutError:
            assert deadline is not None
            raise LimitExceeded(
                "deadline", deadline, hint="answers so far are cached; run it again to continue"
            ) from None
        except BudgetExceeded as stop:
            stop.partial = dispatch.partial()
            raise
        finally:
            self.settings.display(None)

    def _dispatch(self) -> Dispatch:
        """What asks the questions of one run."""
        stack, settings = self.stack, self.settings
        trace = Trace(tracer=settings.tracer)
        place = stack.cache.endpoint if stack.cache else ""
        trace.add("started", model=settings.model, endpoint=place)
        for table in self.tables:
            if table.notes:
                trace.add("loaded", table=table.name, notes=list(table.notes))
        zone = zone_of([table.data for table in self.tables])[1]
        if zone is not None:
            trace.add("loaded", table=self.tables[0].name, notes=[zone])
        return Dispatch(
            trace=trace,
            slots=self._slots,
            lm=stack.lm,
            cache=stack.cache,
            budget=stack.budget,
            model=settings.model,
            batch_rows=settings.batch_rows,
            display=settings.display,
            reasoning=settings.reasoning,
        )


def _check_question(question: object) -> None:
    if not isinstance(question, str):
        raise UsageError(f"a question is a text, not {question!r:.40}")
    if not question.strip():
        raise UsageError("the question is empty", hint="write what to ask")


def _refuse_missing(result: Result) -> None:
    missing = result.errors
    if missing:
        values = "value is" if len(missing) == 1 else "values are"
        raise MissingValues(
            f"{len(missing):,} {values} missing; the first: {missing[0]}",
            errors=missing,
            hint="strict=False returns them as NULL",
        )


def _open(
    tables: Any, tidy: bool | None, types: abc.Mapping[str, Any] | None, title: str | None
) -> tuple[Table, ...]:
    """The tables of whatever connect was given."""
    if isinstance(tables, (str, os.PathLike)) and str(tables).lower().endswith(".duckdb"):
        from binder.executors.workers.duckdb_worker import read_database

        tables = read_database(os.fspath(tables))
    opened = load_all(tables, tidy, types)
    if title is None:
        return opened
    return tuple(replace(table, title=title) for table in opened)


def _spoken(given: str | None, tables: tuple[Table, ...]) -> tuple[str, tuple[Table, ...]]:
    """Whose SQL programs are written in, and the tables as it has them."""
    if given is None:
        given = "sqlite" if all(table.stored is not None for table in tables) else "duckdb"
    if given not in DIALECTS:
        raise UsageError(f"unknown dialect {given!r}", hint="dialects: duckdb, sqlite")
    if given == "sqlite":
        tables = tuple(table.as_stored() for table in tables)
    return given, tables


def connect(
    tables: Any,
    model: str | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    *,
    headers: abc.Mapping[str, str] | None = None,
    query: abc.Mapping[str, Any] | None = None,
    extra_body: abc.Mapping[str, Any] | None = None,
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
    types: abc.Mapping[str, Any] | None = None,
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
    functions: Iterable[Function | Callable[..., Any]] = (),
    dialect: str | None = None,
) -> Binder:
    """Opens tables for programs and questions.

    tables: a DataFrame, Arrow table, DuckDB relation, list of dicts or path (.csv .tsv .json
        .parquet), which is named `w`; a dict of these by name; or a .duckdb or .sqlite file.
    model, base_url, api_key: default to BINDER_MODEL, OPENAI_BASE_URL and OPENAI_API_KEY.
    headers, query, extra_body: what goes with every request besides: HTTP headers, parameters of
        the address, and fields of the body.
    cache: file for cached answers. Default: one in the user's cache folder, none with lm=. None: no
        cache.
    concurrency: requests at a time. batch_rows: inputs per request.
    budget: limits on requests, tokens and US dollars for this connection. prices: dollars per
        million tokens, {model: (prompt, completion)}.
    limits: limits of programs: seconds, memory, rows, bytes.
    timeout: seconds per request. deadline: seconds per run.
    memory: file of your own solved questions, shown with the built-in ones (see Memory).
        embeddings: embedding model of the endpoint, to find solved questions by meaning as well as
        by words.
    strict: raise MissingValues if any value is missing.
    tidy: infer column types from text. Default: only for sources without types. title: the title of
        the table, shown to the language model.
    types: how columns are read, {table: {column: type}} or {column: type}; a type is text, number,
        "number:," (a decimal comma), date, "date:%d/%m/%Y", "date:dmy", time, duration or boolean.
    replay: a trace or recording to take replies from, offline. record: a file to which every
        request and its reply is appended, for `replay`.
    tracer: called with each Event. progress: a custom progress display.
    lm: an object with the two methods of binder.lm.LM, used instead of an endpoint.
    rules: the rules of the planner.
    sampling: how candidates are asked for. voting: how they are weighed.
    reasoning: whether the language model reasons step by step before it answers, by kind of call.
        Default: {"map": False, "ans": True}.
    functions: your own, which programs call by name; see Function.
    dialect: whose SQL programs are written in, and who runs them: "duckdb" or "sqlite". Default:
        sqlite if all tables come from SQLite files, else duckdb."""
    if concurrency < 1 or batch_rows < 1:
        raise UsageError("concurrency and batch_rows must be at least 1")
    reasons = {kind.name: kind.reasons for kind in CALL_KINDS.values()} | dict(reasoning or {})
    steps = frozenset(name for name, on in reasons.items() if on)
    opened = _open(tables, tidy, types, title)
    stack, name = build_stack(
        StackSettings(
            endpoint(model, base_url, api_key, extras(headers, query, extra_body)),
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
    dialect, opened = _spoken(dialect, opened)
    settings = Settings(
        model=name,
        limits=limits or Limits(),
        concurrency=concurrency,
        batch_rows=batch_rows,
        deadline=deadline,
        strict=strict,
        rules=tuple(rules),
        tracer=tracer,
        display=display() if progress is None else progress,
        sampling=sampling or Sampling(),
        voting=voting or Voting(),
        reasoning=steps,
        embeddings=embeddings,
        functions=own_functions(functions),
        dialect=dialect,
    )
    kept = memory if isinstance(memory, Memory) else Memory(memory)
    return Binder(opened, stack.reasoning(steps), kept, settings)
