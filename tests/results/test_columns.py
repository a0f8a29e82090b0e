"""Results as columns: the types of the engine, in every library, and what a copy keeps."""

from __future__ import annotations

import copy
import pickle
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal

import pyarrow as pa
import pytest

from binder import connect
from binder.engine import Binder
from binder.results.columns import distinct, to_arrow
from binder.results.result import Result

ROWS = [
    {"a": 2**60 + 1, "b": "x", "t": True, "d": 1.5},
    {"a": None, "b": None, "t": None, "d": None},
]


@pytest.fixture(scope="module")
def db() -> Iterator[Binder]:
    with connect(ROWS, cache=None) as opened:
        yield opened


def test_integers_and_truths_stay_what_they_are(db: Binder) -> None:
    result = db.run("SELECT a, b, t, d, SUM(a) OVER () AS s FROM w")
    kinds = {name: str(kind) for name, kind in result.df().dtypes.items()}
    assert kinds == {"a": "Int64", "b": "str", "t": "boolean", "d": "float64", "s": "Int64"}
    assert result.df()["a"].tolist()[0] == 2**60 + 1
    assert result.arrow().schema.types == [
        pa.int64(),
        pa.string(),
        pa.bool_(),
        pa.float64(),
        pa.int64(),
    ]
    assert pa.table(result).to_pylist() == result.arrow().to_pylist()


def test_no_row_has_types_too(db: Binder) -> None:
    table = db.run("SELECT a, t FROM w WHERE b = 'zz'").arrow()
    assert (table.num_rows, table.schema.types) == (0, [pa.int64(), pa.bool_()])


def test_a_result_is_a_source(db: Binder) -> None:
    db.add("found", db.run("SELECT a, t FROM w"))
    assert db.run("SELECT t FROM found WHERE a > 0").rows == [(True,)]
    db.add("FOUND", [{"z": 1}])  # replaces it
    assert [table.name for table in db.tables] == ["w", "FOUND"]


def test_a_copy_knows_no_connection(db: Binder) -> None:
    result = db.run("SELECT b FROM w")
    assert result.why(0)
    for copied in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result), copy.copy(result)):
        assert (copied.rows, copied.columns, copied.why(0)) == (result.rows, result.columns, {})


def test_polars_wants_each_name_once(db: Binder) -> None:
    pytest.importorskip("polars", reason="polars is not installed")
    assert db.run("SELECT a, a FROM w").pl().columns == ["a", "a_2"]


def test_names_and_types_without_an_engine() -> None:
    assert distinct(["a", "a", "a_2", "b"]) == ["a", "a_3", "a_2", "b"]
    table = to_arrow(["n", "m"], [(1, 1.5), (2, "x")], [])
    assert table.to_pylist() == [{"n": 1, "m": "1.5"}, {"n": 2, "m": "x"}]
    wide = to_arrow(["n"], [(2**70,)], [pa.decimal128(38, 0)])
    assert wide.to_pylist() == [{"n": Decimal(2**70)}]


def test_a_route_returns_nouns(db: Binder) -> None:
    fastapi = pytest.importorskip("fastapi", reason="fastapi is not installed")
    testclient = pytest.importorskip("fastapi.testclient", reason="httpx is not installed")
    result = db.run("SELECT a FROM w")
    app = fastapi.FastAPI()

    def routed() -> Result:
        return result

    routed.__annotations__["return"] = Result
    app.get("/result")(routed)
    client = testclient.TestClient(app)
    assert client.get("/result").json() == result.data()
    assert client.get("/openapi.json").status_code == 200


def test_durations_leave_as_durations(db: Binder) -> None:
    result = db.run("SELECT INTERVAL 2 HOUR AS t, INTERVAL 2 MONTH AS m")
    table = result.arrow()
    assert table.column("t").to_pylist() == [timedelta(hours=2)]
    assert table.schema.types == [pa.duration("us"), pa.month_day_nano_interval()]
    assert str(result.df()["t"].dtype).startswith("timedelta64")
