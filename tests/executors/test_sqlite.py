"""Programs that SQLite runs: its meaning as a whole, calls in it, and what its worker refuses."""

from __future__ import annotations

import datetime as dt
import pickle
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import binder
from binder.errors import BinderError, CheckFault, LimitExceeded, UsageError
from binder.executors.workers.protocol import answer
from binder.executors.workers.sqlite_worker import SqliteSession
from binder.executors.workers.subprocess import stream
from tests.executors.sqlite_differential import tried
from tests.oracle import Oracle


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "town.sqlite"
    with sqlite3.connect(made) as connection:
        connection.execute(
            "CREATE TABLE t (name TEXT COLLATE NOCASE, age INT, born DATE, note, big BOOLEAN)"
        )
        connection.executemany(
            "INSERT INTO t VALUES (?, ?, ?, ?, ?)",
            [
                ("Rome", 7, "2001-02-03", 1, 1),
                ("Oslo", "n/a", "2004-05-06 07:08", "x", 0),
                ("Bern", None, None, 2.5, None),
                ("rome", "12", "", b"\x00", 1),
            ],
        )
    return made


@pytest.fixture
def db(path: Path) -> Iterator[binder.Binder]:
    with binder.connect(path, lm=Oracle()) as opened:
        yield opened


@pytest.mark.parametrize("habits", [(), ("call",)], ids=["plain", "with calls"])
def test_rows_are_those_of_sqlite(habits: tuple[str, ...]) -> None:
    different = [each for each in tried(300, 7, *([habits] if habits else [])) if not each.equal]
    assert not different


@pytest.mark.parametrize(
    ("program", "rows"),
    [
        ("SELECT name FROM t WHERE age > 10", [("Oslo",), ("rome",)]),  # a text is above numbers
        ("SELECT typeof(age), typeof(note) FROM t WHERE name = 'OSLO'", [("text", "text")]),
        ("SELECT COUNT(*) FROM t WHERE name = 'ROME'", [(2,)]),  # the collation of the column
        ("SELECT name FROM t ORDER BY note", [("Rome",), ("Bern",), ("Oslo",), ("rome",)]),
        ("SELECT COUNT(*) FROM t WHERE big = '1'", [(2,)]),
        ("SELECT date(born, 'start of month') FROM t WHERE age = '7'", [("2001-02-01",)]),
        ("SELECT name, MAX(age) FROM t", [("Oslo", "n/a")]),
        ("SELECT age FROM t WHERE age IS 12", [(12,)]),
        ("SELECT COALESCE(age, note) FROM t", [(7,), ("n/a",), (2.5,), (12,)]),
        ("SELECT row_id, rowid FROM t WHERE row_id < 1", [(0, 0)]),
        ("SELECT name FROM t WHERE name REGEXP '^[OB]'", [("Oslo",), ("Bern",)]),
        ("SELECT length(note) FROM t WHERE typeof(note) = 'blob'", [(1,)]),
    ],
)
def test_values_are_as_they_are_stored(
    db: binder.Binder, program: str, rows: list[tuple[Any, ...]]
) -> None:
    assert db.run(program).rows == rows


def test_values_of_several_classes_leave_in_every_way(db: binder.Binder) -> None:
    result = db.run("SELECT note FROM t WHERE typeof(note) <> 'blob'")
    assert result.rows == [(1,), ("x",), (2.5,)]
    assert pickle.loads(pickle.dumps(result)).rows == result.rows
    assert result.arrow().column("note").to_pylist() == ["1", "x", "2.5"]
    assert result.data()["rows"] == [[1], ["x"], [2.5]]


def test_a_call_sees_the_stored_value_and_is_asked_least(db: binder.Binder) -> None:
    result = db.run('SELECT name, QA("map@upper?"; name) AS said FROM t WHERE age < 10')
    assert result.rows == [("Rome", "ROME")]
    assert len(list(result.trace.of("asked"))) == 1
    (call,) = result.why(0, 1)["calls"]
    assert (call["inputs"], call["value"]) == ({"name": "Rome"}, "ROME")


def test_a_group_says_where_it_comes_from(db: binder.Binder) -> None:
    result = db.run('SELECT big, COUNT(*) FROM t WHERE QA("map@long?"; born) GROUP BY big')
    assert result.rows == [(1, 1), (0, 1)]
    assert result.why(0, 1)["rows"] == {"t": [0]}


def test_ans_reads_rows(db: binder.Binder) -> None:
    rows = db.run("SELECT QA('ans@all?'; (SELECT name FROM t ORDER BY age LIMIT 2))").rows
    assert rows == [("Bern",), ("Rome",)]


def test_who_speaks_sqlite(path: Path) -> None:
    rows = [{"name": "Ann", "n": 7, "day": "2024-01-31"}]
    halves = "SELECT n / 2 FROM w"
    with binder.connect(rows, lm=None, dialect="sqlite", types={"day": "date"}) as lite:
        assert lite.run(halves).rows == [(3,)]
        assert lite.run("SELECT day, typeof(day) FROM w").rows == [("2024-01-31", "text")]
        assert lite.run("SELECT name FROM w WHERE n = $n", params={"n": "7"}).rows == [("Ann",)]
    with binder.connect(path, lm=None, dialect="duckdb") as duck:
        assert duck.run("SELECT name FROM t QUALIFY ROW_NUMBER() OVER () = 1").rows == [("Rome",)]
    with binder.connect({"t": path, "w": rows}, lm=None) as both:
        assert both.run(halves).rows == [(3.5,)]
    with pytest.raises(UsageError, match="unknown dialect 'mysql'"):
        binder.connect(rows, lm=None, dialect="mysql")


def test_a_prompt_says_whose_sql_it_is(path: Path, tmp_path: Path) -> None:
    from binder.prompt.programs import program_request
    from binder.tables.table import load_all

    tables = load_all(path)
    said = program_request("which?", tables, model="m", dialect="sqlite").messages[0].content
    assert "SQLite's SQL" in said and "DuckDB" not in said
    assert "SQLite" not in program_request("which?", tables, model="m").messages[0].content


@pytest.mark.parametrize(
    ("program", "message"),
    [
        ("SELECT list_sort([1])", "function 'list_sort' is not allowed"),
        ("SELECT load_extension('x')", "is not allowed"),
        ("SELECT name FROM t WHERE no_such = 1", "unknown column"),
        ("SELECT * FROM sqlite_master", "unknown table"),
    ],
)
def test_what_a_program_may_not_say(db: binder.Binder, program: str, message: str) -> None:
    with pytest.raises(CheckFault, match=message):
        db.run(program)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT load_extension('x')",
        "SELECT * FROM sqlite_master",
        "SELECT * FROM sqlite_schema",
        "SELECT * FROM pragma_table_list",
        "SELECT * FROM pragma_database_list()",
        "ATTACH '/tmp/x.db' AS x",
        "VACUUM INTO '/tmp/x.db'",
        "PRAGMA hard_heap_limit = 0",
        "CREATE TABLE x AS SELECT 1",
        "DROP TABLE w",
        "DELETE FROM w",
        "INSERT INTO w VALUES (1, 1)",
        "SELECT 1; SELECT 2",
        "SELECT sqlite_version()",
        "SELECT random()",
        "SELECT COUNT(*) FROM sqlite_master",
        "SELECT COUNT(*) FROM pragma_table_list",
    ],
)
def test_the_worker_reads_its_tables_and_nothing_else(sql: str) -> None:
    session = SqliteSession(64)
    answer(session, {"verb": "load", "name": "w"}, memoryview(stream(pa.table({"a": [1]}))))
    most = {"rows": 10, "bytes": 1000}
    reply, _ = answer(session, {"verb": "run", "sql": sql, "most": most}, memoryview(b""))
    assert reply["fault"] == "query"
    reply, _ = answer(
        session, {"verb": "run", "sql": "SELECT * FROM w", "most": most}, memoryview(b"")
    )
    assert reply["columns"] == ["a"]


_ENDLESS = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT "


@pytest.mark.parametrize(
    ("program", "limit"),
    [
        (_ENDLESS + "COUNT(*) FROM n", "seconds"),
        (_ENDLESS + "i FROM n", "rows"),
        ("SELECT length(replace(hex(zeroblob(90000000)), '0', 'abcdefgh'))", "memory_mb"),
    ],
)
def test_limits_hold(path: Path, program: str, limit: str) -> None:
    limits = binder.Limits(seconds=2, rows=1000, memory_mb=64)
    with binder.connect(path, lm=None, limits=limits) as db:
        with pytest.raises(LimitExceeded, match=limit):
            db.run(program)
        assert db.run("SELECT COUNT(*) FROM t").rows == [(4,)]


def test_tables_can_be_added(db: binder.Binder) -> None:
    db.add("more", [{"name": "ROME", "n": 1}])
    assert db.run("SELECT n FROM t JOIN more ON t.name = more.name").rows == [(1,), (1,)]


def test_a_file_that_is_gone_is_told(path: Path) -> None:
    with binder.connect(path, lm=None) as db:
        path.unlink()
        with pytest.raises(BinderError, match="the table 't' cannot be loaded"):
            db.run("SELECT name FROM t")


def test_what_is_told_is_what_sqlite_makes_of_it(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE e (n INT)")
        connection.executemany("INSERT INTO e VALUES (?)", [(1,), ("",)])
    program = "SELECT COUNT(n) FROM e"
    with (
        binder.connect(path, lm=None) as lite,
        binder.connect(path, lm=None, dialect="duckdb") as duck,
    ):
        result, other = lite.run(program), duck.run(program)
    told = "table e: 1 cells of n, a column of numbers, are texts, above all numbers"
    assert (result.rows, result.warnings[-1]) == ([(2,)], told)
    assert other.rows == [(1,)] and "empty texts" in other.warnings[0]


@pytest.mark.parametrize(
    ("value", "stored"),
    [
        (dt.date(2001, 2, 3), "2001-02-03"),
        (dt.datetime(2001, 2, 3, 4, 5, 6, 250000), "2001-02-03 04:05:06.250000"),
        (dt.time(4, 5), "04:05:00"),
        (True, 1),
        (2.5, 2.5),
        ("it's", "it's"),
        (None, None),
    ],
)
def test_a_bound_value_is_as_sqlite_writes_it(
    db: binder.Binder, value: object, stored: object
) -> None:
    assert db.run("SELECT $x", params={"x": value}).rows == [(stored,)]


@pytest.mark.parametrize("value", [dt.timedelta(1), b"a", [b"a"], float("nan")])
def test_a_value_that_sqlite_has_not_is_refused(db: binder.Binder, value: object) -> None:
    with pytest.raises(CheckFault, match="SQLite has no such value"):
        db.run("SELECT 1 IN $x", params={"x": value})
