"""The kinds of columns: for each kind a function that reads a column's cells as it, or finds that
they are not of it.

Each takes the Evidence of a column and gives an Interpretation, or None. infer.py asks them in
turn. What a single cell says is read in numbers.py and dates.py; here it is weighed over the whole
column."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, time
from typing import Any, NamedTuple

from binder.tables.cells import lead, range_start
from binder.tables.dates import read_date, read_duration, read_first_day, read_month
from binder.tables.numbers import TIE, UNITS, Measure, measure
from binder.tables.patterns import (
    CODE_HEADER,
    DATE_REMARK,
    DECIMAL_COMMA,
    LEADING_ZERO,
    LENGTH_HEADER,
    OUT_OF,
    REMARKED,
    TIMING_HEADER,
    TWICE,
    UNIT_WORD,
)

SHARE = 0.9  # of the cells that say anything must agree
_WORDS = 0.75  # are enough where the others have no digit: "Playoff" among numbers
_LARGEST = 2**63 - 1  # of a BIGINT
_EXACT_DIGITS = 18  # a DOUBLE would lose the last digits of a longer identifier
_SPELLINGS = {"'": "ft", "feet": "ft", "foot": "ft", '"': "in", "inche": "in"}


class Evidence(NamedTuple):
    """What speaks for or against a type: the distinct cells that say something, the header, and the
    cell of the last row, which may be a total."""

    told: list[str]
    header: str
    last: str | None

    def enough(self, found: Iterable[str]) -> bool:
        """Whether so many cells convert that the rest are exceptions; the last row may be one for
        nothing."""
        cells = set(found)
        odd = [c for c in self.told if c not in cells]
        total = len(cells) >= 3 and self.last in odd
        words = sum(not _has_digit(c) for c in odd)
        most = len(self.told) - max(words, total)
        return len(cells) >= SHARE * most and len(cells) >= _WORDS * (len(self.told) - total)


class Interpretation(NamedTuple):
    """A column read as one kind: its type and unit, and the values of the cells that convert."""

    type: str
    unit: str | None
    values: dict[str, Any]


def is_code(header: str) -> bool:
    """Whether a header says that the digits below it are names: zip codes, telephone numbers."""
    return CODE_HEADER.search(header) is not None


# ---- truth


def booleans(evidence: Evidence) -> Interpretation | None:
    """True and false, all through; yes and no stay text, for programs compare with them."""
    values: dict[str, bool] = {}
    for cell in evidence.told:
        word = cell.strip().casefold()
        if word not in ("true", "false"):
            return None
        values[cell] = word == "true"
    return Interpretation("BOOLEAN", None, values)


# ---- numbers


def numbers(evidence: Evidence) -> Interpretation | None:
    """Numbers of one unit; plain ones may stand between those with the unit."""
    if is_code(evidence.header):
        return None
    measures = _measures(evidence)
    if not evidence.enough(measures):
        return None
    unit = _unit(measures, len(evidence.told))
    values = _of_unit(measures, unit)
    odd = [c for c in evidence.told if c not in values]
    if not values or not evidence.enough(values):
        return None
    if any(read_duration(c) is not None for c in odd) or _are_codes(evidence.told, odd):
        return None
    return _number_type(values, unit or None)


def _measures(evidence: Evidence) -> dict[str, Measure]:
    """The cells that are numbers; exceptions are read by what the others are."""
    told = evidence.told
    measures = _each_measure(told)
    measures |= _remarked(measures, evidence)
    if not measures:
        return _marks(told)
    return measures | _even(measures, told) | _decimal_commas(measures, told)


def _each_measure(cells: Iterable[str]) -> dict[str, Measure]:
    """Cell -> its measure, for those that are one."""
    found = {}
    for cell in cells:
        number = measure(cell)
        if number is not None:
            found[cell] = number
    return found


def _remarked(measures: dict[str, Measure], evidence: Evidence) -> dict[str, Measure]:
    """Numbers with something after them: exceptions among plain numbers, or most of them remarked,
    or given in two units."""
    told = evidence.told
    rest = [c for c in told if c not in measures]
    beginning = range_start
    if 2 * len(measures) < len(told):
        # Few plain numbers: what follows the others must look like a remark.
        beginning = lead
        pattern = TWICE if len(_units_of(evidence.header)) > 1 else REMARKED
        rest = [c for c in rest if pattern.fullmatch(c.strip())]
    found = {}
    years = sum(map(_is_year, measures.values()))
    of_years = 3 * years > 2 * len(told)
    for cell in rest:
        number = measure(beginning(cell))
        if number is None and of_years:
            number = _year_of_date(cell)
        if number is not None:
            found[cell] = number
    return found


def _units_of(header: str) -> list[str]:
    """The words of a header that are units."""
    return [word for word in UNIT_WORD.findall(header) if word.casefold() in UNITS]


def _is_year(found: Measure) -> bool:
    """Whether a number may be a year."""
    return not found.unit and isinstance(found.number, int) and 1000 <= found.number <= 2100


def _year_of_date(cell: str) -> Measure | None:
    """The year of a date that stands among years."""
    day = read_first_day(cell)
    return None if day is None else Measure(day.year, "", known=True)


def _even(measures: dict[str, Measure], told: list[str]) -> dict[str, Measure]:
    """The zero of signed numbers, which golfers call E (even par)."""
    for cell, found in measures.items():
        if found.number != 0 and cell.strip()[0] not in "+-−–":
            return {}
    zero = Measure(0, "", known=True)
    return {c: zero for c in told if c.strip().casefold() in ("e", "even")}


def _decimal_commas(measures: dict[str, Measure], told: list[str]) -> dict[str, Measure]:
    """Decimals with a comma, where some cell is surely a number and no other cell is in the way."""
    found = {}
    for cell in told:
        if cell in measures:
            continue
        if not DECIMAL_COMMA.fullmatch(cell.strip()):
            return {}
        number = measure(cell.replace(",", "."))
        if number is not None:
            found[cell] = number
    return found


def _marks(told: list[str]) -> dict[str, Measure]:
    """Marks out of the same number, all through: "7.5/10"."""
    marks = {}
    for cell in told:
        found = OUT_OF.fullmatch(cell.strip())
        if found is None:
            return {}
        marks[cell] = Measure(float(found["mark"]), "/" + found["most"], known=True)
    return marks if len({m.unit for m in marks.values()}) == 1 else {}


def _unit(measures: dict[str, Measure], told: int) -> str:
    """The unit that most measures carry; one word that is no known unit must stand in nearly all
    cells."""
    spellings = Counter(m.unit for m in measures.values() if m.unit and m.unit != TIE)
    kinds: Counter[str] = Counter()
    for spelling, count in spellings.items():
        kinds[_kind(spelling)] += count
    if not kinds:
        return ""
    kind, count = kinds.most_common(1)[0]
    known = any(m.known for m in measures.values() if _kind(m.unit) == kind)
    if not known and (" " in kind or count < 3 or count < SHARE * told):
        return ""
    return max((s for s in spellings if _kind(s) == kind), key=lambda s: spellings[s])


def _kind(unit: str) -> str:
    """A unit without its plural and its capitals."""
    folded = unit.casefold()
    folded = _SPELLINGS.get(folded, folded)
    return folded[:-1] if len(folded) > 2 and folded.endswith("s") else folded


def _of_unit(measures: dict[str, Measure], unit: str) -> dict[str, int | float]:
    """The numbers of one unit and those without one."""
    units = {"", _kind(unit)}
    if any(not m.unit for m in measures.values()):
        units.add(TIE)  # shared ranks, where other ranks are plain numbers
    return {c: m.number for c, m in measures.items() if _kind(m.unit) in units}


def _are_codes(told: list[str], odd: list[str]) -> bool:
    """Whether cells of digits are codes of one length, such as "01" to "56"."""
    one_length = len({len(c.strip()) for c in told}) == 1
    return one_length and any(LEADING_ZERO.fullmatch(c.strip()) for c in odd)


def _number_type(values: dict[str, int | float], unit: str | None) -> Interpretation | None:
    """The type that holds the numbers; None for identifiers that none holds exactly."""
    whole = all(isinstance(v, int) for v in values.values())
    if whole and all(abs(v) <= _LARGEST for v in values.values()):
        return Interpretation("BIGINT", unit, values)
    if whole and any(_is_long_identifier(c.strip()) for c in values):
        return None
    return Interpretation("DOUBLE", unit, {c: float(v) for c, v in values.items()})


def _is_long_identifier(cell: str) -> bool:
    return cell.isdigit() and len(cell) > _EXACT_DIGITS


def _has_digit(cell: str) -> bool:
    return any(map(str.isdigit, cell))


# ---- dates


def dates(evidence: Evidence) -> Interpretation | None:
    """Dates, a third of them full, or months; with both in digits, the order that fits the column,
    else the month first."""
    full = sum(read_date(DATE_REMARK.sub("", c)) is not None for c in evidence.told)
    full = full or sum(read_month(c) is not None for c in evidence.told)
    if 3 * full < len(evidence.told):
        return None
    month_first = _days(evidence.told, day_first=False)
    day_first = _days(evidence.told, day_first=True)
    days = day_first if len(day_first) > len(month_first) else month_first
    if not evidence.enough(days):
        return None
    if not any(isinstance(day, datetime) for day in days.values()):
        return Interpretation("DATE", None, days)
    return Interpretation("TIMESTAMP", None, {c: _timestamp(day) for c, day in days.items()})


def _days(told: list[str], day_first: bool) -> dict[str, date | datetime]:
    """Cell -> the day it says, or begins with, in one order of day and month."""
    found = {}
    for cell in told:
        day = read_date(cell, day_first) or read_first_day(cell, day_first)
        if day is not None:
            found[cell] = day
    return found


def _timestamp(moment: date | datetime) -> datetime:
    """A date as its first instant."""
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time())


# ---- durations


def durations(evidence: Evidence) -> Interpretation | None:
    """Times that were taken, in seconds; not times of day, and not a winner's time followed by gaps
    ("+1.2")."""
    values = {}
    for cell in evidence.told:
        seconds = read_duration(cell)
        if seconds is not None:
            values[cell] = seconds
    if not values or _are_clocks(values, evidence.header):
        return None
    values |= _beside_durations(values, evidence.told)
    if not evidence.enough(values) or _has_gaps(values):
        return None
    return Interpretation("DOUBLE", "seconds", values)


def _beside_durations(values: dict[str, float], told: list[str]) -> dict[str, float]:
    """Durations with a remark, and seconds alone: "52.34" beside "1:02.10"."""
    found: dict[str, float] = {}
    for cell in told:
        if cell in values:
            continue
        seconds = None
        if 2 * (len(values) + len(found)) >= len(told):
            seconds = read_duration(lead(cell))
        if seconds is None:
            seconds = _seconds_alone(cell)
        if seconds is not None:
            found[cell] = seconds
    return found


def _seconds_alone(cell: str) -> float | None:
    """Less than a minute, with a decimal point."""
    found = measure(cell)
    if found is None or found.unit or not isinstance(found.number, float) or found.number >= 60:
        return None
    return found.number


def _has_gaps(values: dict[str, float]) -> bool:
    """Whether some durations, but not all, have a plus sign."""
    signed = sum(c.strip().startswith("+") for c in values)
    return 0 < signed < sum(map(bool, values.values()))


def _are_clocks(values: dict[str, float], header: str) -> bool:
    """Whether cells like 13:30 are times of day or scores: hours and minutes, with no word of a
    length in the header."""
    if any(c.count(":") > 1 or "." in c for c in values) or LENGTH_HEADER.search(header):
        return False
    if not TIMING_HEADER.search(header):
        return True
    largest = max(seconds // 60 for seconds in values.values())
    rounded = all(seconds % 5 == 0 for seconds in values.values())
    return largest < 24 and (rounded or largest >= 10)
