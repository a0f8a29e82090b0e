"""Labels: a cast to an ENUM closes what a call may answer, and orders it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import binder
from binder.engine import Binder
from binder.errors import CheckFault
from tests.server import Server

CALL = "QA('map@how urgent?'; t)::ENUM('low', 'medium', 'high')"
SAID = {"t0": "high", "t1": "LOW", "t2": "medium", "t3": "high", "t4": None}


def answers(task: dict[str, Any]) -> Any:
    assert task["options"] == ["low", "medium", "high"]
    return {key: SAID[row[0]] for key, row in task["rows"].items()}


@pytest.fixture
def db(server: Server) -> Iterator[Binder]:
    server.answer = answers
    rows = [{"t": t} for t in SAID]
    with binder.connect(rows, "m", base_url=server.url, api_key="none", cache=None) as opened:
        yield opened


@pytest.mark.parametrize(
    ("program", "rows"),
    [
        (f"SELECT t FROM w ORDER BY {CALL} DESC LIMIT 3", ["t0", "t3", "t2"]),
        (f"SELECT t FROM w WHERE {CALL} >= 'Medium'", ["t0", "t2", "t3"]),
        (f"SELECT t FROM w WHERE {CALL} IN ('low', 'medium')", ["t1", "t2"]),
        (f"SELECT t FROM w WHERE {CALL} BETWEEN 'low' AND 'medium'", ["t1", "t2"]),
        (f"SELECT MAX({CALL}) FROM w", ["high"]),
        (f"SELECT MIN({CALL}) FROM w", ["low"]),
        (f"SELECT COUNT(*) FROM w WHERE CASE {CALL} WHEN 'low' THEN 1 END = 1", [1]),
        (f"WITH x AS (SELECT t, {CALL} AS u FROM w) SELECT t FROM x WHERE u < 'high'", ["t1", "t2"]),
        (f"SELECT {CALL}::VARCHAR || '!' FROM w LIMIT 1", ["high!"]),
        (f"SELECT t FROM w WHERE {CALL} > 'low' OR t IN (SELECT t FROM w WHERE {CALL} = 'low')",
         ["t0", "t1", "t2", "t3"]),
    ],
)  # fmt: skip
def test_labels_are_closed_and_ordered(db: Binder, program: str, rows: list[Any]) -> None:
    assert [row[0] for row in db.run(program).rows] == rows


def test_labels_leave_as_texts(db: Binder) -> None:
    result = db.run(f"SELECT {CALL} AS u FROM w")
    assert list(result.df()["u"].dropna()) == ["high", "low", "medium", "high"]
    assert [missing.fault for missing in result.errors] == ["no_answer"]


def test_another_answer_is_missing(server: Server) -> None:
    server.answer = lambda task: dict.fromkeys(task["rows"], "soon")
    with binder.connect(
        [{"t": "x"}], "m", base_url=server.url, api_key="none", cache=None
    ) as opened:
        result = opened.run(f"SELECT {CALL} FROM w")
    assert result.rows == [(None,)]
    assert [missing.fault for missing in result.errors] == ["bad_type"]


@pytest.mark.parametrize(
    ("program", "message"),
    [
        (f"SELECT t FROM w WHERE {CALL} = 'hgh'", "'hgh' is none of the labels"),
        ("SELECT QA('map@a?'; t)::ENUM('a', 'a') FROM w", "each of them once"),
        ("SELECT QA('map@a?'; t)::ENUM FROM w", "an ENUM lists labels"),
        (
            "SELECT QA('map@a?'; t)::ENUM('a'), QA('map@a?'; t)::ENUM('b') FROM w",
            "use one list of labels",
        ),
        (f"SELECT {CALL} + 1 FROM w", "explicit type casts"),
    ],
)
def test_lists_that_do_not_fit_are_refused(db: Binder, program: str, message: str) -> None:
    with pytest.raises(CheckFault) as caught:
        db.run(program)
    assert message in str(caught.value)
