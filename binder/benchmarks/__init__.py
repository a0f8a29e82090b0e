"""Benchmark, Example and Score: the interface of evaluations.

A benchmark reads its official release into Examples and turns an Example and an answer into a
Score."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from binder.benchmarks.release import Release
from binder.errors import UsageError

Verdict = Literal["right", "wrong", "not run"]


@dataclass(frozen=True)
class RawTable:
    """A table as its release holds it: text only, rows in order. title: of the page it stands on,
    where the release says."""

    name: str
    title: str | None
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


@dataclass(frozen=True)
class Example:
    """A question over one table. gold: the right values as written; canonical: how the official
    metric reads each of them."""

    id: str
    question: str
    table: RawTable
    gold: tuple[str, ...]
    canonical: tuple[str, ...]


@dataclass(frozen=True)
class Score:
    """What one metric says of one answer; "not run" means that there was no answer, which is
    neither right nor wrong."""

    verdict: Verdict
    metric: str = "official"


class Benchmark(ABC):
    """A loader and its metrics, the official one first; splits are the parts of a release that can
    be read.

    data: the release, a folder or a zip; titles: of tables by name, for a release that has none."""

    name: str
    splits: tuple[str, ...]
    metrics: tuple[str, ...] = ("official",)
    release: Release

    @abstractmethod
    def __init__(self, data: str | Path, titles: Mapping[str, str] | None = None):
        """Opens the release."""

    def examples(self, split: str) -> Iterator[Example]:
        """The examples of one split, in the order of the release; each table is read once."""
        if split not in self.splits:
            raise UsageError(
                f"unknown split {split!r} of {self.name}",
                hint=f"available splits: {', '.join(self.splits)}",
            )
        return self.read(split)

    def question(self, example: Example) -> str:
        """How an example is put to `Binder.ask`: as it is, unless a benchmark says otherwise."""
        return example.question

    def score(self, example: Example, answer: list[str] | None, metric: str = "official") -> Score:
        """Judge an answer by one of the metrics; None: the program did not run."""
        if metric not in self.metrics:
            raise UsageError(
                f"unknown metric {metric!r} of {self.name}",
                hint=f"available metrics: {', '.join(self.metrics)}",
            )
        if answer is None:
            return Score("not run", metric)
        return Score("right" if self.is_right(example, answer, metric) else "wrong", metric)

    def close(self) -> None:
        """Close the release."""
        self.release.close()

    @abstractmethod
    def read(self, split: str) -> Iterator[Example]:
        """Read the examples of a split that there is."""

    @abstractmethod
    def is_right(self, example: Example, answer: list[str], metric: str) -> bool:
        """Whether an answer is right."""


@dataclass(frozen=True)
class Tally:
    """How many answers were right, wrong and not run."""

    right: int
    wrong: int
    not_run: int

    @property
    def total(self) -> int:
        """All of them."""
        return self.right + self.wrong + self.not_run

    @property
    def accuracy(self) -> float:
        """The share that is right of all, those not run included; 0 where there are none."""
        return self.right / self.total if self.total else 0.0


def tally(scores: Iterable[Score]) -> Tally:
    """Count the verdicts."""
    verdicts = [score.verdict for score in scores]
    return Tally(verdicts.count("right"), verdicts.count("wrong"), verdicts.count("not run"))
