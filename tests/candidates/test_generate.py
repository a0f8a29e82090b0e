"""Questions go in over the public face; what is asked of the endpoint, and what becomes of what it
writes, comes out."""

from __future__ import annotations

from typing import Any

import pytest

import binder
from binder.candidates.sampling import Sampling
from binder.errors import CheckFault, InternalError, Refused, SyntaxFault
from tests.server import Canned, Server, completion, error

ROWS = [{"a": "x", "b": 1}, {"a": "y", "b": 2}]


def asked(server: Server, *texts: str, samples: int | None = None) -> binder.Answer:
    server.reply = lambda body: completion(*texts)
    with binder.connect(ROWS, model="m", base_url=server.url) as db:
        return db.ask("which a has the b of 2?", language="sql", samples=samples or len(texts))


def test_a_reply_that_is_no_program_is_a_candidate_with_its_fault(server: Server) -> None:
    server.reply = lambda body: completion(*texts) if body.get("n") else texts[1]
    texts = ["SELECT a FROM w WHERE b = 2", "I cannot do that.", "SELECT nosuch FROM w"]
    with binder.connect(ROWS, model="m", base_url=server.url, sampling=Sampling(repairs=0)) as db:
        answer = db.ask("which a has the b of 2?", language="sql", samples=3)
    assert answer.values == ["y"] and answer.confidence == pytest.approx(1 / 3)
    _, refusal, unknown = answer.candidates
    assert refusal.program == "I cannot do that." and isinstance(refusal.error, SyntaxFault)
    assert isinstance(unknown.error, CheckFault) and "nosuch" in str(unknown.error)
    assert [event.data["program"] for event in answer.trace.of("rejected")] == [
        "I cannot do that.",
        "SELECT nosuch FROM w",
    ]


def test_a_reply_on_which_binder_fails_is_a_candidate_with_that_fault(server: Server) -> None:
    nested = "[" * 100_000  # deeper than Python's reader of JSON goes
    answer = asked(server, "SELECT a FROM w WHERE b = 2", nested, nested)
    assert answer.values == ["y"]
    _, faulty = answer.candidates
    assert (faulty.program, faulty.votes) == (nested, 2)
    assert isinstance(faulty.error, InternalError) and "RecursionError" in str(faulty.error)
    assert [event.data["program"] for event in answer.trace.of("rejected")] == [nested]


def test_a_repair_on_which_binder_fails_leaves_the_question_with_what_is_known(
    server: Server,
) -> None:
    server.script("SELECT nosuch FROM w", "[" * 100_000)
    with binder.connect(ROWS, model="m", base_url=server.url, cache=None) as db:
        answer = db.ask("which a?", language="sql", samples=1)
    (candidate,) = answer.candidates
    assert answer.values == [] and isinstance(candidate.error, InternalError)


def test_no_program_at_all_is_no_answer(server: Server) -> None:
    answer = asked(server, "None.", "no")
    assert answer.values == [] and answer.confidence == 0 and answer.program is None
    assert [type(candidate.error) for candidate in answer.candidates] == [SyntaxFault, SyntaxFault]


def test_equal_programs_are_one_candidate_with_several_votes(server: Server) -> None:
    answer = asked(
        server,
        "SELECT a FROM w WHERE b = 2",
        "```sql\nSELECT a FROM w WHERE b = 2;\n```",
        "SELECT MAX(a) FROM w",
    )
    assert [candidate.votes for candidate in answer.candidates] == [2, 1]
    assert answer.confidence == 1.0 and len(server.requests) == 1 and server.requests[0]["n"] == 3


def test_an_endpoint_that_gives_one_reply_at_a_time_is_asked_again(server: Server) -> None:
    answer = asked(server, "SELECT a FROM w WHERE b = 2", samples=5)
    assert (
        len(server.requests) == 3 and sum(candidate.votes for candidate in answer.candidates) == 3
    )  # two more cannot change it
    assert answer.usage.requests == 3 and answer.confidence == 1.0


def test_what_an_endpoint_leaves_out_is_drawn_while_it_can_change_the_vote(server: Server) -> None:
    first = "SELECT a FROM w"
    server.script(completion(first), "SELECT MAX(a) FROM w", "SELECT MIN(a) FROM w", first, first)
    with binder.connect(ROWS, model="m", base_url=server.url, cache=None) as db:
        answer = db.ask("which a?", language="sql", samples=5)
    assert [candidate.votes for candidate in answer.candidates] == [3, 1, 1] and len(
        server.requests
    ) == 5
    assert [body.get("n", 1) for body in server.requests] == [5, 1, 1, 1, 1]


def test_a_refused_request_is_an_error(server: Server) -> None:
    refusals = iter([completion("SELECT a FROM w"), Canned(error("no such model"), status=404)])
    server.reply = lambda body: next(refusals)
    with (
        binder.connect(ROWS, model="m", base_url=server.url) as db,
        pytest.raises(Refused, match="no such model"),
    ):
        db.ask("which a?", language="sql", samples=2)


def test_the_prompt_shows_the_tables_and_ends_with_the_question(server: Server) -> None:
    asked(server, "SELECT 1")
    body: dict[str, Any] = server.requests[0]
    roles = [message["role"] for message in body["messages"]]
    assert roles == ["system", *["user", "assistant"] * (len(roles) // 2 - 1), "user"]
    assert body["messages"][-1]["content"] == (
        "CREATE TABLE `w` ( -- 2 rows\n  row_id BIGINT, -- 0 for the first row\n  `a` VARCHAR,\n  `b` BIGINT,\n)\n"
        "| row_id | a | b |\n| 0 | x | 1 |\n| 1 | y | 2 |\n\n"
        "Question: which a has the b of 2?"
    )
