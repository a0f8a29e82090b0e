"""Every type of Arrow, pandas, DuckDB and polars comes back equal, comes back as text that says the
same, or is refused by its name: with a value, with NULL, and with no row."""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Iterator
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from binder import connect
from binder.engine import Binder
from binder.errors import DataError

MOMENT = dt.datetime(2020, 5, 1, 23, 30, 15)
NEW_YORK = MOMENT.replace(tzinfo=ZoneInfo("America/New_York"))
DAY = dt.date(2020, 5, 1)
CLOCK = dt.time(1, 2, 3)
LONG = dt.timedelta(days=2, seconds=5)
UUID = uuid.UUID(int=5)

ARROW: list[tuple[pa.DataType, Any]] = [
    *((getattr(pa, f"{sign}int{bits}")(), 7) for sign in ("", "u") for bits in (8, 16, 32, 64)),
    (pa.int64(), 2**63 - 1),
    (pa.uint64(), 2**64 - 1),
    *((kind, 1.5) for kind in (pa.float16(), pa.float32(), pa.float64())),
    (pa.bool_(), True),
    (pa.null(), None),
    *((kind, "é") for kind in (pa.string(), pa.large_string(), pa.string_view())),
    *((kind, b"a\x00b") for kind in (pa.binary(), pa.large_binary(), pa.binary_view())),
    (pa.binary(2), b"ab"),
    *((kind, DAY) for kind in (pa.date32(), pa.date64())),
    *((pa.timestamp(unit), MOMENT) for unit in ("s", "ms", "us", "ns")),
    *((pa.timestamp(unit, "America/New_York"), NEW_YORK) for unit in ("s", "ms", "us", "ns")),
    *(
        (kind, CLOCK)
        for kind in (pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"))
    ),
    *((pa.duration(unit), LONG) for unit in ("s", "ms", "us", "ns")),
    (pa.month_day_nano_interval(), pa.MonthDayNano([1, 2, 3000])),
    (pa.decimal32(5, 1), Decimal("1.5")),
    (pa.decimal64(12, 3), Decimal("1.500")),
    (pa.decimal128(10, 2), Decimal("1.25")),
    (pa.decimal128(38, 0), 10**37),
    (pa.decimal128(5, -2), 100),
    (pa.decimal256(50, 0), 5),
    (pa.list_(pa.int64()), [1, None, 2]),
    (pa.large_list(pa.string()), ["a"]),
    (pa.list_(pa.float32(), 2), [1.0, 2.0]),
    (pa.list_view(pa.int64()), [1, 2]),
    (pa.large_list_view(pa.int64()), [1, 2]),
    (pa.list_(pa.duration("us")), [LONG]),
    (pa.struct([("a", pa.int64()), ("b", pa.string())]), {"a": 1, "b": "x"}),
    (pa.map_(pa.string(), pa.int64()), [("k", 1)]),
    (pa.dictionary(pa.int8(), pa.string()), "x"),
    (pa.dictionary(pa.int32(), pa.int64()), 5),
    (pa.json_(), '{"a": 1}'),
]

TEXTS = [  # what comes back as text that says the same
    (pa.array([Decimal(10**50)], pa.decimal256(60, 0)), str(10**50)),
    (pa.array([UUID], pa.uuid()), str(UUID)),
    (pd.Series([pd.Period("2020-05", "M")]), "2020-05"),
    (pd.Series([pd.Period("2020-05-01", "D")]), "2020-05-01"),
    (pd.Series(pd.interval_range(0, 1)), "(0, 1]"),
    (pd.Series([UUID]), str(UUID)),
    (pd.Series([2**70], dtype=object), str(2**70)),
]

PANDAS = [
    ("int64", [1, 2]),
    *((name, [1, None]) for name in ("Int8", "Int16", "Int32", "Int64", "UInt8", "UInt64")),
    ("float64", [1.5, None]),
    ("Float64", [1.5, None]),
    ("bool", [True, False]),
    ("boolean", [True, None]),
    ("string", ["a", None]),
    ("object", ["a", None]),
    ("object", [DAY, None]),
    ("object", [CLOCK, None]),
    ("object", [Decimal("1.2"), None]),
    ("object", [b"a", None]),
    ("object", [[1, 2], None]),
    ("object", [{"a": 1}, None]),
    ("object", [LONG, None]),
    ("category", ["a", None]),
    ("datetime64[ns]", [MOMENT, None]),
    ("datetime64[us, America/New_York]", [NEW_YORK, None]),
    ("timedelta64[ns]", [LONG, None]),
    ("int64[pyarrow]", [1, None]),
    ("Sparse[int]", [1, 0]),
]

DUCKDB = [
    ("TINYINT", "1", 1),
    ("HUGEINT", "170141183460469231731687303715884105727", 2**127 - 1),
    ("UBIGINT", "18446744073709551615", 2**64 - 1),
    ("FLOAT", "1.5", 1.5),
    ("DECIMAL(38,10)", "1.5", Decimal("1.5000000000")),
    ("BOOLEAN", "true", True),
    ("VARCHAR", "'é'", "é"),
    ("BLOB", "'\\x00a'::BLOB", b"\x00a"),
    ("DATE", "DATE '2020-05-01'", DAY),
    ("TIME", "TIME '01:02:03'", CLOCK),
    ("TIMESTAMP", "TIMESTAMP '2020-05-01 23:30:15'", MOMENT),
    ("TIMESTAMP_NS", "TIMESTAMP '2020-05-01 23:30:15'", MOMENT),
    ("TIMESTAMP_S", "TIMESTAMP '2020-05-01 23:30:15'", MOMENT),
    ("INTERVAL", "INTERVAL '2 days 5 seconds'", LONG),
    ("INTEGER[]", "[1, NULL]", [1, None]),
    ("INTEGER[2]", "[1, 2]", [1, 2]),
    ("STRUCT(a INTEGER)", "{'a': 1}", {"a": 1}),
    ("MAP(VARCHAR, INTEGER)", "MAP {'a': 1}", [("a", 1)]),
    ("UUID", f"'{UUID}'", str(UUID)),
    ("ENUM('a', 'b')", "'a'", "a"),
    ("UNION(n INTEGER, t VARCHAR)", "1", 1),
]


@pytest.fixture(scope="module")
def db() -> Iterator[Binder]:
    with connect([{"a": 1}], cache=None) as opened:
        yield opened


def comes_back(db: Binder, source: Any) -> list[Any]:
    db.add("t", source)
    return [value for (value,) in db.run("SELECT c FROM t").rows]


@pytest.mark.parametrize(("kind", "value"), ARROW, ids=lambda part: str(part)[:40])
def test_arrow(db: Binder, kind: pa.DataType, value: Any) -> None:
    for values in ([value, None], [None, None], []):
        table = pa.table({"c": pa.array(values, kind)})
        assert comes_back(db, table) == values


@pytest.mark.parametrize(("source", "text"), TEXTS, ids=lambda part: str(part)[:20].strip())
def test_what_becomes_text(db: Binder, source: Any, text: str) -> None:
    columns = {"c": source}
    frame = pd.DataFrame(columns) if isinstance(source, pd.Series) else pa.table(columns)
    assert comes_back(db, frame) == [text]


@pytest.mark.parametrize(("dtype", "values"), PANDAS, ids=lambda part: str(part)[:40])
def test_pandas(db: Binder, dtype: str, values: list[Any]) -> None:
    frame = pd.DataFrame({"c": pd.Series(values, dtype=dtype)})
    assert comes_back(db, frame) == values
    assert comes_back(db, frame[:0]) == []


@pytest.mark.parametrize(("kind", "value", "expected"), DUCKDB, ids=lambda part: str(part)[:30])
def test_duckdb(db: Binder, kind: str, value: str, expected: Any) -> None:
    with duckdb.connect() as connection:
        values = f"(VALUES (CAST({value} AS {kind})), (NULL)) AS v(c)"
        assert comes_back(db, connection.sql(f"SELECT c FROM {values}")) == [expected, None]
        assert comes_back(db, connection.sql(f"SELECT c FROM {values} LIMIT 0")) == []


def test_what_is_refused_by_name(db: Binder) -> None:
    dense = pa.UnionArray.from_dense(
        pa.array([0], pa.int8()), pa.array([0], pa.int32()), [pa.array([1])]
    )
    with pytest.raises(DataError, match="column 'c' holds dense_union"):
        comes_back(db, pa.table({"c": dense}))
    with pytest.raises(DataError, match="column 'c' holds complex numbers"):
        comes_back(db, pd.DataFrame({"c": np.array([1j])}))


def test_polars(db: Binder) -> None:
    pl = pytest.importorskip("polars")
    cases: list[tuple[Any, list[Any]]] = [
        *((getattr(pl, f"{sign}Int{bits}"), [7, None]) for sign in ("", "U") for bits in (8, 64)),
        (pl.Float32, [1.5, None]),
        (pl.Float64, [1.5, None]),
        (pl.Boolean, [True, None]),
        (pl.String, ["é", None]),
        (pl.Binary, [b"a", None]),
        (pl.Date, [DAY, None]),
        (pl.Time, [CLOCK, None]),
        (pl.Datetime("ns"), [MOMENT, None]),
        (pl.Datetime("ms", "America/New_York"), [NEW_YORK, None]),
        (pl.Duration("us"), [LONG, None]),
        (pl.Decimal(20, 2), [Decimal("1.25"), None]),
        (pl.Categorical, ["a", None]),
        (pl.Enum(["a", "b"]), ["a", None]),
        (pl.List(pl.Int64), [[1, None], None]),
        (pl.Array(pl.Int64, 2), [[1, 2], None]),
        (pl.Struct({"a": pl.Int64}), [{"a": 1}, None]),
        (pl.Null, [None, None]),
    ]
    for kind, values in cases:
        frame = pl.DataFrame({"c": pl.Series(values, dtype=kind)})
        assert comes_back(db, frame) == values, kind
        assert comes_back(db, frame[:0]) == [], kind
    assert comes_back(db, pl.LazyFrame({"c": [1]})) == [1]
