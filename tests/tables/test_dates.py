"""Dates, months and durations."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.tables.dates import read_date, read_duration, read_first_day, read_month


@given(st.dates())
def test_a_date_is_read_however_it_is_written(day) -> None:
    for text in (
        day.isoformat(),
        f"{day:%B} {day.day}, {day.year:04}",
        f"{day.day} {day:%b} {day.year:04}",
    ):
        assert read_date(text) == day


def test_day_first() -> None:
    assert str(read_date("3/2/2010")) == "2010-03-02"
    assert str(read_date("3/2/2010", day_first=True)) == "2010-02-03"
    assert read_date("13/2/2010", day_first=False) is None


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("March 1984", "1984-03-01"),
        ("1939, May", "1939-05-01"),
        ("ca. April 2008", "2008-04-01"),
        ("June 22, 1984\n(#84003236)", "1984-06-22"),
        ("11/09/2013*", "2013-11-09"),
        ("May 3–5, 2010", "2010-05-03"),
        ("3–5 May 2010", "2010-05-03"),
        ("3 May–5 June 2010", "2010-05-03"),
        ("May 3 – June 5, 2010", "2010-05-03"),
        ("May 3, 2010 to June 5, 2011", "2010-05-03"),
        ("1984", "1984-01-01"),
        ("May 5", "None"),
        ("2005-06", "None"),
        ("12 Monkeys", "None"),
    ],
)
def test_first_day(text: str, first: str) -> None:
    assert str(read_first_day(text)) == first


def test_month() -> None:
    assert str(read_month("Sept. 2001")) == "2001-09-01"
    assert read_month("May 3, 2001") is None
    assert read_month("May 0000") is None


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2010-05-03T10:00:00+02:00", "2010-05-03 08:00:00"),
        ("May 3, 2010 12:05 a.m.", "2010-05-03 00:05:00"),
        ("May 3, 2010 12:05 pm", "2010-05-03 12:05:00"),
        ("May 3, 2010 13:05 pm", "None"),
        ("3-May-69", "1969-05-03"),
        ("3-May-68", "2068-05-03"),
        ("2010-02-30", "None"),
    ],
)
def test_a_time_of_day(text: str, moment: str) -> None:
    assert str(read_date(text)) == moment


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1:46.30", 106.3),
        ("2:03:04", 7384),
        ("1:02:03:04", 93784),
        ("90:00", 5400),
        ("3m 37s", 217),
        ("5 m", None),
        ("1:60", None),
        ("1:60:00", None),
    ],
)
def test_durations(text: str, seconds: float | None) -> None:
    assert read_duration(text) == seconds
