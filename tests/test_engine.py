"""Tables, questions and programs go in over the public face; results and answers come out.
The endpoint is a real one on loopback."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

import binder
from binder.errors import (
    BinderError,
    CheckFault,
    InternalError,
    NotConfigured,
    QueryError,
    Refused,
    UsageError,
)
from binder.lm.event_loop import run
from binder.plan import Plan
from binder.tables.table import load
from tests.oracle import Oracle
from tests.scripted import Scripted
from tests.server import HANG, Body, Server, Task
from tests.timing import PATIENCE

ROWS = [
    {"city": "Paris", "n": 2},
    {"city": "Lyon", "n": 5},
    {"city": "Rome", "n": 3},
    {"city": "Rome", "n": 1},
]


@pytest.fixture(scope="module")
def endpoint() -> Iterator[Server]:
    with Server() as server:
        yield server


@pytest.fixture(scope="module")
def connected(endpoint: Server) -> Iterator[binder.Binder]:
    with binder.connect(
        {"w": ROWS}, model="m", base_url=endpoint.url, api_key="k", batch_rows=2, cache=None
    ) as db:
        yield db


@pytest.fixture
def server(endpoint: Server) -> Server:
    """The endpoint of this module with an empty log, answering the first value of each row."""
    endpoint.forget()
    endpoint.reply = None
    return endpoint


@pytest.fixture
def db(connected: binder.Binder, server: Server) -> binder.Binder:
    return connected


def test_a_program_runs(db: binder.Binder, server: Server) -> None:
    result = db.run('SELECT city, QA("map@same?"; city) AS same FROM w WHERE n > 1')
    assert result.columns == ("city", "same") and result.rows == [
        ("Paris", "Paris"),
        ("Lyon", "Lyon"),
        ("Rome", "Rome"),
    ]
    assert (
        result.usage.questions,
        result.usage.requests,
        len(server.requests),
        server.questions,
    ) == (3, 2, 2, 3)
    assert [event.kind for event in result.trace][-1] == "executed" and len(
        list(result.trace.of("asked"))
    ) == 2


def test_a_value_says_where_it_came_from(db: binder.Binder, server: Server) -> None:
    result = db.run('SELECT city, QA("map@same?"; city) FROM w')
    why = result.why(3, 1)
    (call,) = why["calls"]
    assert why["rows"] == {"w": [3]} and (call["call"], call["inputs"], call["value"]) == (
        "same?",
        {"city": "Rome"},
        "Rome",
    )
    assert json.loads(call["request"])["question"] == "same?" and "Rome" in call["reply"]


def test_of_a_group_all_rows_are_told(db: binder.Binder) -> None:
    why = db.run('SELECT QA("map@same?"; city) AS c, COUNT(*) FROM w GROUP BY c').why(2)
    assert why["rows"] == {"w": [2, 3]} and [call["inputs"] for call in why["calls"]] == [
        {"city": "Rome"}
    ]


def test_explain_asks_nothing_and_tells_the_bill(db: binder.Binder, server: Server) -> None:
    plan = db.explain("SELECT city FROM w WHERE QA(\"map@same?\"; city) = 'Rome'")
    assert (
        plan.bill is not None
        and (plan.bill.questions, plan.bill.requests) == (3, 2)
        and "at most 3 questions in 2 requests" in str(plan)
    )
    assert not server.requests


@pytest.mark.parametrize("broken", [{"checked": None}, {"steps": None}, {"query": None}])
def test_a_fault_of_binder_says_that_it_is_one_and_where(broken: dict[str, None]) -> None:
    def rule(plan: Plan) -> Plan:
        plan = replace(plan, **broken)  # type: ignore[arg-type]
        assert plan.checked is not None
        return plan

    with binder.connect(ROWS, lm=Oracle(), rules=(rule,)) as db:
        with pytest.raises(
            InternalError, match=r"(?s)binder itself failed: \w+Error.* \(in .+, line \d+\).*report"
        ) as caught:
            db.run("SELECT city FROM w")
        assert isinstance(caught.value.__cause__, (AssertionError, TypeError, AttributeError))


def test_a_fault_in_the_counts_of_explain_says_that_it_is_one() -> None:
    def rule(plan: Plan) -> Plan:
        (step,) = plan.steps
        (ask,) = step.asks
        ask = replace(ask, collect=None)  # type: ignore[arg-type]
        return replace(plan, steps=(replace(step, asks=(ask,)),))

    with (
        binder.connect(ROWS, lm=Oracle(), rules=(rule,)) as db,
        pytest.raises(InternalError, match="binder itself failed: AttributeError"),
    ):
        db.explain('SELECT QA("map@upper?"; city) FROM w')


TICKS = 100


def test_the_event_loop_goes_on_while_a_program_is_planned() -> None:
    ticks = 0

    async def loop_of_binder() -> asyncio.AbstractEventLoop:
        return asyncio.get_running_loop()

    async def tick() -> None:
        nonlocal ticks
        ticks += 1

    def rule(plan: Plan) -> Plan:
        # each tick is a turn of the loop that the planning waits for: on the loop it would never end
        for _ in range(TICKS):
            asyncio.run_coroutine_threadsafe(tick(), loop).result(timeout=20)
        return plan

    loop, lm = run(loop_of_binder()), Scripted(["SELECT MAX(n) FROM w"])
    with binder.connect(ROWS, lm=lm, rules=(rule,)) as db:
        assert db.run("SELECT COUNT(*) FROM w").rows == [(4,)] and ticks == TICKS
        assert db.ask("the most?", samples=1, language="sql").values == [5] and ticks == 2 * TICKS


def test_a_program_is_planned_once_for_the_same_tables() -> None:
    planned: list[str] = []

    def rule(plan: Plan) -> Plan:
        planned.append(plan.checked.program.text)
        return plan

    with binder.connect(ROWS, lm=Oracle(), rules=(rule,)) as db:
        for _ in range(2):
            db.run("SELECT city FROM w")
            db.explain("SELECT city FROM w")
        db.use(load([{"city": "Oslo"}], "w"))
        assert db.run("SELECT city FROM w").rows == [("Oslo",)]
    assert planned == ["SELECT city FROM w"] * 2


@pytest.mark.parametrize(
    "program",
    [
        "SELECT weight FROM w",
        'SELECT list_transform(city, 1), QA("map@q?"; city) FROM w',
        "DROP TABLE w",
        "SELECT read_text('x')",
    ],
)
def test_explain_refuses_what_run_refuses_and_nothing_is_asked(
    db: binder.Binder, server: Server, program: str
) -> None:
    messages = []
    for verb in (db.run, db.explain):
        with pytest.raises(binder.BinderError) as caught:
            verb(program)
        messages.append(str(caught.value))
    assert messages[0] == messages[1] and not server.requests


def test_what_the_endpoint_refuses_is_raised(db: binder.Binder, server: Server) -> None:
    server.reply = lambda body: 401
    with pytest.raises(Refused):
        db.run('QA("map@same?"; city)')


def test_a_value_that_is_not_told_is_missing_and_says_why(
    db: binder.Binder, server: Server
) -> None:
    server.answer = lambda task: {
        key: None if row == ["Lyon"] else row[0] for key, row in task["rows"].items()
    }
    try:
        result = db.run("SELECT QA(\"map@same?\"; city) AS c FROM w WHERE c <> 'x'")
    finally:
        server.answer = _first
    assert result.rows == [("Paris",), ("Rome",), ("Rome",)]
    assert [(entry.call, entry.inputs, entry.fault) for entry in result.errors] == [
        ("same?", {"city": "Lyon"}, "no_answer")
    ]


def _first(task: Task) -> Any:
    return (
        {key: row[0] for key, row in task["rows"].items()}
        if task["task"] == "map"
        else [row[0] for row in task["rows"][:1]]
    )


def _programs(*texts: str) -> Any:
    """An endpoint that writes these programs, and answers what they ask."""
    series = iter(texts)

    def reply(body: Body) -> str | None:
        return None if body["messages"][-1]["content"].startswith("{") else next(series)

    return reply


def test_a_question_is_answered_by_the_programs_that_agree(
    db: binder.Binder, server: Server
) -> None:
    server.reply = _programs(
        "SELECT city FROM w WHERE n = 5",
        "SELECT weight FROM w",
        "SELECT city FROM w WHERE QA(\"map@same?\"; city) = 'Lyon'",
    )
    served = server.reply
    server.reply = lambda body: served(body | {"n": 1})
    answer = db.ask("which city has n 5?", samples=3, language="sql")
    assert answer.values == ["Lyon"]
    assert sum(candidate.votes for candidate in answer.candidates) == 3


def test_it_works_inside_a_running_loop(db: binder.Binder) -> None:
    async def both() -> list[Any]:
        one = db.run("SELECT COUNT(*) FROM w").rows
        return [one, (await db.run_async("SELECT COUNT(*) FROM w")).rows]

    assert asyncio.run(both()) == [[(4,)], [(4,)]]


def test_threads_may_share_a_connection(db: binder.Binder) -> None:
    found: list[Any] = []
    threads = [
        threading.Thread(
            target=lambda i=i: found.append(
                db.run(f'SELECT QA("map@same?"; city), {i} FROM w').rows
            )
        )
        for i in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(rows[0][1] for rows in found) == [0, 1, 2, 3] and all(
        [row[0] for row in rows] == ["Paris", "Lyon", "Rome", "Rome"] for rows in found
    )


def test_cancelling_lets_go_of_the_request(db: binder.Binder, server: Server) -> None:
    server.reply = lambda body: HANG

    async def cancelled() -> None:
        task = asyncio.create_task(db.run_async('QA("map@same?"; city)'))
        while not server.active:
            await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        while server.active:
            await asyncio.sleep(0.01)

    asyncio.run(asyncio.wait_for(cancelled(), PATIENCE))
    server.reply = None
    assert len(db.run("SELECT 1 FROM w")) == 4


def test_another_language_is_refused(db: binder.Binder) -> None:
    with pytest.raises(UsageError):
        db.run("SELECT 1", language="cobol")


def test_other_tables_take_their_place(db: binder.Binder) -> None:
    before = db.tables
    from binder.tables.table import load

    try:
        db.use(load([{"x": 1}], "v"))
        assert db.run("SELECT x FROM v").rows == [(1,)]
        with pytest.raises(CheckFault):
            db.run("SELECT city FROM w")
    finally:
        db.use(*before)
    assert db.run("SELECT COUNT(*) FROM w").rows == [(4,)]


@pytest.mark.parametrize("settings", [{"concurrency": 0}, {"batch_rows": 0}])
def test_settings_that_make_no_sense(settings: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        binder.connect({"w": ROWS}, **settings)


def test_without_an_endpoint_plain_programs_run_and_calls_say_what_to_set() -> None:
    with binder.connect({"w": ROWS}) as db:
        assert db.run("SELECT MAX(n) FROM w").rows == [(5,)]
        with pytest.raises(NotConfigured):
            db.run('QA("map@same?"; city)')


def test_what_fails_while_it_runs_is_an_execution_error(db: binder.Binder) -> None:
    with pytest.raises(QueryError):
        db.run("SELECT CAST('x' AS INTEGER) FROM w")


def test_a_question_is_answered_inside_a_running_loop(db: binder.Binder, server: Server) -> None:
    server.script("SELECT COUNT(*) FROM w WHERE n > 1")
    answer = asyncio.run(db.ask_async("how many?", samples=1))
    assert (answer.values, answer.confidence) == ([3], 1.0)


PICTURES = [{"name": "a", "logo": b"\x89PNG"}, {"name": "b", "logo": b"\x89PNG\xff"}]


@pytest.mark.parametrize(
    ("program", "marked"),
    [
        ('SELECT QA("map@colour?"; logo) FROM w', "logo"),
        ('SELECT QA("map@colour?"; name, MAX(logo)) FROM w GROUP BY name', "logo"),
        ('SELECT QA("map@colour?"; encode(name)) FROM w', "encode"),
        ('SELECT QA("map@colour?"; CAST(name AS BLOB)) FROM w', "name"),
        ("SELECT QA('map@colour?'; {'a': logo}) FROM w", "logo"),
        ('SELECT QA("map@colour?"; (SELECT logo FROM w LIMIT 1)) FROM w', "logo"),
        ('WITH t AS (SELECT logo AS l FROM w) SELECT QA("map@colour?"; l) FROM t', "l"),
        ('SELECT QA("ans@which?"; logo) FROM w', "logo"),
        ('SELECT QA("ans@which?"; (SELECT name, logo FROM w)) FROM w', "logo"),
        ('SELECT QA("ans@which?"; (SELECT name, encode(name) FROM w)) FROM w', "name"),
        (
            'SELECT QA("ans@which?"; (SELECT * FROM w)) FROM w',
            'QA("ans@which?"; (SELECT * FROM w))',
        ),
        ('SELECT QA("map@who?"; name) FROM w WHERE QA("map@colour?"; logo) = \'red\'', "logo"),
    ],
)
def test_bytes_are_refused_before_anything_is_asked(
    db: binder.Binder, server: Server, program: str, marked: str
) -> None:
    with (
        db.beside(load(PICTURES)) as pictures,
        pytest.raises(CheckFault, match="holds bytes") as caught,
    ):
        pictures.run(program)
    assert caught.value.span is not None and program[slice(*caught.value.span)] == marked
    assert caught.value.hint is not None and "decode(column)" in caught.value.hint
    assert server.requests == []


def test_what_is_computed_of_bytes_is_asked_about(db: binder.Binder, server: Server) -> None:
    with db.beside(load(PICTURES)) as pictures:
        result = pictures.run(
            'SELECT QA("map@same?"; octet_length(logo)), QA("map@same?"; decode(encode(name))) FROM w'
        )
    assert result.rows == [(4, "a"), (5, "b")]


@pytest.mark.parametrize("column", ['"logo"', '"lo" + "go"'])
def test_bytes_are_refused_in_python(db: binder.Binder, server: Server, column: str) -> None:
    with db.beside(load(PICTURES)) as pictures, pytest.raises(BinderError, match="holds bytes"):
        pictures.run(
            f'def solve(w):\n    return qa_map(w, "colour?", ["name", {column}])', "python"
        )
    assert server.requests == []


@pytest.mark.parametrize("question", ["", " \n", None, 7])
def test_a_question_that_says_nothing_is_refused(
    db: binder.Binder, server: Server, question: Any
) -> None:
    with pytest.raises(UsageError, match="a question is a text|the question is empty"):
        db.ask(question)
    assert server.requests == []


@pytest.mark.parametrize("wrong", [{"language": "prolog"}, {"language": "cobol"}, {"samples": 0}])
def test_a_question_asked_wrongly_is_refused(
    db: binder.Binder, server: Server, wrong: dict[str, Any]
) -> None:
    with pytest.raises(UsageError):
        db.ask("how many?", **wrong)
    assert server.requests == []


def test_values_are_bound() -> None:
    """A value is compared as a literal would be, and is told of wherever the program is."""
    rows = [{"city": "Rome", "d": "2020-01-01"}, {"city": "O'Fallon", "d": "2021-02-03"}]
    lm = Oracle()
    with binder.connect(rows, lm=lm, tidy=True) as db:
        program = "SELECT city FROM w WHERE d >= $day AND city NOT IN $out"
        result = db.run(program, params={"day": "3 Feb 2021", "out": ["Rome"]})
        assert result.rows == [("O'Fallon",)]
        assert result.data()["params"] == {"day": "3 Feb 2021", "out": ["Rome"]}
        assert result.why(0, 0)["params"] == result.data()["params"]
        (executed,) = result.trace.of("executed")
        assert executed.data["params"] == dict(result.params)
        assert db.run("SELECT city FROM w WHERE city = ?", params=["' OR 1=1 --"]).rows == []
        given = {"which": "first"}
        plan = str(db.explain('QA("map@$which letter?"; city)', params=given))
        assert "map 'first letter?'" in plan and "parameter which = 'first'" in plan
        bound = db.run('QA("map@$which letter?"; city)', params=given)
        written = db.run('QA("map@first letter?"; city)')
        assert bound.rows == written.rows
        first, again = lm.asked[: len(lm.asked) // 2], lm.asked[len(lm.asked) // 2 :]
        assert sorted(first) == sorted(again)
        with pytest.raises(UsageError, match="params are for programs in SQL"):
            db.run("def solve(w):\n    return 1", "python", {"c": 1})
