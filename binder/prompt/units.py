"""The unit of a call: numbers that a model replies with a unit are all told in one."""

from __future__ import annotations

import re

from binder.tables.numbers import measure
from binder.tables.readings.units import SCALES, convert, dimension, kind_of


class CallUnit:
    """The unit in which the answers of one call are numbers: the one that its question names, else
    that of the first reply with a unit. named: whether the question says it."""

    def __init__(self, question: str):
        self.unit = _named(question)
        self.named = self.unit is not None

    def number(self, text: str) -> int | float | None:
        """The number of a reply in the unit of the call; None where it is none, or measures another
        thing."""
        found = measure(text)
        if found is None or not found.known:
            return None
        if not measures(text):
            return found.number
        if self.unit is None:
            self.unit = found.unit
        if dimension(found.unit) != dimension(self.unit):
            return None
        return convert(found.number, found.unit, self.unit)


def measures(text: str) -> bool:
    """Whether a text is a number with a unit of which there are several sizes."""
    found = measure(text)
    return found is not None and kind_of(found.unit) in SCALES


def _named(question: str) -> str | None:
    """The one unit that a question names behind the word `in`, or in parentheses."""
    said = re.findall(r"(?:\bin\s+|\()([^\s(),?]+)", question)
    units = [word for word in said if kind_of(word) in SCALES]
    return units[0] if len({kind_of(unit) for unit in units}) == 1 else None
