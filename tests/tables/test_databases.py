"""Open databases as sources: SQLite, DuckDB and, where they are installed, SQLAlchemy and
PostgreSQL."""

from __future__ import annotations

import datetime as dt
import os
import shutil
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from binder import connect
from binder.errors import DataError
from binder.tables.table import load, load_all

SCRIPT = "CREATE TABLE t (a INTEGER, b TEXT); INSERT INTO t VALUES (1, 'x'), (2, NULL);"
ROWS = [{"row_id": 0, "a": 1, "b": "x"}, {"row_id": 1, "a": 2, "b": None}]


def test_a_connection_of_sqlite() -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        connection.executescript(SCRIPT + "CREATE TABLE u (c INTEGER);")
        assert [table.name for table in load_all(connection)] == ["t", "u"]
        assert load((connection, "t")).data.to_pylist() == ROWS
        assert load((connection, "SELECT a FROM t WHERE a > 1")).num_rows == 1
        with pytest.raises(DataError, match="the database cannot read 'gone': no such table"):
            load((connection, "gone"))
        with pytest.raises(DataError, match=r"the database has 2 tables \(t, u\)"):
            load(connection)


def test_a_connection_of_duckdb() -> None:
    with duckdb.connect() as connection:
        connection.execute(SCRIPT + "CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 5 AS a;")
        tables = {table.name: table for table in load_all(connection)}
        assert set(tables) == {"main.t", "s.t"}
        assert tables["main.t"].data.to_pylist() == ROWS
        assert load((connection, "s.t")).data.column("a").to_pylist() == [5]


def test_the_schemas_of_a_duckdb_file(tmp_path: Path) -> None:
    path = tmp_path / "t.duckdb"
    with duckdb.connect(str(path)) as connection:
        connection.execute(SCRIPT + "CREATE SCHEMA s; CREATE TABLE s.t AS SELECT 5 AS a;")
        connection.execute("CREATE TABLE s.u AS SELECT 6 AS a; CREATE VIEW v AS SELECT * FROM t;")
        connection.execute(
            "CREATE TABLE g AS SELECT 1; CREATE VIEW broken AS FROM g; DROP TABLE g;"
        )
    with connect(path, cache=None) as db:
        assert {table.name for table in db.tables} == {"t", "s.t", "u", "v"}
        assert db.run('SELECT a FROM "s.t"').rows == [(5,)]


def test_an_engine_of_sqlalchemy() -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy")
    engine = sqlalchemy.create_engine("sqlite://", poolclass=sqlalchemy.pool.StaticPool)
    with engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE t (a INTEGER, b TEXT)")
        connection.exec_driver_sql("INSERT INTO t VALUES (1, 'x'), (2, NULL)")
        assert load((connection, "t")).data.to_pylist() == ROWS
    assert [table.name for table in load_all(engine)] == ["t"]
    assert load((engine, "t")).data.to_pylist() == ROWS
    assert load_all({"w": (engine, "SELECT b FROM t")})[0].name == "w"
    engine.dispose()


# ---- PostgreSQL, from the system's packages


def _programs() -> Path | None:
    """The folder of PostgreSQL's programs."""
    if found := shutil.which("initdb"):
        return Path(found).parent
    return max(Path("/usr/lib/postgresql").glob("*/bin"), default=None)


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a server that lives as long as these tests."""
    programs = _programs()
    if programs is None or not (programs / "initdb").exists():
        pytest.skip("PostgreSQL is not installed")
    # beside pytest's own folders, which nobody else may enter
    folder = Path(tempfile.mkdtemp(prefix="postgres"))
    own: list[str] = []
    if os.geteuid() == 0:  # as which it refuses to run
        if shutil.which("runuser") is None:
            pytest.skip("PostgreSQL does not run as root, and there is no runuser")
        own = ["runuser", "-u", "nobody", "--"]
        shutil.chown(folder, "nobody")
    data = str(folder / "data")
    init = [str(programs / "initdb"), "-D", data, "-U", "me", "-A", "trust", "-N"]
    made = subprocess.run([*own, *init], capture_output=True, text=True)
    if made.returncode:
        pytest.skip(f"PostgreSQL cannot be started: {made.stderr.strip()[-80:]}")
    words = ["-D", data, "-k", str(folder), "-c", "listen_addresses="]
    server = subprocess.Popen(
        [*own, str(programs / "postgres"), *words],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    for _ in range(100):
        if (folder / ".s.PGSQL.5432").exists():
            break
        time.sleep(0.1)
    time.sleep(0.5)
    yield f"host={folder} user=me dbname=postgres"
    server.terminate()
    server.wait(timeout=20)
    shutil.rmtree(folder, ignore_errors=True)


TYPES = """
CREATE SCHEMA sales;
CREATE TABLE sales.t (
  a integer, b text, p numeric(10,2), d date, m timestamp, z timestamptz, ok boolean, r real,
  tags integer[], big bigint, doc jsonb, id uuid, took interval
);
INSERT INTO sales.t VALUES (1, 'x', 12.50, '2020-05-01', '2020-05-01 10:00', '2020-05-01 10:00+00',
  true, 1.5, '{1,2}', 9007199254740993, '{"k": 1}', '00000000-0000-0000-0000-000000000005', '2 days'),
  (2, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
CREATE TABLE "Odd Name" (x integer);
INSERT INTO "Odd Name" VALUES (7);
"""
FIRST: dict[str, Any] = {
    "a": 1,
    "b": "x",
    "p": Decimal("12.50"),
    "d": dt.date(2020, 5, 1),
    "m": dt.datetime(2020, 5, 1, 10),
    "ok": True,
    "r": 1.5,
    "tags": [1, 2],
    "big": 9007199254740993,
}


def test_postgresql_by_its_driver(postgres: str) -> None:
    psycopg2 = pytest.importorskip("psycopg2", reason="psycopg2 is not installed")
    with closing(psycopg2.connect(postgres)) as connection:
        with connection.cursor() as cursor:
            cursor.execute(TYPES)
        connection.commit()
        assert {table.name for table in load_all(connection)} == {"t", "Odd Name"}
        table = load((connection, "sales.t"))
        first, second = table.data.to_pylist()
        assert {name: first[name] for name in FIRST} == FIRST
        assert set(second.values()) == {1, 2, None}  # row_id, a, and nothing else
        with connect({"w": (connection, "SELECT p, z, took FROM sales.t")}, cache=None) as db:
            ((total, hour, took),) = db.run("SELECT SUM(p), MAX(hour(z)), MAX(took) FROM w").rows
            assert (total, took) == (Decimal("12.50"), dt.timedelta(days=2))
            assert hour == 10


def test_postgresql_by_arrow(postgres: str) -> None:
    dbapi = pytest.importorskip(
        "adbc_driver_postgresql.dbapi", reason="adbc-driver-postgresql is not installed"
    )
    pytest.importorskip("psycopg2", reason="psycopg2 is not installed")
    host = postgres.split()[0].removeprefix("host=")
    address = f"postgresql://me@/postgres?host={host}"
    with closing(dbapi.connect(address)) as connection:
        first = load((connection, "SELECT a, b, d, m, ok, r, tags, big FROM sales.t"))
        row = first.data.to_pylist()[0]
        assert {name: row[name] for name in row if name in FIRST} == {
            name: value for name, value in FIRST.items() if name != "p"
        }
