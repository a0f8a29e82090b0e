"""Outcomes of a condition in SQL's three-valued logic, and what of a value can matter."""

from __future__ import annotations

from enum import Enum, Flag


class Outcome(Flag):
    """A set of the outcomes that a condition can have: WHERE keeps a row only if it is true."""

    TRUE = 1
    FALSE = 2
    NULL = 4
    NOT_NULL = TRUE | FALSE
    NOT_FALSE = TRUE | NULL
    NOT_TRUE = FALSE | NULL
    ANY = TRUE | FALSE | NULL

    @property
    def negated(self) -> Outcome:
        """The outcomes of a condition where NOT of it has these."""
        swapped = self & Outcome.NULL
        if Outcome.TRUE in self:
            swapped |= Outcome.FALSE
        if Outcome.FALSE in self:
            swapped |= Outcome.TRUE
        return swapped


class Matters(Enum):
    """What an expression reads of one of its parts: only whether it is true, only whether it is
    false, or its value."""

    TRUTH = "true"
    FALSITY = "false"
    VALUE = "value"

    @property
    def negated(self) -> Matters:
        """What matters of a condition where this matters of NOT of it."""
        return _NEGATED[self]


_NEGATED = {
    Matters.TRUTH: Matters.FALSITY,
    Matters.FALSITY: Matters.TRUTH,
    Matters.VALUE: Matters.VALUE,
}
