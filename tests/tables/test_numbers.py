"""Numbers: however they are written, with their units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.tables.numbers import Measure, measure, read_number


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


def test_units() -> None:
    units = {
        "$5": ("$", True),
        "5 ft": ("ft", True),
        "12 monkeys": ("monkeys", False),
        "T5": ("tie", False),
    }
    assert {text: measure(text)[1:] for text in units} == units


@pytest.mark.parametrize(
    ("text", "number", "unit"),
    [
        ("US$1.5 million", 1_500_000, "US$"),
        ("5 1/2 ft", 5.5, "ft"),
        ("6'2\"", 6.16666666667, "ft"),
        ("12 (3.7 m)", 12, ""),
        ("776 BC", -776, ""),
        ("9.58 WR", 9.58, ""),
        ("5 m", 5, "m"),
        ("1st", 1, ""),
        ("−5", -5, ""),
    ],
)
def test_what_stands_around_a_number(text: str, number: float, unit: str) -> None:
    assert measure(text) == Measure(number, unit, known=True)


@pytest.mark.parametrize(
    "text",
    ["007", "1st Battalion", "12 May", "1980s", "12 (3)", "3–1", "+-5", "$5 monkeys", "1" * 61],
)
def test_what_is_more_or_less_than_one_number(text: str) -> None:
    assert measure(text) is None


def test_a_number_beyond_all_bounds_is_none() -> None:
    assert read_number("1e999") is None
