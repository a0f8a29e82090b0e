"""What was answered once is answered again without the language model, in the same values; what
would change it asks anew."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import binder
from binder.errors import LimitExceeded, MissingValues, NotConfigured
from binder.lm.providers.openai import Endpoint, OpenAI
from binder.lm.retry import Retry
from tests.server import HANG, Server
from tests.timing import until

TABLE = [{"town": f"town {i % 10}", "n": str(i)} for i in range(20)]
PROGRAM = 'SELECT n, QA("map@which town?"; town) AS said FROM w WHERE n < {}'


def first(task: dict[str, Any]) -> Any:
    """The first value of each input; nothing about town 7."""
    if task["task"] == "ans":
        return [row[0] for row in task["rows"][:2]]
    return {
        key: None if values[0] == "town 7" else values[0] for key, values in task["rows"].items()
    }


def connect(server: Server, cache: Path | None, **more: Any) -> binder.Binder:
    server.answer = first
    return binder.connect(
        TABLE,
        **{"model": "m", "base_url": server.url, "api_key": "a-secret-key", "cache": cache} | more,
    )


def test_a_cached_run_equals_a_fresh_one(server: Server, tmp_path: Path) -> None:
    cache = tmp_path / "answers.sqlite"
    with connect(server, cache) as db:
        fresh = db.run(PROGRAM.format(5))
    asked = len(server.requests)
    with connect(server, cache) as db:
        again, wider = db.run(PROGRAM.format(5)), db.run(PROGRAM.format(9))
        program = 'QA("ans@which?"; (SELECT town FROM w))'
        assert db.run(program).rows == db.run(program).rows == [("town 0",), ("town 1",)]
    assert (fresh.rows, fresh.errors) == (again.rows, again.errors)
    assert (again.usage.questions, again.usage.cached, again.usage.requests) == (0, 5, 0)
    assert (wider.usage.questions, wider.usage.cached, len(wider.errors)) == (4, 5, 1)
    assert len(server.requests) == asked + 2
    assert b"a-secret-key" not in cache.read_bytes()


def test_a_missing_value_is_remembered_with_its_reason(server: Server, tmp_path: Path) -> None:
    with connect(server, tmp_path / "answers.sqlite") as db:
        one, two = db.run(PROGRAM.format(9)), db.run(PROGRAM.format(9))
    assert one.errors == two.errors and [entry.fault for entry in two.errors] == ["no_answer"]


@pytest.mark.parametrize("change", [{"model": "other"}, {"title": "Towns"}])
def test_what_can_change_an_answer_asks_anew(
    server: Server, tmp_path: Path, change: dict[str, Any]
) -> None:
    for more in ({}, change):
        with connect(server, tmp_path / "answers.sqlite", **more) as db:
            assert db.run(PROGRAM.format(3)).usage.questions == 3


def test_an_answer_says_that_it_is_from_the_cache(server: Server, tmp_path: Path) -> None:
    with connect(server, tmp_path / "answers.sqlite") as db:
        live, kept = (db.run(PROGRAM.format(3)).why(1, "said")["calls"][0] for _ in range(2))
    assert (live["source"], kept["source"]) == ("live", "cache")
    assert live["reply"] == kept["reply"] and json.loads(kept["reply"])["answers"]["r2"] == "town 1"


def test_threads_that_ask_the_same_pay_once(server: Server, tmp_path: Path) -> None:
    server.latency = 0.05

    def one(number: int) -> list[Any]:
        with connect(server, tmp_path / "answers.sqlite", batch_rows=1 + number) as db:
            return db.run(PROGRAM.format(20)).rows

    with ThreadPoolExecutor(4) as pool:
        rows = list(pool.map(one, range(4)))
    assert all(found == rows[0] for found in rows)
    assert server.questions == 10


def test_a_trace_replays_offline(server: Server, tmp_path: Path) -> None:
    trace = tmp_path / "trace.jsonl"
    with connect(server, tmp_path / "answers.sqlite") as db:
        db.run(PROGRAM.format(4))
        run = db.run(PROGRAM.format(9))
    trace.write_text("".join(line + "\n" for line in run.trace.lines()), encoding="utf-8")
    asked = len(server.requests)
    with binder.connect(TABLE, replay=trace) as db:
        again = db.run(PROGRAM.format(9))
        with pytest.raises(NotConfigured, match="has no reply"):
            db.run(PROGRAM.format(9).replace("which", "what"))
    assert (again.rows, again.errors, again.texts) == (run.rows, run.errors, run.texts)
    assert (
        (again.usage.cached, again.usage.questions)
        == (run.usage.cached, run.usage.questions)
        == (4, 5)
    )
    assert len(server.requests) == asked and "a-secret-key" not in trace.read_text()


def test_strict_raises_and_a_deadline_ends_a_run(server: Server) -> None:
    with connect(server, None, strict=True) as db:
        assert len(db.run(PROGRAM.format(5))) == 5
        with pytest.raises(
            MissingValues, match="1 value is missing; the first: missing value for 'which town"
        ):
            db.run(PROGRAM.format(9))
    server.reply = lambda _: HANG
    lm = Retry(OpenAI(Endpoint("m", server.url)))
    with (
        binder.connect(TABLE, "m", lm=lm, deadline=0.3) as db,
        pytest.raises(LimitExceeded, match="deadline=0.3"),
    ):
        db.run(PROGRAM.format(5))
    until(lambda: not server.active)


def test_a_tracer_is_told_of_every_event(server: Server) -> None:
    told: list[str] = []
    with connect(server, None, tracer=lambda event: told.append(event.kind)) as db:
        result = db.run(PROGRAM.format(3))
    assert told == [event.kind for event in result.trace] == ["started", "asked", "executed"]
