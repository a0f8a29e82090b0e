"""The cells of fixtures/values.tsv, and what must hold for any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.tables.cells import (
    clean,
    fold,
    is_missing,
    lead,
    measure,
    range_start,
    read_boolean,
    read_date,
    read_duration,
    read_first_day,
    read_month,
    read_number,
)
from tests.cases import Record, records


@pytest.mark.parametrize("record", records("values.tsv"), ids=lambda record: record.place)
def test_cell(record: Record) -> None:
    cell, kind, value = record["cell"], record["kind"], record["value"]
    read = {
        "number": read_number(cell),
        "date": read_date(cell),
        "duration": read_duration(cell),
        "boolean": read_boolean(cell),
    }
    assert is_missing(cell) == (kind == "missing")
    assert {k: str(v) for k, v in read.items() if v is not None} == ({kind: value} if value else {})


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    for read in (
        read_number,
        read_date,
        read_duration,
        read_boolean,
        is_missing,
        read_month,
        read_first_day,
        lead,
        range_start,
    ):
        read(text)
    assert clean(clean(text)) == clean(text)
    assert fold(fold(text)) == fold(text)


@given(st.integers(-(10**15), 10**15))
def test_a_number_is_read_however_it_is_written(number: int) -> None:
    for text in (
        str(number),
        f"{number:,}",
        f"{number} ft",
        f"{number:,}[1]",
        f"{number}%".replace("-", "−"),
    ):
        assert read_number(text) == number


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


def test_lead() -> None:
    texts = [
        "202 (estimate)",
        "4220 m\n13,845 ft",
        "46 ± 1",
        "<5",
        "c1968",
        "approx. 20 km",
        "5th?",
        "30:43.86 A",
        "(acting)",
    ]
    assert [lead(text) for text in texts] == [
        "202",
        "4220 m",
        "46",
        "5",
        "1968",
        "20 km",
        "5th",
        "30:43.86",
        "(acting)",
    ]
    assert [range_start(text) for text in ("32–33 mm", "1997 to 1999", "2.4 (#5)")] == [
        "32 mm",
        "1997",
        "2.4",
    ]


def test_units() -> None:
    units = {
        "$5": ("$", True),
        "5 ft": ("ft", True),
        "12 monkeys": ("monkeys", False),
        "T5": ("tie", False),
    }
    assert {text: measure(text)[1:] for text in units} == units


def test_clean() -> None:
    assert clean(" A\u00a0 B[1][note 2]†\n  C ") == "A B\nC"
    assert clean("U12t\ufeff / \ufeff37") == "U12t / 37"
    assert clean("[1]") == "[1]"
    assert clean("List [sic]") == "List [sic]"


def test_fold() -> None:
    assert fold("Ésta – “x”\n y") == 'esta - "x" y'
    assert fold("Sub\u00addivisions") == "subdivisions"
    assert fold("Straße") == fold("STRASSE")
