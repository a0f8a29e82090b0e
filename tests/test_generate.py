"""From replies to samples: what is taken as the program, how replies are asked for, what becomes of a bad one."""

from __future__ import annotations

import json
from typing import Any

import pytest

import binder
from binder.errors import CheckFault, Refused, SyntaxFault
from binder.generate import extract
from tests.server import Canned, Server, completion, error

PLAIN = "SELECT `a` FROM w WHERE `b` > 1"
MAP = "SELECT COUNT(*) FROM w WHERE QA(\"map@is it red; or pink?\"; `a`) = 'yes'"
ANS = 'QA("ans@which; is best?"; (SELECT `a` FROM w))'
WITH = "WITH best AS (SELECT `a` FROM w)\n\nSELECT * FROM best\n\nORDER BY 1"
ALL = [PLAIN, MAP, ANS, WITH, "(SELECT 1) UNION (SELECT 2)", "select a from w", "SELECT a -- SELECT the first\nFROM w"]

FORMS = [
    "{}",
    "\n  {}  \n",
    "{};",
    "```sql\n{}\n```",
    "```SQL\n{};\n```\n",
    "```\n{}\n```",
    "```sql {} ```",
    "```sql\n{}",  # cut short, or never closed
    "Here is the program:\n\n```sql\n{}\n```\n\nWith this query we select the rows.",
    "SQL: {}",
    "Program:\n{}",
    "**SQL:**\n{}",
    "The program is `{}`",
    "Select the rows first, with care, as asked.\n\n{}",
    "With this table, select a row:\n{}",
    "{}\n\nThis program counts the rows. From it, select what you need.",
    "{}\n\nNote: `b` is a number; it needs no cast.",
    "{};\nIt selects the cells of `a`.",
    "{};\n\nWhere b is missing, no row is found.",
    "<think>\nSELECT nothing FROM w? No.\n```sql\nSELECT 0\n```\n</think>\n\n{}",
    "the first tag is missing: SELECT 0 FROM w</think>{}",
    "<thinking>hm</thinking>\n```sql\n{}\n```",
    "A first attempt:\n```sql\nSELECT 0\n```\nIt forgets a row. Better:\n```sql\n{}\n```",
    "```sql\n{}\n```\nOutput:\n```\n| a |\n| 1 |\n```",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("program", ALL)
def test_the_program_is_found(form: str, program: str) -> None:
    assert extract(form.replace("{}", program)) == program


@pytest.mark.parametrize("form", ['{"program": %s}', '```json\n{"program": %s}\n```', '{"language": "sql", "program": %s}'])
def test_the_program_in_json(form: str) -> None:
    for program in ALL:
        assert extract(form % json.dumps(program)) == program


NONE = ["", "I'm sorry, I can't help with that.", '{"program": null}', "<think>SELECT a", "42", "```\n```", "```\n1\n```"]


@pytest.mark.parametrize("reply", NONE)
def test_a_reply_without_a_program_stays_as_it_is(reply: str) -> None:
    assert extract(reply) == reply


@pytest.mark.parametrize("reply", ["SELECT 1; SELECT 2", "SELECT 1; DROP TABLE w", "SELECT 1;\nselect 2"])
def test_no_statement_is_dropped(reply: str) -> None:
    assert extract(reply) == reply


ROWS = [{"a": "x", "b": 1}, {"a": "y", "b": 2}]


def asked(server: Server, *texts: str, samples: int | None = None) -> binder.Answer:
    server.reply = lambda body: completion(*texts)
    with binder.connect(ROWS, model="m", base_url=server.url) as db:
        return db.ask("which a has the b of 2?", samples=samples or len(texts))


def test_a_reply_that_is_no_program_is_a_candidate_with_its_fault(server: Server) -> None:
    answer = asked(server, "SELECT a FROM w WHERE b = 2", "I cannot do that.", "SELECT nosuch FROM w")
    assert answer.values == ["y"] and answer.confidence == pytest.approx(1 / 3)
    _, refusal, unknown = answer.candidates
    assert refusal.program == "I cannot do that." and isinstance(refusal.error, SyntaxFault)
    assert isinstance(unknown.error, CheckFault) and "nosuch" in str(unknown.error)
    assert [event.data["program"] for event in answer.trace.of("rejected")] == ["I cannot do that.", "SELECT nosuch FROM w"]


def test_no_program_at_all_is_no_answer(server: Server) -> None:
    answer = asked(server, "None.", "no")
    assert answer.values == [] and answer.confidence == 0 and answer.program is None
    assert [type(candidate.error) for candidate in answer.candidates] == [SyntaxFault, SyntaxFault]


def test_equal_programs_are_one_candidate_with_several_votes(server: Server) -> None:
    answer = asked(server, "SELECT a FROM w WHERE b = 2", "```sql\nSELECT a FROM w WHERE b = 2;\n```", "SELECT MAX(a) FROM w")
    assert [candidate.votes for candidate in answer.candidates] == [2, 1]
    assert answer.confidence == 1.0 and len(server.requests) == 1 and server.requests[0]["n"] == 3


def test_an_endpoint_that_gives_one_reply_at_a_time_is_asked_again(server: Server) -> None:
    answer = asked(server, "SELECT a FROM w WHERE b = 2", samples=3)
    assert len(server.requests) == 3 and sum(candidate.votes for candidate in answer.candidates) == 3
    assert answer.usage.requests == 3


def test_a_refused_request_is_an_error(server: Server) -> None:
    refusals = iter([completion("SELECT a FROM w"), Canned(error("no such model"), status=404)])
    server.reply = lambda body: next(refusals)
    with binder.connect(ROWS, model="m", base_url=server.url) as db, pytest.raises(Refused, match="no such model"):
        db.ask("which a?", samples=2)


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
