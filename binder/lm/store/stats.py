"""Counts of what a store holds, written down for people. No file is touched here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime


@dataclass(frozen=True)
class Stats:
    """What a store holds. unanswered: requests that were sent and whose reply never came; models:
    (model, endpoint, answers)."""

    path: str | None
    bytes: int
    answers: int
    replies: int
    unanswered: int
    prompt_tokens: int
    completion_tokens: int
    cost: float
    models: tuple[tuple[str, str, int], ...]
    oldest: float | None
    newest: float | None
    problem: str | None

    def __str__(self) -> str:
        """The same for people."""
        lines = [
            f"{self.path or 'memory'}  {self.bytes / 1e6:,.1f} MB",
            f"answers   {self.answers:,}",
        ]
        for model, endpoint, count in self.models:
            lines.append(f"  {count:>9,}  {model}{'  ' + endpoint if endpoint else ''}")
        paid = f"{self.prompt_tokens:,} + {self.completion_tokens:,} tokens"
        if self.cost:
            paid += f", ${self.cost:.4f}"
        lost = f"; {self.unanswered:,} never came" if self.unanswered else ""
        lines.append(f"replies   {self.replies:,}  ({paid}){lost}")
        if self.oldest is not None and self.newest is not None:
            lines.append(f"made      {moment(self.oldest)} to {moment(self.newest)}")
        return "\n".join(lines + ([self.problem] if self.problem else []))


def moment(seconds: float) -> str:
    """A time for people, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(" ", "seconds")
