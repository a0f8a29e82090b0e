"""SQLite's date functions in DuckDB: side by side with SQLite itself."""

from __future__ import annotations

import datetime
import sqlite3
from collections.abc import Iterator
from typing import Any

import pytest

import binder
from binder.errors import CheckFault

DAYS = ["2008-01-31", "2012-02-29", "2015-12-31 23:59:58", "2019-07-04 05:06:07.250", None]
ROWS = [{"i": i, "d": day, "n": 1092941466 + i * 1000000} for i, day in enumerate(DAYS)]
MODIFIERS = (
    "'+1 month'", "'-3 days'", "'start of month'", "'start of year'", "'weekday 1'", "'weekday 0'",
    "'+01:30'", "'-02:00:30'", "'start of month', '+1 month', '-1 day'", "'+1 year'", "'-1 month'",
    "'start of day'", "'+36 hours'", "'-90 minutes'", "'+10.5 seconds'", "'+13 months'",
    "'+1.5 days'", "'START OF MONTH'",
)  # fmt: skip
FORMATS = (
    "%Y", "%m", "%d", "%Y-%m", "%j", "%w", "%W", "%s", "%H:%M:%S", "%f", "%Y%m%d", "%%", "%J",
    "on %s or %J",
)  # fmt: skip
NOW = (
    "date('now') = date()", "date('now', '+1 day') > date('now')", "strftime('%Y', 'now') > '2000'",
    "datetime('now') > '2020-01-01'", "unixepoch() > 5", "time('NOW') >= '00:00'",
    "julianday('now') > julianday('2020-01-01')",
)  # fmt: skip
PROGRAMS = [
    *(
        f"SELECT {name}(d, {modifier}) FROM w"
        for name in ("date", "datetime", "time", "julianday", "unixepoch")
        for modifier in MODIFIERS
    ),
    *(f"SELECT strftime('{one}', d), strftime('{one}', d, '+1 day') FROM w" for one in FORMATS),
    "SELECT date(n, 'unixepoch'), datetime(n, 'unixepoch', '+1 day') FROM w",
    "SELECT time(n, 'unixepoch'), strftime('%Y', n, 'unixepoch') FROM w",
    "SELECT unixepoch(d), julianday(d), time(d) FROM w",
    "SELECT date(1092941466, 'unixepoch'), date(d, 'unixepoch'), datetime('1092941466', 'unixepoch') FROM w",
    "SELECT date(CAST('2020-01-01' AS DATE), 'unixepoch') IS NULL OR 1 FROM w",
    "SELECT datetime(2455000.25, '+1 day') FROM w",
    "SELECT i FROM w WHERE date(d, 'start of year') = '2012-01-01'",
    *(f"SELECT {one} FROM w" for one in NOW),
]


@pytest.fixture(scope="module")
def both() -> Iterator[tuple[binder.Binder, sqlite3.Connection]]:
    lite = sqlite3.connect(":memory:")
    lite.execute("CREATE TABLE w (i INT, d TEXT, n INT)")
    lite.executemany("INSERT INTO w VALUES (:i, :d, :n)", ROWS)
    with binder.connect(ROWS, lm=None) as db:
        yield db, lite
    lite.close()


def plain(value: Any) -> Any:
    """A value as SQLite writes it."""
    if isinstance(value, datetime.datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    if isinstance(value, datetime.time):
        return value.strftime("%H:%M:%S")
    if isinstance(value, (bool, int, float)):
        return round(float(value), 6)
    return None if value is None else str(value)


@pytest.mark.parametrize("program", PROGRAMS)
def test_dates_are_those_of_sqlite(
    both: tuple[binder.Binder, sqlite3.Connection], program: str
) -> None:
    db, lite = both
    ours = [tuple(map(plain, row)) for row in db.run(program).rows]
    assert ours == [tuple(map(plain, row)) for row in lite.execute(program)]


@pytest.mark.parametrize(
    "modifier",
    [
        "'localtime'",
        "'utc'",
        "'auto'",
        "'subsec'",
        "'+1.5 months'",
        "'+1 day', 'unixepoch'",
        "n || ' days'",
        "'+1 fortnight'",
        "d",
    ],
)
def test_a_modifier_is_carried_out_or_refused(
    both: tuple[binder.Binder, sqlite3.Connection], modifier: str
) -> None:
    with pytest.raises(CheckFault, match="the modifier .* of a date is not allowed"):
        both[0].run(f"SELECT date(d, {modifier}) FROM w")
