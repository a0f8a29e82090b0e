"""Evidence: all that speaks for one reading of a column or another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from binder.tables.cells import fold
from binder.tables.readings.missing import WANTING, is_mark

SHARE = 0.9  # of the cells that say anything must agree
_WORDS = 0.75  # are enough where the others have no digit: "Playoff" among numbers
_ROWS = 0.5  # are enough then, for one such word may stand in many rows: "Incumbent"


@dataclass(frozen=True)
class FileEvidence:
    """What a file says of all of its columns. None: it does not say.

    decimal: the mark in front of the fractions, "." or ",". sure: whether some column proves that
    mark. order: of day, month and year in dates, such as "dmy"."""

    decimal: str | None = None
    sure: bool = False
    order: str | None = None


@dataclass(frozen=True)
class Said:
    """What the user says of a column: a kind, and how it is written."""

    kind: str
    detail: str = ""


@dataclass(frozen=True)
class Evidence:
    """One column of text. counts: distinct cell -> its rows; last: the cell of the last row, which
    may be a total."""

    header: str
    counts: Mapping[str, int]
    last: str | None = None
    file: FileEvidence = field(default_factory=FileEvidence)
    said: Said | None = None

    @cached_property
    def told(self) -> list[str]:
        """The cells that speak for or against a reading."""
        headings = {
            fold(line) for line in (self.header, *self.header.split("\n")) if line[:1].isalpha()
        }
        return [
            cell
            for cell in self.counts
            if not is_mark(cell)
            and not WANTING.fullmatch(cell.strip())
            and not _repeats(cell, self.header, headings)
        ]

    @cached_property
    def rows(self) -> int:
        """How many rows have a cell that speaks."""
        return self.rows_of(self.told)

    def rows_of(self, cells: Iterable[str]) -> int:
        """How many rows have one of some cells."""
        return sum(self.counts[cell] for cell in cells)

    def says(self, words: re.Pattern[str]) -> bool:
        """Whether the header has one of some words."""
        return words.search(self.header.replace("_", " ")) is not None

    def enough(self, found: Mapping[str, Any]) -> bool:
        """Whether the cells that are read are so many that the others are exceptions, as rows and
        as distinct cells. The last row may be one for nothing (a total)."""
        odd = [cell for cell in self.told if cell not in found]
        footer = self.last in odd and len(found) >= (
            3 if any(map(str.isdigit, self.last or "")) else 2
        )
        words = [cell for cell in odd if not any(map(str.isdigit, cell))]
        distinct = _exceptional(len(found), len(self.told), len(words), footer, _WORDS)
        rows = _exceptional(self.rows_of(found), self.rows, self.rows_of(words), footer, _ROWS)
        return distinct and rows


def _exceptional(found: int, told: int, words: int, footer: bool, least: float) -> bool:
    return found >= SHARE * (told - max(words, footer)) and found >= least * (told - footer)


def _repeats(cell: str, header: str, headings: set[str]) -> bool:
    """Whether a cell is the header, or a line of it, once more, as in a long table."""
    return len(cell) <= len(header) and cell[:1].isalpha() and fold(cell) in headings


@dataclass
class Conversion:
    """What one kind of reading makes of a column.

    values: the cells that it reads. in_part: those of them that say more than their value ("5–6" is
    5). guesses: what nothing decided; note: why the cells are text."""

    kind: str
    type: str
    values: dict[str, Any]
    unit: str | None = None
    in_part: set[str] = field(default_factory=set)
    guesses: list[str] = field(default_factory=list)
    decimal: str = "."
    order: str | None = None
    note: str | None = None
    past: bool = False
