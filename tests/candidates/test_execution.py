"""Samples that are executed together: each has its fate, and one question is asked once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import replace

import pytest

from binder.candidates.answer import DIRECT
from binder.candidates.execution import ExecuteTogether
from binder.candidates.generate import Sample
from binder.candidates.planner import Planner
from binder.dispatch import Dispatch
from binder.errors import CheckFault, InternalError, QueryError, UsageError
from binder.executors.languages import Workers
from binder.executors.workers.subprocess import Limits
from binder.lm.budget import Budget, Budgeted
from binder.plan.rules import RULES
from binder.results.progress import off
from binder.results.trace import Trace
from binder.tables.table import load
from tests.oracle import Oracle

TABLES = (load([{"city": "Paris"}, {"city": "Rome"}], "w"),)
UPPER = 'SELECT QA("map@upper?"; city) FROM w'
PYTHON = 'def solve(w):\n    return qa_map(w, "upper?", ["city"])'


@pytest.fixture
def workers() -> Iterator[Workers]:
    workers = Workers(TABLES, Limits())
    yield workers
    workers.close()


def sample(program: str, language: str = "sql") -> Sample:
    return Sample(program, language, Planner(TABLES, RULES).plan(program, language))


def executed(workers: Workers, oracle: Oracle, *samples: Sample) -> list[object]:
    async def run() -> list[object]:
        execute = ExecuteTogether(
            workers,
            Dispatch(
                trace=Trace(),
                slots=asyncio.Semaphore(4),
                lm=oracle,
                cache=None,
                budget=Budgeted(oracle, Budget(), {}),
                model="m",
                batch_rows=20,
                display=off,
                reasoning=frozenset(),
            ),
        )
        candidates = await execute(samples)
        return [one.error if one.error is not None else one.values for one in candidates]

    return asyncio.run(run())


def test_programs_of_all_languages_share_the_answers(workers: Workers) -> None:
    oracle = Oracle()
    found = executed(workers, oracle, sample(UPPER), sample(PYTHON, "python"))
    assert found == [["PARIS", "ROME"]] * 2 and len(oracle.asked) == 2


def test_each_sample_has_its_own_fate(workers: Workers) -> None:
    rejected = Sample("SELECT x FROM w", "sql", error=CheckFault("no x"))
    broken = sample("SELECT COUNT(*) FROM w")
    assert broken.plan is not None
    broken.plan = replace(broken.plan, query=None)  # type: ignore[arg-type]
    failing = sample("SELECT CAST('x' AS INTEGER) FROM w")
    good = sample("SELECT MIN(city) FROM w")
    direct = Sample("[]", DIRECT)
    found = executed(workers, Oracle(), rejected, broken, failing, good, direct)
    assert [type(fate) for fate in found[:3]] == [CheckFault, InternalError, QueryError]
    assert found[3:] == [["Paris"], []]


def test_where_a_value_came_from_is_refused_after_the_tables_changed(workers: Workers) -> None:
    import binder

    with binder.connect(TABLES[0].data, lm=Oracle()) as db:
        result = db.run("SELECT city FROM w")
        assert result.why(0)["rows"] == {"w": [0]}
        db.use(load([{"city": "Oslo"}], "w"))
        with pytest.raises(UsageError, match="the tables have changed"):
            result.why(0)
