"""Answers and candidates of a vote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from binder.errors import BinderError, UsageError, printable
from binder.executors.languages import LANGUAGES
from binder.language.extract import language_of
from binder.results import html
from binder.results.result import Result, Usage, count, plain
from binder.results.trace import Trace
from binder.results.web import Routed

# the kind of a candidate that the language model read from the tables, without a program
DIRECT = "direct"


@dataclass(frozen=True, eq=False)
class Candidate:
    """One sampled program, or one direct answer (program None), with its result or its error; it
    has neither if it was skipped because it could not change the vote. votes: how many samples
    wrote it; repaired: how often it was repaired."""

    program: str | None
    language: str
    result: Result | None = None
    error: BinderError | None = None
    votes: int = 1
    repaired: int = 0

    @property
    def values(self) -> list[Any]:
        """The cells of the result, row by row, without missing ones."""
        values: list[Any] = []
        for row in self.result.rows if self.result else ():
            values += [value for value in row if value is not None]
        return values

    @property
    def texts(self) -> list[str]:
        """The same cells as a person is shown them."""
        texts: list[str] = []
        if self.result is not None:
            for row, shown in zip(self.result.rows, self.result.texts, strict=True):
                cells = zip(row, shown, strict=True)
                texts += [text for value, text in cells if value is not None]
        return texts

    @property
    def skipped(self) -> bool:
        """True if it was not run because it could not change the vote."""
        return self.result is None and self.error is None

    @property
    def text(self) -> str:
        """The program, or words that stand for it."""
        if self.program is None:
            return "(answered directly from the table, no program)"
        return self.program

    @property
    def fate(self) -> str:
        """What became of it, for people."""
        if self.skipped:
            return "skipped: it could not change the vote"
        fate = f"-> {', '.join(self.texts)[:200] or 'no rows'}"
        if self.error is not None:
            fate = f"failed: {self.error}"
        if not self.repaired:
            return fate
        times = "once" if self.repaired == 1 else f"{self.repaired} times"
        return f"repaired {times}; {fate}"

    def data(self) -> dict[str, Any]:
        """The candidate as JSON data."""
        return {
            "program": self.program,
            "language": self.language,
            "votes": self.votes,
            "values": [plain(value) for value in self.values],
            "error": str(self.error) if self.error else None,
            "skipped": self.skipped,
        }

    def __repr__(self) -> str:
        fate = f"{self.values!r:.60}"
        if self.skipped:
            fate = "skipped"
        elif self.error is not None:
            fate = type(self.error).__name__
        return f"Candidate({self.votes} votes, {self.text!r:.60} -> {fate})"


@dataclass(frozen=True, eq=False)
class Answer(Routed):
    """The voted answer. confidence: the share of the votes that agree, or the model's own belief if
    Voting(belief=...) asks for it; 0 if there is no answer. winner: the winning candidate."""

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
            what = "the answer came directly from the table"
            if self.winner is None:
                what = "the question has no answer"
            raise UsageError(
                f"cannot accept the answer: {what}",
                hint="pass the right program: answer.correct(program)",
            )
        self._kept(self.winner.program, self.winner.language, self.values)

    def correct(self, program: str) -> None:
        """Keeps the question with another program, SQL or Python, in the memory; one not valid for
        the tables is refused."""
        self._kept(program, language_of(program) or "sql", [])

    def _kept(self, program: str, language: str, values: list[Any]) -> None:
        if self.keep is None:
            raise UsageError(
                "this answer has no connection, so it cannot be stored",
                hint="only answers returned by db.ask can be accepted or corrected",
            )
        self.keep(program, language, values)

    @classmethod
    def none(
        cls, question: str, candidates: Sequence[Candidate], usage: Usage, trace: Trace
    ) -> Answer:
        """An empty answer: no values, confidence 0."""
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
    def warnings(self) -> list[str]:
        """What a person should know of the answer, and of the run."""
        if self.result is not None:
            return self.result.warnings
        others = self.trace.doubts
        return [line for line in self.trace.warnings if line not in others]

    @property
    def summary(self) -> str:
        """In one line: which kind won, and how sure that is."""
        sampled = sum(candidate.votes for candidate in self.candidates)
        if self.winner is None:
            return f"no answer; {count(sampled, 'sample')}"
        how = "answered directly from the table"
        if self.program is not None:
            how = f"answered by {LANGUAGES[self.winner.language].title}"
        return f"{how}; confidence {self.confidence:.0%}; {count(sampled, 'sample')}"

    @property
    def tried(self) -> list[str]:
        """Each candidate with its votes and its outcome."""
        tried = []
        for candidate in self.candidates:
            lines = [*candidate.text.strip().splitlines(), candidate.fate]
            tried.append(f"{candidate.votes} x " + "\n    ".join(lines))
        return tried

    def data(self) -> dict[str, Any]:
        """The answer as JSON data."""
        return {
            "question": self.question,
            "values": [plain(value) for value in self.values],
            "texts": self.texts,
            "confidence": round(self.confidence, 4),
            "language": self.language,
            "program": self.program,
            "candidates": [candidate.data() for candidate in self.candidates],
            "errors": self.result.data()["errors"] if self.result else [],
            "usage": vars(self.usage),
        }

    def __repr__(self) -> str:
        direct = ", direct" if self.winner is not None and self.program is None else ""
        return f"Answer({self.texts!r}, confidence={self.confidence:.2f}{direct})"

    def __str__(self) -> str:
        return printable(", ".join(self.texts)) if self.texts else "no answer"

    def _repr_html_(self) -> str:
        shown = html.code(self.program) if self.program else ""
        headline = f"<p><b>{html.text(str(self))}</b> {html.text(f'({self.summary})')}</p>"
        candidates = html.details(count(len(self.tried), "candidate"), html.notes(self.tried))
        warnings = html.notes(self.warnings)
        return headline + shown + warnings + candidates + html.small(str(self.usage))
