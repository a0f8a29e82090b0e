"""A system's way to answer comes in; one JSON line goes out: rows, seconds, the most memory of this process and its children
while they answer, and how much of it is more than before. The other half of each run_*.py: python run_x.py WORKLOAD URL
WARM_UP_URL. Needs nothing but Python.

Before what is measured, the system answers a small workload at another address: all it imports is there, and its caches are
warm.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workloads import WORKLOADS, Workload

Answer = Callable[[], Sequence[Sequence[Any]]]  # from the call to the rows
PROCESS = Path("/proc/self")
Open = Callable[[str, Workload, str], tuple[Answer, Callable[[], None]]]  # with the tables open, and how to close


def main(open_system: Open) -> None:
    """Runs the workload that the command line names."""
    name, url, warm_up = sys.argv[1:]
    answer, close = open_system("small", WORKLOADS["small"], warm_up)
    answer()
    close()
    workload = WORKLOADS[name]
    answer, close = open_system(name, workload, url)
    before = memory("VmRSS")
    started = time.perf_counter()
    rows = answer()
    seconds = time.perf_counter() - started
    most = memory("VmHWM")
    close()
    right = workload.correct(plain(rows))
    print(json.dumps({"seconds": seconds, "memory": most, "added": most - before, "right": right}))


def memory(what: str) -> float:
    """Megabytes of this process and its children, where Linux tells: VmRSS now, after which the count starts anew; VmHWM the most
    since."""
    children = [] if not PROCESS.exists() else Path(PROCESS, "task", str(os.getpid()), "children").read_text().split()
    total = 0.0
    for process in [str(os.getpid()), *children] if PROCESS.exists() else []:
        status = Path("/proc", process, "status").read_text()
        total += next(int(line.split()[1]) for line in status.splitlines() if line.startswith(what)) / 1024
        if what == "VmRSS":
            Path("/proc", process, "clear_refs").write_text("5")
    return total


def plain(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Rows of Python values: what a frame holds may be numpy's."""
    return [[value.item() if hasattr(value, "item") else value for value in row] for row in rows]
