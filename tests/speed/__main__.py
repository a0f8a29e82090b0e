"""Systems side by side on one local language model: nothing comes in; a table of what each asked
and took goes to docs/speed.md.

Each system runs in processes of its own, BlendSQL and LOTUS in environments of their own, which are
made here and left out with a message where they cannot be."""

from __future__ import annotations

import argparse
import json
import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.speed import loading, overhead, packing, throughput
from tests.speed.lm import Count, serving
from tests.speed.workloads import CONCURRENCY, WORKLOADS, Workload

ROOT = Path(__file__).parents[2]
HERE, PAGE, ENVIRONMENTS = Path(__file__).parent, ROOT / "docs" / "speed.md", ROOT / ".venv-speed"
LATENCY = 0.2  # seconds a request
PATIENCE = 300  # seconds of one run
# polars: later ones join in another order, which BlendSQL 0.1 relies on; with them its answers are
# in other rows.
PEERS = {"blendsql": ["blendsql", "polars<1.42"], "lotus": ["lotus-ai"]}
NOT_RUN = {("lotus", "million"): "1,000,000 requests", ("original", "million"): "20,000 requests"}
NAMES = {
    "blendsql": "BlendSQL",
    "lotus": "LOTUS",
    "original": "the original's plan",
    "duckdb": "DuckDB alone",
}


@dataclass(frozen=True)
class Line:
    """What one system needed for one workload; seconds, megabytes in all and more than before.
    problem: why there is nothing to tell."""

    count: Count
    seconds: float = 0.0
    memory: float = 0.0
    added: float = 0.0
    right: bool = False
    problem: str = ""

    def cells(self, latency: float) -> list[str]:
        """The line as it is shown."""
        if self.problem:
            return [self.problem, *[""] * 7]
        ideal = -(-self.count.requests // CONCURRENCY) * latency
        return [
            f"{self.count.questions:,}",
            f"{self.count.requests:,}",
            f"{self.count.tokens:,}",
            f"{self.seconds:.3f}",
            f"{self.seconds / ideal:.2f}" if ideal else "",
            f"{self.memory:,.0f}",
            f"{self.added:,.0f}",
            "right" if self.right else "**wrong**",
        ]


def environment(name: str) -> Path | None:
    """The Python of a peer's environment, made where it is missing; None where that fails."""
    folder = ENVIRONMENTS / name
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    done = folder / "ready"
    if done.exists():
        return python
    uv = shutil.which("uv")
    make = (
        [uv, "venv", "--clear", str(folder)]
        if uv
        else [sys.executable, "-m", "venv", "--clear", str(folder)]
    )
    install = (
        [uv, "pip", "install", "-q", "--python", str(python)]
        if uv
        else [str(python), "-m", "pip", "install", "-q"]
    )
    print(f"installing {name} ...", flush=True)
    for command in (make, [*install, *PEERS[name]]):
        made = subprocess.run(command, capture_output=True, text=True)
        if made.returncode:
            print(
                f"{name} is left out, it cannot be installed: {(made.stderr.strip().splitlines() or ['no reason'])[-1]}"
            )
            return None
    done.touch()
    return python


def version(python: Path, name: str) -> str:
    """The version of a package in an environment."""
    code = f"import importlib.metadata as m; print(m.version({name!r}))"
    return (
        subprocess.run([python, "-c", code], capture_output=True, text=True).stdout.strip() or "?"
    )


def measure(system: str, python: Path, name: str) -> Line:
    """Runs one workload in a process of its own."""
    latency = LATENCY if WORKLOADS[name].latency else 0.0
    variables = {**os.environ, "PYTHONPATH": str(ROOT), "TOKENIZERS_PARALLELISM": "false"}
    with serving(latency) as (server, knowing), serving() as (warm, _):
        command = [python, HERE / f"run_{system}.py", name, server.url, warm.url]
        try:
            run = subprocess.run(
                command, capture_output=True, text=True, timeout=PATIENCE, env=variables, cwd=HERE
            )
        except subprocess.TimeoutExpired:
            return Line(knowing.count, problem=f"more than {PATIENCE} s")
        if run.returncode:
            return Line(
                knowing.count, problem=(run.stderr.strip().splitlines() or ["failed"])[-1][:80]
            )
        told = json.loads(run.stdout.strip().splitlines()[-1])
        return Line(knowing.count, told["seconds"], told["memory"], told["added"], told["right"])


def compared(
    pythons: dict[str, Path], names: list[str]
) -> Iterator[tuple[str, Workload, dict[str, Line]]]:
    """Each workload with the line of each system."""
    for name in names:
        systems = ["binder"] if WORKLOADS[name].again else list(pythons)
        systems += ["duckdb"] if WORKLOADS[name].plain else []
        lines = {}
        for system in systems:
            skipped = NOT_RUN.get((system, name))
            line = (
                Line(Count(), problem=skipped)
                if skipped
                else measure(system, pythons.get(system, Path(sys.executable)), name)
            )
            lines[system] = line
            print(
                f"{name:8} {system:9}",
                *line.cells(LATENCY if WORKLOADS[name].latency else 0.0),
                flush=True,
            )
        yield name, WORKLOADS[name], lines


def table(header: list[str], rows: list[list[str]]) -> str:
    """A table in Markdown."""
    return "\n".join(
        "| " + " | ".join(row) + " |" for row in [header, ["---"] * len(header), *rows]
    )


def page(pythons: dict[str, Path], names: list[str]) -> str:
    """The whole page."""
    rows = []
    for _, workload, lines in compared(pythons, names):
        latency = LATENCY if workload.latency else 0.0
        titles = [workload.title, *[""] * len(lines)]
        rows += [
            [title, NAMES.get(s, s), *line.cells(latency)]
            for title, (s, line) in zip(titles, lines.items(), strict=False)
        ]
    versions = {
        system: version(pythons[system], PEERS[system][0]) for system in PEERS if system in pythons
    }
    versions |= {name: version(Path(sys.executable), name) for name in ("duckdb", "openai")}
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 2**30
    header = [
        "workload",
        "system",
        "questions",
        "requests",
        "tokens",
        "seconds",
        "of ideal",
        "MB",
        "more",
        "rows",
    ]
    return (
        (HERE / "page.md")
        .read_text(encoding="utf-8")
        .format(
            date=datetime.now(UTC).date(),
            python=platform.python_version(),
            versions=", ".join(f"{name} {number}" for name, number in versions.items()),
            machine=f"{os.cpu_count()} cores, {memory:.0f} GB",
            latency=LATENCY,
            concurrency=CONCURRENCY,
            compared=table(header, rows),
            packing=table(*packing.measured()),
            throughput=table(*throughput.measured()),
            loading=table(*loading.measured()),
            overhead=table(*overhead.measured()),
            profile=table(*overhead.profiled()),
        )
    )


def main() -> None:
    """Measures and writes the page."""
    parser = argparse.ArgumentParser(
        description="measures binder, BlendSQL, LOTUS and the original's plan side by side"
    )
    parser.add_argument(
        "--only", nargs="*", default=list(WORKLOADS), choices=list(WORKLOADS), help="workloads"
    )
    parser.add_argument(
        "--systems", nargs="*", default=["binder", "blendsql", "lotus", "original"], help="systems"
    )
    options = parser.parse_args()
    pythons: dict[str, Path] = {}
    for system in options.systems:
        python: Any = environment(system) if system in PEERS else Path(sys.executable)
        if python is not None:
            pythons[system] = python
    text = page(pythons, options.only)
    PAGE.write_text(text, encoding="utf-8")
    print(f"written: {PAGE.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
