"""Readings: how the text of a column is understood.

A column has one reading that explains all of its cells, or what it leaves out is told. The evidence,
in this order: what the user says, the header, the file and its other columns, the cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from binder.tables.cells import clean
from binder.tables.readings import dates, decimals, missing, numbers, times, truth
from binder.tables.readings.evidence import Conversion, Evidence, FileEvidence
from binder.tables.readings.footnotes import without_footnotes

EXAMPLES = 3


class Told(NamedTuple):
    """Cells that are told of: how many rows have them, and the most frequent ones."""

    rows: int = 0
    examples: tuple[str, ...] = ()

    def __str__(self) -> str:
        more = ", ..." if self.rows > len(self.examples) else ""
        return ", ".join(map(repr, self.examples)) + more


@dataclass(frozen=True)
class Reading:
    """How a column is read.

    kind: number, date, time, duration, truth, identifier or text. cells: how many rows have one that
    is not missing. left_out: those that have no value; in_part: those that say more than their value.
    guesses: what nothing decided. order: of day, month and year, or the user's format. note: why
    cells that look like numbers are text. past: whether dates with two digits for the year are not
    still to come."""

    kind: str
    type: str
    cells: int = 0
    unit: str | None = None
    decimal: str = "."
    order: str | None = None
    left_out: Told = Told()
    in_part: Told = Told()
    guesses: tuple[str, ...] = ()
    note: str | None = None
    past: bool = False

    def troubles(self, name: str, user: str = "") -> list[str]:
        """What must be told where the values of the column are computed with. user: by what, such
        as SUM."""
        subject = f"{user} of {name}" if user else name
        told = []
        for verb, cells, how in (
            ("left out", self.left_out, ""),
            ("read", self.in_part, " in part"),
        ):
            if cells.rows:
                told.append(
                    f"{subject} {verb} {cells.rows:,} of {self.cells:,} cells{how}: {cells}"
                )
        return told + [f"{name}: {guess}" for guess in self.guesses]

    def __str__(self) -> str:
        told = []
        if self.left_out.rows:
            told.append(f"{self.left_out.rows:,} of {self.cells:,} cells left out: {self.left_out}")
        if self.in_part.rows:
            told.append(
                f"{self.in_part.rows:,} of {self.cells:,} cells read in part: {self.in_part}"
            )
        told += [*self.guesses, *([self.note] if self.note else [])]
        unit = f" in {self.unit}" if self.unit else ""
        comma = ", decimal comma" if self.decimal == "," and self.kind == "number" else ""
        order = f", {self.order}" if self.order else ""
        return "; ".join([f"{self.kind}{unit}{comma}{order}", *told])


class ReadColumn(NamedTuple):
    """A column as read: values and texts stand one for each cell; texts are the cells themselves,
    None where missing."""

    reading: Reading
    values: list[Any]
    texts: list[str | None]


_RULES: tuple[Callable[[Evidence], Conversion | None], ...] = (
    truth.read_truth,
    dates.compact_dates,
    numbers.read_numbers,
    dates.read_dates,
    times.read_times,
)
_SAID: dict[str, Callable[[Evidence], Conversion | None]] = {
    "number": numbers.read_numbers,
    "date": dates.read_dates,
    "time": times.read_clocks,
    "duration": times.read_times,
    "truth": truth.read_truth,
}
_PROBE = 1000  # cells that are tried first where there are many more


def read(evidence: Evidence) -> ReadColumn:
    """The reading of a column and the value of each of its distinct cells."""
    found = _found(evidence)
    if found is None or found.type == "VARCHAR":
        return as_text(evidence, found)
    cells = list(evidence.counts)
    texts = [None if missing.is_mark(cell) else cell for cell in cells]
    values = [found.values.get(cell) for cell in cells]
    present = {cell for cell in texts if cell is not None}
    reading = Reading(
        found.kind,
        found.type,
        evidence.rows_of(present),
        found.unit,
        found.decimal,
        found.order,
        _told(evidence, {cell for cell in present if found.values.get(cell) is None}),
        _told(evidence, found.in_part),
        tuple(dict.fromkeys(found.guesses)),
        past=found.past,
    )
    return ReadColumn(reading, values, texts)


def _found(evidence: Evidence) -> Conversion | None:
    """What the first rule that fits makes of a column; what the user says goes before all rules."""
    said = evidence.said
    if said is not None:
        if said.kind == "text":
            return None
        if said.kind == "date" and "%" in said.detail:
            return dates.in_format(evidence, said.detail)
        return _SAID[said.kind](evidence) or Conversion(said.kind, "VARCHAR", {})
    some = _some(evidence)
    for rule in _RULES if evidence.told else ():
        if some is not None and rule(some) is None:
            continue
        if (found := rule(evidence)) is not None:
            return found
    return None


def _some(evidence: Evidence) -> Evidence | None:
    """Some cells of a column that has very many."""
    step = len(evidence.told) // _PROBE + 1
    if step <= 2:
        return None
    counts = {cell: evidence.counts[cell] for cell in evidence.told[::step]}
    return Evidence(evidence.header, counts, evidence.last, evidence.file)


def as_text(evidence: Evidence, found: Conversion | None = None) -> ReadColumn:
    """A column as text: footnotes cut off, marks of missing values found."""
    cells = list(evidence.counts)
    gone = missing.missing_in_text(cells, evidence.header)
    texts = [None if cell in gone else cell for cell in cells]
    bare = without_footnotes([cell for cell in texts if cell is not None])
    values = [None if text is None else bare[text] for text in texts]
    rows = evidence.rows_of([cell for cell in texts if cell is not None])
    kind = found.kind if found is not None and found.kind == "identifier" else "text"
    note = found.note if found is not None and kind == "text" else None
    return ReadColumn(Reading(kind, "VARCHAR", rows, note=note), values, texts)


def _told(evidence: Evidence, cells: set[str]) -> Told:
    known = {cell: rows for cell, rows in evidence.counts.items() if cell in cells}
    often = sorted(known, key=lambda cell: -known[cell])[:EXAMPLES]
    return Told(sum(known.values()), tuple(clean(cell)[:40] for cell in often))


def _marks(columns: Iterable[list[str]]) -> tuple[int, int, int]:
    """How many columns have a decimal comma, how many a point, and how many group by commas."""
    commas = points = grouped = 0
    for cells in columns:
        with_comma, with_point, numbers_with_comma = decimals.decimal_votes(cells)
        commas += with_comma > 0 and not with_point
        points += with_point > 0 and not with_comma
        grouped += numbers_with_comma > with_comma
    return commas, points, grouped


def of_file(columns: Sequence[tuple[str, Iterable[str]]], delimiter: str | None) -> FileEvidence:
    """What a file says of all of its columns: (header, distinct cells) each."""
    listed = [(header, list(cells)) for header, cells in columns]
    commas, points, grouped = _marks(cells for _, cells in listed)
    order = dates.votes(listed)
    if commas and (
        delimiter == ";" or not points and (delimiter == "\t" or delimiter and not grouped)
    ):
        return FileEvidence(",", True, order)
    if delimiter == ";" and not points:
        return FileEvidence(",", False, order)
    return FileEvidence("." if points and not commas else None, points > 0, order)
