"""The cells of fixtures/values.txt, and what must hold for any text."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.values import clean, fold, is_missing, measure, read_boolean, read_date, read_duration, read_number

FIXTURE = Path(__file__).parent / "fixtures" / "values.txt"
CASES = [
    pytest.param(*(part.strip() for part in line.rsplit("|", 2)), id=f"values.txt:{number}")
    for number, line in enumerate(FIXTURE.read_text(encoding="utf-8").splitlines(), 1)
    if line.strip() and not line.startswith("# cell")
]


@pytest.mark.parametrize(("cell", "kind", "value"), CASES)
def test_cell(cell: str, kind: str, value: str) -> None:
    read = {"number": read_number(cell), "date": read_date(cell), "duration": read_duration(cell), "boolean": read_boolean(cell)}
    assert is_missing(cell) == (kind == "missing")
    assert {k: str(v) for k, v in read.items() if v is not None} == ({kind: value} if value else {})


@given(st.text())
def test_any_text_can_be_read(text: str) -> None:
    for read in (read_number, read_date, read_duration, read_boolean, is_missing):
        read(text)
    assert clean(clean(text)) == clean(text)
    assert fold(fold(text)) == fold(text)


@given(st.integers(-(10**15), 10**15))
def test_a_number_is_read_however_it_is_written(number: int) -> None:
    for text in (str(number), f"{number:,}", f"{number} ft", f"{number:,}[1]", f"{number}%".replace("-", "−")):
        assert read_number(text) == number


@given(st.dates())
def test_a_date_is_read_however_it_is_written(day) -> None:
    for text in (day.isoformat(), f"{day:%B} {day.day}, {day.year:04}", f"{day.day} {day:%b} {day.year:04}"):
        assert read_date(text) == day


def test_day_first() -> None:
    assert str(read_date("3/2/2010")) == "2010-03-02"
    assert str(read_date("3/2/2010", day_first=True)) == "2010-02-03"
    assert read_date("13/2/2010", day_first=False) is None


def test_units() -> None:
    units = {"$5": ("$", True), "5 ft": ("ft", True), "12 monkeys": ("monkeys", False), "T5": ("tie", False)}
    assert {text: measure(text)[1:] for text in units} == units


def test_clean() -> None:
    assert clean(" A\u00a0 B[1][note 2]†\n  C ") == "A B\nC"
    assert clean("[1]") == "[1]"
    assert clean("List [sic]") == "List [sic]"


def test_fold() -> None:
    assert fold("Ésta – “x”\n y") == 'esta - "x" y'
    assert fold("Straße") == fold("STRASSE")
