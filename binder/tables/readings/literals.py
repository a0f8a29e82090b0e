"""Literals: texts in a program that are compared with a column, read as its cells are."""

from __future__ import annotations

from datetime import date, datetime, time

from binder.tables.readings import Reading, dates, numbers, times


def read_literal(
    text: str, reading: Reading, kind: str
) -> int | float | date | datetime | time | None:
    """The value of a text that is compared with a column of numbers, dates or times."""
    if kind == "date":
        return dates.read_literal(text, reading.order, reading.past)
    if kind == "time":
        return times.read_clock(text)
    if reading.kind == "duration":
        found = times.read_took(text)
        return found if found is not None else numbers.read_literal(text, ".", "seconds")
    return numbers.read_literal(text, reading.decimal, reading.unit)
