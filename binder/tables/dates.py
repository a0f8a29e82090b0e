"""Dates, months and durations in cells."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from binder.tables.cells import clean, lead, one_line
from binder.tables.patterns import (
    CLOCK,
    DATES,
    MONTH_NAMES,
    MONTHS,
    RECORD_MARK,
    SLASHED,
    SPAN_JOINT,
    SPANS,
    SPELT_DURATION,
    WEEKDAY,
    YEAR,
)

LONGEST = 60  # characters of a date
_MONTH_NUMBERS = {name[:3]: number for number, name in enumerate(MONTH_NAMES, 1)}


def read_date(text: str, day_first: bool | None = None) -> date | datetime | None:
    """The full date in a text, with its time where there is one (UTC where it names a zone); None
    for partial dates.

    1/2/2003 is January 2 unless day_first; without a word on it, 13/2/2003 is read the only way it
    can be."""
    if len(text) > LONGEST or not any(c.isdigit() for c in text):
        return None
    text = one_line(text)
    if text[0].isalpha():
        text = WEEKDAY.sub("", text, count=1)
    for pattern in DATES:
        found = pattern.fullmatch(text)
        if found is not None:
            return _moment(found, _month(found["m"]), int(found["d"]))
    found = SLASHED.fullmatch(text)
    return _slashed(found, day_first) if found is not None else None


def _slashed(found: re.Match[str], day_first: bool | None) -> date | datetime | None:
    """A date of two numbers and a year."""
    first, second = int(found["a"]), int(found["b"])
    if day_first is None:
        day_first = first > 12
    return _moment(found, second, first) if day_first else _moment(found, first, second)


def _month(text: str) -> int:
    """The number of a month that is written in digits or as a word."""
    return int(text) if text[0].isdigit() else _MONTH_NUMBERS[text[:3].lower()]


def _moment(found: re.Match[str], month: int, day: int) -> date | datetime | None:
    """The date or timestamp of a match, or None where the calendar has no such day."""
    year = int(found["y"])
    if len(found["y"]) == 2:
        year += 1900 if year >= 69 else 2000  # as in POSIX
    try:
        if found["H"] is None:
            return date(year, month, day)
        hour = _hour(int(found["H"]), found["half"])
        if hour is None:
            return None
        microsecond = int(float(found["F"] or 0) * 1e6 + 0.5)
        minute, second = int(found["M"]), int(found["S"] or 0)
        moment = datetime(year, month, day, hour, minute, second, microsecond)
        return moment - _offset(found["zone"])
    except (ValueError, OverflowError):  # no such day, hour, or year
        return None


def _hour(hour: int, half: str | None) -> int | None:
    """The hour of a day; half: `a` or `p` of a clock with twelve hours."""
    if not half:
        return hour
    if not 1 <= hour <= 12:
        return None
    return hour % 12 + (12 if half in "pP" else 0)


def _offset(zone: str | None) -> timedelta:
    """How far a zone such as +02:00 is ahead of UTC."""
    if not zone or zone[0] not in "+-":
        return timedelta()
    ahead = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return ahead if zone[0] == "+" else -ahead


def read_month(text: str) -> date | None:
    """The first day of a month: "March 1984", "1984 Mar"."""
    if len(text) > LONGEST:
        return None
    text = one_line(text)
    for pattern in MONTHS:
        found = pattern.fullmatch(text)
        if found is not None and int(found["y"]):
            return date(int(found["y"]), _month(found["m"]), 1)
    return None


def read_first_day(text: str, day_first: bool | None = None) -> date | datetime | None:
    """The date that a text begins with: of a month or a span its first day, of a bare year January
    1; remarks do not count."""
    head = lead(text)
    for spelling in _beginnings(head):
        day = read_date(spelling, day_first) or read_month(spelling)
        if day is not None:
            return day
    return date(int(head), 1, 1) if YEAR.fullmatch(head) else None


def _beginnings(text: str) -> Iterator[str]:
    """The text, and what is left of it where it is a span of days."""
    yield text
    for pattern in SPANS:
        yield pattern.sub("", text)
    yield SPAN_JOINT.split(text)[0]


def read_duration(text: str) -> float | None:
    """Seconds, for "1:46.30", "2:03:04" (hours), "1:02:03:04" (days), "3m 37s"; the column decides
    whether "4:30" is a clock."""
    text = RECORD_MARK.sub("", clean(text)).strip("* ")
    found = CLOCK.fullmatch(text) or _spelt(text)
    if found is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    # Only the first part may be larger than the next unit: "90:00" is an hour and a half.
    if seconds >= 60 or (found["hours"] and minutes >= 60) or (found["days"] and hours >= 24):
        return None
    return round(days * 86400 + hours * 3600 + minutes * 60 + seconds, 6)


def _spelt(text: str) -> re.Match[str] | None:
    """A duration in words that has two units or more: "5 m" alone may be metres."""
    found = SPELT_DURATION.fullmatch(text) if text[:1].isdigit() else None
    if found is None or sum(map(bool, found.groups())) < 2:
        return None
    return found
