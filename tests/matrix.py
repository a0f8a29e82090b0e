"""A share of failing requests and seeds come in; what came of programs over 120 inputs goes out,
beside what should have come. The whole of it is a script: python -m tests.faults --seeds 200; a
sample is in the suite."""

from __future__ import annotations

import argparse
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import binder
from binder.lm.providers.openai import OpenAI, endpoint
from binder.lm.retry import Retry
from binder.results.result import Result
from tests.faults import ALL, FATAL, SPOILING, Spoil
from tests.server import Server, Task

SLOW = ("hang", "slow_first_byte", "slow_drip")  # each costs the timeout
# seconds of a request, without and with slow faults; a right reply takes milliseconds
PATIENT, IMPATIENT = 60.0, 2.0
ISLANDS = [
    "Aaland",
    "Borneo",
    "Crete",
    "Dahlak",
    "Euboea",
    "Fogo",
    "Gotland",
    "Hiiumaa",
    "Iona",
    "Java",
    "Kos",
    "Leros",
]
CELLS = [f"{island} {number}" for number in range(1, 11) for island in ISLANDS]
MAPS: dict[str, Callable[[str], Any]] = {
    "capitals?": str.upper,
    "size?": lambda cell: len(cell) * 1000 + CELLS.index(cell),
    "early?": lambda cell: "yes" if cell < "E" else "no",
    "odd?": lambda cell: CELLS.index(cell) % 2 == 1,
}
PROGRAMS = (
    'SELECT name, QA("map@capitals?"; name) FROM w',
    "SELECT name FROM w WHERE QA(\"map@early?\"; name) = 'yes'",
    'SELECT number, SUM(QA("map@size?"; name)), COUNT(*) FROM w WHERE QA("map@odd?"; name) GROUP BY 1 ORDER BY 1',
    'SELECT QA("ans@last?"; (SELECT name FROM w WHERE number < 9)), QA("map@size?"; name) + 0 FROM w WHERE number > 3',
)


def oracle(task: Task) -> Any:
    """The right answers, each of which tells its input."""
    if task["task"] == "ans":
        return [max(row[0] for row in task["rows"])]
    return {key: MAPS[task["question"]](row[0]) for key, row in task["rows"].items()}


def table() -> list[dict[str, Any]]:
    """120 distinct inputs."""
    return [{"name": cell, "number": index // 12} for index, cell in enumerate(CELLS)]


@dataclass
class Line:
    """What came of the runs of some faults at one share."""

    runs: int = 0
    wrong: int = 0  # runs with a value that is neither right nor an entry in errors
    short: int = 0  # runs with entries in errors
    raised: Counter[str] = field(
        default_factory=Counter
    )  # runs that ended in an exception, by its type
    requests: int = 0
    clean: int = 0  # requests of the same runs without faults
    seconds: float = 0.0

    @property
    def overhead(self) -> float:
        """Requests beyond those of runs without faults, as a share of these."""
        return self.requests / self.clean - 1 if self.clean else 0.0


class Matrix:
    """A table behind one connection to an endpoint that fails, and what each program yields where
    it does not.

    cache: the file of a cache, emptied after each run; with it a budget stands in the way too.
    rows: of the table, the first so many.
    """

    def __init__(
        self,
        server: Server,
        concurrency: int = 8,
        batch_rows: int = 20,
        cache: Path | None = None,
        rows: int = len(CELLS),
    ):
        server.answer = oracle
        self.server, self.concurrency = server, concurrency
        self.endpoint = OpenAI(endpoint("m", server.url, "sk-test"), PATIENT)
        lm = Retry(self.endpoint, first_wait=0.005, longest_wait=0.05)
        budget = binder.Budget(requests=10**9, tokens=10**12) if cache else None
        size = {"concurrency": concurrency, "batch_rows": batch_rows}
        self.db = binder.connect(
            {"w": table()[:rows]}, "m", lm=lm, cache=cache, budget=budget, **size
        )
        self.clean = [(self.db.run(program).rows, self.asked()) for program in PROGRAMS]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.db.close()

    def asked(self) -> int:
        """The requests since it was last asked."""
        number = len(self.server.requests)
        self.server.forget()
        if self.db.stack.cache is not None:
            self.db.stack.cache.store.prune(older_than_days=0)
        return number

    def runs(self, names: Sequence[str], share: float, seeds: Iterable[int]) -> Line:
        """Runs a program a seed while requests fail."""
        line, start = Line(), time.monotonic()
        self.endpoint.timeout = IMPATIENT if set(SLOW) & set(names) else PATIENT
        for seed in seeds:
            index = seed % len(PROGRAMS)
            self.server.reply = Spoil(oracle, names, share, seed)
            try:
                self.judge(line, index, self.db.run(PROGRAMS[index]))
            except binder.BinderError as failure:
                line.raised[type(failure).__name__] += 1
            line.runs += 1
            line.requests += self.asked()
            line.clean += self.clean[index][1]
        self.server.reply = None
        line.seconds = time.monotonic() - start
        return line

    def judge(self, line: Line, index: int, result: Result) -> None:
        """Compares what a program yields with what it should yield."""
        right, errors = self.clean[index][0], len(result.errors)
        line.short += errors > 0
        if index in (0, 3):  # one row an input: a missing value is a NULL there, all else is right
            missing = sum(row[-1] is None for row in result.rows) + sum(
                entry.call == "last?" for entry in result.errors
            )
            same = [
                row[-1] is None or row[-1] == other[-1]
                for row, other in zip(result.rows, right, strict=True)
            ]
            line.wrong += missing != errors or not all(same)
        else:
            line.wrong += errors == 0 and result.rows != right


def lines(matrix: Matrix, seeds: int, only: str | None) -> Iterator[tuple[str, float, Line]]:
    """Each fault alone, and all that pass together, at two shares; faults that end a run at the
    higher one."""
    for name in ALL if only is None else ALL.keys() & {only}:
        for share in (0.05, 0.2) if name not in FATAL else (0.2,):
            yield name, share, matrix.runs([name], share, range(seeds))
    for share in (0.05, 0.2) if only in (None, "mixed") else ():
        yield "mixed", share, matrix.runs(list(SPOILING), share, range(seeds * 10))


def main() -> None:
    """Prints the matrix, twice: without and with a cache and a budget."""
    parser = argparse.ArgumentParser(
        description="runs programs against an endpoint that fails, and counts what came of them"
    )
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--only", help="one fault, or mixed")
    options = parser.parse_args()
    for cached in (False, True):
        print("with a cache and a budget" if cached else "without a cache")
        print(
            f"{'fault':18} {'share':>5} {'runs':>6} {'wrong':>6} {'short':>6} {'overhead':>8} {'ms/run':>7}  raised"
        )
        with (
            tempfile.TemporaryDirectory() as folder,
            Server() as server,
            Matrix(server, cache=place(folder, cached)) as matrix,
        ):
            for name, share, line in lines(matrix, options.seeds, options.only):
                raised = ", ".join(f"{kind} {number}" for kind, number in line.raised.items())
                counts = f"{line.runs:6} {line.wrong:6} {line.short:6} {line.overhead:8.1%}"
                print(
                    f"{name:18} {share:5} {counts} {1000 * line.seconds / line.runs:7.0f}  {raised}",
                    flush=True,
                )


def place(folder: str, cached: bool) -> Path | None:
    """Where a cache is, if one is wanted."""
    return Path(folder, "answers.sqlite") if cached else None
