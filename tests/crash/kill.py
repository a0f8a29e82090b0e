"""A process that asks is killed after a random number of requests, and started again until it is
done. What the endpoint saw is the report: python -m tests.crash.kill --rounds 100"""

from __future__ import annotations

import argparse
import json
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.crash.asker import CONCURRENCY, ROWS
from tests.server import Server
from tests.timing import until

LATENCY = 0.03  # seconds of the endpoint
FEW = 15  # requests at most between the start of a process and its end
ROOT = Path(__file__).parents[2]


@dataclass
class Report:
    """What was seen. in_flight: inputs that were asked when a process was killed and had no reply in
    the file; repeated: inputs asked again; broken: what must not be."""

    kills: int = 0
    runs: int = 0
    asked: int = 0
    in_flight: int = 0
    repeated: int = 0
    unread: int = 0
    broken: list[str] = field(default_factory=list)


def kill(rounds: int, seed: int, count: int = 240) -> Report:
    """Kills as often as asked, in as many runs as that takes; each run ends with all answers."""
    report, chance = Report(), random.Random(seed)
    while report.kills < rounds:
        with Server(latency=LATENCY) as server, tempfile.TemporaryDirectory() as folder:
            run(Path(folder), server, count, rounds, chance, report)
            report.runs += 1
            asked = [town for task in server.tasks for (town,) in task["rows"].values()]
            report.asked += len(asked)
            report.repeated += len(asked) - len(set(asked))
            if len(set(asked)) != count:
                report.broken.append(f"{len(set(asked))} of {count} inputs were asked")
    return report


def run(
    folder: Path, server: Server, count: int, rounds: int, chance: random.Random, report: Report
) -> None:
    """One run: kills until it is done, or rounds are used up; after each kill, nothing that was
    received is asked again."""
    paid: set[str] = set()
    path = folder / "answers.sqlite"
    while True:
        before = len(server.tasks)
        command = [
            sys.executable,
            "-m",
            "tests.crash.asker",
            str(path),
            server.url,
            str(count),
            str(folder / "said"),
        ]
        child = subprocess.Popen(command, cwd=ROOT)
        if report.kills < rounds:
            last = before + chance.randint(1, FEW)
            until(lambda last=last, child=child: len(server.tasks) >= last or ended(child))
            time.sleep(chance.uniform(0, 2 * LATENCY))  # while it reads, writes or waits
            child.kill()
        child.wait()
        until(lambda: not server.connections)  # what it sent has arrived

        asked = {town for task in server.tasks[before:] for (town,) in task["rows"].values()}
        if asked & paid:
            report.broken.append(f"paid and asked again: {sorted(asked & paid)}")
        if child.returncode != -signal.SIGKILL:
            said = (
                json.loads((folder / "said").read_text())
                if child.returncode == 0
                else f"status {child.returncode}"
            )
            if said != {f"town {i}": f"town {i}" for i in range(count)}:
                report.broken.append(f"the answers are not those of the endpoint: {said}")
            return

        report.kills += 1
        paid, unread = received(path, folder / "copy", report)
        report.unread += unread
        lost = asked - paid
        report.in_flight += len(lost)
        if len(lost) > ROWS * CONCURRENCY:
            report.broken.append(f"more than what was on its way is lost: {sorted(lost)}")


def ended(child: subprocess.Popen[bytes]) -> bool:
    """Whether a process has ended."""
    return child.poll() is not None


def received(path: Path, copy: Path, report: Report) -> tuple[set[str], int]:
    """The inputs whose reply is in the file, and how many nobody read; from a copy, the file stays
    as it is."""
    copy.mkdir(exist_ok=True)
    for old in copy.iterdir():
        old.unlink()
    for file in path.parent.glob(f"{path.name}*"):
        if not file.name.endswith("-shm"):
            shutil.copy(file, copy)
    connection = sqlite3.connect(copy / path.name)
    try:
        (sound,) = connection.execute("PRAGMA integrity_check").fetchone()
        if sound != "ok":
            report.broken.append(f"the file is corrupt: {sound}")
        if not connection.execute("SELECT 1 FROM sqlite_master").fetchone():
            return set(), 0  # killed before the file was made
        towns = {json.loads(text)[0] for (text,) in connection.execute("SELECT input FROM answers")}
        unread = connection.execute(
            "SELECT reply FROM replies WHERE state = 'received' AND inputs IS NOT NULL"
        )
        packed = {
            town
            for (reply,) in unread
            for town in json.loads(json.loads(reply)["choices"][0]["text"])["answers"].values()
        }
        return towns | packed, len(packed)
    finally:
        connection.close()


def main() -> None:
    """Prints the report; status 1 where something is broken."""
    parser = argparse.ArgumentParser(
        description="kills a process that asks, and counts what is asked again"
    )
    parser.add_argument("--rounds", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    report = kill(options.rounds, options.seed)
    print(report)
    if report.broken or report.repeated > report.in_flight:
        sys.exit(1)


if __name__ == "__main__":
    main()
