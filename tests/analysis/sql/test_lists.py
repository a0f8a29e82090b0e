"""Lists: all answers of an `ans` as one value, in a program that casts it to a list."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import binder
from binder.engine import Binder
from binder.errors import CheckFault, ProgramError
from tests.server import Server

CAPITALS = "QA('ans@which capitals?')::TEXT[]"


def answers(task: dict[str, Any]) -> Any:
    if task["type"] == "number":
        return [3, 1, 2]
    return [] if task["question"] == "none?" else ["Rome", "Oslo", *sum(task["rows"], [])]


@pytest.fixture
def db(server: Server) -> Iterator[Binder]:
    server.answer = answers
    rows = [{"city": city, "n": n} for n, city in enumerate(("Oslo", "Lima", "Rome"))]
    with binder.connect(rows, "m", base_url=server.url, api_key="none", cache=None) as opened:
        yield opened


@pytest.mark.parametrize(
    ("program", "rows"),
    [
        (f"SELECT {CAPITALS} AS c", [(["Rome", "Oslo"],)]),
        (f"SELECT UNNEST({CAPITALS}) AS c", [("Rome",), ("Oslo",)]),
        ("SELECT list_sum(QA('ans@how many?')::BIGINT[])", [(6,)]),
        (f"SELECT city FROM w WHERE list_contains({CAPITALS}, city)", [("Oslo",), ("Rome",)]),
        (f"SELECT w.n FROM w, UNNEST({CAPITALS}) AS u(c) WHERE u.c = w.city", [(0,), (2,)]),
        ("SELECT QA('ans@which?'; (SELECT city FROM w))::TEXT[]",
         [(["Rome", "Oslo", "Oslo", "Lima", "Rome"],)]),
        ("SELECT n, QA('ans@which?'; city)::TEXT[] FROM w WHERE n < 2 GROUP BY n",
         [(0, ["Rome", "Oslo", "Oslo"]), (1, ["Rome", "Oslo", "Lima"])]),
        ("SELECT QA('ans@none?')::TEXT[]", [(None,)]),
    ],
)  # fmt: skip
def test_all_answers_are_one_value(db: Binder, program: str, rows: list[Any]) -> None:
    assert db.run(program).rows == rows


@pytest.mark.parametrize(
    "cast", ["QA('map@x?'; city)::TEXT[]", "QA('ans@x?'; city)::TEXT[][]", "QA('map@x?'; city)::JSON[]"]
)  # fmt: skip
def test_what_no_answer_can_be_is_refused(db: Binder, cast: str) -> None:
    with pytest.raises(CheckFault, match="cannot be cast to"):
        db.run(f"SELECT {cast} FROM w")


@pytest.mark.parametrize(
    ("kind", "message"), [("TEXT[]", "has no lists"), ("ENUM('a')", "is not allowed")]
)
def test_sqlite_has_no_such_types(tmp_path: Path, kind: str, message: str) -> None:
    path = tmp_path / "t.sqlite"
    with sqlite3.connect(path) as connection:
        connection.execute("CREATE TABLE w (city TEXT)")
    with (
        binder.connect(path, "m", base_url="http://127.0.0.1:9", cache=None) as opened,
        pytest.raises(ProgramError, match=message),
    ):
        opened.run(f"SELECT QA('ans@x?'; city)::{kind} FROM w")
