"""Hostile programs and bombs go in; no effect comes out, a limit ends each in time, and the next
program runs.

Programs that harm nobody run beside those that do: what waits for answers is not lost when a
neighbour's process is killed."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import binder
from binder.errors import BinderError, LimitExceeded, ProgramError, UsageError
from binder.executors.workers import monty_client
from binder.executors.workers.subprocess import Limits
from binder.tables.table import load
from tests.cases import records
from tests.oracle import Oracle
from tests.processes import alive, children, killed_when_busy
from tests.server import Server
from tests.timing import until

ROWS = [{"name": "Ann", "n": 1}, {"name": "Bob", "n": 2}]
SECRET = "sk-canary"
FEW = 3  # bombs without an end that run by default


def whole(line: str) -> str:
    """A line as a program; what is none becomes the body of solve."""
    body = line.replace("\\n", "\n")
    outside = "def solve" in body or body.startswith(
        ("@", "class ", "async def", "SELECT", "import os;", "def answer")
    )
    return body if outside else "def solve(table):\n    " + body.replace("\n", "\n    ")


@pytest.fixture(scope="module")
def lm() -> Oracle:
    return Oracle()


@pytest.fixture(scope="module")
def db(lm: Oracle) -> Iterator[binder.Binder]:
    """A connection with little room and much time."""
    limits = Limits(seconds=60, memory_mb=64, rows=100_000)
    with binder.connect({"w": ROWS}, lm=lm, limits=limits) as opened:
        yield opened


@pytest.fixture(scope="module")
def hasty() -> Iterator[binder.Binder]:
    """A connection with little time."""
    with binder.connect({"w": ROWS}, lm=Oracle(), limits=Limits(seconds=1)) as opened:
        yield opened


@pytest.fixture
def canary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file and an environment that programs would like to have."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("OPENAI_API_KEY", SECRET)
    canary = tmp_path / "CANARY"
    canary.write_text(SECRET)
    return canary


def test_hostile_programs_have_no_effect(db: binder.Binder, lm: Oracle, canary: Path) -> None:
    lines = [record["program"] for record in records("python/hostile.tsv")]
    assert len(lines) >= 200
    before = [table.data.to_pylist() for table in db.tables]
    ran: list[str] = []
    for line in lines:
        try:
            result = db.run(whole(line).replace("CANARY", str(canary)), "python")
        except ProgramError:
            continue
        except BinderError as error:
            assert SECRET not in str(error), line
            ran.append(line)
        else:
            assert SECRET not in str(result.rows), line
            ran.append(line)
    assert not lm.asked
    assert canary.read_text() == SECRET and [path.name for path in canary.parent.iterdir()] == [
        "CANARY"
    ]
    assert [table.data.to_pylist() for table in db.tables] == before
    assert len(ran) <= len(lines) / 100, ran


def _bombs() -> list[object]:
    """The limit and the program of each bomb; those that end at `seconds` take that long."""
    found: list[object] = []
    endless = 0
    for record in records("python/bombs.tsv"):
        kind, body = record["limit"], record["program"]
        endless += kind == "seconds"
        slow = kind == "seconds" and endless > FEW
        marks = [pytest.mark.slow] if slow else []
        found.append(pytest.param(kind, body, id=f"{kind}: {body}", marks=marks))
    return found


@pytest.mark.parametrize(("kind", "body"), _bombs())
def test_a_bomb_ends_at_its_limit_and_the_next_program_runs(
    request: pytest.FixtureRequest, kind: str, body: str
) -> None:
    db = request.getfixturevalue("hasty" if kind == "seconds" else "db")
    with pytest.raises(LimitExceeded) as caught:
        db.run(whole(body), "python")
    assert caught.value.kind == kind
    assert db.run("def solve(table):\n    return len(table)", "python").rows == [(2,)]


def test_nothing_is_left_behind() -> None:
    before = children()
    with binder.connect({"w": ROWS}, lm=Oracle()) as db:
        db.run("def solve(table):\n    return 1", "python")
        started = children() - before
        interpreters = {child for process in started for child in children(process)}
        assert interpreters, "the interpreter is a process of its own"
        for interpreter in interpreters:
            environment = Path(f"/proc/{interpreter}/environ").read_bytes()
            assert b"OPENAI" not in environment and b"HOME" not in environment
    until(lambda: not any(map(alive, started | interpreters)))


def test_a_killed_sandbox_leaves_nothing_and_is_replaced() -> None:
    before = children()
    with binder.connect({"w": ROWS}, lm=Oracle(), limits=Limits(seconds=600)) as db:
        db.run("def solve(table):\n    return 1", "python")
        (process,) = {process for process in children() - before if children(process)}
        interpreters = children(process)
        with (
            killed_when_busy(process, *interpreters),
            pytest.raises(LimitExceeded, match="the worker process died"),
        ):
            db.run("def solve(table):\n    while True:\n        pass", "python")
        assert db.run("def solve(table):\n    return len(table)", "python").rows == [(2,)]
        until(lambda: not any(map(alive, interpreters)))


def test_what_waits_for_answers_outlives_its_process(server: Server) -> None:
    asking = "def solve(table):\n    a = qa_map(table, 'a?', ['name'])\n    return qa_map(table, 'b?', ['name']) + a"
    with binder.connect({"w": ROWS}, model="m", base_url=server.url, api_key="k", cache=None) as db:

        def killing(_: object) -> None:
            if db._workers.python._process is not None and len(server.requests) == 1:
                os.killpg(db._workers.python._process.pid, signal.SIGKILL)

        server.reply = killing  # type: ignore[assignment]
        result = db.run(asking, "python")
        assert result.rows == [("Ann",), ("Bob",)] * 2
        assert [task["question"] for task in server.tasks] == [
            "a?",
            "b?",
        ] and db._workers.python.generation == 2


def test_programs_do_not_see_each_other(db: binder.Binder) -> None:
    change = "def solve(table):\n    table[0]['n'] = 99\n    table.append(1)\n    table[1].clear()\n    return len(table)"
    assert db.run(change, "python").rows == [(3,)]
    assert db.run("def solve(table):\n    return [r['n'] for r in table]", "python").rows == [
        (1,),
        (2,),
    ]
    db.run("x = 5\ndef solve(table):\n    global y\n    y = 6\n    return 1", "python")
    with pytest.raises(ProgramError):
        db.run("def solve(table):\n    return y", "python")


def test_without_the_package_the_way_to_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_monty", None)  # as where it is not installed
    with (
        binder.connect(load(ROWS), lm=Oracle()) as db,
        pytest.raises(UsageError, match="pydantic-monty") as caught,
    ):
        db.run("def solve(table):\n    return 1", "python")
    assert caught.value.hint == monty_client.INSTALL
