"""Text files come in; how long binder takes to load each, beside DuckDB's own reader into the same
types, goes out: a table. Alone: python -m tests.speed.loading"""

from __future__ import annotations

import csv
import random
import statistics
import subprocess
import sys
import tempfile
from datetime import date, datetime, timedelta
from pathlib import Path

SIZES = ((1_000_000, 20, "2.0"), (50_000, 200, ""))  # rows, columns, and the most to hold
TIMES = 3
WORDS = ("alpha", "beta", "gamma delta", "Müller", "north", "south-east", "Paris", "Rome")
# A process of its own for each, for one that has read the file finds its memory warm.
DUCKDB = """
import duckdb, sys, time
started = time.process_time()
duckdb.connect().execute(f"CREATE TABLE t AS SELECT * FROM read_csv('{sys.argv[1]}')")
print(time.process_time() - started)
"""
BINDER = """
import binder, sys, time
binder.connect([{"a": "x"}]).close()
started = time.process_time()
binder.connect(sys.argv[1])
print(time.process_time() - started)
"""


def measured() -> tuple[list[str], list[list[str]]]:
    """Seconds of CPU, the median of three runs that take turns."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        for rows, width, most in SIZES:
            path = _written(Path(folder) / f"{rows}.csv", rows, width)
            pairs = [(_seconds(DUCKDB, path), _seconds(BINDER, path)) for _ in range(TIMES)]
            theirs, ours = (statistics.median(column) for column in zip(*pairs, strict=True))
            size = f"{rows:,} x {width}"
            lines.append([size, f"{theirs:.2f}", f"{ours:.2f}", f"{ours / theirs:.1f}", most])
    return ["rows and columns", "DuckDB: s", "binder: s", "ratio", "at most"], lines


def _written(path: Path, rows: int, width: int) -> Path:
    """A file of whole numbers, decimals, dates, time stamps, words and codes."""
    draw = random.Random(5)
    makers = [
        lambda: draw.randrange(10**9),
        lambda: draw.randrange(100),
        lambda: round(draw.random() * 1000, 2),
        lambda: date(2000, 1, 1) + timedelta(days=draw.randrange(9000)),
        lambda: datetime(2000, 1, 1) + timedelta(seconds=draw.randrange(10**9)),
        lambda: f"{draw.choice(WORDS)} {draw.randrange(10**5)}",
        lambda: draw.choice(WORDS),
        lambda: f"A-{draw.randrange(10**5):05}",
    ]
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file)
        writer.writerow([f"c{place}" for place in range(width)])
        for _ in range(rows):
            writer.writerow([makers[place % len(makers)]() for place in range(width)])
    return path


def _seconds(program: str, path: Path) -> float:
    run = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True
    )
    return float(run.stdout)


if __name__ == "__main__":
    header, rows = measured()
    for line in (header, *rows):
        print(*(f"{cell:>18}" for cell in line))
