"""Calls: the questions to the language model that are embedded in a program."""

from __future__ import annotations

from dataclasses import dataclass

from binder.errors import Span
from binder.language.call_kinds import CALL_KINDS


@dataclass(frozen=True)
class Call:
    """One embedded question to the language model: `map` once per distinct input, `ans` once."""

    name: str
    kind: str
    question: str
    span: Span

    @property
    def per_input(self) -> bool:
        """Whether each distinct input has a value of its own; see CallKind."""
        return CALL_KINDS[self.kind].per_input
