"""Own functions: what their signatures mean, and how programs in SQL and Python apply them."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Iterator
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import binder
from binder.language.functions.own import Parameter, functions_of
from tests.server import Server, Task

CITIES = ["Oslo", "Rome", "Cairo", "Bonn", None, "Oslo", "Rome"]
ROWS = [
    {"city": city, "people": number * 1000, "since": date(2020, 1, number + 1)}
    for number, city in enumerate(CITIES)
]
LATITUDES = {"Oslo": 59.9, "Rome": 41.9, "Cairo": 30.0}


class Log:
    """A function that remembers what it was applied to."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def latitude(self, city: str) -> float:
        """Latitude of a city, in degrees."""
        self.seen.append(city)
        return LATITUDES[city]


@pytest.fixture
def log() -> Log:
    return Log()


Connect = Callable[..., binder.Binder]


@pytest.fixture
def connect(server: Server) -> Iterator[Connect]:
    opened: list[binder.Binder] = []

    def open_with(*functions: Any, cache: Any = None, **more: Any) -> binder.Binder:
        opened.append(
            binder.connect(ROWS, "m", server.url, "k", cache=cache, functions=functions, **more)
        )
        return opened[-1]

    yield open_with
    for connection in opened:
        connection.close()


# signatures


def test_annotations_say_what_a_function_takes_and_returns() -> None:
    def f(
        a: str, b: int | None, c: Decimal = Decimal(1), *, setting: object = None
    ) -> list[float] | None:
        """What it does.

        More of it."""

    (function,) = functions_of([f])
    assert function.signature == "f(a TEXT, b NUMBER, c NUMBER (optional)) -> NUMBER[]"
    assert function.doc == "What it does."
    assert function.parameters[1] == Parameter("b", "number", int, True, True)


def test_a_batch_function_takes_and_returns_lists() -> None:
    def f(a: list[str], b: list[int | None]) -> list[bool]: ...  # type: ignore[empty-body]

    (function,) = functions_of([binder.Function(f, name="Both", batch=True)])
    assert function.signature == "both(a TEXT, b NUMBER) -> BOOLEAN"


def _untyped(city) -> str: ...  # type: ignore[no-untyped-def,empty-body]
def _unknown(city: dict) -> str: ...  # type: ignore[type-arg,empty-body]
def _nothing() -> str: ...  # type: ignore[empty-body]
def _any(*cities: str) -> str: ...  # type: ignore[empty-body]
def _mixed(city: str | int) -> str: ...  # type: ignore[empty-body]
def lower(city: str) -> str: ...  # type: ignore[empty-body]
def sorted_(city: str) -> str: ...  # type: ignore[empty-body]


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (_untyped, "parameter 'city' of _untyped has no annotation"),
        (_unknown, "parameter 'city' of _unknown is <class 'dict'>"),
        (_nothing, "_nothing\\(\\) takes nothing"),
        (_any, "_any takes any number of arguments"),
        (_mixed, "parameter 'city' of _mixed is str | int"),
        (lower, "'lower' is a function of SQL or Python already"),
        (binder.Function(sorted_, name="sorted"), "'sorted' is a function"),
        (binder.Function(sorted_, name="two words"), "'two words' cannot be the name"),
        (binder.Function(sorted_, batch=True), "batch=True takes and returns lists"),
        (3, "not 3"),
        (print, "takes any number|cannot be read|has no annotation|is a function"),
    ],
)
def test_a_function_that_cannot_be_used_is_refused(given: Any, said: str) -> None:
    with pytest.raises(binder.UsageError, match=said):
        binder.connect(ROWS, "m", "http://127.0.0.1:1", functions=[given])


def test_two_functions_of_one_name_are_refused(log: Log) -> None:
    with pytest.raises(binder.UsageError, match="two functions are named 'latitude'"):
        functions_of([log.latitude, Log().latitude])


# programs in SQL


def test_each_distinct_input_is_asked_once_and_null_never(connect: Connect, log: Log) -> None:
    result = connect(log.latitude).run("SELECT city, latitude(city) AS l FROM w")
    assert [row[1] for row in result.rows] == [59.9, 41.9, 30.0, None, None, 59.9, 41.9]
    assert sorted(log.seen) == ["Bonn"] * 3 + ["Cairo", "Oslo", "Rome"]  # Bonn is tried again
    (missing,) = result.errors
    assert missing.inputs == {"city": "Bonn"} and missing.fault == "raised"
    assert missing.message == "latitude raised KeyError: 'Bonn'" and missing.attempts == 3
    assert result.usage.questions == result.usage.requests == 0
    assert result.usage.applied == 4
    assert "own functions applied to 4 inputs" in str(result.usage)


def test_a_limit_stops_early(connect: Connect, log: Log) -> None:
    db = connect(log.latitude)
    program = "SELECT city FROM w WHERE latitude(city) > 40 ORDER BY people LIMIT 1"
    assert "Apply    latitude(city) -> number" in str(db.explain(program))
    assert "applies own functions to at most" in str(db.explain(program))
    assert db.run(program).rows == [("Oslo",)] and log.seen == ["Oslo"]


def test_plain_conditions_come_first_and_the_language_model_last(
    connect: Connect, log: Log, server: Server
) -> None:
    def said(task: Task) -> Any:
        return dict.fromkeys(task["rows"], True)

    server.answer = said
    program = """SELECT city FROM w
        WHERE QA("map@a capital?"; city) AND latitude(city) > 50 AND people < 3000"""
    result = connect(log.latitude).run(program)
    assert result.rows == [("Oslo",)] and log.seen == ["Oslo", "Rome", "Cairo"]
    assert result.usage.questions == 1


def test_arguments_come_in_the_types_of_the_parameters(connect: Connect) -> None:
    seen = []

    def f(a: str, b: float, c: datetime, d: list[int], e: Decimal, f: bool) -> str:
        seen.append((a, b, c, d, e, f))
        return a

    program = (
        "SELECT f(people, people, since, list_value(people, 2), people, people = 0) FROM w LIMIT 1"
    )
    assert connect(f).run(program).rows == [("0",)]
    assert seen == [("0", 0.0, datetime(2020, 1, 1), [0, 2], Decimal(0), True)]
    assert [type(value) for value in seen[0]] == [str, float, datetime, list, Decimal, bool]


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("SELECT latitude(city, 1) FROM w", "latitude takes 1 argument, and is given 2"),
        ("SELECT latitude() FROM w", "latitude takes 1 argument, and is given 0"),
        ("SELECT latitude(*) FROM w", "'city' of latitude must be a value"),
        ("SELECT latitude(DISTINCT city) FROM w", "'city' of latitude must be a value"),
        ("SELECT latitude(city) OVER () FROM w", "it is no aggregate"),
        ("SELECT double(city) FROM w", "'n' of double is number: 'city' is text"),
        ("SELECT double('3') FROM w", "'n' of double is number: '3' is text"),
        ("SELECT latitud(city) FROM w", "function 'latitud' is not allowed"),
        ("SELECT * FROM latitude('Oslo')", "not allowed"),
    ],
)
def test_a_wrong_call_is_refused_before_anything_runs(
    connect: Connect, log: Log, program: str, said: str
) -> None:
    def double(n: int) -> int:
        log.seen.append(n)
        return 2 * n

    with pytest.raises(binder.CheckFault) as fault:
        connect(log.latitude, double).run(program)
    assert said in str(fault.value) and not log.seen
    if "latitud(" in program:
        assert "did you mean latitude" in str(fault.value)


def test_a_list_is_unnested(connect: Connect) -> None:
    def letters(city: str | None, most: int = 2) -> list[str]:
        return list(city or "-")[:most]

    db = connect(letters)
    assert db.run("SELECT unnest(letters(city)) FROM w WHERE people = 0").rows == [("O",), ("s",)]
    # NULLs alone are not asked about, and a NULL beside a value is where the function takes it
    assert db.run("SELECT letters(city) FROM w WHERE people = 4000").rows == [(None,)]
    assert db.run("SELECT letters(city, 1) FROM w WHERE people = 4000").rows == [(["-"],)]
    assert db.run("SELECT letters(city, 1)[1] FROM w WHERE people = 0").rows == [("O",)]


def test_a_call_inside_and_a_function_inside_a_call(
    connect: Connect, log: Log, server: Server
) -> None:
    def asked(task: Task) -> Any:
        if task["question"] == "capital?":
            return dict.fromkeys(task["rows"], "Rome")
        return {key: f"{row[0]:g} degrees" for key, row in task["rows"].items()}

    server.answer = asked
    db = connect(log.latitude)
    program = 'SELECT latitude(QA("map@capital?"; city)) FROM w WHERE people = 0'
    assert db.run(program).rows == [(41.9,)]
    program = 'SELECT QA("map@in words?"; latitude(city)) AS said FROM w WHERE people = 0'
    assert db.run(program).rows == [("59.9 degrees",)]


def test_columns_of_the_result_are_named_as_the_program_is_written(
    connect: Connect, log: Log
) -> None:
    result = connect(log.latitude).run(
        "SELECT max(latitude(city)), latitude(city) FROM w GROUP BY city"
    )
    assert result.columns == ("MAX(latitude(city))", "latitude")


def test_why_tells_what_a_function_was_given_and_returned(connect: Connect, log: Log) -> None:
    result = connect(log.latitude).run("SELECT latitude(city) FROM w WHERE people = 0")
    (call,) = result.why(0)["calls"]
    assert call["call"] == "latitude" and call["inputs"] == {"city": "Oslo"}
    assert call["value"] == 59.9 and call["source"] == "function"


# faults and limits


def test_a_function_that_is_too_slow_is_a_missing_value(connect: Connect) -> None:
    ended = threading.Event()

    def slow(city: str) -> str:
        if city == "Rome":
            ended.wait(30)
        return city.upper()

    db = connect(binder.Function(slow, timeout=0.2, retries=0))
    result = db.run("SELECT slow(city) FROM w WHERE people < 2000")
    ended.set()
    assert result.rows == [("OSLO",), (None,)]
    assert result.errors[0].message == "slow took more than 0.2 s"
    assert result.errors[0].fault == "timeout"


def test_a_coroutine_function_is_awaited(connect: Connect) -> None:
    open_now, most = 0, 0

    async def upper_(city: str) -> str:
        nonlocal open_now, most
        open_now += 1
        most = max(most, open_now)
        await asyncio.sleep(0.01)
        open_now -= 1
        return city.upper()

    result = connect(binder.Function(upper_, limit=2)).run("SELECT upper_(city) FROM w")
    assert result.rows[0] == ("OSLO",) and most == 2


def test_a_value_of_another_type_is_missing(connect: Connect) -> None:
    def wrong(city: str) -> int:
        return city  # type: ignore[return-value]

    def whole(n: int) -> int:
        return n

    db = connect(wrong, whole)
    (missing,) = db.run("SELECT wrong(city) FROM w WHERE people = 0").errors
    assert missing.fault == "bad_type" and "returned 'Oslo', which is no number" in missing.message
    (missing,) = db.run("SELECT whole(people / 7) FROM w WHERE people = 1000").errors
    assert missing.fault == "bad_type" and "'n' is a whole number, not 142.8" in missing.message


def test_a_batch_is_halved_until_the_input_is_found(connect: Connect) -> None:
    seen = []

    def latitudes(cities: list[str]) -> list[float]:
        seen.append(list(cities))
        return [LATITUDES[city] for city in cities]

    db = connect(binder.Function(latitudes, batch=True, retries=0))
    result = db.run("SELECT latitudes(city) FROM w")
    assert result.rows[:4] == [(59.9,), (41.9,), (30.0,), (None,)]
    assert seen[0] == ["Oslo", "Rome", "Cairo", "Bonn"] and ["Bonn"] in seen
    assert [missing.inputs for missing in result.errors] == [{"cities": "Bonn"}]


def test_a_batch_that_comes_back_short_is_applied_in_parts(connect: Connect) -> None:
    def one(cities: list[str]) -> list[str]:
        return cities[:1]

    result = connect(binder.Function(one, batch=True, retries=0)).run("SELECT one(city) FROM w")
    assert result.rows[0] == ("Oslo",)  # in a batch of its own
    assert not result.errors


def test_a_batch_may_come_back_as_an_array(connect: Connect) -> None:
    def lengths(cities: list[str]) -> list[float]:
        return np.array([len(city) / 2 for city in cities])  # type: ignore[return-value]

    result = connect(binder.Function(lengths, batch=True)).run("SELECT lengths(city) FROM w")
    assert result.rows[:3] == [(2.0,), (2.0,), (2.5,)] and not result.errors


def test_a_function_is_not_applied_to_a_null_that_it_does_not_take(connect: Connect) -> None:
    def pair(city: str, people: int) -> str:
        return f"{city} {people}"

    program = "SELECT pair(city, people) FROM w WHERE people > 2000 AND people < 5000"
    result = connect(binder.Function(pair, cost=1.0)).run(program)
    assert result.rows == [("Bonn 3000",), (None,)] and not result.errors
    assert (result.usage.applied, result.usage.cost) == (1, 1.0)


def test_a_function_that_is_no_longer_kept_is_applied_again(
    connect: Connect, log: Log, tmp_path: Path
) -> None:
    program, cache = "SELECT latitude(city) FROM w WHERE people = 0", tmp_path / "cache.db"
    connect(log.latitude, cache=cache).run(program)
    connect(binder.Function(log.latitude, keep=False), cache=cache).run(program)
    assert log.seen == ["Oslo", "Oslo"]


def test_what_a_function_costs_is_counted_and_limited(connect: Connect, log: Log) -> None:
    budget = binder.Budget(cost=0.05)
    function = binder.Function(log.latitude, cost=0.02)
    db = connect(function, budget=budget, prices={"m": (1.0, 1.0)})
    assert "$0.0800" in str(db.explain("SELECT latitude(city) FROM w"))
    assert db.run("SELECT latitude(city) FROM w WHERE people < 2000").usage.cost == 0.04
    with pytest.raises(binder.BudgetExceeded, match="budget exceeded"):
        db.run("SELECT latitude(city) FROM w WHERE city = 'Cairo'")
    assert sorted(log.seen) == ["Oslo", "Rome"]


def test_values_are_kept_by_version_and_not_without_keep(
    connect: Connect, log: Log, tmp_path: Path
) -> None:
    program, cache = "SELECT latitude(city) FROM w WHERE people < 2000", tmp_path / "cache.db"
    connect(log.latitude, cache=cache).run(program)
    again = connect(log.latitude, cache=cache).run(program)
    assert again.rows == [(59.9,), (41.9,)] and len(log.seen) == 2
    assert (again.usage.applied, again.usage.cached) == (0, 2)
    connect(binder.Function(log.latitude, version="2"), cache=cache).run(program)
    assert len(log.seen) == 4
    impure = binder.Function(log.latitude, keep=False, version="3")
    connect(impure, cache=cache).run(program)
    connect(impure, cache=cache).run(program)
    assert len(log.seen) == 8


def test_a_recording_replays_without_the_function(
    connect: Connect, log: Log, tmp_path: Path
) -> None:
    program = "SELECT latitude(city) FROM w WHERE people < 2000"
    recording = tmp_path / "recording.jsonl"
    connect(log.latitude, cache=tmp_path / "cache.db", record=recording).run(program)
    replayed = connect(log.latitude, replay=recording).run(program)
    assert replayed.rows == [(59.9,), (41.9,)] and len(log.seen) == 2


# programs in Python


@pytest.mark.parametrize(
    ("body", "rows"),
    [
        ("[latitude(row['city']) for row in w[:2]]", [(59.9,), (41.9,)]),
        ("latitude([row['city'] for row in w[:2]])", [(59.9,), (41.9,)]),
        ("latitude(city='Oslo') > 50", [(True,)]),
        ("letters('abc')", [("a",), ("b",)]),
        ("letters('abc', most=1)", [("a",)]),
        ("letters(['ab', 'cd'])[1]", [("c",), ("d",)]),
        ("latitude([])", []),
    ],
)
def test_python_calls_own_functions(connect: Connect, log: Log, body: str, rows: list[Any]) -> None:
    def letters(city: str, most: int = 2) -> list[str]:
        return list(city)[:most]

    db = connect(log.latitude, letters)
    assert db.run(f"def solve(w):\n    return {body}", language="python").rows == rows


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("latitude()", "latitude does not take these arguments"),
        ("latitude('Oslo', 2)", "latitude does not take these arguments"),
        ("latitude(town='Oslo')", "latitude does not take these arguments"),
        ("sorted(w, key=latitude)", "latitude can only be called, not used as a value"),
        ("(lambda latitude: 1)(2)", "latitude is reserved"),
        ("latitud('Oslo')", "did you mean latitude"),
    ],
)
def test_python_that_calls_wrongly_is_refused(
    connect: Connect, log: Log, body: str, said: str
) -> None:
    with pytest.raises(binder.CheckFault) as fault:
        connect(log.latitude).run(f"def solve(w):\n    return {body}", language="python")
    assert said in str(fault.value) and not log.seen


def test_a_call_where_the_sandbox_cannot_wait_says_so(connect: Connect, log: Log) -> None:
    program = "def solve(w):\n    return sorted(w, key=lambda row: latitude(row['city']))"
    with pytest.raises(binder.BinderError, match="a call cannot stand in a function that sorted"):
        connect(log.latitude).run(program, language="python")


def test_the_plan_of_python_names_its_functions(connect: Connect, log: Log) -> None:
    plan = connect(log.latitude).explain("def solve(w):\n    return latitude('Oslo')", "python")
    assert "Apply    latitude(city TEXT) -> NUMBER" in str(plan)


# questions


def test_the_language_model_is_told_of_functions(
    connect: Connect, log: Log, server: Server
) -> None:
    server.script("```sql\nSELECT city FROM w WHERE latitude(city) > 50 LIMIT 1\n```")
    answer = connect(log.latitude).ask("which city lies in the north?", 1, "sql")
    assert answer.values == ["Oslo"]
    asked = server.requests[0]["messages"][-1]["content"]
    assert "latitude(city TEXT) -> NUMBER  Latitude of a city, in degrees." in asked


def test_time_is_not_lost_to_threads_that_hang(connect: Connect) -> None:
    def hangs(city: str) -> str:
        time.sleep(3600)
        return city

    db = connect(binder.Function(hangs, timeout=0.05, retries=0, limit=4))
    assert len(db.run("SELECT hangs(city) FROM w").errors) == 4
