"""Calls: the questions to the language model that are embedded in a program, and the calls of own
functions, whose answers come from Python instead."""

from __future__ import annotations

from dataclasses import dataclass

from binder.errors import Span
from binder.language.call_kinds import CALL_KINDS
from binder.language.functions.own import Function

APPLY = "apply"  # the kind of the calls of own functions


@dataclass(frozen=True)
class Call:
    """One embedded question to the language model: `map` once per distinct input, `ans` once. Or
    the call of an own function, of the kind `apply`: then question is the function's name."""

    name: str
    kind: str
    question: str
    span: Span
    function: Function | None = None

    @property
    def per_input(self) -> bool:
        """Whether each distinct input has a value of its own; see CallKind."""
        return self.function is not None or CALL_KINDS[self.kind].per_input

    @property
    def type(self) -> str:
        """The type of its answers, where their use does not ask for another."""
        return CALL_KINDS[self.kind].type if self.function is None else self.function.returns
