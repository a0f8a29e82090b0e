"""Candidates go in; what most of them agree on comes out, and how sure that is."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Any

import pytest

from binder.candidates.answer import Answer, Candidate
from binder.candidates.vote import Voting, agree, agreement, decided, fewest, groups, vote
from binder.errors import QueryError
from binder.results.result import Result, Usage, text
from binder.results.trace import Trace


def candidate(*values: Any, votes: int = 1, name: str = "p", language: str = "sql") -> Candidate:
    rows = [(value,) for value in values]
    result = Result(("a",), rows, [(text(value),) for value in values], [], Usage(), Trace(), name)
    return Candidate(None if language == "direct" else name, language, result, votes=votes)


BROKEN = Candidate("broken", "sql", error=QueryError("no such thing"), votes=3)


def voted(*candidates: Candidate, voting: Voting | None = None) -> Answer:
    return vote("who?", candidates, Usage(), Trace(), voting)


def test_the_most_votes_win() -> None:
    answer = voted(candidate("a"), candidate("b", votes=2, name="q"), candidate("c"))
    assert (answer.values, answer.program, answer.confidence) == (["b"], "q", 0.5)


def test_of_equals_the_first() -> None:
    assert voted(candidate("b"), candidate("a")).values == ["b"]


def test_equal_answers_add_up_and_are_shown_as_the_first_wrote_them() -> None:
    answer = voted(
        candidate("x", votes=2),
        candidate("Émile", 2),
        candidate(2.0, "emile"),
        candidate("EMILE", "2"),
    )
    assert (answer.values, answer.confidence) == (["Émile", 2], 0.6)


def test_errors_and_empty_results_have_no_say_but_count() -> None:
    answer = voted(BROKEN, candidate(), candidate(None), candidate("a"))
    assert (answer.values, answer.confidence) == (["a"], 1 / 6)


@pytest.mark.parametrize("candidates", [(), (BROKEN,), (candidate(), candidate(None))])
def test_nothing_to_say(candidates: Sequence[Candidate]) -> None:
    answer = voted(*candidates)
    assert (
        answer.values,
        answer.texts,
        answer.confidence,
        answer.program,
        answer.result,
        str(answer),
    ) == ([], [], 0.0, None, None, "no answer")


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


@pytest.mark.parametrize(
    ("one", "other"), [([1], [1, 1]), ([1], [2]), (["a"], ["b"]), ([], [0]), ([True], [1])]
)
def test_what_does_not(one: list[Any], other: list[Any]) -> None:
    assert agreement(one) != agreement(other)


def test_the_vote_is_an_event() -> None:
    trace = Trace()
    vote("who?", [candidate("a", votes=2), candidate("b")], Usage(), trace)
    (event,) = trace.of("voted")
    assert event.data["values"] == ["a"] and [votes for _, votes in event.data["votes"]] == [2, 1]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["3 wins"], [3]),
        (["1,200"], [1200]),
        (["5 km"], [5]),
        (["$1.5 million"], ["1,500,000"]),
        (["The Beatles"], ["beatles"]),
        (["June 1, 2004"], [datetime.date(2004, 6, 1)]),
        (["a, b and c"], ["c", "b", "a"]),
        (["1 June 2004; 3 June 2004"], [datetime.date(2004, 6, 3), datetime.date(2004, 6, 1)]),
        (["entailed"], [True]),
        ([1], [True]),
        ([0], ["No."]),
        (["St. Louis"], ["St Louis"]),
        (["Zoë"], ["ZOE"]),
    ],
)
def test_what_agrees_in_other_words(one: list[Any], other: list[Any]) -> None:
    assert agree(agreement(one), agreement(other)) and agree(agreement(other), agreement(one))


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (["5 km"], ["5 miles"]),
        ([1, 2], [12]),
        (["a, b"], ["a"]),
        (["a", "a"], ["a", "b"]),
        (["Washington, D.C."], ["Washington"]),
        ([2], [True]),
        (["007"], [7]),
        (["1-2"], [1, 2]),
        (["C"], ["C++"]),
    ],
)
def test_what_does_not_agree_in_any_words(one: list[Any], other: list[Any]) -> None:
    assert not agree(agreement(one), agreement(other)) and not agree(
        agreement(other), agreement(one)
    )


def test_a_bare_number_goes_with_the_unit_that_most_say() -> None:
    answer = voted(candidate(5), candidate("5 miles"), candidate("5 km", votes=2), candidate("6"))
    assert (answer.values, answer.confidence) == (["5 km"], 0.6)


def test_of_equals_a_program_wins_over_a_direct_answer() -> None:
    answer = voted(candidate("b", language="direct"), candidate("a"))
    assert (answer.values, answer.language, answer.program) == (["a"], "sql", "p")


def test_a_program_that_says_the_same_speaks_for_a_direct_answer() -> None:
    answer = voted(
        candidate("a", language="direct", votes=3), candidate("a"), candidate("b", votes=2)
    )
    assert (answer.values, answer.confidence, answer.program) == (["a"], 4 / 6, "p")


def test_a_direct_answer_can_win_and_shows_that_it_has_no_program() -> None:
    answer = voted(candidate("a", language="direct", votes=2), candidate("b"))
    assert (answer.values, answer.language, answer.program) == (["a"], "direct", None)
    assert repr(answer) == "Answer(['a'], confidence=0.67, direct)"


def test_weights_are_per_kind() -> None:
    several = candidate("a", language="direct"), candidate("b"), candidate("c", language="python")
    assert voted(*several, voting=Voting({"direct": 1.5})).values == ["a"]
    assert voted(*several, voting=Voting({"direct": 0.5, "python": 2})).values == ["c"]
    assert voted(*several, voting=Voting({"direct": 2})).confidence == 0.5


def test_a_bias_favours_an_answer_however_it_is_said() -> None:
    statements = candidate(0, votes=2), candidate(True), candidate("no")
    assert voted(*statements).values == [0]
    assert voted(*statements, voting=Voting(bias={"yes": 4})).values == [True]
    assert voted(
        candidate("red"), candidate("yes", "red"), voting=Voting(bias={"yes": 4})
    ).values == ["red"]


def test_what_was_not_executed_is_no_vote_cast() -> None:
    answer = voted(candidate("a", votes=2), Candidate("q", "sql", votes=3))
    assert (
        answer.confidence == 1.0
        and answer.candidates[1].fate == "skipped: it could not change the vote"
    )


@pytest.mark.parametrize(
    ("votes", "left", "is_decided", "more"),
    [((), 5, False, 3), ((1,), 4, False, 2), ((3,), 2, True, 0), ((2, 1), 2, False, 1), ((2, 1), 1, False, 1),
     ((1, 1), 0, True, 0), ((9, 2), 9, False, 2)],
)  # fmt: skip
def test_when_the_winner_stays_the_winner(
    votes: tuple[int, ...], left: int, is_decided: bool, more: int
) -> None:
    ranked = groups([candidate(f"v{i}", votes=number) for i, number in enumerate(votes)], Voting())
    assert decided(ranked, left) == is_decided and fewest(ranked, left) == more
