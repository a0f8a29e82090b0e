"""Frames go in, as the parent writes them; frames come out. The functions that the session adds
read what they say."""

from __future__ import annotations

import io
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from binder.errors import DataError
from binder.executors.workers.duckdb_worker import DuckDBSession, read_database
from binder.executors.workers.protocol import read_frame, serve, write_frame


@pytest.fixture(scope="module")
def session() -> DuckDBSession:
    return DuckDBSession(512, 1)


def _answers(*requests: tuple[dict[str, object], bytes]) -> list[tuple[dict[str, object], bytes]]:
    """What the loop writes to some frames."""
    stdin, stdout = io.BytesIO(), io.BytesIO()
    for header, payload in requests:
        write_frame(stdin, header, payload)
    stdin.seek(0)
    serve(DuckDBSession(512, 1), stdin, stdout)
    stdout.seek(0)
    return list(iter(lambda: read_frame(stdout), None))  # type: ignore[arg-type]


def test_frames_go_there_and_back() -> None:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, pa.schema({"a": pa.int64()})) as writer:
        writer.write_table(pa.table({"a": [1, 2]}))
    loaded, found, broken = _answers(
        ({"verb": "load", "name": "t"}, sink.getvalue().to_pybytes()),
        (
            {
                "verb": "run",
                "sql": "SELECT SUM(a) AS s FROM t",
                "most": {"rows": 10, "bytes": 1000},
            },
            b"",
        ),
        ({"verb": "run", "sql": "SELECT oops", "most": {"rows": 10, "bytes": 1000}}, b""),
    )
    assert loaded[0] == {"rows": 2}
    assert found[0]["types"] == ["HUGEINT"] and pa.ipc.open_stream(
        found[1]
    ).read_all().to_pylist() == [{"s": 3}]
    assert broken[0]["fault"] == "query" and "oops" in str(broken[0]["message"])


def test_the_engine_draws_no_progress_bar(session: DuckDBSession) -> None:
    """It would, on the standard output, once a query takes two seconds."""
    shown = session.connection.execute("SELECT current_setting('enable_progress_bar')").fetchone()
    assert shown == (False,)


def test_a_frame_that_is_cut_off_ends_the_loop() -> None:
    assert read_frame(io.BytesIO(b"\x01\x00")) is None


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("12", 12), ("-3.5", -3.5), ("−7", -7), ("1,234", 1234), ("$5", 5), ("3 kg", 3), ("45%", 45), ("1e3", 1000), ("",
        None), ("x", None),
        ("2008-07-05", None), ("1:30", None), ("3-4", None), ("a1", None),
    ],
)  # fmt: skip
def test_text_as_the_number_it_writes(
    session: DuckDBSession, text: str, number: float | None
) -> None:
    assert session.connection.execute("SELECT number_in(?)", [text]).fetchone() == (number,)


def test_settings_cannot_be_changed(session: DuckDBSession) -> None:
    with pytest.raises(duckdb.Error, match="locked"):
        session.connection.execute("SET threads = 2")


def test_the_tables_of_a_database_file(tmp_path: Path) -> None:
    path = str(tmp_path / "x.duckdb")
    with duckdb.connect(path) as connection:
        connection.execute('CREATE TABLE "a b" AS SELECT 1 AS x')
        connection.execute('CREATE VIEW v AS SELECT x + 1 AS y FROM "a b"')
    assert {name: table.to_pylist() for name, table in read_database(path).items()} == {
        "a b": [{"x": 1}],
        "v": [{"y": 2}],
    }


@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 99])
def test_what_is_no_database_is_a_data_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "x.duckdb"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(DataError, match="no such file|cannot read .* as a DuckDB database"):
        read_database(str(path))


def test_a_query_that_fails_half_way_does_not_stand_in_the_way_of_the_next(
    session: DuckDBSession,
) -> None:
    half_way = "SELECT CAST(CASE WHEN i < 800000 THEN '1' ELSE 'x' END AS INTEGER) AS n FROM RANGE(900000) AS t(i)"
    most = {"rows": 1_000_000, "bytes": 10**9}
    with pytest.raises((duckdb.Error, OSError), match="Conversion Error"):
        session.run({"sql": half_way, "most": most}, memoryview(b""))
    assert session.run(
        {"sql": "SELECT i FROM RANGE(9) AS t(i)", "most": {"rows": 5, "bytes": 10**9}},
        memoryview(b""),
    )[0] == {"fault": "rows", "message": "the result has too many rows"}
    assert session.run({"sql": "SELECT 1 AS one", "most": most}, memoryview(b""))[0]["columns"] == [
        "one"
    ]
