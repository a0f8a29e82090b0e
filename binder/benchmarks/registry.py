"""The benchmarks by the names that the command line knows them by: one line each."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from binder.benchmarks import Benchmark
from binder.benchmarks.tabfact import TabFact
from binder.benchmarks.wikitq import WikiTableQuestions
from binder.errors import UsageError

BENCHMARKS: dict[str, type[Benchmark]] = {"wikitq": WikiTableQuestions, "tabfact": TabFact}


def open_benchmark(
    name: str, data: str | Path | None, titles: Mapping[str, str] | None = None
) -> Benchmark:
    """A benchmark over its release. titles: of tables by name, for a release that has none."""
    if name not in BENCHMARKS:
        raise UsageError(
            f"unknown benchmark {name!r}", hint=f"available benchmarks: {', '.join(BENCHMARKS)}"
        )
    if data is None:
        raise UsageError(f"where is the release of {name}?", hint="--data its folder or zip")
    return BENCHMARKS[name](data, titles)
