"""Candidates come in; a vote over their normalised rows makes the Answer: values, confidence, and how it came about."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from binder import html
from binder.errors import BinderError
from binder.result import Result, Usage, plain
from binder.trace import Trace
from binder.values import fold


@dataclass(frozen=True, eq=False)
class Candidate:
    """One sampled program and its fate: a result or an error. votes: how many samples wrote it."""

    program: str
    language: str
    result: Result | None = None
    error: BinderError | None = None
    votes: int = 1

    @property
    def values(self) -> list[Any]:
        """The cells of the result, row by row, without missing ones."""
        return [value for row in self.result.rows for value in row if value is not None] if self.result else []

    @property
    def texts(self) -> list[str]:
        """The same cells as a person is shown them."""
        rows = zip(self.result.rows, self.result.texts, strict=True) if self.result else ()
        return [text for row, shown in rows for value, text in zip(row, shown, strict=True) if value is not None]

    def __repr__(self) -> str:
        fate = f"{self.values!r:.60}" if self.error is None else type(self.error).__name__
        return f"Candidate({self.votes} votes, {self.program!r:.60} -> {fate})"


@dataclass(frozen=True, eq=False)
class Answer:
    """What was voted. confidence: the share of all votes that agree, 0 where nothing could be said."""

    question: str
    values: list[Any]
    texts: list[str]
    confidence: float
    candidates: tuple[Candidate, ...]
    usage: Usage
    trace: Trace

    @property
    def winner(self) -> Candidate | None:
        """The candidate whose values these are."""
        key = agreement(self.values)
        return next((c for c in self.candidates if self.values and agreement(c.values) == key), None)

    @property
    def program(self) -> str | None:
        """The text of the program that won."""
        return self.winner.program if self.winner else None

    @property
    def result(self) -> Result | None:
        """The result of the program that won."""
        return self.winner.result if self.winner else None

    def data(self) -> dict[str, Any]:
        """The answer as JSON data."""
        return {
            "question": self.question,
            "values": [plain(value) for value in self.values],
            "texts": self.texts,
            "confidence": round(self.confidence, 4),
            "program": self.program,
            "candidates": [
                {
                    "program": c.program,
                    "language": c.language,
                    "votes": c.votes,
                    "values": [plain(v) for v in c.values],
                    "error": str(c.error) if c.error else None,
                }
                for c in self.candidates
            ],
            "errors": self.result.data()["errors"] if self.result else [],
            "usage": vars(self.usage),
        }

    def __repr__(self) -> str:
        return f"Answer({self.texts!r}, confidence={self.confidence:.2f})"

    def __str__(self) -> str:
        return ", ".join(self.texts) if self.texts else "no answer"

    def _repr_html_(self) -> str:
        tried = [
            f"{c.votes} x {c.program}  ->  {', '.join(c.texts)[:200] if c.error is None else c.error}" for c in self.candidates
        ]
        shown = html.code(self.program) if self.program else ""
        headline = f"<p><b>{html.text(str(self))}</b> {html.text(f'(confidence {self.confidence:.0%})')}</p>"
        return (
            headline + shown + html.details(f"{len(self.candidates)} candidates", html.notes(tried)) + html.small(str(self.usage))
        )


def vote(question: str, candidates: Sequence[Candidate], usage: Usage, trace: Trace) -> Answer:
    """The values that most votes agree on; of equals the first. Errors and empty results have no say, but count against
    confidence.
    """
    votes: dict[tuple[Any, ...], int] = {}
    for candidate in candidates:
        if candidate.values:
            votes[agreement(candidate.values)] = votes.get(agreement(candidate.values), 0) + candidate.votes
    total = sum(candidate.votes for candidate in candidates)
    best = max(votes, key=lambda key: votes[key], default=None)
    winner = next((c for c in candidates if c.values and agreement(c.values) == best), None)
    confidence = votes[best] / total if best is not None and total else 0.0
    trace.add(
        "voted",
        values=[plain(v) for v in winner.values] if winner else [],
        votes=[[list(map(str, k)), v] for k, v in votes.items()],
    )
    if winner is None:
        return Answer(question, [], [], 0.0, tuple(candidates), usage, trace)
    return Answer(question, winner.values, winner.texts, confidence, tuple(candidates), usage, trace)


def agreement(values: Sequence[Any]) -> tuple[Any, ...]:
    """What two equal answers share: numbers by value, texts without case and accents, order ignored."""
    return tuple(sorted((_normal(value) for value in values), key=repr))


def _normal(value: Any) -> Any:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime.datetime):
        return value.isoformat().removesuffix("T00:00:00")
    if isinstance(value, datetime.date):
        return value.isoformat()
    try:
        return round(float(value), 6)
    except (TypeError, ValueError):
        return fold(str(value))
