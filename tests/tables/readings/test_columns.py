"""What a column is, from its distinct cells."""

from collections import Counter

import pytest

from binder.tables.readings import ReadColumn, read
from binder.tables.readings.evidence import Evidence


def read_column(cells: list[str], header: str = "", last: str | None = None) -> ReadColumn:
    return read(Evidence(header, Counter(cells), last))


TYPES = [
    ("whole numbers", ["1,234", "5", "-"], "BIGINT", None),
    ("fractions", ["1", "2.5"], "DOUBLE", None),
    ("years", ["1990", "1991"], "BIGINT", None),
    ("money", ["$5", "$1.5 million", "7"], "BIGINT", "$"),
    ("one unit, singular and plural", ["1 goal", "2 goals", "3 goals"], "BIGINT", "goals"),
    ("a word of its own", ["89.7 FM", "93.1 FM", "94 FM"], "DOUBLE", "FM"),
    ("titles with numbers", ["12 Monkeys", "300", "8 Mile", "1917"], "VARCHAR", None),
    ("two units of length", ["5 km", "3 mi"], "DOUBLE", "km"),
    ("a length and a mass", ["5 km", "3 kg"], "VARCHAR", None),
    ("ranks with ties", ["1", "T2", "T4", "10"], "BIGINT", None),
    ("models", ["T2", "T4", "T10"], "VARCHAR", None),
    ("ranks and those who did not finish", ["1st", "2nd", "DNF", "Ret"], "BIGINT", None),
    ("a date of equal parts", ["05/05/12"], "DATE", None),
    ("codes", ["01", "02", "10", "11"], "VARCHAR", None),
    ("one code among many numbers", ["00", *map(str, range(7, 40))], "BIGINT", None),
    ("long identifiers", ["12345678901234567890", "12345678901234567891"], "VARCHAR", None),
    ("scores", ["3–1", "2–2"], "VARCHAR", None),
    ("seasons", ["1998–99", "1999–00"], "VARCHAR", None),
    ("names that may look missing", ["NA", "CA"], "VARCHAR", None),
    ("dates", ["May 3, 2010", "5 June 2011"], "DATE", None),
    ("timestamps", ["2010-05-03 10:00", "2010-05-04"], "TIMESTAMP", None),
    ("partial dates", ["May 2010", "June 2010"], "DATE", None),
    ("full and partial dates", ["May 3, 2010", "June 2010", "2011"], "DATE", None),
    ("days without a year", ["May 3", "June 5"], "VARCHAR", None),
    ("years and few dates", ["1869", "1871", "1872", "1873", "December 1, 1874"], "BIGINT", None),
    ("years, one of them a span", ["1998", "1999", "2001–2003"], "BIGINT", None),
    ("years before and after Christ", ["776 B.C.", "1531", "1891"], "BIGINT", None),
    ("spans only", ["1998–2003", "2001–2004"], "VARCHAR", None),
    ("remarks here and there", ["13.6 (est.)", "12.0", "12.4"], "DOUBLE", None),
    ("two units, on two lines", ["4220 m\n13,845 ft", "3819 m\n12,530 ft"], "BIGINT", "m"),
    ("numbers with their rank", ["2.37 (#5)", "2.11 (#6)"], "DOUBLE", None),
    ("goals of league and cup", ["14 (95)", "17 (115)"], "VARCHAR", None),
    ("records", ["36–8 (N/A)", "24–5 (N/A)"], "VARCHAR", None),
    ("marks", ["5.1/10", "7.5/10"], "DOUBLE", "/10"),
    ("made and attempted", ["4/9", "33/77"], "VARCHAR", None),
    ("heights", ["6'4\"", "5'11\""], "DOUBLE", "ft"),
    ("decimal commas", ["+2%", "+10,5%", "+15,0%"], "DOUBLE", "%"),
    ("golf", ["E", "+2", "–3"], "BIGINT", None),
    ("words among numbers", ["25", "18", "28", "Playoff"], "BIGINT", None),
    ("codes among numbers", ["25", "18", "28", "W12"], "VARCHAR", None),
    ("true and false", ["TRUE", "false"], "BOOLEAN", None),
    ("yes and no", ["Yes", "No"], "VARCHAR", None),
    ("times with tenths", ["1:46.30", "59.80"], "DOUBLE", "seconds"),
    (
        "a winner's time and gaps",
        ["1:52:24.080", *(f"+{i}.5" for i in range(1, 30))],
        "VARCHAR",
        None,
    ),
    ("gaps", ["+28.5", "+1:00.9"], "DOUBLE", "seconds"),
    ("nothing", ["", "-"], "VARCHAR", None),
]


@pytest.mark.parametrize(
    ("cells", "kind", "unit"), [c[1:] for c in TYPES], ids=[c[0] for c in TYPES]
)
def test_type(cells: list[str], kind: str, unit: str | None) -> None:
    column = read_column(cells)
    assert (column.reading.type, column.reading.unit) == (kind, unit)
    assert len(column.values) == len(column.texts) == len(cells)


@pytest.mark.parametrize(
    ("header", "cells", "kind"),
    [
        ("Length", ["3:45", "4:30"], "DOUBLE"),
        ("Time", ["3:41", "4:32"], "DOUBLE"),
        ("Time", ["14:00", "16:30"], "TIME"),
        ("Departure", ["01:25", "04:53"], "TIME"),
        ("Score", ["25:20", "25:23"], "VARCHAR"),
        ("Zip code", ["94110", "10001"], "VARCHAR"),
    ],
)
def test_header_decides(header: str, cells: list[str], kind: str) -> None:
    assert read_column(cells, header).reading.type == kind


def test_order_of_days_and_months_is_that_of_the_column() -> None:
    assert [str(v) for v in read_column(["3/2/2010", "25/2/2010"]).values] == [
        "2010-02-03",
        "2010-02-25",
    ]
    assert [str(v) for v in read_column(["3/2/2010", "2/25/2010"]).values] == [
        "2010-03-02",
        "2010-02-25",
    ]
    assert read_column(["25/2/2010", "2/25/2010"]).reading.type == "VARCHAR"


def test_two_units_in_the_header() -> None:
    assert read_column(["168 (551)", "165 (541)"], "Height\nm (ft)").values == [168, 165]
    assert read_column(["168 (551)", "165 (541)"], "Score").reading.type == "VARCHAR"


def test_a_header_repeated_below_itself() -> None:
    assert read_column(["1", "Goals"], "League\nGoals").values == [1, None]
    assert read_column(["1", "Goals"], "League").reading.type == "VARCHAR"


def test_exceptions_get_the_value_they_begin_with() -> None:
    assert read_column(["1", "2", "c. 3", "5–6", "7 (est.)"]).values == [1, 2, 3, 5, 7]
    days = read_column(["25/11/2013", "9/11/2013*", "May 2014"]).values
    assert [str(day) for day in days] == ["2013-11-25", "2013-11-09", "2014-05-01"]
    assert read_column(["1,2", "3,4"]).reading.type == "VARCHAR"
    assert read_column(["9.1", "11,2"]).values == [9.1, 11.2]
    assert read_column(["E", "+2"]).values == [0, 2]
    assert read_column(["1:46.30", "1:47.10 (heat)"]).values == [106.3, 107.1]


def test_a_total_row_does_not_spoil_a_type() -> None:
    years = ["1998", "1999", "2000"]
    reading = read_column([*years, "5 in all"], last="5 in all")
    assert (reading.reading.type, reading.values[-1], reading.texts[-1]) == (
        "BIGINT",
        None,
        "5 in all",
    )
    assert read_column([*years, "5 in all"], last=years[-1]).reading.type == "VARCHAR"


def test_how_many_exceptions_a_type_bears() -> None:
    numbers = [str(n) for n in range(1, 10)]
    assert read_column([*numbers, "W12"]).values == [*range(1, 10), None]
    assert read_column([*numbers, "W12", "W13"]).reading.type == "VARCHAR"
    assert read_column([*numbers, "many", "few", "some"]).reading.type == "BIGINT"
    assert read_column([*numbers, "many", "few", "some", "none at all"]).reading.type == "VARCHAR"


def test_missing_in_numbers_only() -> None:
    assert read_column(["1", "NA"]).texts == ["1", None]
    assert read_column(["x", "NA"]).texts == ["x", "NA"]
    assert read_column(["1", "DNF"]).texts == ["1", "DNF"]
