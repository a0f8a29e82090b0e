"""Candidates go in; what most of them agree on comes out, and how sure that is."""

from __future__ import annotations

import datetime
import json
from collections.abc import Sequence
from typing import Any

import pytest

from binder.answer import Answer, Candidate, agreement, vote
from binder.errors import QueryError
from binder.result import Result, Usage, text
from binder.trace import Trace


def candidate(*values: Any, votes: int = 1, name: str = "p") -> Candidate:
    rows = [(value,) for value in values]
    result = Result(("a",), rows, [(text(value),) for value in values], [], Usage(), Trace(), name)
    return Candidate(name, "sql", result, votes=votes)


BROKEN = Candidate("broken", "sql", error=QueryError("no such thing"), votes=3)


def voted(*candidates: Candidate) -> Answer:
    return vote("who?", candidates, Usage(), Trace())


def test_the_most_votes_win() -> None:
    answer = voted(candidate("a"), candidate("b", votes=2, name="q"), candidate("c"))
    assert (answer.values, answer.program, answer.confidence) == (["b"], "q", 0.5)


def test_of_equals_the_first() -> None:
    assert voted(candidate("b"), candidate("a")).values == ["b"]


def test_equal_answers_add_up_and_are_shown_as_the_first_wrote_them() -> None:
    answer = voted(candidate("x", votes=2), candidate("Émile", 2), candidate(2.0, "emile"), candidate("EMILE", "2"))
    assert (answer.values, answer.confidence) == (["Émile", 2], 0.6)


def test_errors_and_empty_results_have_no_say_but_count() -> None:
    answer = voted(BROKEN, candidate(), candidate(None), candidate("a"))
    assert (answer.values, answer.confidence) == (["a"], 1 / 6)


@pytest.mark.parametrize("candidates", [(), (BROKEN,), (candidate(), candidate(None))])
def test_nothing_to_say(candidates: Sequence[Candidate]) -> None:
    answer = voted(*candidates)
    assert (answer.values, answer.texts, answer.confidence, answer.program, answer.result, str(answer)) == (
        [],
        [],
        0.0,
        None,
        None,
        "no answer",
    )


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([1, 2], [2, 1]),
        ([1], [1.0]),
        (["1"], [1]),
        (["Yes"], [True]),
        ([datetime.date(2020, 1, 2)], [datetime.datetime(2020, 1, 2)]),
        ([0.1 + 0.2], [0.3]),
    ],
)
def test_what_agrees(one: list[Any], other: list[Any]) -> None:
    assert agreement(one) == agreement(other)


@pytest.mark.parametrize(("one", "other"), [([1], [1, 1]), ([1], [2]), (["a"], ["b"]), ([], [0]), ([True], [1])])
def test_what_does_not(one: list[Any], other: list[Any]) -> None:
    assert agreement(one) != agreement(other)


def test_an_answer_prints_and_is_json_data() -> None:
    answer = voted(candidate("a", "<b>"), BROKEN)
    assert str(answer) == "a, <b>" and repr(answer) == "Answer(['a', '<b>'], confidence=0.25)"
    data = json.loads(json.dumps(answer.data()))
    assert (
        data["values"] == ["a", "<b>"]
        and data["candidates"][1]["error"] == "no such thing"
        and data["candidates"][1]["votes"] == 3
    )
    assert "a, <b>" not in answer._repr_html_() and "&lt;b&gt;" in answer._repr_html_()
    assert repr(BROKEN) == "Candidate(3 votes, 'broken' -> QueryError)"


def test_the_vote_is_an_event() -> None:
    trace = Trace()
    vote("who?", [candidate("a", votes=2), candidate("b")], Usage(), trace)
    (event,) = trace.of("voted")
    assert event.data["values"] == ["a"] and [votes for _, votes in event.data["votes"]] == [2, 1]
