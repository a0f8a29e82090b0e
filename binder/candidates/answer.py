"""What candidates said and which of them won come in; an Answer that prints and says how it came
about goes out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from binder.errors import BinderError, UsageError, printable
from binder.language.extract import language_of
from binder.results import html
from binder.results.result import Result, Usage, count, plain
from binder.results.trace import Trace

LANGUAGE = {"sql": "SQL", "python": "Python"}  # as people write them
# the kind of a candidate that the language model read from the tables, without a program
DIRECT = "direct"


@dataclass(frozen=True, eq=False)
class Candidate:
    """One sampled program, or one direct answer (program None), and its fate: a result, an error,
    or neither where it was not executed because it could not change the vote. votes: how many
    samples wrote it; repaired: how often it was sent back."""

    program: str | None
    language: str
    result: Result | None = None
    error: BinderError | None = None
    votes: int = 1
    repaired: int = 0

    @property
    def values(self) -> list[Any]:
        """The cells of the result, row by row, without missing ones."""
        return (
            [value for row in self.result.rows for value in row if value is not None]
            if self.result
            else []
        )

    @property
    def texts(self) -> list[str]:
        """The same cells as a person is shown them."""
        rows = zip(self.result.rows, self.result.texts, strict=True) if self.result else ()
        return [
            text
            for row, shown in rows
            for value, text in zip(row, shown, strict=True)
            if value is not None
        ]

    @property
    def skipped(self) -> bool:
        """Whether it was not executed, for it could not change the vote."""
        return self.result is None and self.error is None

    @property
    def text(self) -> str:
        """The program, or words that stand for it."""
        return (
            self.program if self.program is not None else "(read from the table, without a program)"
        )

    @property
    def fate(self) -> str:
        """What became of it, for people."""
        if self.skipped:
            return "not executed: it could not change the vote"
        again = (
            f"sent back {'once' if self.repaired == 1 else f'{self.repaired} times'}; "
            if self.repaired
            else ""
        )
        said = (
            f"failed: {self.error}"
            if self.error is not None
            else f"-> {', '.join(self.texts)[:200] or 'nothing'}"
        )
        return again + said

    def __repr__(self) -> str:
        fate = (
            "skipped"
            if self.skipped
            else f"{self.values!r:.60}"
            if self.error is None
            else type(self.error).__name__
        )
        return f"Candidate({self.votes} votes, {self.text!r:.60} -> {fate})"


@dataclass(frozen=True, eq=False)
class Answer:
    """What was voted. confidence: the share of the votes cast that agree, or the language model's
    own belief where it was asked for that; 0 where nothing could be said. winner: the candidate
    whose values these are."""

    question: str
    values: list[Any]
    texts: list[str]
    confidence: float
    candidates: tuple[Candidate, ...]
    usage: Usage
    trace: Trace
    winner: Candidate | None = None
    keep: Callable[..., Any] | None = field(default=None, repr=False)

    def __getstate__(self) -> dict[str, Any]:
        """What a copy keeps: all but the connection, whose memory `accept` adds to."""
        return {**vars(self), "keep": None}

    def accept(self) -> None:
        """Keeps the question and the program that won in the memory of the connection, to be shown
        for questions like it."""
        if self.winner is None or self.winner.program is None:
            what = (
                "there is no answer"
                if self.winner is None
                else "the answer was read from the table, without a program"
            )
            raise UsageError(
                f"there is no program to keep: {what}", hint="give one: answer.correct(program)"
            )
        self._kept(self.winner.program, self.winner.language, self.values)

    def correct(self, program: str) -> None:
        """Keeps the question with another program, SQL or Python, in the memory; one not valid for
        the tables is refused."""
        self._kept(program, language_of(program) or "sql", [])

    def _kept(self, program: str, language: str, values: list[Any]) -> None:
        if self.keep is None:
            raise UsageError("this answer knows of no connection", hint="it comes from Binder.ask")
        self.keep(program, language, values)

    @classmethod
    def none(
        cls, question: str, candidates: Sequence[Candidate], usage: Usage, trace: Trace
    ) -> Answer:
        """No answer: nothing can be said. It has no values and no confidence."""
        return cls(question, [], [], 0.0, tuple(candidates), usage, trace)

    @property
    def program(self) -> str | None:
        """The text of the program that won; None where a direct answer won, or nothing."""
        return self.winner.program if self.winner else None

    @property
    def language(self) -> str | None:
        """The kind of candidate that won: `sql`, `python`, or `direct`, an answer that was read
        without a program."""
        return self.winner.language if self.winner else None

    @property
    def result(self) -> Result | None:
        """The result that won. That of a direct answer does not know where its values came from."""
        return self.winner.result if self.winner else None

    @property
    def summary(self) -> str:
        """In one line: which kind won, and how sure that is."""
        sampled = sum(candidate.votes for candidate in self.candidates)
        if self.winner is None:
            return f"no answer; {count(sampled, 'sample')}"
        agreed = (
            "read from the table, without a program"
            if self.program is None
            else f"by {LANGUAGE[self.winner.language]}"
        )
        return f"{agreed}; confidence {self.confidence:.0%}; {count(sampled, 'sample')}"

    @property
    def tried(self) -> list[str]:
        """What was sampled, with the votes and the fate of each."""
        margin = "\n    "
        return [
            f"{c.votes} x {margin.join([*c.text.strip().splitlines(), c.fate])}"
            for c in self.candidates
        ]

    def data(self) -> dict[str, Any]:
        """The answer as JSON data."""
        return {
            "question": self.question,
            "values": [plain(value) for value in self.values],
            "texts": self.texts,
            "confidence": round(self.confidence, 4),
            "language": self.language,
            "program": self.program,
            "candidates": [
                {
                    "program": c.program,
                    "language": c.language,
                    "votes": c.votes,
                    "values": [plain(v) for v in c.values],
                    "error": str(c.error) if c.error else None,
                    "skipped": c.skipped,
                }
                for c in self.candidates
            ],
            "errors": self.result.data()["errors"] if self.result else [],
            "usage": vars(self.usage),
        }

    def __repr__(self) -> str:
        direct = ", without a program" if self.winner is not None and self.program is None else ""
        return f"Answer({self.texts!r}, confidence={self.confidence:.2f}{direct})"

    def __str__(self) -> str:
        return printable(", ".join(self.texts)) if self.texts else "no answer"

    def _repr_html_(self) -> str:
        shown = html.code(self.program) if self.program else ""
        headline = f"<p><b>{html.text(str(self))}</b> {html.text(f'({self.summary})')}</p>"
        return (
            headline
            + shown
            + html.notes(self.trace.warnings)
            + html.details(f"{count(len(self.tried), 'candidate')}", html.notes(self.tried))
            + html.small(str(self.usage))
        )
