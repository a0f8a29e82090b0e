"""What a column is, from its distinct cells."""

import pytest

from binder.columns import read_column

TYPES = [
    ("whole numbers", ["1,234", "5", "-"], "BIGINT", None),
    ("fractions", ["1", "2.5"], "DOUBLE", None),
    ("years", ["1990", "1991"], "BIGINT", None),
    ("money", ["$5", "$1.5 million", "7"], "BIGINT", "$"),
    ("one unit, singular and plural", ["1 goal", "2 goals", "3 goals"], "BIGINT", "goals"),
    ("a word of its own", ["89.7 FM", "93.1 FM", "94 FM"], "DOUBLE", "FM"),
    ("titles with numbers", ["12 Monkeys", "300", "8 Mile", "1917"], "VARCHAR", None),
    ("two units", ["5 km", "3 mi"], "VARCHAR", None),
    ("ranks with ties", ["1", "T2", "T4", "10"], "BIGINT", None),
    ("models", ["T2", "T4", "T10"], "VARCHAR", None),
    ("ranks and those who did not finish", ["1st", "2nd", "DNF", "Ret"], "BIGINT", None),
    ("codes", ["01", "02", "10", "11"], "VARCHAR", None),
    ("one code among many numbers", ["00", *map(str, range(7, 40))], "BIGINT", None),
    ("long identifiers", ["12345678901234567890", "12345678901234567891"], "VARCHAR", None),
    ("scores", ["3–1", "2–2"], "VARCHAR", None),
    ("seasons", ["1998–99", "1999–00"], "VARCHAR", None),
    ("names that may look missing", ["NA", "CA"], "VARCHAR", None),
    ("dates", ["May 3, 2010", "5 June 2011"], "DATE", None),
    ("timestamps", ["2010-05-03 10:00", "2010-05-04"], "TIMESTAMP", None),
    ("partial dates", ["May 2010", "June 2010"], "VARCHAR", None),
    ("true and false", ["TRUE", "false"], "BOOLEAN", None),
    ("yes and no", ["Yes", "No"], "VARCHAR", None),
    ("times with tenths", ["1:46.30", "59.80"], "DOUBLE", "seconds"),
    ("a winner's time and gaps", ["1:52:24.080", *(f"+{i}.5" for i in range(1, 30))], "VARCHAR", None),
    ("gaps", ["+28.5", "+1:00.9"], "DOUBLE", "seconds"),
    ("nothing", ["", "-"], "VARCHAR", None),
]


@pytest.mark.parametrize(("cells", "kind", "unit"), [c[1:] for c in TYPES], ids=[c[0] for c in TYPES])
def test_type(cells: list[str], kind: str, unit: str | None) -> None:
    reading = read_column(cells)
    assert (reading.type, reading.unit) == (kind, unit)
    assert len(reading.values) == len(reading.texts) == len(cells)


@pytest.mark.parametrize(
    ("header", "cells", "kind"),
    [
        ("Length", ["3:45", "4:30"], "DOUBLE"),
        ("Time", ["3:41", "4:32"], "DOUBLE"),
        ("Time", ["14:00", "16:30"], "VARCHAR"),
        ("Departure", ["01:25", "04:53"], "VARCHAR"),
        ("Score", ["25:20", "25:23"], "VARCHAR"),
        ("Zip code", ["94110", "10001"], "VARCHAR"),
    ],
)
def test_header_decides(header: str, cells: list[str], kind: str) -> None:
    assert read_column(cells, header).type == kind


def test_order_of_days_and_months_is_that_of_the_column() -> None:
    assert [str(v) for v in read_column(["3/2/2010", "25/2/2010"]).values] == ["2010-02-03", "2010-02-25"]
    assert [str(v) for v in read_column(["3/2/2010", "2/25/2010"]).values] == ["2010-03-02", "2010-02-25"]
    assert read_column(["25/2/2010", "2/25/2010"]).type == "VARCHAR"


def test_a_total_row_does_not_spoil_a_type() -> None:
    days = ["May 3, 2010", "May 4, 2010", "May 5, 2010"]
    reading = read_column([*days, "Total"], last="Total")
    assert (reading.type, reading.values[-1], reading.texts[-1]) == ("DATE", None, "Total")
    assert read_column([*days, "Total"], last=days[-1]).type == "VARCHAR"


def test_nine_in_ten() -> None:
    numbers = [str(n) for n in range(1, 10)]
    assert read_column([*numbers, "many"]).values == [*range(1, 10), None]
    assert read_column([*numbers, "many", "few"]).type == "VARCHAR"


def test_missing_in_numbers_only() -> None:
    assert read_column(["1", "NA"]).texts == ["1", None]
    assert read_column(["x", "NA"]).texts == ["x", "NA"]
    assert read_column(["1", "DNF"]).texts == ["1", "DNF"]
