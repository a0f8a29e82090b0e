"""A bare column of `ans`: the rows of the FROM around the call, or those of its group."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import binder
from binder.engine import Binder
from binder.errors import CheckFault
from tests.server import Server

R = [("A", "x1", 1), ("B", "y1", 2), ("A", "x2", 3), ("C", "z1", 4), ("B", "y2", 5), (None, "q", 6)]
SUMMARY = "QA('ans@summarise'; text)"
LETTER = "QA('map@letter'; text)"
KNOWN = {"Which shops are old?": ["A", "C"], "How many are many?": [4]}
ALL = [("A", "x1 x2"), ("B", "y1 y2"), ("C", "z1"), (None, "q")]


def answers(task: dict[str, Any]) -> Any:
    """A summary is all texts, a letter the first one."""
    if task["task"] == "map":
        return {key: row[0][0] for key, row in task["rows"].items()}
    if not task["columns"]:
        return KNOWN[task["question"]]
    return [" ".join(str(cell) for row in task["rows"] for cell in row)]


@pytest.fixture
def db(server: Server) -> Iterator[Binder]:
    server.answer = answers
    tables = {
        "r": [dict(zip(("shop", "text", "n"), row, strict=True)) for row in R],
        "o": [{"s": "A", "city": "Rome"}, {"s": "B", "city": "Oslo"}],
    }
    with binder.connect(tables, "m", base_url=server.url, api_key="none", cache=None) as opened:
        yield opened


@pytest.mark.parametrize(
    ("program", "rows", "asked"),
    [
        (f"SELECT shop, {SUMMARY} FROM r GROUP BY shop", ALL, 4),
        (f"SELECT shop, {SUMMARY} FROM r GROUP BY 1", ALL, 4),
        (f"SELECT shop, {SUMMARY} FROM r GROUP BY ALL", ALL, 4),
        (f"SELECT shop AS s, {SUMMARY} FROM r GROUP BY s", ALL, 4),
        (
            "SELECT shop, QA('ans@summarise'; upper(text)) FROM r GROUP BY ALL",
            [(shop, said.upper()) for shop, said in ALL],
            4,
        ),
        (f"SELECT shop, {SUMMARY} FROM r WHERE n > 1 GROUP BY shop HAVING COUNT(*) > 1",
         [("B", "y1 y2")], 1),
        (f"SELECT shop, {SUMMARY} FROM r GROUP BY shop ORDER BY shop LIMIT 1", ALL[:1], 1),
        (f"SELECT shop, {SUMMARY} FROM r WHERE {LETTER} IN ('x', 'z') GROUP BY shop",
         [ALL[0], ALL[2]], 8),
        (f"SELECT o.city, {SUMMARY} FROM r JOIN o ON o.s = r.shop GROUP BY o.city",
         [("Rome", "x1 x2"), ("Oslo", "y1 y2")], 2),
        (f"WITH x AS (SELECT * FROM r WHERE n < 5) SELECT shop, {SUMMARY} FROM x GROUP BY shop",
         [("A", "x1 x2"), ("B", "y1"), ("C", "z1")], 3),
        (f"WITH g AS (SELECT *, {LETTER} AS l FROM r) SELECT l, {SUMMARY} FROM g GROUP BY l",
         [("x", "x1 x2"), ("y", "y1 y2"), ("z", "z1"), ("q", "q")], 10),
        (f"SELECT l, {SUMMARY} FROM (SELECT *, {LETTER} AS l FROM r) GROUP BY l HAVING COUNT(*) > 1",
         [("x", "x1 x2"), ("y", "y1 y2")], 8),
        (f"SELECT shop, {SUMMARY} FROM (SELECT * FROM r ORDER BY n DESC LIMIT 2) GROUP BY shop",
         [(None, "q"), ("B", "y2")], 2),
        (f"SELECT shop FROM r GROUP BY shop HAVING {SUMMARY} = 'z1'", [("C",)], 4),
        (f"SELECT COUNT(*), {SUMMARY} FROM r WHERE n > 3", [(3, "z1 y2 q")], 1),
        (f"SELECT COUNT(*), {SUMMARY} FROM (SELECT * FROM r ORDER BY n DESC LIMIT 2)",
         [(2, "q y2")], 1),
        ("SELECT shop, QA('ans@summarise'; shop) FROM r WHERE n < 3 GROUP BY shop",
         [("A", "A B"), ("B", "A B")], 1),
    ],
)  # fmt: skip
def test_ans_reads_the_rows_of_its_group(
    db: Binder, program: str, rows: list[Any], asked: int
) -> None:
    result = db.run(program)
    assert result.rows == rows
    assert result.usage.questions == asked


@pytest.mark.parametrize("keys", ["n % 2", "ROLLUP (shop)", LETTER, "CUBE (shop)"])
def test_groups_that_no_sub_select_can_tell_are_refused(db: Binder, keys: str) -> None:
    with pytest.raises(CheckFault, match="cannot be given to a call"):
        db.run(f"SELECT COUNT(*), {SUMMARY} FROM r GROUP BY {keys}")


@pytest.mark.parametrize(
    ("program", "rows", "asked"),
    [
        ("QA('ans@Which shops are old?')", [("A",), ("C",)], 1),
        ("QA('Which shops are old?')", [("A",), ("C",)], 1),
        ("SELECT n, QA('ans@Which shops are old?') FROM r WHERE n < 3", [(1, "A"), (2, "A")], 1),
        ("SELECT n FROM r WHERE shop IN QA('ans@Which shops are old?')", [(1,), (3,), (4,)], 1),
        ("SELECT n FROM r WHERE n > QA('ans@How many are many?')", [(5,), (6,)], 1),
        ("SELECT n FROM r WHERE n > 9 AND shop = QA('ans@Which shops are old?')", [], 0),
    ],
)
def test_ans_without_a_table_is_about_the_world(
    db: Binder, program: str, rows: list[Any], asked: int
) -> None:
    result = db.run(program)
    assert result.rows == rows
    assert result.usage.questions == asked


def test_map_needs_an_input(db: Binder) -> None:
    with pytest.raises(CheckFault, match="the call has no input"):
        db.run("SELECT QA('map@Who founded Tesla?') FROM r")
