"""Numbers of processes and threads come in; all ask about overlapping towns at the same time, with
one file between them. What the endpoint saw goes out: python -m tests.crash.crowd --processes 3
--threads 8"""

from __future__ import annotations

import argparse
import random
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.asker import ask
from tests.server import Server

TOWNS = 200  # of the whole form
ROOT = Path(__file__).parents[2]


@dataclass
class Report:
    """What was seen: requests; those that one process, and that several, sent more than once; what
    must not be."""

    requests: int = 0
    twice_in_process: int = 0
    twice_across: int = 0
    broken: list[str] = field(default_factory=list)


def crowd(processes: int, threads: int, towns: int = TOWNS) -> Report:
    """Starts all at the same time and waits for all."""
    report = Report()
    with Server(latency=0.02) as server, tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "answers.sqlite"
        command = [
            sys.executable,
            "-m",
            "tests.crash.crowd",
            "--path",
            str(path),
            "--url",
            server.url,
            "--threads",
            str(threads),
            "--towns",
            str(towns),
        ]
        commands = [[*command, "--name", f"p{i}"] for i in range(processes)]
        started = [
            subprocess.Popen(command, cwd=ROOT, stderr=subprocess.PIPE, text=True)
            for command in commands
        ]
        report.broken += [
            said for process in started if (said := process.communicate(timeout=600)[1])
        ]
        asked = [task["rows"]["r1"][0] for task in server.tasks]
        of_process = Counter(
            zip((headers["authorization"] for headers in server.headers), asked, strict=True)
        )
        report.requests = len(asked)
        report.twice_in_process = of_process.total() - len(of_process)
        report.twice_across = len(of_process) - len(set(asked))
        connection = sqlite3.connect(path)
        received = "SELECT count(*) FROM replies WHERE state = 'received'"
        kept = connection.execute(f"SELECT (SELECT count(*) FROM answers), ({received})").fetchone()
        if kept != (towns, towns):
            report.broken.append(f"{kept} answers and replies were kept of {towns}")
        if connection.execute("PRAGMA integrity_check").fetchone() != ("ok",):
            report.broken.append("the file is corrupt")
        connection.close()
    return report


def member(path: str, url: str, name: str, threads: int, count: int) -> None:
    """One process: each thread has a connection of its own, and asks about all towns in an order of
    its own."""

    def thread(number: int) -> None:
        towns = [f"town {i}" for i in range(count)]
        random.Random(f"{name} {number}").shuffle(towns)
        assert ask(path, url, towns, name, rows=1) == {town: town for town in towns}

    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(thread, range(threads)))


def main() -> None:
    """Prints the report; status 1 where something is broken."""
    parser = argparse.ArgumentParser(
        description="many processes and threads ask at the same time, with one file"
    )
    parser.add_argument("--processes", type=int, default=3)
    parser.add_argument("--threads", type=int, default=8)
    parser.add_argument("--towns", type=int, default=TOWNS)
    parser.add_argument("--path", help="with --url and --name: be one of the processes")
    parser.add_argument("--url")
    parser.add_argument("--name")
    options = parser.parse_args()
    if options.path:
        member(options.path, options.url, options.name, options.threads, options.towns)
        return
    report = crowd(options.processes, options.threads, options.towns)
    print(report)
    if report.broken or report.twice_in_process:
        sys.exit(1)


if __name__ == "__main__":
    main()
