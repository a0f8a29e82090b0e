"""Solved questions that are found by meaning, through an endpoint for embeddings over HTTP, and one
that fails."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import binder
from binder.candidates.answer import Answer
from binder.lm.budget import Budget
from binder.prompt.memory import Memory
from binder.prompt.memory.exemplars import Exemplar, Grid
from tests.server import Canned, Server, embeddings

ROWS = [{"city": "Lyon", "wins": 3}, {"city": "Rome", "wins": 5}]
ABOUT = ("victory", "size", "age")  # what each component of a vector stands for
SOLVED = {
    "who triumphed?": (1, 0, 0),
    "which one is the largest?": (0, 1, 0),
    "what is the oldest of all?": (0, 0.2, 1),
}
QUESTION = "which city won most?"


def meaning(texts: list[str]) -> Canned:
    return embeddings(*(SOLVED.get(text, (0.9, 0.1, 0)) for text in texts))


def ask(server: Server, question: str = QUESTION, **settings: Any) -> tuple[Answer, list[str]]:
    """The answer, and the solved questions that were shown, the nearest last."""
    grid = Grid("w", "t", ("Team", "Year"), (("Reds", "1990"),))
    exemplars = [
        Exemplar((grid,), solved, f"SELECT {number}") for number, solved in enumerate(SOLVED)
    ]
    server.reply = lambda body: "SELECT city FROM w WHERE wins = 5"
    settings = {"cache": None, "memory": Memory(exemplars=exemplars), "embeddings": "e"} | settings
    with binder.connect(ROWS, "m", server.url, **settings) as db:
        answer = db.ask(question, samples=2, language="sql")
    (retrieved,) = answer.trace.of("retrieved")
    return answer, retrieved.data["exemplars"]


def test_what_means_the_same_in_other_words_is_found(server: Server) -> None:
    _, by_words = ask(server, embeddings=None)
    assert by_words[-1] == "which one is the largest?" and server.embedded == []
    server.embed = meaning
    answer, found = ask(server)
    assert found.index("who triumphed?") > by_words.index("who triumphed?")
    assert server.embedded == [[QUESTION], list(SOLVED)] and answer.values == ["Rome"]
    assert (answer.usage.requests, answer.usage.prompt_tokens) == (3, 9 + 9 + 10)


def test_each_solved_question_is_sent_once(server: Server, tmp_path: Path) -> None:
    server.embed = meaning
    settings: dict[str, Any] = {"cache": tmp_path / "cache"}
    _, first = ask(server, **settings)
    _, again = ask(server, **settings)
    assert first == again and len(server.embedded) == 2
    ask(server, "who won?", **settings)
    assert server.embedded[2:] == [["who won?"]]


def test_a_trace_replays_with_the_vectors(server: Server, tmp_path: Path) -> None:
    server.embed = meaning
    answer, found = ask(server)
    (tmp_path / "trace.jsonl").write_text("\n".join(answer.trace.lines()) + "\n")
    server.forget()
    assert (
        ask(server, replay=tmp_path / "trace.jsonl")[1] == found
        and server.embedded == [] == server.requests
    )


@pytest.mark.parametrize(
    "said",
    [
        None,
        Canned({"error": {"message": "no such model"}}, status=404),
        Canned({"error": {"message": "you may not"}}, status=403),
        Canned({"data": []}),
        Canned({"data": [{"index": 0, "embedding": ["a"]}]}),
        Canned({"data": [{"index": 0, "embedding": [float("nan")]}]}),
        Canned({"data": [{"index": 0, "embedding": [1, 0]}, {"index": 0, "embedding": [0, 1]}]}),
        embeddings((1, 0, 0, 0, 0)),
    ],
    ids=["none", "unknown", "refused", "empty", "text", "nan", "twice", "lengths"],
)
def test_an_endpoint_that_gives_no_vectors_leaves_the_search_for_words(
    server: Server, said: Canned | None
) -> None:
    _, by_words = ask(server, embeddings=None)
    lengths = iter([said, embeddings((1, 0), (1, 0), (1, 0))])  # of the last, the lengths differ
    server.embed = None if said is None else lambda texts: next(lengths, said)
    answer, found = ask(server)
    assert found == by_words and answer.values == ["Rome"]
    (event,) = answer.trace.of("unembedded")
    (warning,) = answer.trace.warnings
    assert event.data["message"] in warning and "found by words" in answer._repr_html_()


def test_a_budget_that_is_used_up_by_vectors_ends_the_question(server: Server) -> None:
    server.embed = meaning
    with pytest.raises(binder.errors.BudgetExceeded):
        ask(server, budget=Budget(requests=1))
    assert len(server.embedded) == 1 and server.requests == []


def test_a_question_that_is_read_directly_needs_no_solved_ones(server: Server) -> None:
    server.embed = meaning
    server.reply = lambda body: json.dumps({"answers": ["Rome"]})
    with binder.connect(ROWS, "m", server.url, cache=None, embeddings="e") as db:
        assert db.ask(QUESTION, samples=1, language="direct").values == ["Rome"]
    assert server.embedded == []
