"""Arrow columns: DuckDB's own names for their types, and one reading of text however many cells
there are."""

import datetime
from decimal import Decimal

import duckdb
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from binder.tables.arrow import cast_spells, duckdb_type, plain, spells
from binder.tables.readings import Reading
from binder.tables.readings.evidence import FileEvidence
from binder.tables.text_columns import TextColumn, read_text


def read(cells: list[list[str]]) -> tuple[pa.ChunkedArray, pa.ChunkedArray | None, Reading]:
    return read_text(TextColumn(pa.chunked_array(cells)), "x", FileEvidence(), None)


ARRAYS = [
    pa.array([1], pa.int32()),
    pa.array([1], pa.uint8()),
    pa.array([1.5], pa.float32()),
    pa.array([True]),
    pa.array(["x"], pa.large_string()),
    pa.array(["x"]).dictionary_encode(),
    pa.array([None], pa.null()),
    pa.array([b"x"]),
    pa.array([Decimal("1.25")]),
    pa.array([datetime.date(2010, 5, 3)], pa.date64()),
    pa.array([datetime.time(1, 2)]),
    pa.array([datetime.datetime(2010, 5, 3)], pa.timestamp("ns")),
    pa.array([1], pa.timestamp("ns")),
    pa.array([datetime.datetime(2010, 5, 3)], pa.timestamp("s", "UTC")),
    pa.array([datetime.timedelta(1)]),
    pa.array([["x"]]),
    pa.array([[1, 2]], pa.list_(pa.int64(), 2)),
    pa.array([{"a b": 1, "c": ["x"]}]),
    pa.array([[("k", 1)]], pa.map_(pa.string(), pa.int32())),
]


@pytest.mark.parametrize("array", ARRAYS, ids=lambda a: str(a.type))
def test_type_is_what_duckdb_says(array: pa.Array) -> None:
    column = plain(pa.chunked_array([array]))
    said = str(duckdb.from_arrow(pa.table({"a": column})).types[0])
    assert duckdb_type(column.type).replace('"c"', "c") == said.replace('"c"', "c")


@pytest.mark.parametrize(
    "odd", [[], ["1,234,567", "-", "NA"], ["$5", "n/a"], ["2.50"], ["+7"], ["a name"]]
)
@pytest.mark.parametrize(
    "make",
    [str, lambda i: f"{i}.25", lambda i: str(datetime.date(1990, 1, 1) + datetime.timedelta(i))],
)
def test_many_cells_are_read_as_few_are(make, odd: list[str]) -> None:
    cells = [make(i) for i in range(1, 8000)]
    many = read([cells + odd, cells[:5]])
    few = read([cells[:200] + odd, cells[:5]])
    assert many[0].type == few[0].type
    assert many[2].unit == few[2].unit
    assert many[2].left_out == few[2].left_out
    assert many[2].cells == few[2].cells + 7799
    assert many[0].to_pylist()[7999:] == few[0].to_pylist()[200:]
    assert (many[1] and many[1].to_pylist()[7999:]) == (few[1] and few[1].to_pylist()[200:])


def test_an_impossible_date_among_many_is_no_value() -> None:
    days = [str(datetime.date(1990, 1, 1) + datetime.timedelta(i)) for i in range(8000)]
    values, texts, _ = read([[*days, "2001-02-30"]])
    assert (values.type, values[-1].as_py(), texts[-1].as_py()) == (pa.date32(), None, "2001-02-30")


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("a name[1]", "a name"),
        ("two  blanks", "two blanks"),
        ("no\u00a0break", "no break"),
        ("soft\u00adhyphen", "softhyphen"),
        ("n/a", None),
        (" ", None),
    ],
)
def test_one_odd_text_among_many_is_cleaned(cell: str, value: str | None) -> None:
    names = [f"Zoë {i}" for i in range(8000)]
    values, texts, reading = read([[*names, cell]])
    assert values.to_pylist() == [*names, value]
    assert texts is None if value is None else texts[-1].as_py() == cell
    assert reading.cells == 8000 + (value is not None)


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        ([f"{i}.{i % 10}0" for i in range(8000)], pa.float64()),  # not as the values are spelled
        ([f"0{i:04}" for i in range(8000)], pa.string()),
        (
            [f"{20_000_101 + i % 28 + 100 * (i % 12) + 10_000 * (i % 20)}" for i in range(8000)],
            pa.date32(),
        ),
        ([f"{i}" for i in range(8000)] + ["nan"], pa.int64()),
    ],
)
def test_many_numbers_that_may_be_something_else(cells: list[str], kind: pa.DataType) -> None:
    values, texts, _ = read([cells])
    assert values.type == kind
    shown = texts if texts is not None else values
    assert [str(v) for v in shown.to_pylist()[:8000]] == cells[:8000] or kind == pa.date32()


DIGITS = st.text("0123456789.-eE", min_size=1, max_size=21)
NUMBERS = st.integers(-(2**63), 2**63 - 1).map(str) | st.floats(width=32).map(str) | DIGITS
TIMES = st.datetimes().map(lambda time: str(time.replace(microsecond=0)))


@given(
    st.lists(NUMBERS | TIMES | TIMES.map(lambda text: text.replace(" ", "T")) | st.none()),
    st.sampled_from(["int64", "float64", "date32", "timestamp[s]"]),
)
@example([str(-(2**63)), "0", "-1", "10"], "int64")
@example(["007"], "int64")
@example(["0x1F"], "int64")
@example(["-0"], "int64")
@example(["12.5", "0.25", "99999999.75"], "float64")
@example(["12.50"], "float64")
@example(["123456789012.5"], "float64")
@example(["5.", ".5"], "float64")
@example(["2020-01-01T00:00:00"], "timestamp[s]")
def test_a_cast_spells_as_its_values_do(cells: list[str | None], kind: str) -> None:
    told = []
    for cell in cells:
        try:
            pa.array([cell], pa.string()).cast(kind)
        except pa.ArrowInvalid:
            continue
        told.append(cell)
    texts = pa.chunked_array([told[:1], told[1:]], pa.string())
    values = texts.cast(kind)
    assert cast_spells(values, texts) == spells(values.combine_chunks(), texts.combine_chunks())
