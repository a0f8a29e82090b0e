"""The opening of a connection: its tables, its stack of layers and its settings."""

from __future__ import annotations

import os
from collections import abc
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from binder.candidates.sampling import Sampling
from binder.candidates.vote import Voting
from binder.dispatch.stack import DEFAULT, Place, StackSettings, build_stack
from binder.engine import Binder, Settings
from binder.errors import UsageError
from binder.executors.workers.subprocess import Limits
from binder.language.call_kinds import CALL_KINDS
from binder.lm import LM
from binder.lm.budget import Budget, Price
from binder.lm.providers.openai import endpoint
from binder.plan import Rule
from binder.plan.rules import RULES
from binder.prompt.memory import Memory
from binder.results.progress import Display, display
from binder.results.trace import Event
from binder.tables.table import Table, load_all


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
) -> Binder:
    """Opens tables for programs and questions.

    tables: a DataFrame, Arrow table, DuckDB relation, list of dicts or path (.csv .tsv .json
        .parquet), which is named `w`; a dict of these by name; or a .duckdb or .sqlite file.
    model, base_url, api_key: default to BINDER_MODEL, OPENAI_BASE_URL and OPENAI_API_KEY.
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
        Default: {"map": False, "ans": True}."""
    if concurrency < 1 or batch_rows < 1:
        raise UsageError("concurrency and batch_rows must be at least 1")
    reasons = {kind.name: kind.reasons for kind in CALL_KINDS.values()} | dict(reasoning or {})
    steps = frozenset(name for name, on in reasons.items() if on)
    opened = _open(tables, tidy, types, title)
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
    )
    kept = memory if isinstance(memory, Memory) else Memory(memory)
    return Binder(opened, stack.reasoning(steps), kept, settings)
