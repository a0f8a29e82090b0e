"""The cells of fixtures/values.tsv, and what must hold for any text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.tables.cells import clean, fold, is_missing, lead, range_start, read_boolean
from binder.tables.dates import read_date, read_duration, read_first_day, read_month
from binder.tables.numbers import read_number
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


def test_clean() -> None:
    assert clean(" A\u00a0 B[1][note 2]†\n  C ") == "A B\nC"
    assert clean("U12t\ufeff / \ufeff37") == "U12t / 37"
    assert clean("[1]") == "[1]"
    assert clean("List [sic]") == "List [sic]"


def test_fold() -> None:
    assert fold("Ésta – “x”\n y") == 'esta - "x" y'
    assert fold("Sub\u00addivisions") == "subdivisions"
    assert fold("Straße") == fold("STRASSE")
