"""The reading of a column: its type, its unit, and the value of each cell.

A column is text unless nine in ten of the cells that say something, or three in four where the rest
are mere words, agree on something better. readings.py has the kinds of columns."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from binder.tables.cells import clean, fold, is_missing
from binder.tables.patterns import NOTHING, WANTING
from binder.tables.readings import Evidence, Interpretation, booleans, dates, durations, numbers

KINDS = (booleans, numbers, dates, durations)  # in the order in which they are tried
_PROBE = 1000  # cells that are tried first where there are many more


class Reading(NamedTuple):
    """A column as read: values and texts stand one for each cell; texts are the cells themselves,
    None where missing."""

    type: str
    unit: str | None
    values: list[Any]
    texts: list[str | None]


def read_column(cells: Sequence[str], header: str = "", last: str | None = None) -> Reading:
    """The type and the values of a column of distinct cells; last is the cell of the last row,
    which may be a total."""
    evidence = Evidence(_telling(cells, header), header, last)
    found = _read(evidence) if evidence.told else None
    if found is None:
        texts = [None if is_missing(c) else c for c in cells]
        return Reading("VARCHAR", None, [None if t is None else clean(t) for t in texts], texts)
    texts = [None if is_missing(c) or NOTHING.fullmatch(c.strip()) else c for c in cells]
    return Reading(found.type, found.unit, [found.values.get(c) for c in cells], texts)


def _read(evidence: Evidence) -> Interpretation | None:
    """The first kind that the cells are of; None for text."""
    step = len(evidence.told) // _PROBE + 1
    for kind in KINDS:
        # Of many cells a sample is read first: most kinds are ruled out by it.
        if step > 2 and kind(evidence._replace(told=evidence.told[::step])) is None:
            continue
        found = kind(evidence)
        if found is not None:
            return found
    return None


def _telling(cells: Sequence[str], header: str) -> list[str]:
    """The cells that are evidence: neither missing, nor a word for what is wanting, nor the header
    once more, as in a long table."""
    lines = (header, *header.split("\n"))
    headings = {fold(line) for line in lines if line[:1].isalpha()}

    def is_heading(cell: str) -> bool:
        return len(cell) <= len(header) and cell[:1].isalpha() and fold(cell) in headings

    return [
        cell
        for cell in cells
        if not (is_missing(cell) or WANTING.fullmatch(cell.strip()) or is_heading(cell))
    ]
