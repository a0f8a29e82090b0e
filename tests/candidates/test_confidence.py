"""An answer is put to the language model; what it believes of it is the confidence."""

from __future__ import annotations

import math
from typing import Any

import pytest

import binder
from binder.candidates.vote import Voting
from tests.server import Body, Said, Server, completion

ROWS = [{"city": "Rome", "wins": 5}, {"city": "Lyon", "wins": 3}]


def choice(**chances: float) -> dict[str, Any]:
    tokens = [{"token": token, "logprob": math.log(chance)} for token, chance in chances.items()]
    return {
        "index": 0,
        "finish_reason": "stop",
        "message": {"content": "true"},
        "logprobs": {"content": [{"top_logprobs": tokens}]},
    }


def ask(server: Server, *said: Said, belief: int) -> binder.Answer:
    series = iter(said)

    def reply(body: Body) -> Said:
        return (
            next(series)
            if "Proposed answer" in body["messages"][-1]["content"]
            else "SELECT city FROM w WHERE wins = 5"
        )

    server.reply = reply
    with binder.connect(
        ROWS, model="m", base_url=server.url, cache=None, voting=Voting(belief=belief)
    ) as db:
        return db.ask("who won most?", samples=1, language="sql")


def test_told_probabilities_need_one_request(server: Server) -> None:
    answer = ask(server, completion(choices=[choice(true=0.6, True_=0.0001, false=0.2)]), belief=5)
    assert answer.confidence == pytest.approx(0.75) and answer.usage.requests == 2
    assert '["Rome"]' in server.requests[-1]["messages"][-1]["content"]


def test_where_none_are_told_it_is_asked_again(server: Server) -> None:
    answer = ask(server, "true", "false.", "True", "I cannot say", belief=4)
    assert answer.confidence == pytest.approx(2 / 3) and answer.usage.requests == 5


def test_where_nothing_is_told_agreement_holds(server: Server) -> None:
    answer = ask(server, "Perhaps.", belief=1)
    assert answer.confidence == 1.0 and [
        event.data["belief"] for event in answer.trace.of("believed")
    ] == [None]
