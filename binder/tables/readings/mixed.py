"""Mixed columns of text: how many of their cells a query can take for numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import NamedTuple

from binder.tables.readings.missing import WANTING, is_mark
from binder.tables.readings.months import MONTH

# What `number_in` of the engine reads: a number, and a word behind it that it does not mind.
NUMBER = r"^\s*[^\w.+\-(]*([+\-]?(?:(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|\.\d+)(?:[eE][+\-]?\d+)?)\s*(?:[^\d\s:/\-–—][^\d]*)?$"
# A word that changes the number cannot be left out.
SCALED = r"\d\s?(?:[kKMBGT]|[kKMGTP]i?B|mn|bn|thousand|million|billion|trillion|crore|lakh|CR|DR|Cr|Dr)s?\b|\d\s?-\s*$|\d[A-Z]\s*$|,\d{1,2}\s*$"
_WEEKDAY = "(?:mon|tues?|wed(?:nes)?|thu(?:rs)?|fri|satur|sat|sun)(?:day)?"
_PLAIN = re.compile(r"[-+−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?")
_ISO = re.compile(r"\d{4}-\d{1,2}-\d{1,2}(?![\d-])")
_CLOCK = re.compile(
    r"\d{1,2}[/.]\d{1,2}[/.]\d{2,4}.*|\d{1,2}:\d\d(?::\d\d)?(?:\s?[ap]\.?m\.?)?"
    rf"|(?:\d{{1,2}}[-\s])?(?:{MONTH}|{_WEEKDAY})\.?(?:[-\s'’]*\d{{1,4}})?",
    re.IGNORECASE,
)
_NUMBER, _SCALED = re.compile(NUMBER), re.compile(SCALED)


class Mixture(NamedTuple):
    """The rows of a text column by what they hold: plain numbers, numbers with a word, and other
    texts; marks of missing values are in none. others and parts: some of these cells; timed:
    whether most of them are like 9:30, 13/06/2020, May or Monday; dated: how many are dates as the engine reads
    them."""

    plain: int = 0
    in_part: int = 0
    other: int = 0
    others: tuple[str, ...] = ()
    parts: tuple[str, ...] = ()
    timed: bool = False
    dated: int = 0

    @property
    def rows(self) -> int:
        return self.plain + self.in_part + self.other


def mixture(counted: Iterable[tuple[str, int]]) -> Mixture:
    """What the cells of a text column are, each with its rows."""
    plain = in_part = other = 0
    clocks = dated = 0
    others: list[str] = []
    parts: list[str] = []
    for cell, rows in counted:
        text = cell.strip()
        if _PLAIN.fullmatch(text):
            plain += rows
        elif not (is_mark(cell) or WANTING.fullmatch(text)):
            if _NUMBER.match(text.replace("−", "-")) and not _SCALED.search(text):
                in_part += rows
                parts.append(cell)
            else:
                other += rows
                others.append(cell)
            clocks += rows * (_CLOCK.fullmatch(text) is not None)
            dated += rows * (_ISO.match(text) is not None)
    timed = 2 * clocks > plain + in_part + other
    return Mixture(plain, in_part, other, tuple(others[:3]), tuple(parts[:3]), timed, dated)
