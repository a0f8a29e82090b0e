"""Numbers of inputs come in; how long they take, beside the least that their requests can take,
goes out: a table. Alone: python -m tests.speed.packing"""

from __future__ import annotations

import time

import binder
from tests.speed.lm import serving
from tests.speed.workloads import CONCURRENCY, items

LATENCY, PER_ANSWER = 0.3, 0.02  # seconds a request, and seconds an answer on top
INPUTS = (5, 20, 21, 50, 200, 330, 1000)
HEADER = [
    "inputs",
    "packs of",
    "requests",
    "tokens",
    "fixed: seconds",
    "of ideal",
    "per answer: seconds",
]


def measured() -> tuple[list[str], list[list[str]]]:
    """As few requests as hold the inputs, beside as many as fill the concurrency with at least 5
    inputs each."""
    rows = []
    for inputs in INPUTS:
        fewest = -(-inputs // 20)
        waves = -(-fewest // CONCURRENCY)
        most = max(5, -(-inputs // (waves * CONCURRENCY)))
        for batch_rows in dict.fromkeys((20, most)):
            fixed, requests, tokens = once(inputs, batch_rows, 0.0)
            slower, _, _ = once(inputs, batch_rows, PER_ANSWER)
            ideal = -(-requests // CONCURRENCY) * LATENCY
            figures = [
                f"{requests}",
                f"{tokens:,}",
                f"{fixed:.2f}",
                f"{fixed / ideal:.2f}",
                f"{slower:.2f}",
            ]
            rows.append([f"{inputs}", f"{batch_rows}", *figures])
    return HEADER, rows


def once(inputs: int, batch_rows: int, per_answer: float) -> tuple[float, int, int]:
    """Seconds, requests and tokens of one map, on a connection that is open."""
    with serving(LATENCY, per_answer) as (server, knowing):
        tables, settings = (
            items(inputs, inputs)["w"],
            {"cache": None, "concurrency": CONCURRENCY, "batch_rows": batch_rows},
        )
        rows = [{"item": item} for item in tables["item"]]
        with binder.connect(rows, "m", server.url, "none", **settings) as db:
            db.run('SELECT QA("map@is it good?"; item) FROM w WHERE row_id = 0')
            knowing.count.requests = knowing.count.tokens = 0
            started = time.perf_counter()
            db.run('SELECT QA("map@which kind?"; item) FROM w')
            seconds = time.perf_counter() - started
    return seconds, knowing.count.requests, knowing.count.tokens


if __name__ == "__main__":
    header, lines = measured()
    for line in [header, *lines]:
        print(*(f"{cell:>14}" for cell in line))
