"""The whole story: tables and a question come in; a program is written, checked, planned, executed and voted; an Answer goes out.

    question -> generate -> check -> plan -> dispatch(execute ...) -> vote -> Answer
    program  ------------>  check -> plan -> dispatch(execute)     -> Result
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import replace
from functools import lru_cache, partial
from typing import Any

from binder.answer import Answer, Candidate, vote
from binder.check import check
from binder.check.repair import parsed
from binder.dispatch import Dispatch
from binder.errors import BinderError, UsageError
from binder.executors import Rows, execute
from binder.executors.sql import SqlExecutor
from binder.executors.worker import Limits, Worker
from binder.generate import Sample, generate
from binder.lm import LM
from binder.lm.loop import await_on_loop, run
from binder.lm.openai import OpenAI, endpoint
from binder.lm.retry import Retry
from binder.memory import Memory
from binder.plan import Plan, Rule
from binder.plan.build import build
from binder.plan.cost import bill
from binder.plan.rules import RULES, optimize
from binder.program import LANGUAGES
from binder.result import Result, Usage
from binder.table import Table, load_all
from binder.trace import Trace


class Binder:
    """Tables, an engine in a worker process, and a language model. Made by `connect`; close it, or use it in a `with`."""

    def __init__(self, tables: tuple[Table, ...], lm: LM, model: str, limits: Limits, memory: Memory, rules: Sequence[Rule], concurrency: int, batch_rows: int):
        self.tables = tables
        self.lm, self.model = lm, model
        self.limits, self.memory, self.rules = limits, memory, tuple(rules)
        self.concurrency, self.batch_rows = concurrency, batch_rows
        self._worker = Worker(tables, limits)
        self._planned = lru_cache(maxsize=256)(self._plan)

    def run(self, program: str, language: str = "sql") -> Result:
        """Executes a program. A ProgramError marks what is wrong with its text; nothing was asked then."""
        return run(self._run(program, language))

    def ask(self, question: str, samples: int = 5, language: str = "auto") -> Answer:
        """Answers a question: samples programs, executes all, and votes."""
        return run(self._ask(question, samples, language))

    def explain(self, program: str, language: str = "sql") -> Plan:
        """The plan of a program and its bill: prints what `run` would do; asks nothing, refuses what `run` refuses."""
        plan = self._planned(program, language)
        executor = SqlExecutor(plan, self._worker)
        try:
            executor.check()
            bound = replace(plan, bound=executor.bounds())
        finally:
            executor.close()
        return replace(bound, bill=bill(bound, self.batch_rows))

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
        self._planned.cache_clear()

    def close(self) -> None:
        """Ends the worker and lets go of connections."""
        self._worker.close()
        run(self.lm.close())

    def __enter__(self) -> Binder:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Binder({', '.join(map(repr, self.tables))}; model={self.model or None!r})"

    def _plan(self, program: str, language: str) -> Plan:
        if language not in LANGUAGES:
            raise UsageError(f"there is no language {language!r}", hint="the languages are " + ", ".join(LANGUAGES))
        return optimize(build(check(parsed(program, self.tables, language), self.tables)), self.rules)

    async def _run(self, program: str, language: str) -> Result:
        started, trace = time.monotonic(), Trace()
        dispatch = self._dispatch(trace)
        (candidate,) = await self._execute([Sample(program, language, self._planned(program, language))], dispatch, started)
        if candidate.error is not None:
            raise candidate.error
        assert candidate.result is not None
        return candidate.result

    async def _ask(self, question: str, samples: int, language: str) -> Answer:
        started, trace = time.monotonic(), Trace()
        dispatch = self._dispatch(trace)
        written = await generate(question, self.tables, self.memory, dispatch, samples, self._planned)
        candidates = await self._execute(written, dispatch, started)
        return vote(question, candidates, _usage(dispatch, started), trace)

    async def _execute(self, samples: Sequence[Sample], dispatch: Dispatch, started: float) -> list[Candidate]:
        """All samples that have a plan, executed together; each with its result or its error."""
        running = {i: SqlExecutor(s.plan, self._worker) for i, s in enumerate(samples) if s.plan is not None}
        outcomes = dict(zip(running, await dispatch.drive([execute(e.plan, e) for e in running.values()]), strict=True))
        candidates = []
        for index, sample in enumerate(samples):
            outcome: Rows | BinderError | None = outcomes.get(index, sample.error)
            if isinstance(outcome, Rows):
                result = self._result(running[index], outcome, dispatch, started)
                candidates.append(Candidate(result.program, sample.language, result, votes=sample.votes))
            else:
                candidates.append(Candidate(sample.text, sample.language, error=outcome, votes=sample.votes))
        return candidates

    def _result(self, executor: SqlExecutor, rows: Rows, dispatch: Dispatch, started: float) -> Result:
        plan = executor.plan
        dispatch.trace.add("executed", program=plan.checked.program.text, rows=len(rows.rows), repairs=plan.checked.program.repairs)
        values, texts = plan.checked.present(rows.rows)
        return Result(
            rows.columns,
            values,
            texts,
            dispatch.missing(plan.asks),
            _usage(dispatch, started),
            dispatch.trace,
            plan.checked.program.text,
            plan.checked.program.repairs,
            partial(self._origin, executor, dispatch),
        )

    def _origin(self, executor: SqlExecutor, dispatch: Dispatch, row: int, column: int) -> dict[str, Any]:
        if executor.plan.checked.tables is not self.tables:
            raise UsageError("the tables were changed since this result was made", hint="ask where a value came from before `use`")
        return executor.origin(row, column, dispatch.said)

    def _dispatch(self, trace: Trace) -> Dispatch:
        return Dispatch(self.lm, self.model, trace, self.batch_rows, self.concurrency)


def _usage(dispatch: Dispatch, started: float) -> Usage:
    spent = dispatch.spent
    seconds = round(time.monotonic() - started, 4)
    return Usage(dispatch.questions, 0, spent.requests, spent.prompt_tokens, spent.completion_tokens, spent.cost, seconds)


def _open(tables: Any, tidy: bool | None) -> tuple[Table, ...]:
    """The tables of whatever connect was given."""
    if isinstance(tables, (str, os.PathLike)) and str(tables).lower().endswith(".duckdb"):
        from binder.executors.duckdb import read_database

        return load_all(read_database(os.fspath(tables)), tidy)
    return load_all(tables, tidy)


def connect(
    tables: Any,
    model: str | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    *,
    concurrency: int = 16,
    batch_rows: int = 20,
    limits: Limits | None = None,
    timeout: float = 60.0,
    memory: Memory | None = None,
    tidy: bool | None = None,
    title: str | None = None,
    lm: LM | None = None,
    rules: Sequence[Rule] = RULES,
) -> Binder:
    """Opens tables for programs and questions.

    tables: {name: DataFrame, Arrow table, relation, path (.csv .tsv .json .parquet) or list of dicts}, one of these alone (then named `w`), or the
    path of a .duckdb or .sqlite file. tidy: type columns from their text (by default only where the source has no types);
    title: what the table is called where it comes from, for the language model. model, base_url and
    api_key are else taken from BINDER_MODEL, OPENAI_BASE_URL and OPENAI_API_KEY. concurrency: requests at a time; batch_rows: inputs per
    request; timeout: seconds per request; lm: anything with the two methods of binder.lm.LM instead of an endpoint.
    """
    if concurrency < 1 or batch_rows < 1:
        raise UsageError("concurrency and batch_rows must be at least 1")
    where = endpoint(model, base_url, api_key)
    stack = lm if lm is not None else Retry(OpenAI(where, timeout))
    opened = _open(tables, tidy)
    if title is not None:
        opened = tuple(replace(table, title=title) for table in opened)
    return Binder(
        opened, stack, where.model or ("" if lm is None else "scripted"), limits or Limits(), memory or Memory.shipped(), rules, concurrency, batch_rows
    )
