"""A system's way to answer comes in; one JSON line goes out: rows, seconds, the most memory of this
process and its children while they answer, and how much of it is more than before. The other half
of each run_*.py: python run_x.py WORKLOAD URL WARM_UP_URL. Needs nothing but Python.

Before what is measured, the system answers a small workload at another address: all it imports is
there, and its caches are warm."""

from __future__ import annotations

import json
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from workloads import WORKLOADS, Workload

Answer = Callable[[], Sequence[Sequence[Any]]]  # from the call to the rows
PROCESS = Path("/proc/self")
Open = Callable[
    [str, Workload, str], tuple[Answer, Callable[[], None]]
]  # with the tables open, and how to close


def main(open_system: Open) -> None:
    """Runs the workload that the command line names."""
    name, url, warm_up = sys.argv[1:]
    answer, close = open_system("small", WORKLOADS["small"], warm_up)
    answer()
    close()
    workload = WORKLOADS[name]
    answer, close = open_system(name, workload, url)
    before = memory(most=False)
    started = time.perf_counter()
    rows = answer()
    seconds = time.perf_counter() - started
    most = memory(most=True)
    close()
    right = workload.correct(plain(rows))
    print(json.dumps({"seconds": seconds, "memory": most, "added": most - before, "right": right}))


def memory(most: bool) -> float:
    """Megabytes of this process and its children, where Linux tells: now, after which the count
    starts anew, or the most since. A part of a file that several of them map, such as of a library,
    counts once."""
    children = (
        []
        if not PROCESS.exists()
        else Path(PROCESS, "task", str(os.getpid()), "children").read_text().split()
    )
    own, files = 0, Counter[tuple[str, ...]]()
    for process in [str(os.getpid()), *children] if PROCESS.exists() else []:
        mapped, place = Counter[tuple[str, ...]](), ("",)
        for words in map(str.split, Path("/proc", process, "smaps").read_text().splitlines()):
            if not words[0].endswith(":"):
                place = tuple(words[2:5])  # offset, device, inode
            elif words[0] == "Rss:":
                mapped[place] += int(words[1])
            elif words[0] == "Anonymous:":
                mapped[place] -= int(words[1])
                own += int(words[1])
        files |= mapped
        told = dict(
            line.split(":") for line in Path("/proc", process, "status").read_text().splitlines()
        )
        own += int(told["VmHWM"].split()[0]) - int(told["VmRSS"].split()[0]) if most else 0
        if not most:
            Path("/proc", process, "clear_refs").write_text("5")
    return (own + files.total()) / 1024


def plain(rows: Sequence[Sequence[Any]]) -> list[list[Any]]:
    """Rows of Python values: what a frame holds may be numpy's."""
    return [[value.item() if hasattr(value, "item") else value for value in row] for row in rows]
