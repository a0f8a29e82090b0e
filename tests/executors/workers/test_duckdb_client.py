"""Tables and queries go to the worker process; rows come back, or an error of ours. Killed, it is
replaced; it holds no key."""

from __future__ import annotations

import os
import resource
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest

from binder.errors import DataError, LimitExceeded, QueryError, SandboxError
from binder.executors.workers.duckdb_client import Limits, Worker
from binder.executors.workers.monty_client import Sandbox
from binder.tables.table import load
from tests.processes import children, exists, killed_when_busy

TABLE = load([{"a": 1, "b": "x"}, {"a": 2, "b": "y"}])
# some seconds
LONG = "SELECT COUNT(*) AS n FROM range(15000) a, range(50000) b WHERE a.range * b.range % 7 = 3"
ENDLESS = "SELECT COUNT(*) FROM range(1000000) a, range(10000000) b WHERE a.range * b.range % 7 = 3"


@pytest.fixture(scope="module")
def worker() -> Iterator[Worker]:
    worker = Worker([TABLE], Limits(seconds=60, rows=1000))
    yield worker
    worker.close()


def test_rows_come_back_with_the_names_of_their_types(worker: Worker) -> None:
    table, types = worker.run("SELECT a, b FROM w ORDER BY a")
    assert (table.to_pylist(), types) == (
        [{"a": 1, "b": "x"}, {"a": 2, "b": "y"}],
        ["BIGINT", "VARCHAR"],
    )


def test_text_that_repeats_itself_reads_as_it_is_written() -> None:
    cells = [
        None if i % 5 == 0 else f"no {i % 7}" if i % 3 else str(i % 11) for i in range(300_000)
    ]
    once = [f"cell {i}" for i in range(300_000)]
    table = load(pa.table({"n": range(300_000), "cell": cells, "once": once}))
    worker = Worker([table], Limits(seconds=20))
    try:
        asked = "SELECT row_id, n, cell, once, typeof(cell) AS t FROM w ORDER BY row_id"
        rows = zip(range(300_000), cells, once, strict=True)
        assert worker.run(asked)[0].to_pylist() == [
            {"row_id": n, "n": n, "cell": cell, "once": text, "t": "VARCHAR"}
            for n, cell, text in rows
        ]
        numbers = "SELECT SUM(CAST(cell AS INTEGER)) AS s FROM w WHERE cell NOT LIKE 'no%'"
        assert worker.run(numbers)[0].to_pylist() == [
            {"s": sum(int(cell) for cell in cells if cell and cell[:2] != "no")}
        ]
        grouped = "SELECT lower(cell) AS c, COUNT(*) AS n FROM w WHERE n < 150000 GROUP BY 1 ORDER BY n DESC, c LIMIT 1"
        assert worker.run(grouped)[0].to_pylist() == [{"c": None, "n": 30_000}]
    finally:
        worker.close()


def test_a_query_is_bound_without_running(worker: Worker) -> None:
    assert worker.describe(ENDLESS.replace("COUNT(*)", "COUNT(*) AS n")) == (["n"], ["BIGINT"])


def test_a_table_comes_and_goes(worker: Worker) -> None:
    worker.load("answers of #1", pa.table({"k": [1]}))
    assert worker.run('SELECT k FROM "answers of #1"')[0].num_rows == 1
    worker.drop(["answers of #1", "never there"])
    with pytest.raises(QueryError, match="is not a table of this program"):
        worker.run('SELECT k FROM "answers of #1"')


@pytest.mark.parametrize(
    "query",
    [
        "SELECT", "SELEC 1", "SELECT nothing FROM w", "SELECT * FROM elephants", "SELECT CAST(b AS INTEGER) FROM w",
        "SELECT error('now')",
        "SELECT 9223372036854775807 + a FROM w", "SELECT date '2020-02-31'", "SELECT list_transform(a, 1) FROM w",
        "SELECT (SELECT a FROM w, w v)",
        "SELECT 1; SELECT 2", "", "INSERT INTO w VALUES (3, 'z')", "CREATE TABLE t (a INT)", "DROP TABLE w", "ATTACH 'x.db'",
        "PRAGMA version",
        "SET threads = 1", "COPY w TO 'out.csv'", "INSTALL httpfs", "LOAD httpfs", "CALL pragma_version()", "EXPORT DATABASE 'x'",
        "SELECT * FROM '/etc/passwd'", "SELECT * FROM read_csv('/etc/passwd')", "SELECT * FROM 'https://example.com/x.csv'",
        "VALUES (current_setting('threads'))", "SELECT content FROM read_text('/etc/passwd')", "SELECT * FROM glob('/*')",
    ],
)  # fmt: skip
def test_whatever_the_engine_refuses_is_a_query_error_of_one_line(
    worker: Worker, query: str
) -> None:
    with pytest.raises(QueryError) as caught:
        worker.run(query)
    assert (
        caught.value.message
        and "\n" not in caught.value.message
        and "Error:" not in caught.value.message
    )
    assert worker.run("SELECT COUNT(*) AS n FROM w")[0].to_pylist() == [{"n": 2}]


def test_too_many_rows(worker: Worker) -> None:
    with pytest.raises(LimitExceeded, match="rows=1000"):
        worker.run("SELECT * FROM range(1001)")
    assert worker.run("SELECT * FROM range(1000)")[0].num_rows == 1000


def test_its_environment_holds_no_key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    before = children()
    worker = Worker([TABLE], Limits())
    try:
        worker.run("SELECT 1")
        (process,) = children() - before
        environment = Path(f"/proc/{process}/environ").read_bytes()
        assert b"secret" not in environment and b"OPENAI" not in environment
    finally:
        worker.close()


@pytest.mark.slow
def test_a_query_of_some_seconds_is_answered(worker: Worker) -> None:
    assert worker.run(LONG)[0].num_rows == 1


@pytest.mark.parametrize("kind", [Worker, Sandbox])
def test_what_a_library_prints_or_reads_is_no_frame(kind: type[Worker | Sandbox]) -> None:
    before = children()
    process = kind([TABLE], Limits())
    try:
        process._ask({"verb": "drop", "names": []})
        (pid,) = children() - before
        opened = Path(f"/proc/{pid}/fd")
        assert {(opened / "0").resolve(), (opened / "1").resolve()} == {Path(os.devnull)}
    finally:
        process.close()


def test_a_query_that_takes_too_long_is_stopped_and_the_next_one_runs() -> None:
    worker = Worker([TABLE], Limits(seconds=1.5))
    try:
        worker.run("SELECT 1")
        with pytest.raises(LimitExceeded) as caught:
            worker.run(ENDLESS)
        assert caught.value.kind == "seconds"
        assert worker.run("SELECT COUNT(*) AS n FROM w")[0].to_pylist() == [{"n": 2}]
    finally:
        worker.close()


def test_a_worker_that_is_killed_is_replaced() -> None:
    before = children()
    worker = Worker([TABLE], Limits(seconds=600))
    try:
        worker.run("SELECT 1")
        (process,) = children() - before
        with killed_when_busy(process), pytest.raises(LimitExceeded) as caught:
            worker.run(ENDLESS)
        assert "the worker process died" in str(caught.value.hint)
        assert worker.run("SELECT COUNT(*) AS n FROM w")[0].to_pylist() == [{"n": 2}]
    finally:
        worker.close()


def test_closed_twice_is_closed() -> None:
    before = children()
    worker = Worker([TABLE], Limits())
    worker.run("SELECT 1")
    (process,) = children() - before
    worker.close()
    worker.close()
    assert not exists(process), "it is not even a zombie"


@pytest.mark.parametrize("kind", [Worker, Sandbox])
def test_a_table_without_room_is_a_limit_with_the_way_to_raise_it(
    kind: type[Worker | Sandbox],
) -> None:
    large = load(pa.table({"a": pa.arange(0, 8_000_000)}))
    before = children()
    process = kind([TABLE], Limits())
    try:
        process._ask({"verb": "drop", "names": []})
        (pid,) = children() - before
        taken = int(Path(f"/proc/{pid}/statm").read_text().split()[0]) * resource.getpagesize()
        resource.prlimit(pid, resource.RLIMIT_AS, (taken + 8_000_000, taken + 8_000_000))
        process.use([large])
        with pytest.raises(
            LimitExceeded, match=r"memory_mb=2048\n  hint: .*'w' .*128 MB.*Limits\(memory_mb="
        ) as caught:
            process._ask({"verb": "drop", "names": []})
        assert caught.value.kind == "memory_mb"
        process._ask({"verb": "drop", "names": []})  # the next process has room for it
    finally:
        process.close()


def test_a_table_that_the_engine_does_not_take_is_said_to_be_that() -> None:
    odd = replace(TABLE, data=pa.table({"a": pa.array([1.5], pa.float16())}))
    worker = Worker([odd], Limits())
    try:
        for _ in range(2):
            with pytest.raises(DataError, match="the table 'w' cannot be loaded"):
                worker.run("SELECT 1")
    finally:
        worker.close()


def test_a_worker_that_cannot_start_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("sys.executable", "/bin/false")
        worker = Worker([TABLE], Limits())
        with pytest.raises(SandboxError, match="exited at start-up"):
            worker.run("SELECT 1")
    try:
        assert worker.run("SELECT COUNT(*) AS n FROM w")[0].to_pylist() == [{"n": 2}]
    finally:
        worker.close()
