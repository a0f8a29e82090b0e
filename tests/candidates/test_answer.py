"""An Answer goes in; what a person, a notebook and a program are shown of it comes out."""

from __future__ import annotations

import json
from typing import Any

from binder.candidates.answer import Answer, Candidate
from binder.candidates.vote import vote
from binder.errors import QueryError
from binder.results.result import Result, Usage
from binder.results.trace import Trace


def answer(*values: Any, program: str | None = "p") -> Answer:
    result = Result(
        ("a",),
        [(value,) for value in values],
        [(str(value),) for value in values],
        [],
        Usage(),
        Trace(),
        "",
    )
    broken = Candidate("broken", "sql", error=QueryError("no such thing"), votes=3)
    return vote(
        "who?",
        [Candidate(program, "sql" if program else "direct", result), broken],
        Usage(),
        Trace(),
    )


def test_an_answer_prints_and_is_json_data() -> None:
    told = answer("a", "<b>")
    assert str(told) == "a, <b>" and repr(told) == "Answer(['a', '<b>'], confidence=0.25)"
    data = json.loads(json.dumps(told.data()))
    assert (data["values"], data["language"]) == (["a", "<b>"], "sql")
    assert data["candidates"][1]["error"] == "no such thing" and data["candidates"][1]["votes"] == 3
    assert "a, <b>" not in told._repr_html_() and "&lt;b&gt;" in told._repr_html_()
    assert repr(told.candidates[1]) == "Candidate(3 votes, 'broken' -> QueryError)"


def test_which_kind_won_is_said() -> None:
    assert answer("a").summary == "answered by SQL; confidence 25%; 4 samples"
    direct = answer("a", program=None)
    assert direct.summary == "answered directly from the table; confidence 25%; 4 samples"
    assert (
        direct.data()["program"] is None
        and direct.data()["language"] == "direct"
        and direct.summary in direct._repr_html_()
    )


def test_no_answer_is_no_guess() -> None:
    none = Answer.none("who?", (), Usage(), Trace())
    assert (none.values, none.confidence, none.program, none.language, none.result) == (
        [],
        0.0,
        None,
        None,
        None,
    )
    assert str(none) == "no answer" and none.summary == "no answer; 0 samples"
