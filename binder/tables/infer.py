"""What the cells of one column have in common: a type, a unit, and the value of each cell.

The distinct cells of a text column come in, with its header and the cell of its last row; a Reading
comes out, which is text unless nine in ten cells, or three in four where the rest are mere words,
agree on something better."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from datetime import date, datetime, time
from typing import Any, NamedTuple

from binder.tables.cells import (
    UNITS,
    Measure,
    clean,
    fold,
    is_missing,
    lead,
    measure,
    range_start,
    read_date,
    read_duration,
    read_first_day,
    read_month,
)

SHARE = 0.9  # of the cells that say anything must agree
_WORDS = 0.75  # are enough where the others have no digit: "Playoff" among numbers
_PROBE = 1000  # cells that are tried first where there are many more
_LONGEST = 2**63 - 1  # of a BIGINT

# Headers whose digits name something: nobody adds them up.
_CODES = re.compile(
    r"\b(?:zip|postal|postcode|post code|phone|telephone|fax|isbn|issn|upc|ean)\b", re.IGNORECASE
)
_NOTHING = re.compile(r"none|na", re.IGNORECASE)  # missing, in a column that is not text
# Words that stand where a number or a date is wanting: they speak neither for nor against a type,
# and are kept as raw text.
_WANTING = re.compile(
    r"none|na|n\.a\.|n/d|n/k|no data|(?:data )?(?:unavailable|not available|unknown)|tb[acd]|dn[fspq]|(?:.*, )?did not .*|dsq|dq"
    r"|disq\w*|ret|retired|nc|wd|withdrew|withdrawn|abd|cancel+ed|postponed",
    re.IGNORECASE,
)


class Reading(NamedTuple):
    """A column as read: values and texts stand one for each cell; texts are the cells themselves,
    None where missing."""

    type: str
    unit: str | None
    values: list[Any]
    texts: list[str | None]


class _Found(NamedTuple):
    """What a rule makes of a column: the cells it can convert."""

    type: str
    unit: str | None
    values: dict[str, Any]


def read_column(cells: Sequence[str], header: str = "", last: str | None = None) -> Reading:
    """The type and the values of a column of distinct cells; last is the cell of the last row,
    which may be a total."""
    headings = {fold(line) for line in (header, *header.split("\n")) if line[:1].isalpha()}
    told = [
        c
        for c in cells
        if not is_missing(c)
        and not _WANTING.fullmatch(c.strip())
        and not _repeats(c, header, headings)
    ]
    step = len(told) // _PROBE + 1
    for rule in (_booleans, _numbers, _dates, _durations) if told else ():
        if step > 2 and rule(told[::step], header, last) is None:
            continue
        if (found := rule(told, header, last)) is not None:
            texts = [None if is_missing(c) or _NOTHING.fullmatch(c.strip()) else c for c in cells]
            return Reading(found.type, found.unit, [found.values.get(c) for c in cells], texts)
    texts = [None if is_missing(c) else c for c in cells]
    return Reading("VARCHAR", None, [None if t is None else clean(t) for t in texts], texts)


def is_code(header: str) -> bool:
    """Whether a header says that the digits below it are names: zip codes, telephone numbers."""
    return _CODES.search(header) is not None


def _repeats(cell: str, header: str, headings: set[str]) -> bool:
    """Whether a cell is the header, or a line of it, once more, as in a long table."""
    return len(cell) <= len(header) and cell[:1].isalpha() and fold(cell) in headings


def _enough(found: dict[str, Any], told: list[str], last: str | None) -> bool:
    """Whether so many cells convert that the rest are exceptions; the last row may be one for
    nothing (a total)."""
    footer = len(found) >= 3 and last is not None and last not in found and last in told
    odd = [c for c in told if c not in found]
    words = sum(not any(map(str.isdigit, c)) for c in odd)
    return len(found) >= SHARE * (len(told) - max(words, footer)) and len(found) >= _WORDS * (
        len(told) - footer
    )


def _booleans(told: list[str], header: str, last: str | None) -> _Found | None:
    """True and false, all through; yes and no stay text, for programs compare with them."""
    values = {
        c: c.strip().casefold() == "true" for c in told if c.strip().casefold() in ("true", "false")
    }
    return _Found("BOOLEAN", None, values) if len(values) == len(told) else None


_COMMA = re.compile(r"[+−–-]?\d+,\d{1,2}\s?%?")  # "11,2"
_OUT_OF = re.compile(r"(\d+(?:\.\d+)?)\s?/\s?(5|10|20|50|100)")  # "7.5/10"
# What follows a number in a column where something follows nearly all of them.
_REMARK = re.compile(  # "4220 m\n13,845 ft", "15.0\n(59)", "2.4 (#5)"
    r"[^(\n]*(?:\n\s*(?:\([^()]*\)|[−–-]?[\d.,]+\s?[^\W\d].*)|\s\((?![\d.,−–-]*\))[^()]*\))"
)
_TWICE = re.compile(r"[^(/\n]*\s*(?:\(.*\)|/.*|\n.*)")  # "168 (551)" below "Height m (ft)"


def _numbers(told: list[str], header: str, last: str | None) -> _Found | None:
    """Numbers of one unit; plain ones may stand between those with the unit."""
    if is_code(header):
        return None
    measures = {c: m for c in told if (m := measure(c)) is not None}
    measures |= _remarked(measures, told, header)
    measures |= _even(measures, told) | _commas(measures, told) if measures else _marks(told)
    if not _enough(measures, told, last):
        return None
    unit = _unit(measures, len(told))
    units = (
        {"", "tie", _kind(unit)}
        if sum(not m.unit for m in measures.values()) >= 1
        else {"", _kind(unit)}
    )
    values = {c: m.number for c, m in measures.items() if _kind(m.unit) in units}
    odd = [c for c in told if c not in values]
    if (
        not values
        or not _enough(values, told, last)
        or any(read_duration(c) is not None for c in odd)
    ):
        return None
    if (
        any(re.fullmatch(r"0\d+", c.strip()) for c in odd)
        and len({len(c.strip()) for c in told}) == 1
    ):
        return None  # codes of one length, such as "01" to "56"
    if all(isinstance(v, int) for v in values.values()):
        if all(abs(v) <= _LONGEST for v in values.values()):
            return _Found("BIGINT", unit or None, values)
        if any(c.strip().isdigit() and len(c.strip()) > 18 for c in values):
            return None  # an identifier: a DOUBLE would lose its last digits
    return _Found("DOUBLE", unit or None, {c: float(v) for c, v in values.items()})


def _remarked(measures: dict[str, Measure], told: list[str], header: str) -> dict[str, Measure]:
    """Numbers with something after them: exceptions among plain numbers, or most of them remarked,
    or given in two units."""
    rest = [c for c in told if c not in measures]
    beginning = range_start
    if 2 * len(measures) < len(told):
        beginning = lead
        units = [word for word in re.findall(r"[^\W\d_][\w/]*", header) if word.casefold() in UNITS]
        pattern = _TWICE if len(units) > 1 else _REMARK
        rest = [c for c in rest if pattern.fullmatch(c.strip())]
    found = {c: m for c in rest if (m := measure(beginning(c))) is not None}
    if 3 * sum(_is_year(m) for m in measures.values()) > 2 * len(told):
        found |= {
            c: Measure(day.year, "", known=True)
            for c in rest
            if c not in found and (day := read_first_day(c)) is not None
        }
    return found


def _commas(measures: dict[str, Measure], told: list[str]) -> dict[str, Measure]:
    """Decimals with a comma, where some cell is surely a number and no other cell is in the way."""
    odd = [c for c in told if c not in measures]
    if not measures or not all(_COMMA.fullmatch(c.strip()) for c in odd):
        return {}
    return {c: m for c in odd if (m := measure(c.replace(",", "."))) is not None}


def _is_year(found: Measure) -> bool:
    """Whether a number may be a year."""
    return not found.unit and isinstance(found.number, int) and 1000 <= found.number <= 2100


def _even(measures: dict[str, Measure], told: list[str]) -> dict[str, Measure]:
    """The zero of signed numbers, which golfers call E (even par)."""
    if not all(m.number == 0 or c.strip()[0] in "+-−–" for c, m in measures.items()):
        return {}
    return {c: Measure(0, "", known=True) for c in told if c.strip().casefold() in ("e", "even")}


def _marks(told: list[str]) -> dict[str, Measure]:
    """Marks out of the same number, all through: "7.5/10"."""
    parts = [found for c in told if (found := _OUT_OF.fullmatch(c.strip()))]
    if len(parts) < len(told) or len({found[2] for found in parts}) > 1:
        return {}
    return {
        c: Measure(float(found[1]), "/" + found[2], known=True)
        for c, found in zip(told, parts, strict=True)
    }


def _unit(measures: dict[str, Measure], told: int) -> str:
    """The unit that most measures carry; one word that is no known unit must stand in nearly all
    cells."""
    spellings = Counter(m.unit for m in measures.values() if m.unit and m.unit != "tie")
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
    folded = {"'": "ft", "feet": "ft", "foot": "ft", '"': "in", "inche": "in"}.get(
        unit.casefold(), unit.casefold()
    )
    return folded[:-1] if len(folded) > 2 and folded.endswith("s") else folded


_MARKED = re.compile(r"\s*(?:\n\(.*\)|[*†‡]+)$")  # "June 22, 1984\n(#84003236)"


def _dates(told: list[str], header: str, last: str | None) -> _Found | None:
    """Dates, a third of them full, or months; with both in digits, the order that fits the column,
    else the month first."""
    full = sum(read_date(_MARKED.sub("", c)) is not None for c in told) or sum(
        read_month(c) is not None for c in told
    )
    if 3 * full < len(told):
        return None
    orders = [
        {
            c: day
            for c in told
            if (day := read_date(c, day_first) or read_first_day(c, day_first)) is not None
        }
        for day_first in (False, True)
    ]
    dates = max(orders, key=len)
    if not _enough(dates, told, last):
        return None
    if not any(isinstance(d, datetime) for d in dates.values()):
        return _Found("DATE", None, dates)
    return _Found("TIMESTAMP", None, {c: _timestamp(d) for c, d in dates.items()})


def _timestamp(moment: date | datetime) -> datetime:
    """A date as its first instant."""
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time())


def _durations(told: list[str], header: str, last: str | None) -> _Found | None:
    """Times that were taken, in seconds; not times of day, and not a winner's time followed by gaps
    ("+1.2")."""
    values = {c: s for c in told if (s := read_duration(c)) is not None}
    if not values or _clocks(values, header):
        return None
    for cell in told:  # "52.34" beside "1:02.10"
        if cell in values:
            continue
        if 2 * len(values) >= len(told) and (seconds := read_duration(lead(cell))) is not None:
            values[cell] = seconds
        elif (m := measure(cell)) and not m.unit and isinstance(m.number, float) and m.number < 60:
            values[cell] = m.number
    signed = sum(c.strip().startswith("+") for c in values)
    if not _enough(values, told, last) or 0 < signed < len([s for s in values.values() if s]):
        return None
    return _Found("DOUBLE", "seconds", values)


def _clocks(values: dict[str, float], header: str) -> bool:
    """Whether cells like 13:30 are times of day or scores: hours and minutes, with no word of a
    length in the header."""
    if any(c.count(":") > 1 or "." in c for c in values) or re.search(
        r"length|duration|running|m:s", header, re.IGNORECASE
    ):
        return False
    firsts = [seconds // 60 for seconds in values.values()]
    rounded = all(seconds % 5 == 0 for seconds in values.values())
    timed = re.search(
        r"\btimes?\b|\blap|\bgap|behind|deficit|notes|record|split|run\b", header, re.IGNORECASE
    )
    return not timed or max(firsts) < 24 and (rounded or max(firsts) >= 10)
