"""Execution of samples: all of them together, each with its result or its error."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Protocol

from binder.candidates.answer import Candidate
from binder.candidates.generate import Sample
from binder.dispatch import Dispatch
from binder.errors import BinderError, UsageError, contained
from binder.executors import Executor, Rows
from binder.executors.languages import LANGUAGES, Workers
from binder.plan.python import AnyPlan
from binder.results.result import Result


class Execute(Protocol):
    """Executes samples together."""

    async def __call__(self, samples: Sequence[Sample]) -> list[Candidate]:
        """The candidate of each sample, in order."""


@contained()
def executor_of(plan: AnyPlan, workers: Workers) -> Executor:
    """The executor of a plan, in the worker of its language."""
    language = LANGUAGES[plan.checked.program.language]
    return language.executor(plan, workers)


@dataclass
class ExecuteTogether:
    """Executes samples in the workers of a connection. One dispatch serves all, so that programs
    that ask the same share the answers."""

    workers: Workers
    dispatch: Dispatch

    async def __call__(self, samples: Sequence[Sample]) -> list[Candidate]:
        """The candidate of each sample; one without a plan keeps its error or its direct answer."""
        running: dict[int, Executor] = {}
        fates: dict[int, Rows | BinderError] = {}  # by the index of the sample
        for index, sample in enumerate(samples):
            if sample.plan is None:
                continue
            try:
                running[index] = executor_of(sample.plan, self.workers)
            except BinderError as error:
                fates[index] = error
        ended = await self.dispatch.drive([one.execution() for one in running.values()])
        fates |= zip(running, ended, strict=True)
        candidates = []
        for index, sample in enumerate(samples):
            fate = fates.get(index, sample.error)
            if isinstance(fate, Rows):
                candidates.append(self._executed(sample, running[index], fate))
            else:
                candidates.append(
                    Candidate(sample.program, sample.language, sample.result, error=fate)
                )
        return candidates

    def _executed(self, sample: Sample, executor: Executor, rows: Rows) -> Candidate:
        """The candidate of a sample that ran; its program is the one that ran."""
        try:
            result = self._result(executor, rows)
        except BinderError as error:
            return Candidate(sample.program, sample.language, error=error)
        return Candidate(result.program, sample.language, result)

    def _result(self, executor: Executor, rows: Rows) -> Result:
        """The rows as a person reads them."""
        program = executor.program
        with contained():
            values, texts = executor.present(rows.rows)
        doubts = executor.plan.checked.warnings
        told: dict[str, Any] = {"warnings": list(doubts)} if doubts else {}
        if program.given.params.values:
            told["params"] = dict(program.given.params.values)
        self.dispatch.trace.add(
            "executed", program=program.text, rows=len(rows.rows), repairs=program.repairs, **told
        )
        return Result(
            columns=rows.columns,
            rows=values,
            texts=texts,
            errors=self.dispatch.missing(executor.asks),
            usage=self.dispatch.usage,
            trace=self.dispatch.trace,
            program=program.text,
            repairs=program.repairs,
            origin=partial(self._origin, executor),
            types=rows.kinds,
            doubts=doubts,
            params=program.given.params.values,
        )

    def _origin(self, executor: Executor, row: int, column: int) -> dict[str, Any]:
        """Where a value came from, as long as the tables that it came from are there."""
        if executor.tables_of is not self.workers.tables:
            raise UsageError(
                "the tables have changed since this result was computed",
                hint="call why() before use()",
            )
        found = executor.origin(row, column, self.dispatch.said)
        params = executor.program.given.params
        return {**found, "params": params.data()} if params.values else found
