"""Nothing comes in; what binder itself takes goes out, for five rows and a language model in the
same process: two tables. Alone: python -m tests.speed.overhead"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import binder
from binder.engine import Binder
from binder.executors.workers.duckdb_client import Worker
from binder.lm import Choice, Reply, Request
from tests.scripted import Scripted
from tests.speed.lm import serving
from tests.speed.workloads import know

ROWS = [{"item": f"item {i}", "n": i} for i in range(5)]
PROGRAM = 'SELECT QA("map@which kind{}?"; item) AS kind, n FROM w WHERE n >= 0'
TIMES = 100
FRESH = """
import time; started = time.perf_counter()
import binder; imported = time.perf_counter()
db = binder.connect([{"item": f"item {i}"} for i in range(5)], "m", %r, "none", cache=None)
db.run('SELECT QA("map@which kind?"; item) FROM w')
print(imported - started, time.perf_counter() - started)
"""


def answer(request: Request) -> Reply:
    """Knows at once."""
    task = json.loads(request.messages[-1].content)
    return Reply(
        (
            Choice(
                json.dumps(
                    {"answers": {key: know("kind", row[0]) for key, row in task["rows"].items()}}
                )
            ),
        )
    )


@contextmanager
def connected() -> Iterator[Binder]:
    """A connection that is warm."""
    with binder.connect({"w": ROWS}, "m", lm=Scripted(answer)) as db:
        for _ in range(5):
            db.run(PROGRAM.format(""))
        yield db


def measured() -> tuple[list[str], list[list[str]]]:
    """Milliseconds, the median of many: the figures to hold are in the last column."""
    with connected() as db:
        warm = statistics.median(timed(db, PROGRAM.format("")) for _ in range(TIMES))
        new = statistics.median(timed(db, PROGRAM.format(f" {i}")) for i in range(TIMES))
    with serving() as (server, _):
        runs = [
            subprocess.run(
                [sys.executable, "-c", FRESH % server.url], capture_output=True, text=True
            )
            for _ in range(3)
        ]
    fresh = [[1000 * float(figure) for figure in run.stdout.split()] for run in runs]
    imported, first = (statistics.median(column) for column in zip(*fresh, strict=True))
    return ["five rows, no latency", "ms", "at most"], [
        ["a program that ran before", f"{warm:.1f}", "5"],
        ["a program never seen before", f"{new:.1f}", "30"],
        ["import binder", f"{imported:.0f}", "300"],
        ["a fresh process to its first answer, over HTTP", f"{first:.0f}", "2000"],
    ]


def timed(db: Binder, program: str) -> float:
    """Milliseconds of a run."""
    started = time.perf_counter()
    db.run(program)
    return 1000 * (time.perf_counter() - started)


def profiled() -> tuple[list[str], list[list[str]]]:
    """Where the time of a warm run goes: trips to the engine, by verb, and the rest."""
    spent: dict[str, list[float]] = defaultdict(list)

    class Watched(Worker):
        """Tells how long each trip took."""

        def _exchange(
            self, header: dict[str, Any], payload: Any, seconds: float
        ) -> tuple[dict[str, Any], bytes]:
            started = time.perf_counter()
            try:
                return super()._exchange(header, payload, seconds)
            finally:
                spent[header["verb"]].append(1000 * (time.perf_counter() - started))

    with connected() as db:
        db._workers.sql.close()
        db._workers.sql = Watched(db.tables, db.settings.limits)
        db.run(PROGRAM.format(""))
        spent.clear()
        whole = [timed(db, PROGRAM.format("")) for _ in range(TIMES)]
        planned = statistics.median(_plan(db, f" {i}") for i in range(TIMES))
    trips = {verb: (len(times) / TIMES, sum(times) / TIMES) for verb, times in spent.items()}
    rest = sum(whole) / TIMES - sum(total for _, total in trips.values())
    lines = [
        [f"trips to the engine: {verb}", f"{number:g}", f"{total:.1f}"]
        for verb, (number, total) in trips.items()
    ]
    return ["part of a warm run", "times", "ms"], [
        *lines,
        ["all else: dispatch, prompt, reading, threads", "", f"{rest:.1f}"],
        ["beforehand, once a program: parse, check, plan", "1", f"{planned:.1f}"],
    ]


def _plan(db: Binder, more: str) -> float:
    started = time.perf_counter()
    db._planner.plan(PROGRAM.format(more), "sql")
    return 1000 * (time.perf_counter() - started)


if __name__ == "__main__":
    for table in (measured(), profiled()):
        for line in [table[0], *table[1]]:
            print(*(f"{cell:>48}" for cell in line))
