"""A file is shared by threads, forked children and processes without a loss; one that cannot be
used costs no run."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from binder.lm.store import MIGRATIONS, Store, Stored
from binder.lm.store.sqlite import APPLICATION, File


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "answers.sqlite"


def execute(path: Path, *statements: str) -> list[Any]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return [connection.execute(statement).fetchall() for statement in statements][-1]
    finally:
        connection.close()


def put(store: Store, key: str, value: Any = "v") -> None:
    store.put_answers(f"request of {key}", {key: Stored(value)}).result(30)


def foreign(path: Path) -> None:
    execute(path, "CREATE TABLE mine (x)", "INSERT INTO mine VALUES (1)")


def newer(path: Path) -> None:
    version = len(MIGRATIONS) + 1
    execute(
        path,
        f"PRAGMA application_id={APPLICATION}",
        f"PRAGMA user_version={version}",
        "CREATE TABLE answers (other)",
    )


def cut(path: Path) -> None:
    store = Store(path)
    store.put_answers("r", {f"k{i}": Stored("x" * 100) for i in range(1_000)}).result(30)
    store.close()
    path.write_bytes(path.read_bytes()[:10_000])


def overwritten(path: Path) -> None:
    cut(path)
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 60_000)


def no_database(path: Path) -> None:
    path.write_bytes(b"no database at all " * 100)


BROKEN: dict[str, tuple[Callable[[Path], object], str]] = {
    "no database": (no_database, "not a database"),
    "another database": (foreign, "not a binder cache"),
    "newer": (newer, "newer version"),
    "cut short": (cut, "malformed"),
    "overwritten": (overwritten, "malformed"),
    "a folder": (Path.mkdir, "unable to open"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_used_costs_no_run(
    name: str, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    break_it, reason = BROKEN[name]
    path.parent.mkdir()
    break_it(path)
    before = path.read_bytes() if path.is_file() else b""
    store = Store(path)
    with caplog.at_level(logging.WARNING):
        assert store.get_reply("unknown") is None
        for i in range(3):
            assert store.get_answers([f"k{i}"]) == {}
            put(store, f"new {i}", i)
        assert store.get_answers(["new 2"])["new 2"].value == 2, "it is kept for this process"
        assert store.stats().answers == 3
    assert reason in (store.problem or "") and str(path) in (store.problem or "")
    assert len(caplog.records) == 1, "it is said once"
    store.close()
    assert (path.read_bytes() if path.is_file() else b"") == before, "it is left as it was"


def test_a_place_that_is_none_costs_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = Store(tmp_path / "file" / "answers.sqlite")
    put(store, "k")
    assert store.get_answers(["k"]) and "File exists" in (store.problem or "")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_read_only_costs_no_run(path: Path) -> None:
    path.parent.mkdir(mode=0o500)
    store = Store(path)
    put(store, "k")
    assert store.get_answers(["k"]) and store.problem


FULL_DISK = """
import resource, signal, sys
from binder.lm.store import Store, Stored
store = Store(sys.argv[1])
store.put_answers("r", {"early": Stored("e")}).result(30)
resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, 150_000))
for i in range(100):
    store.put_answers("r", {f"k{i}": Stored("x" * 10_000)}).result(30)
assert store.problem, "the disk was not full"
found = store.get_answers(["early", *(f"k{i}" for i in range(100))])
assert len(found) == 101, len(found)
store.close()
print(store.problem)
"""


@pytest.mark.skipif(os.name != "posix", reason="needs resource limits")
def test_a_full_disk_costs_neither_the_run_nor_what_was_kept(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "cannot use the cache" in done.stdout
    assert done.stderr.count("cannot use the cache") == 1
    assert execute(path, "PRAGMA integrity_check") == [("ok",)]
    assert "early" in [key for (key,) in execute(path, "SELECT key FROM answers")]


def test_an_export_has_what_the_file_held_before_it_failed(path: Path, tmp_path: Path) -> None:
    store = Store(path)
    put(store, "k")
    refuse = "BEFORE INSERT ON answers BEGIN SELECT RAISE(ABORT, 'no more'); END"
    execute(path, f"CREATE TRIGGER refuse {refuse}")
    put(store, "l")
    assert "no more" in (store.problem or "")
    assert store.export(tmp_path / "all.jsonl") == 2
    lines = (tmp_path / "all.jsonl").read_text().splitlines()
    assert [json.loads(line)["key"] for line in lines] == ["k", "l"]
    store.close()


def test_an_empty_file_becomes_a_store(path: Path) -> None:
    path.parent.mkdir()
    path.touch()
    store = Store(path)
    put(store, "k")
    assert store.problem is None and execute(path, "SELECT key FROM answers") == [("k",)]
    store.close()


def test_a_file_of_an_older_version_is_brought_up_to_date(path: Path) -> None:
    def second(connection: sqlite3.Connection) -> None:
        connection.execute("ALTER TABLE answers ADD COLUMN remark TEXT DEFAULT 'none'")

    store = Store(path)
    put(store, "k")
    store.close()
    file = File(path, (*MIGRATIONS, second))
    assert file.read("SELECT key, remark FROM answers") == [("k", "none")] and file.problem is None
    file.close()
    old = Store(path)
    assert old.get_answers(["k"]) == {} and "newer" in (old.problem or "")


def test_a_migration_that_fails_leaves_the_file_as_it_was(path: Path) -> None:
    def fails(connection: sqlite3.Connection) -> None:
        if connection.execute("PRAGMA database_list").fetchone()[2]:  # it is a file
            connection.execute("DROP TABLE replies")
            connection.execute("no SQL")

    store = Store(path)
    put(store, "k")
    store.close()
    file = File(path, (*MIGRATIONS, fails))
    assert file.read("SELECT count(*) FROM answers") == [(0,)], "of memory"
    assert "syntax" in (file.problem or "")
    file.close()
    again = Store(path)
    assert again.get_answers(["k"]) and again.problem is None
    again.close()


def test_a_file_that_another_process_keeps_is_waited_for(path: Path) -> None:
    store = Store(path)
    put(store, "k")
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN EXCLUSIVE")
    timer = threading.Timer(1.5, lambda: other.execute("COMMIT"))  # longer than one wait of SQLite
    timer.start()
    put(store, "l")
    timer.join()
    other.close()
    assert store.problem is None and store.get_answers(["k", "l"]).keys() == {"k", "l"}
    store.close()


def test_threads_share_a_store(path: Path) -> None:
    store = Store(path)

    def work(thread: int) -> None:
        for i in range(50):
            store.put_answers("r", {f"{thread} {i}": Stored(i)}).result(30)
            assert store.get_answers([f"{thread} {i}"])

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(work, range(8)))
    assert store.stats().answers == 400
    store.close()
    assert execute(path, "SELECT count(*) FROM answers") == [(400,)]


WRITER = """
import sys
from binder.lm.store import Store, Stored
store = Store(sys.argv[1])
for i in range(100):
    store.put_answers("r", {f"{sys.argv[2]} {i}": Stored(i), f"shared {i}": Stored(i)}).result(60)
assert store.problem is None, store.problem
"""


def test_processes_share_a_file_that_none_of_them_made(path: Path) -> None:
    command = [sys.executable, "-c", WRITER, str(path)]
    writers = [
        subprocess.Popen([*command, str(i)], stderr=subprocess.PIPE, text=True) for i in range(4)
    ]
    said = [writer.communicate(timeout=60)[1] for writer in writers]
    assert said == [""] * 4
    store = Store(path)
    assert store.stats().answers == 500
    store.close()


HASTY = """
import sys
from binder.lm.store import Store, Stored
store = Store(sys.argv[1])
for i in range(300):
    store.put_answers("r", {str(i): Stored(i)})
"""


def test_what_nobody_waited_for_is_kept_at_the_end_of_the_process(path: Path) -> None:
    subprocess.run([sys.executable, "-c", HASTY, str(path)], check=True, timeout=60)
    assert execute(path, "SELECT count(*) FROM answers") == [(300,)]


FORK = """
import os, sys, threading
from binder.lm.store import Store, Stored
store, memory = Store(sys.argv[1]), Store(None)
store.put_answers("r", {"before": Stored(0)}).result(30)
memory.put_answers("r", {"before": Stored(0)}).result(30)
stop = threading.Event()
def work():
    i = 0
    while not stop.is_set():
        store.put_answers("r", {f"parent {i}": Stored(i)}).result(30); i += 1
        store.get_answers(["before"])
threads = [threading.Thread(target=work) for _ in range(3)]
[thread.start() for thread in threads]
children = []
for child in range(10):
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            assert store.get_answers(["before"]) and memory.get_answers(["before"])
            memory.put_answers("r", {"child": Stored(0)}).result(30)
            for i in range(20):
                store.put_answers("r", {f"child {child} {i}": Stored(i)}).result(30)
            store.close()
            status = 0 if store.problem is None else 2
        finally:
            os._exit(status)
    children.append(pid)
assert all(os.waitpid(pid, 0)[1] == 0 for pid in children)
stop.set()
[thread.join() for thread in threads]
assert store.problem is None
assert len(store.get_answers(f"child {c} {i}" for c in range(10) for i in range(20))) == 200
assert not memory.get_answers(["child"])
store.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_children_write_beside_their_parent(path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", FORK, str(path)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert execute(path, "PRAGMA integrity_check") == [("ok",)]


def test_many_make_one_file_at_the_same_moment(tmp_path: Path) -> None:
    def make(path: Path, start: threading.Barrier) -> str | None:
        file = File(path, MIGRATIONS)
        start.wait()
        file.write(lambda connection: None).result()
        file.close()
        return file.problem

    with ThreadPoolExecutor(6) as threads:
        for number in range(40):
            made = [
                threads.submit(make, tmp_path / f"{number}.sqlite", start)
                for start in [threading.Barrier(6)] * 6
            ]
            assert [future.result() for future in made] == [None] * 6
