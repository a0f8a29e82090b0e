"""SQLite's date functions with modifiers, as DuckDB computes them.

`date(x, 'start of month', '+1 month')` is parsed as a function of its own, DATE_OF: each modifier
changes a time stamp, and the function shows it. Months overflow as in SQLite: one month after
31 January is 2 or 3 March."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from binder.analysis.sql.coercion import moment
from binder.analysis.sql.types import kind
from binder.language.annotations import annotate
from binder.language.sqltree import copied, tree_of

_AMOUNT = re.compile(r"([+-]?\d+(?:\.\d+)?)\s+(second|minute|hour|day|month|year)s?", re.IGNORECASE)
_CLOCK = re.compile(r"([+-]?)(\d\d):(\d\d)(?::(\d\d(?:\.\d+)?))?")
_START = re.compile(r"start\s+of\s+(day|month|year)", re.IGNORECASE)
_WEEKDAY = re.compile(r"weekday\s+([0-6])", re.IGNORECASE)
_SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86400}
_EPOCH = 2440587.5  # 1970-01-01 as a Julian day
READ_AS = ("unixepoch", "julianday")  # what a number is, in the place of the first modifier


def unknown_modifier(node: exp.Expr) -> exp.Expr | None:
    """A modifier that is not carried out: no literal, or one that means the machine's time zone."""
    if not isinstance(node, exp.Anonymous) or node.name.upper() not in FUNCTIONS:
        return None
    for place, modifier in enumerate(_modifiers(node)):
        said = modifier.this.strip() if _is_text(modifier) else ""
        first = place == 0 and said.lower() in READ_AS
        if not first and _change(said) is None:
            return modifier
    return None


def computed(node: exp.Anonymous) -> exp.Expr:
    """The value of a date function."""
    name = node.name.upper()
    first = 1 if name == "STRFTIME_OF" else 0
    subject = [*node.expressions, exp.Literal.string("now")][first]  # DATE() is today
    modifiers = [modifier.this.strip() for modifier in _modifiers(node)]
    # left to right, as SQLite applies them: 'start of month' after '+1 day' is another day
    moved = _subject(subject, modifiers[0].lower() if modifiers else "")
    for modifier in modifiers:
        change = _change(modifier)
        moved = change(moved) if change is not None else moved
    made = FUNCTIONS[name](moved, node)
    annotate(made, family=kind(node) or "")
    return made


def _is_text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


def _modifiers(node: exp.Anonymous) -> list[exp.Expr]:
    first = 2 if node.name.upper() == "STRFTIME_OF" else 1
    return list(node.expressions[first:])


def _subject(node: exp.Expr, read_as: str) -> exp.Expr:
    """A time value as a time stamp; a number is read as the first modifier says."""
    if _is_text(node) and node.this.strip().lower() == "now":
        return tree_of("CAST(CURRENT_TIMESTAMP AT TIME ZONE 'UTC' AS TIMESTAMP)")
    if read_as in READ_AS:
        node = _as_number(node)
    if kind(node) == "number":
        # a number is a Julian day in SQLite, unless 'unixepoch' says that it counts seconds
        seconds = copied(node)
        if read_as != "unixepoch":
            seconds = tree_of(f"($days - {_EPOCH}) * 86400", days=seconds)
        # MAKE_TIMESTAMP takes whole microseconds, and has no time zone to go by
        return tree_of("MAKE_TIMESTAMP(CAST($seconds * 1e6 AS BIGINT))", seconds=seconds)
    return tree_of("TRY_CAST($moment AS TIMESTAMP)", moment=moment(node))


def _as_number(node: exp.Expr) -> exp.Expr:
    """What 'unixepoch' is said of as a number; a date is none, and NULL in SQLite, too."""
    if kind(node) == "number":
        return node
    text = node if kind(node) == "text" else exp.Null()
    made = tree_of("TRY_CAST($text AS DOUBLE)", text=text)
    annotate(made, family="number")
    return made


def _change(modifier: str) -> Callable[[exp.Expr], exp.Expr] | None:
    """What a modifier does to a time stamp; None for one that is not known."""
    if match := _AMOUNT.fullmatch(modifier):
        amount, unit = float(match[1]), match[2].lower()
        # half a month is 15 days to SQLite: that is refused
        return _shift(amount, unit) if unit in _SECONDS or amount == int(amount) else None
    if match := _CLOCK.fullmatch(modifier):
        seconds = int(match[2]) * 3600 + int(match[3]) * 60 + float(match[4] or 0)
        return _shift(-seconds if match[1] == "-" else seconds, "second")
    if match := _START.fullmatch(modifier):
        unit = match[1].lower()
        return lambda moved: _truncated(moved, unit)
    if match := _WEEKDAY.fullmatch(modifier):
        wanted = int(match[1])
        return lambda moved: _weekday(moved, wanted)
    return None


def _shift(amount: float, unit: str) -> Callable[[exp.Expr], exp.Expr]:
    if unit in _SECONDS:
        # an INTERVAL of fractions is cut off: +1.5 days is written in microseconds
        micros = round(amount * _SECONDS[unit] * 1_000_000)
        return lambda moved: tree_of(f"$moved + INTERVAL '{micros}' MICROSECOND", moved=moved)
    months = int(amount) * (12 if unit == "year" else 1)
    return lambda moved: _months_later(moved, months)


def _months_later(moved: exp.Expr, months: int) -> exp.Expr:
    """The first of the month, so many months later, and as far into it as before."""
    # DuckDB's + INTERVAL 1 MONTH stops at the last day of a month, SQLite's goes on into the next
    first = _truncated(moved, "month")
    return tree_of(
        f"(($first + INTERVAL '{months}' MONTH) + ($moved - $first))", first=first, moved=moved
    )


def _weekday(moved: exp.Expr, wanted: int) -> exp.Expr:
    """The next day of the week, or the day itself; Sunday is 0."""
    # + 7 keeps the remainder from being negative
    ahead = f"CAST((({wanted + 7} - DAYOFWEEK($moved)) % 7) AS INTEGER)"
    return tree_of(f"($moved + TO_DAYS({ahead}))", moved=moved)


def _truncated(moved: exp.Expr, unit: str) -> exp.Expr:
    return tree_of(f"CAST(DATE_TRUNC('{unit}', $moved) AS TIMESTAMP)", moved=copied(moved))


def _as(type_name: str) -> Callable[[exp.Expr, exp.Anonymous], exp.Expr]:
    return lambda moved, _: tree_of(f"CAST($moved AS {type_name})", moved=moved)


def _seconds(moved: exp.Expr, _: exp.Anonymous) -> exp.Expr:
    return tree_of("CAST(FLOOR(EPOCH($moved)) AS BIGINT)", moved=moved)


def julian(moved: exp.Expr, _: object = None) -> exp.Expr:
    """The Julian day, which begins at noon; DuckDB's begins at midnight."""
    return tree_of("(JULIAN($moved) - 0.5)", moved=moved)


def _formatted(moved: exp.Expr, node: exp.Anonymous) -> exp.Expr:
    """STRFTIME, with %J, %s and %f, which DuckDB's has not, between its parts."""
    pattern = node.expressions[0]
    if not _is_text(pattern):
        return tree_of("STRFTIME($moved, $pattern)", moved=moved, pattern=pattern)
    made: exp.Expr | None = None
    for part in filter(None, re.split(r"(%[Jsf])", pattern.this)):
        one = _written(part, copied(moved), node)
        made = one if made is None else tree_of("$before || $one", before=made, one=one)
    return exp.paren(made or exp.Literal.string(""))


def _written(part: str, moved: exp.Expr, node: exp.Anonymous) -> exp.Expr:
    if part in ("%J", "%s"):
        value = (julian if part == "%J" else _seconds)(moved, node)
        return tree_of("CAST($value AS VARCHAR)", value=value)
    pattern = "%S.%g" if part == "%f" else part
    return tree_of("STRFTIME($moved, $pattern)", moved=moved, pattern=pattern)


FUNCTIONS: dict[str, Callable[[exp.Expr, exp.Anonymous], exp.Expr]] = {
    "DATE_OF": _as("DATE"),
    "DATETIME_OF": _as("TIMESTAMP"),
    "TIME_OF": _as("TIME"),
    "JULIANDAY_OF": julian,
    "UNIXEPOCH_OF": _seconds,
    "STRFTIME_OF": _formatted,
}
