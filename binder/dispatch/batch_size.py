"""How many inputs a request may hold, learnt from the requests that were too large."""

from __future__ import annotations

from dataclasses import dataclass, field

from binder.lm import Request

SHORT = 4_000  # characters that fit into the context of any model in use
STREAK = 3  # requests in a row that were too large, before all get smaller


@dataclass
class BatchSize:
    """How many inputs a request may hold: fewer once several requests in a row, of all that run,
    were too large.

    through: the characters of the longest request that is known not to be too long.
    """

    rows: int
    worked: list[int] = field(default_factory=list)
    through: int = SHORT

    def too_large(self, asked: int, worked: int, request: Request) -> None:
        """Notes that a request was too large; `worked` of its inputs would have been right."""
        self.through = min(self.through, length(request) - 1)
        # Fewer inputs than a full request has: one of them is large, not their number.
        if asked <= self.rows // 2:
            return
        self.worked.append(max(1, worked))
        if len(self.worked) >= STREAK:
            self.rows = min(self.rows, max(self.worked))
            self.worked.clear()

    def right(self, asked: int, request: Request) -> None:
        """Notes that a request was not too large."""
        self.through = max(self.through, length(request))
        if asked > self.rows // 2:
            self.worked.clear()

    def doubts(self, request: Request) -> bool:
        """Whether it is hard to believe that a request is too long; endpoints say so for other
        reasons too."""
        return length(request) <= self.through


def length(request: Request) -> int:
    """The characters of the messages of a request."""
    return sum(len(message.content) for message in request.messages)
