"""What is put in a store is there for everyone, now and later; a file that cannot be used costs no run."""

from __future__ import annotations

import json
import logging
import os
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from binder.errors import DataError, UsageError
from binder.lm import Choice, Reply, Usage
from binder.lm.file import APPLICATION, File
from binder.lm.store import MIGRATIONS, Pack, Store, Stored

REPLY = Reply((Choice('{"answers": {"r1": "Spain"}}'),), Usage(1, 10, 5, 0.25))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "answers.sqlite"


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, path: Path) -> Iterator[Store]:
    opened = Store(path if request.param == "file" else None)
    yield opened
    opened.close()


def execute(path: Path, *statements: str) -> list[Any]:
    connection = sqlite3.connect(path, isolation_level=None)
    try:
        return [connection.execute(statement).fetchall() for statement in statements][-1]
    finally:
        connection.close()


def put(store: Store, key: str, value: Any = "v", **more: Any) -> None:
    store.put_answers(f"request of {key}", {key: Stored(value, **more)}).result(30)


def test_answers_come_back_as_they_were(store: Store) -> None:
    values = [None, True, 1, 1.5, "Zürich \ud800 \0 'x'", date(2020, 1, 2), Decimal("1.50"), ["a", None], 10**30]
    answers = {f"k{i}": Stored(value, input=[value], question="q \ud800", model="m") for i, value in enumerate(values)}
    answers["none"] = Stored(fault="no_answer", message="the reply says \ud800", attempts=3)
    store.put_answers("r", answers).result(30)
    found = store.get_answers([*answers, "unknown"])
    assert found.keys() == answers.keys()
    assert [found[key].value for key in answers] == [answer.value for answer in answers.values()]
    assert [type(found[key].value) for key in answers] == [type(answer.value) for answer in answers.values()]
    assert (found["none"].fault, found["none"].attempts, found["none"].request) == ("no_answer", 3, "r")
    assert found["k1"].created > 1_600_000_000


def test_many_keys_are_found(store: Store) -> None:
    store.put_answers("r", {f"k{i}": Stored(i) for i in range(1_234)}).result(30)
    found = store.get_answers(f"k{i}" for i in range(2_000))
    assert {key: answer.value for key, answer in found.items()} == {f"k{i}": i for i in range(1_234)}


def test_a_later_answer_replaces_an_earlier_one(store: Store) -> None:
    put(store, "k", 1)
    put(store, "k", 2)
    assert store.get_answers(["k"])["k"].value == 2
    assert store.stats().answers == 1


def test_a_reply_is_there_only_when_it_has_come(store: Store) -> None:
    assert store.get_reply("r") is None
    store.mark_sent("r", "m", "http://e").result(30)
    assert store.get_reply("r") is None and store.stats().unanswered == 1
    store.put_reply("r", REPLY, "m", "http://e").result(30)
    assert store.get_reply("r") == REPLY
    store.mark_sent("r", "m", "http://e").result(30)
    assert store.get_reply("r") == REPLY, "sent once more, it is still here"
    stats = store.stats()
    assert (stats.replies, stats.unanswered, stats.prompt_tokens, stats.completion_tokens, stats.cost) == (1, 0, 10, 5, 0.25)
    store.forget(["r"]).result(30)
    assert store.get_reply("r") is None


def test_a_reply_that_nobody_read_is_told(store: Store) -> None:
    wanted = ["a", "b", "c", "d"]
    store.put_pack("r", Pack(("b", "a"), 2)).result(30)
    store.mark_sent("r").result(30)
    assert store.unread(wanted) == [], "it has not come"
    store.put_reply("r", REPLY).result(30)
    assert store.unread(wanted) == [Pack(("b", "a"), 2)]
    assert store.unread(["a", "c"]) == [], "not all of it is wanted"
    store.put_pack("s", Pack(("a", "c"))).result(30)
    store.put_reply("s", REPLY).result(30)
    assert sum((pack.inputs for pack in store.unread(wanted)), ()) in [("b", "a"), ("a", "c")], "no input twice"
    store.put_answers("r", {"a": Stored(1)}).result(30)
    assert store.unread(wanted) == [Pack(("a", "c"))], "it was read, though not all of it was there"
    store.put_answers("s", {}).result(30)
    assert store.unread(wanted) == []


def test_handles_of_one_path_share_a_file_until_the_last_is_closed(path: Path) -> None:
    path.parent.mkdir()
    link = path.parent / "link.sqlite"
    link.symlink_to(path)
    first, second, other = Store(path), Store(str(link)), Store(None)
    assert first.flights is second.flights is not other.flights
    put(first, "k")
    first.close()
    first.close()
    put(second, "l")
    assert second.get_answers(["k", "l"]).keys() == {"k", "l"}
    second.close()
    assert {file.name for file in path.parent.iterdir()} == {path.name, link.name}, "nothing is left beside the file"
    third = Store(path)
    assert third.get_answers(["k", "l"]).keys() == {"k", "l"}
    third.close()


def test_what_is_put_is_on_the_disk_for_others(path: Path) -> None:
    store = Store(path)
    put(store, "k", question="which town?", model="m", input=["Zürich"])
    assert execute(path, "SELECT question, input, value, model FROM answers") == [("which town?", '["Zürich"]', '"v"', "m")]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600 and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    store.close()


def test_memory_is_not_shared(tmp_path: Path) -> None:
    first, second = Store(None), Store(None)
    put(first, "k")
    assert not second.get_answers(["k"])
    assert first.path is None and first.stats().path is None and first.problem is None


def test_pruning(store: Store) -> None:
    put(store, "a", model="m")
    put(store, "b", model="n")
    store.put_reply("r", REPLY, "m").result(30)
    store.put_pack("s", Pack(("x",))).result(30)
    with pytest.raises(UsageError, match="not said"):
        store.prune()
    assert store.prune(older_than_days=1) == 0
    assert store.prune(older_than_days=0, model="n") == 1
    assert store.prune(model="m") == 2
    assert store.prune(older_than_days=0) == 1
    assert store.stats().answers == store.stats().replies == 0


def test_what_was_pruned_is_not_on_the_disk(path: Path) -> None:
    store = Store(path)
    put(store, "k", "sensitive" * 1000)
    store.prune(older_than_days=0)
    assert not any(b"sensitive" in file.read_bytes() for file in path.parent.iterdir())
    assert store.stats().bytes < 50_000
    store.close()


def test_export_is_readable(store: Store, tmp_path: Path) -> None:
    put(store, "k", date(2020, 1, 2), question="when, Zürich?", input=["\ud800"], model="m")
    store.put_reply("r", REPLY, "m").result(30)
    out = tmp_path / "out.jsonl"
    assert store.export(out) == 2
    text = out.read_text(encoding="utf-8")
    assert "when, Zürich?" in text
    answer, reply = map(json.loads, text.splitlines())
    assert (answer["table"], answer["value"], answer["input"]) == ("answers", {"$date": "2020-01-02"}, ["\ud800"])
    assert (reply["table"], Reply.read(reply["reply"])) == ("replies", REPLY)
    with pytest.raises(DataError):
        store.export(tmp_path)


def test_stats_are_for_people(store: Store) -> None:
    assert "answers   0" in str(store.stats())
    store.put_answers("r", {f"k{i}": Stored(i, model="m", endpoint="http://e/v1") for i in range(1_000)}).result(30)
    store.put_reply("r", REPLY, "m").result(30)
    store.mark_sent("s", "m").result(30)
    text = str(store.stats())
    assert "answers   1,000\n      1,000  m  http://e/v1\n" in text
    assert "replies   1  (10 + 5 tokens, $0.2500); 1 never came\nmade      20" in text


# A file that cannot be used


def foreign(path: Path) -> None:
    execute(path, "CREATE TABLE mine (x)", "INSERT INTO mine VALUES (1)")


def newer(path: Path) -> None:
    version = len(MIGRATIONS) + 1
    execute(path, f"PRAGMA application_id={APPLICATION}", f"PRAGMA user_version={version}", "CREATE TABLE answers (other)")


def cut(path: Path) -> None:
    store = Store(path)
    store.put_answers("r", {f"k{i}": Stored("x" * 100) for i in range(1_000)}).result(30)
    store.close()
    path.write_bytes(path.read_bytes()[:10_000])


def overwritten(path: Path) -> None:
    cut(path)
    path.write_bytes(path.read_bytes()[:4096] + b"\xff" * 60_000)


BROKEN = {
    "no database": (lambda path: path.write_bytes(b"no database at all " * 100), "not a database"),
    "another database": (foreign, "no cache of binder"),
    "newer": (newer, "newer version"),
    "cut short": (cut, "malformed"),
    "overwritten": (overwritten, "malformed"),
    "a folder": (lambda path: path.mkdir(), "unable to open"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_file_that_cannot_be_used_costs_no_run(name: str, path: Path, caplog: pytest.LogCaptureFixture) -> None:
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
    done = subprocess.run([sys.executable, "-c", FULL_DISK, str(path)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    assert "cannot be used" in done.stdout
    assert done.stderr.count("cannot be used") == 1
    assert execute(path, "PRAGMA integrity_check") == [("ok",)]
    assert "early" in [key for (key,) in execute(path, "SELECT key FROM answers")]


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


# Many at a time


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
    writers = [subprocess.Popen([*command, str(i)], stderr=subprocess.PIPE, text=True) for i in range(4)]
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
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", FORK, str(path)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0 and not done.stderr, done.stderr
    assert execute(path, "PRAGMA integrity_check") == [("ok",)]
