"""Dispatch over a server that fails: what is asked, what is found, and what is said about the
rest."""

from __future__ import annotations

import asyncio
import gc
import json
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import binder
import binder.tables.table
from binder.engine import Binder
from binder.errors import BudgetExceeded, InternalError, LMError, RateLimited, Refused
from binder.executors import Execution, Rows
from binder.lm import LM, Layer, Reply, Request
from binder.lm.budget import Budget
from binder.lm.event_loop import run
from binder.lm.providers.openai import OpenAI, endpoint
from binder.lm.retry import Retry
from tests.faults import Good, Spoil, choice, say
from tests.matrix import CELLS, MAPS, PROGRAMS, oracle, table
from tests.oracle import Oracle
from tests.server import HANG, Body, Canned, Said, Server, Task, error, task_of
from tests.timing import until

CAPITALS, _, TYPED, BOTH = PROGRAMS
CULPRITS = ("Crete 1", "Iona 4", "Kos 4")


@contextmanager
def connected(server: Server, timeout: float = 60.0, **settings: Any) -> Iterator[Binder]:
    """A connection that waits but little before it tries again."""
    server.answer = oracle
    lm = Retry(
        OpenAI(endpoint("m", server.url, "sk-test"), timeout), first_wait=0.002, longest_wait=0.01
    )
    with binder.connect({"w": table()}, "m", lm=lm, **settings) as db:
        yield db


def rows_of(task: Task) -> list[str]:
    return [row[0] for row in task["rows"].values()]


def without_culprits(good: Good) -> str:
    return say(
        {
            key: value
            for key, value in good.answers.items()
            if good.task["rows"][key][0] not in CULPRITS
        }
    )


def instead(value: Any) -> Callable[[Good], str]:
    def reply(good: Good) -> str:
        return say(
            {
                key: value if good.task["rows"][key][0] in CULPRITS else right
                for key, right in good.answers.items()
            }
        )

    return reply


STAYING: dict[str, tuple[Callable[[Good], Said], str, int]] = {
    "left out": (without_culprits, "missing", 5),
    "null": (instead(None), "no_answer", 1),
    "wrong type": (instead(["x", "y"]), "bad_type", 3),
    "filtered": (lambda good: choice({"content": ""}, "content_filter"), "refused", 2),
    "filtered with 400": (
        lambda good: Canned(error("filtered", code="content_filter"), status=400),
        "refused",
        2,
    ),
    "refused in words": (lambda good: "I'm sorry, but I can't help with that.", "missing", 2),
    "empty": (lambda good: choice({"content": None}), "bad_reply", 4),
    "too long": (lambda good: Canned(error("prompt is too long"), status=400), "too_long", 1),
    "server error": (lambda good: 500, "unreachable", 10),
    "broken": (lambda good: Canned("<html>"), "bad_reply", 10),
    "never ends": (lambda good: choice({"content": '{"answers": {'}, "length"), "missing", 2),
}


@pytest.mark.parametrize("name", STAYING)
@pytest.mark.parametrize("batch_rows", [20, 1])
def test_inputs_at_fault_are_missing_and_no_others(
    server: Server, name: str, batch_rows: int
) -> None:
    fault, kind, least = STAYING[name]

    def reply(body: Body) -> Said:
        task = task_of(body)
        assert task is not None
        return (
            fault(Good(task, oracle(task), random.Random(0)))
            if set(CULPRITS) & set(rows_of(task))
            else None
        )

    with connected(server, batch_rows=batch_rows) as db:
        server.reply = reply
        result = db.run(CAPITALS)
    assert result.rows == [(cell, None if cell in CULPRITS else cell.upper()) for cell in CELLS]
    assert [(entry.call, entry.inputs, entry.fault) for entry in result.errors] == [
        ("capitals?", {"name": cell}, kind) for cell in CELLS if cell in CULPRITS
    ]
    assert all(entry.message and entry.attempts >= least for entry in result.errors)
    assert len(server.requests) <= 120 // batch_rows + 36 * len(CULPRITS)


def shifted(
    good: Good, change: Callable[[list[tuple[str, Any]], random.Random], list[tuple[str, Any]]]
) -> str:
    pairs = change(list(good.answers.items()), good.random)
    return (
        '{"answers": {'
        + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in pairs)
        + "}}"
    )


LINES: dict[str, Callable[[list[tuple[str, Any]], random.Random], list[tuple[str, Any]]]] = {
    "dropped": lambda pairs, chance: [pair for pair in pairs if chance.random() < 0.7],
    "doubled": lambda pairs, chance: pairs + [chance.choice(pairs)],
    "doubled in conflict": lambda pairs, chance: (
        pairs + [(chance.choice(pairs)[0], "x")][: len(pairs) - 1]
    ),
    "reordered": lambda pairs, chance: chance.sample(pairs, len(pairs)),
    "renamed": lambda pairs, chance: [
        (key if chance.random() < 0.7 else f"row {key[1:]}", value) for key, value in pairs
    ],
    "invented": lambda pairs, chance: [("r0", "x"), *pairs, (f"r{len(pairs) + 1}", "y")],
    "all renamed": lambda pairs, chance: [(f"{int(key[1:]) - 1}", value) for key, value in pairs],
}


@pytest.mark.parametrize("name", LINES)
def test_no_value_lands_in_another_row(server: Server, name: str) -> None:
    chance = random.Random(0)

    def reply(body: Body) -> Said:
        task = task_of(body)
        assert task is not None
        return shifted(Good(task, oracle(task), chance), LINES[name])

    with connected(server) as db:
        server.reply = reply
        for _ in range(3):
            result = db.run(CAPITALS)
            missing = {entry.inputs["name"] for entry in result.errors}
            assert result.rows == [
                (cell, None if cell in missing else cell.upper()) for cell in CELLS
            ]
            assert len(missing) == (120 if name == "all renamed" else 0)


@pytest.mark.parametrize("name", ["status 413", "status 400", "length"])
def test_a_size_that_works_is_found_and_kept(server: Server, name: str) -> None:
    def reply(body: Body) -> Said:
        task = task_of(body)
        if task is None or len(task["rows"]) <= 7:
            return None
        if name == "length":
            whole = say(oracle(task))
            return choice({"content": whole[: whole.index('"r8"')]}, "length")
        return Canned(error("maximum context length exceeded"), status=int(name[-3:]))

    with connected(server, concurrency=1) as db:
        server.reply = reply
        result = db.run(CAPITALS)
    assert result.rows == [(cell, cell.upper()) for cell in CELLS] and not result.errors
    sizes = [len(task["rows"]) for task in server.tasks]
    assert max(sizes[-8:]) <= 7, "large requests are no longer tried"
    assert len(sizes) <= 120 // 7 + 34, "what is short is sent twice before it counts as too long"


def test_inputs_that_are_too_long_leave_the_size_as_it_is(server: Server) -> None:
    def reply(body: Body) -> Said:
        task = task_of(body)
        return 413 if task is not None and set(CULPRITS) & set(rows_of(task)) else None

    with connected(server, concurrency=1) as db:
        server.reply = reply
        result = db.run(CAPITALS)
    assert [(entry.inputs, entry.fault) for entry in result.errors] == [
        ({"name": cell}, "too_long") for cell in CULPRITS
    ]
    assert 6 <= sum(len(task["rows"]) == 20 for task in server.tasks) <= 9, (
        "each refused once more at most"
    )


def test_a_short_request_that_was_called_too_long_is_sent_once_more(server: Server) -> None:
    words = Canned(error("maximum context length exceeded"), status=400)
    with connected(server) as db:
        server.script(words, words)
        result = db.run(CAPITALS)
    assert result.rows == [(cell, cell.upper()) for cell in CELLS] and not result.errors
    assert [len(task["rows"]) for task in server.tasks] == [20] * 8


def test_a_request_longer_than_any_that_went_through_is_split_at_once(server: Server) -> None:
    def reply(body: Body) -> Said:
        task = task_of(body)
        return 413 if task is not None and len(task["rows"]) > 10 else None

    with connected(server, concurrency=1) as db:
        db.use(
            *binder.tables.table.load_all(
                {"w": [{"name": "x" * 300 + cell} for cell in CELLS]}, None
            )
        )
        server.reply, server.answer = reply, lambda task: dict.fromkeys(task["rows"], "y")
        result = db.run(CAPITALS)
    assert result.rows and not result.errors
    assert [len(task["rows"]) for task in server.tasks].count(20) <= 6


def test_a_question_about_a_table_fails_alone(server: Server) -> None:
    with connected(server) as db:
        server.reply = Spoil(oracle, ["content_filter"], only=lambda task: task["task"] == "ans")
        result = db.run(BOTH)
    assert {row[0] for row in result.rows} == {None}
    assert [row[1] for row in result.rows] == [MAPS["size?"](cell) for cell in CELLS[48:]]
    assert [(entry.call, entry.fault) for entry in result.errors] == [("last?", "refused")]


@pytest.mark.parametrize("fault", [401, 404, 400], ids=str)
def test_a_run_that_cannot_go_on_stops_at_once(server: Server, fault: int) -> None:
    with connected(server, batch_rows=1, concurrency=4) as db:
        server.latency = 0.02
        server.reply = lambda body: fault if len(server.requests) > 10 else None
        with pytest.raises(Refused) as caught:
            db.run(CAPITALS)
    assert caught.value.status == fault
    assert len(server.requests) <= 10 + 4


def test_what_a_failed_run_has_found_is_not_asked_again(server: Server, tmp_path: Path) -> None:
    quota = Canned(error("You exceeded your current quota", code="insufficient_quota"), status=429)
    with connected(server, concurrency=1, cache=tmp_path / "answers") as db:
        server.reply = lambda body: quota if len(server.requests) > 3 else None
        with pytest.raises(RateLimited, match="quota"):
            db.run(CAPITALS)
        assert len(server.requests) == 4
        server.forget()
        server.reply = None
        assert db.run(CAPITALS).rows == [(cell, cell.upper()) for cell in CELLS]
    assert sorted(cell for task in server.tasks for cell in rows_of(task)) == sorted(CELLS[60:])


@pytest.mark.parametrize("program", [CAPITALS, BOTH])
def test_cancelling_leaves_nothing_running(server: Server, program: str) -> None:
    async def impatient(db: Binder) -> None:
        running = asyncio.create_task(db.run_async(program))
        await asyncio.to_thread(until, lambda: server.active)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    with connected(server) as db:
        server.reply = lambda body: HANG
        asyncio.run(impatient(db))
        until(lambda: not server.active)


@pytest.mark.parametrize("concurrency", [1, 3])
def test_no_more_requests_at_a_time_than_allowed(server: Server, concurrency: int) -> None:
    with connected(server, batch_rows=4, concurrency=concurrency) as db:
        server.latency = 0.002
        server.reply = Spoil(oracle, ["http_500", "missing_key", "empty", "http_400_context"], 0.3)
        assert db.run(BOTH).rows
    assert server.most_active == concurrency


def test_errors_and_rows_do_not_depend_on_the_order_of_replies(server: Server) -> None:
    seen = set()
    with connected(server, batch_rows=3) as db:
        for seed in range(4):
            chance = random.Random(seed)

            def reply(body: Body, chance: random.Random = chance) -> Said:
                task = task_of(body)
                assert task is not None
                text = instead(None)(Good(task, oracle(task), chance))
                return Canned(choice({"content": text}), wait=chance.random() / 50)

            server.reply = reply
            result = db.run(CAPITALS)
            seen.add(json.dumps([result.rows, [str(entry) for entry in result.errors]]))
    assert len(seen) == 1


def test_odd_texts_are_values_like_others(server: Server) -> None:
    odd = [
        "'; DROP TABLE w; --",
        "\x00\x1b[31m",
        '"quoted"\n\ttwice',
        "</think>",
        "```json",
        "null",
        "Ω≈ç√ 😀",
        "SELECT 1",
    ]
    with connected(server) as db:
        server.answer = lambda task: {
            key: odd[CELLS.index(row[0]) % len(odd)] for key, row in task["rows"].items()
        }
        result = db.run(CAPITALS)
        assert db.run("SELECT COUNT(*) FROM w").rows == [(120,)]
    assert [row[1] for row in result.rows] == odd * 15 and not result.errors


def test_usage_counts_every_request(server: Server) -> None:
    with connected(server) as db:
        server.reply = Spoil(
            oracle, ["http_500", "empty", "missing_key", "content_filter"], 0.4, seed=1
        )
        result = db.run(TYPED)
    assert result.usage.requests == len(server.requests) > 12
    assert not result.errors


def test_two_runs_at_the_same_time_know_nothing_of_each_other(server: Server) -> None:
    results: list[binder.Result] = []
    with connected(server) as db:
        threads = [
            threading.Thread(target=lambda: results.append(db.run(CAPITALS))) for _ in range(4)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert [result.rows for result in results] == [[(cell, cell.upper()) for cell in CELLS]] * 4


def test_a_fault_of_binder_in_one_execution_is_the_error_of_that_one_alone(server: Server) -> None:
    rows = Rows(("n",), ("BIGINT",), [(1,)])

    def right() -> Execution:
        yield ()
        return rows

    def wrong() -> Execution:
        yield ()
        return Rows(("n",), ("BIGINT",), [(1 // 0,)])

    with connected(server) as db:
        first, second, third = run(db._dispatch().drive([right(), wrong(), right()]))
    assert first == third == rows
    assert isinstance(second, InternalError) and isinstance(second.__cause__, ZeroDivisionError)


class Counted(Layer):
    """A layer that counts what goes through it."""

    def __init__(self, lm: LM):
        self.lm = lm
        self.requests = 0

    async def complete(self, request: Request) -> Reply:
        """The reply of the layer below."""
        self.requests += 1
        return await self.lm.complete(request)


def test_nobody_there_is_said_after_few_tries() -> None:
    nobody = Counted(OpenAI(endpoint("m", "http://127.0.0.1:9/v1", "sk-test")))
    settings: dict[str, Any] = {"batch_rows": 1, "concurrency": 4, "cache": None}
    with binder.connect({"w": table()}, "m", lm=Retry(nobody, first_wait=0.01), **settings) as db:
        with pytest.raises(LMError, match="cannot reach"):
            db.run(CAPITALS)
        assert nobody.requests <= 3 * 4, "three tries of each that is on its way, not of all 120"


# ---- a run without a budget


def many(rows: int) -> dict[str, list[dict[str, str]]]:
    return {"w": [{"name": f"n{i}"} for i in range(rows)]}


def test_without_a_budget_so_many_questions_are_refused_before_any_is_sent() -> None:
    lm = Oracle()
    with (
        binder.connect(many(10_001), "m", lm=lm, prices={"m": (1.0, 10.0)}) as db,
        pytest.raises(BudgetExceeded) as caught,
    ):
        db.run('SELECT QA("map@upper?"; name) FROM w')
    assert lm.asked == []
    assert (
        "at least 10,001 questions in 501 requests, about 530,452 tokens, $1.4305"
        in caught.value.message
    )
    assert caught.value.hint is not None and "budget=Budget(requests=" in caught.value.hint
    assert (caught.value.spent, caught.value.limit) == (10_001, 10_000)


@pytest.mark.parametrize(("rows", "budget"), [(10_000, None), (10_001, Budget(requests=10**9))])
def test_fewer_questions_or_any_budget_let_a_run_go_on(rows: int, budget: Budget | None) -> None:
    lm = Oracle()
    with binder.connect(many(rows), "m", lm=lm, budget=budget, batch_rows=2_000) as db:
        assert db.run('SELECT COUNT(QA("map@upper?"; name)) FROM w').rows == [(rows,)]
    assert len(lm.asked) == rows


def test_the_questions_of_all_rounds_of_a_run_count() -> None:
    lm = Oracle()
    with binder.connect(many(6_000), "m", lm=lm, batch_rows=2_000) as db:
        with pytest.raises(BudgetExceeded, match="at least 12,000 questions in 6 requests"):
            db.run('SELECT QA("map@length?"; QA("map@upper?"; name)) FROM w')
        assert len(lm.asked) == 6_000
        db.run('SELECT QA("map@upper?"; name) FROM w')  # another run


def test_what_was_answered_before_does_not_count(tmp_path: Path) -> None:
    lm = Oracle()
    program = 'SELECT COUNT(QA("map@upper?"; name)) FROM w'
    settings: dict[str, Any] = {"lm": lm, "batch_rows": 2_000, "cache": tmp_path / "kept"}
    with binder.connect(many(6_000), "m", **settings) as db:
        db.run(program)
    with binder.connect(many(12_000), "m", **settings) as db:
        assert db.run(program).rows == [(12_000,)]
    assert len(lm.asked) == 12_000


def test_an_endpoint_that_refuses_everything_is_told_once(
    server: Server, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    server.answer = oracle
    server.reply = lambda body: Canned(error("no such model"), status=404)
    cache = tmp_path / "answers.sqlite"
    with binder.connect(
        {"w": table()}, "m", server.url, "sk-test", cache=cache, batch_rows=1
    ) as db:
        for _ in range(5):
            with pytest.raises(Refused):
                db.run(CAPITALS)
    gc.collect()  # asyncio logs an error that nobody retrieved when its future goes
    assert not caplog.records, caplog.text
