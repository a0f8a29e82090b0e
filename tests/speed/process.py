"""A system's way to answer comes in; one JSON line goes out: rows, seconds and the most memory of this process and its children.
The other half of each run_*.py: python run_x.py WORKLOAD URL WARM_UP_URL. Needs nothing but Python.

Before what is measured, the system answers a small workload at another address: all it imports is there, and its caches are warm.
"""

from __future__ import annotations

import json
import resource
import sys
import time
from collections.abc import Callable, Sequence
from typing import Any

from workloads import WORKLOADS, Workload

Answer = Callable[[], Sequence[Sequence[Any]]]  # from the call to the rows
Open = Callable[[str, Workload, str], tuple[Answer, Callable[[], None]]]  # with the tables open, and how to close


def main(open_system: Open) -> None:
    """Runs the workload that the command line names."""
    name, url, warm_up = sys.argv[1:]
    answer, close = open_system("small", WORKLOADS["small"], warm_up)
    answer()
    close()
    workload = WORKLOADS[name]
    answer, close = open_system(name, workload, url)
    started = time.perf_counter()
    rows = answer()
    seconds = time.perf_counter() - started
    close()
    peaks = [resource.getrusage(who).ru_maxrss / 1024 for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    print(json.dumps({"seconds": seconds, "memory": sum(peaks), "right": workload.correct(plain(rows))}))


def plain(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Rows of Python values: what a frame holds may be numpy's."""
    return [[value.item() if hasattr(value, "item") else value for value in row] for row in rows]
