"""Dates: the order of day, month and year, the language of the months, and the century of years
with two digits."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import UTC, date, datetime, time
from typing import Any

from binder.tables.dates import read_date, read_first_day, read_month
from binder.tables.readings.evidence import Conversion, Evidence
from binder.tables.readings.months import in_english

ORDERS = ("mdy", "dmy", "ymd")
_MARKED = re.compile(r"\s*(?:\n\(.*\)|[*†‡]+)$")  # "June 22, 1984\n(#84003236)"
_TIME = r"(?:[ T,].*)?"
_DIGITS = re.compile(
    r"(?:[^\W\d_]{2,10}\.?,?\s+)?"  # a weekday
    rf"(?P<a>\d{{1,2}})(?P<sep>[-/.])\s?(?P<b>\d{{1,2}})(?P=sep)\s?(?P<c>\d{{4}}|\d{{2}})(?P<time>{_TIME})"
)
_COMPACT = re.compile(r"(?:1[89]|20)\d\d(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])")
_YEAR_MONTH = re.compile(r"(?P<y>[12]\d{3})[-/.](?P<m>0[1-9]|1[0-2])")  # 2020-05
_MONTH_YEAR = re.compile(r"(?P<m>0?[1-9]|1[0-2])[-/.](?P<y>(?:19|20)\d\d)")  # 05/2020
_NAMED_MONTH = re.compile(r"[^\W\d_]{3,9}\.?[-'’]\s?(?P<y>\d\d)")  # Jan-20
_BORN = re.compile(
    r"\b(?:born|birth|birthday|birthdate|dob|d\.o\.b|geboren|geburtsdatum|geburtstag|naissance|né|nacimiento|nascita"
    r"|died|death|deceased|founded|established|joined|hired?|graduated)\b",
    re.IGNORECASE,
)
_MONTHS = re.compile(r"months?|period|monat|mois|mes", re.IGNORECASE)
_ABROAD = re.compile(r"\b(?:datum|fecha|giorno|tag|jour|dia)\b", re.IGNORECASE)
_NAMED_ORDER = re.compile(
    r"\b(?P<a>d{1,2}|m{1,2}|y{2,4}|t{1,2}|j{1,4}|a{2,4})[-/. ]?(?P<b>d{1,2}|m{1,4})[-/. ]?(?P<c>d{1,2}|y{2,4}|t{1,2}|j{2,4}|a{2,4})\b",
    re.IGNORECASE,
)
_LETTERS = {"d": "d", "t": "d", "m": "m", "y": "y", "a": "y", "j": "y"}


def header_order(header: str) -> str | None:
    """The order that a header names: "Date (DD/MM/YYYY)"."""
    for found in _NAMED_ORDER.finditer(header):
        parts = [found[name].lower() for name in "abc"]
        order = "".join(_LETTERS[part[0]] for part in parts)
        if parts[0][0] == "j" and len(parts[0]) <= 2:
            order = "d" + order[1:]  # jj/mm/aaaa: jour
        if order in ORDERS:
            return order
    return None


def sure_order(cells: Iterable[str]) -> str | None:
    """The order that digits prove: 13/06/2020 begins with the day; None where they prove none, or
    contradict each other."""
    found = set()
    for cell in cells:
        parts = _DIGITS.fullmatch(cell.strip()) if len(cell) < 40 else None
        if parts is None or len(parts["c"]) == 2 and int(parts["a"]) > 12:
            continue  # or it may be a year
        if int(parts["a"]) > 12 >= int(parts["b"]):
            found.add("dmy")
        elif int(parts["b"]) > 12 >= int(parts["a"]):
            found.add("mdy")
    return found.pop() if len(found) == 1 else None


def read_day(text: str, order: str | None = None, born: bool = False) -> date | datetime | None:
    """The date in a text whose digits stand in an order; born: no year with two digits is still to
    come."""
    text = text.strip()
    if (compact := read_compact(text)) is not None:
        return compact
    parts = _DIGITS.fullmatch(text)
    if parts is None:
        found = read_date(text)
        return found if found is not None else read_date(in_english(text))
    if order == "ymd":
        if len(parts["c"]) > 2:
            return None
        text = f"{_century(int(parts['a']))}-{parts['b']}-{parts['c']}{parts['time']}"
        found = read_date(text)
    else:
        # two digits of a dotted date: the day is first, unless the column has another order
        first = order == "dmy" if order is not None else (True if parts["sep"] == "." else None)
        found = read_date(f"{parts['a']}/{parts['b']}/{parts['c']}{parts['time']}", first)
    if found is not None and born and len(parts["c"]) == 2 and found.year > date.today().year:
        found = found.replace(year=found.year - 100)
    return found


def _century(year: int) -> int:
    """Two digits as a year: 69 to 99 are in the 1900s, as in POSIX."""
    return year + (1900 if year >= 69 else 2000)


def read_compact(text: str) -> date | None:
    """The date in eight digits: 20200512."""
    if not _COMPACT.fullmatch(text):
        return None
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:  # no such day
        return None


def read_dates(evidence: Evidence) -> Conversion | None:
    """Dates, a third of them full, or months; with both in digits, the order that fits the column."""
    found = compact_dates(evidence) or _months(evidence)
    if found is not None:
        return found
    if evidence.said is None and not _dated(evidence.told):
        return None
    return _days(evidence)


def _days(evidence: Evidence) -> Conversion | None:
    """Days, or months with a name, in the order of the column."""
    told, free = evidence.told, evidence.said is None
    born = evidence.says(_BORN)
    order, guess = _order(evidence)
    full = {c: day for c in told if (day := read_day(_MARKED.sub("", c), order, born)) is not None}
    months = 0 if full else sum(read_month(in_english(c)) is not None for c in told)
    if free and 3 * (len(full) + months) < len(told):
        return None
    partial = {c: day for c in told if c not in full and (day := _first_day(c, order)) is not None}
    days = full | partial
    if free and not evidence.enough(days):
        return None
    found = _found(days)
    found.order, found.past = order, born
    if not months:  # else none says more than its month
        found.in_part = {cell for cell in partial if not _is_mere_mark(cell)}
    guesses = (guess, None if born else _century_guess(days))
    found.guesses += filter(None, guesses)
    return found


_AHEAD = re.compile(r":\d\d(?:\.\d+)?\s?[+-](?!00:?00)\d\d:?\d\d\s*$")  # of UTC


def _century_guess(days: dict[str, Any]) -> str | None:
    """A word where a year with two digits is still to come."""
    if any(_is_short(cell) and day.year > date.today().year for cell, day in days.items()):
        return "years with two digits are read as 1969 to 2068"
    return None


def _is_mere_mark(cell: str) -> bool:
    return _MARKED.sub("", cell) != cell


def _is_short(cell: str) -> bool:
    parts = _DIGITS.fullmatch(cell.strip())
    return parts is not None and len(parts["c"]) == 2


def _first_day(cell: str, order: str | None) -> date | datetime | None:
    return read_first_day(in_english(cell), order == "dmy" if order else None)


def _dated(told: list[str]) -> bool:
    """Whether some cell of the first ones can be a date at all."""
    return any(
        any(map(str.isdigit, c)) and (any(map(str.isalpha, c)) or _parted(c)) for c in told[:200]
    )


def _parted(cell: str) -> bool:
    return any(mark in cell for mark in "-/.")


def _order(evidence: Evidence) -> tuple[str | None, str | None]:
    """The order of day, month and year in the digits of a column, and a word where it is a guess."""
    if evidence.said is not None and evidence.said.detail in ORDERS:
        return evidence.said.detail, None
    if (order := header_order(evidence.header)) is not None:
        return order, None
    cells = {c: p for c in evidence.told if (p := _DIGITS.fullmatch(c.strip())) is not None}
    if not cells:
        return None, None
    digits = list(cells.values())
    orders = _fitting(digits)
    if len(orders) == 1:
        return orders[0], None
    if evidence.file.order in orders:
        return evidence.file.order, None
    if "ymd" in orders and (order := _fewest_years(digits, orders)) is not None:
        return order, f"years are read as the {'first' if order == 'ymd' else 'last'} two digits"
    if all(parts["sep"] == "." for parts in digits):
        return "dmy", None
    return _usual_order(cells, evidence)


def _fitting(cells: list[re.Match[str]]) -> list[str]:
    """The orders by which most cells are dates; one where each gives the same days."""
    fits = {order: sum(_fits(parts, order) for parts in cells) for order in ORDERS}
    best = max(fits.values())
    orders = [order for order in ORDERS if fits[order] == best]
    same = all(parts["a"] == parts["b"] for parts in cells)
    return orders[:1] if same and "ymd" not in orders else orders


def _usual_order(cells: dict[str, re.Match[str]], evidence: Evidence) -> tuple[str, str]:
    """The order that people who write such a file use, and that it is a guess."""
    abroad = evidence.file.decimal == "," or evidence.says(_ABROAD)
    order = "dmy" if abroad else "mdy"
    unequal = [cell for cell, parts in cells.items() if parts["a"] != parts["b"]]
    # 05/05/12: its first two parts may be day and month in either order, or the year and the month
    cell = unequal[0] if unequal else next(iter(cells))
    open_ = "day or month is first" if unequal else "the year is first or last"
    day = read_day(cell, order, evidence.says(_BORN))
    return order, f"nothing says whether {open_}: {cell!r} is read as {day}"


def _fits(parts: re.Match[str], order: str) -> bool:
    if order == "ymd":
        return len(parts["c"]) == 2 and int(parts["b"]) <= 12 and 1 <= int(parts["c"]) <= 31
    month, day = ("a", "b") if order == "mdy" else ("b", "a")
    return 1 <= int(parts[month]) <= 12 and 1 <= int(parts[day]) <= 31


def _fewest_years(cells: list[re.Match[str]], orders: list[str]) -> str | None:
    """Of orders that all fit, the one by which the dates lie in the fewest years."""
    first, last = len({parts["a"] for parts in cells}), len({parts["c"] for parts in cells})
    if first < last:
        return "ymd"
    return next((order for order in orders if order != "ymd"), None) if last < first else None


_IDS = re.compile(r"\b(?:ids?|no|number|nr|num|codes?|serial|key|order|invoice)\b|#", re.IGNORECASE)


def compact_dates(evidence: Evidence) -> Conversion | None:
    """Dates of eight digits, all through: 20200512."""
    told = evidence.told
    if evidence.says(_IDS) and not evidence.said:
        return None
    if not all(_COMPACT.fullmatch(cell.strip()) for cell in told):
        return None
    days = {cell: day for cell in told if (day := read_day(cell)) is not None}
    if len(days) < len(told):
        return None
    found = _found(days)
    if len(days) == 1 and not re.search(r"date|day", evidence.header, re.IGNORECASE):
        found.guesses.append("eight digits are read as a date")
    return found


def _months(evidence: Evidence) -> Conversion | None:
    """Months in digits, all through: 2020-05, 05/2020; but 2003-04, 2004-05 are seasons."""
    for pattern in (_YEAR_MONTH, _MONTH_YEAR):
        parts = {c: m for c in evidence.told if (m := pattern.fullmatch(c.strip())) is not None}
        if not parts or len(parts) < len(evidence.told):
            continue
        if all((int(m["y"]) + 1) % 100 == int(m["m"]) for m in parts.values()):
            return None
        return _found({c: date(int(m["y"]), int(m["m"]), 1) for c, m in parts.items()})
    return _named_months(evidence)


def _named_months(evidence: Evidence) -> Conversion | None:
    """Months with two digits, all through: Jan-20, as spreadsheets write January 2020."""
    days: dict[str, date] = {}
    for cell in evidence.told:
        parts = _NAMED_MONTH.fullmatch(cell.strip())
        month = read_month(in_english(re.split("[-'’]", cell)[0]) + " 2000") if parts else None
        if parts is None or month is None:
            return None
        year = _century(int(parts["y"]))
        past = year - 100 if year > date.today().year else year  # a month is rarely still to come
        days[cell] = month.replace(year=past)
    found = _found(days)
    if any(day.year < 1969 for day in days.values()):
        found.guesses.append("years with two digits are read as years of the past")
    if days and not evidence.says(_MONTHS) and max(int(cell.strip()[-2:]) for cell in days) <= 31:
        cell, day = next(iter(days.items()))
        found.guesses.append(f"{cell!r} is read as {day:%B %Y}, not as a day")
    return found


def _found(days: dict[str, Any]) -> Conversion:
    """The dates as a column; as time stamps where one has a time."""
    if not any(isinstance(day, datetime) for day in days.values()):
        return Conversion("date", "DATE", days)
    unit = "UTC" if any(map(_AHEAD.search, days)) else None
    values = {cell: _timestamp(day) for cell, day in days.items()}
    return Conversion("date", "TIMESTAMP", values, unit)


def _timestamp(moment: date | datetime) -> datetime:
    """A date as its first instant."""
    return moment if isinstance(moment, datetime) else datetime.combine(moment, time())


def in_format(evidence: Evidence, pattern: str) -> Conversion:
    """Dates in a format that the user gives, as `strptime` writes it."""
    read = _reader(pattern)
    days = {cell: day for cell in evidence.told if (day := read(cell)) is not None}
    found = _found(days)
    found.order = pattern
    return found


def _reader(pattern: str) -> Callable[[str], date | datetime | None]:
    timed = re.search(r"%[HIMSfpXcT]", pattern) is not None

    def read(cell: str) -> date | datetime | None:
        try:
            found = datetime.strptime(cell.strip(), pattern)
        except ValueError:
            return None
        if found.tzinfo is not None:
            found = found.astimezone(UTC)
        return found.replace(tzinfo=None) if timed else found.date()

    return read


def read_literal(text: str, order: str | None, past: bool = False) -> date | datetime | None:
    """A literal that is compared with a column of dates, read as its cells are."""
    if order is not None and "%" in order:
        found = _reader(order)(text)
        return found if found is not None else read_day(text)
    return read_day(text, order, past)


def votes(columns: Iterable[tuple[str, Iterable[str]]]) -> str | None:
    """The order that the columns of a file prove or name together."""
    found = {
        order
        for header, cells in columns
        for order in (header_order(header), sure_order(cells))
        if order is not None
    }
    return found.pop() if len(found) == 1 else None
