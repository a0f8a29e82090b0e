"""Many samples that ask nearly the same go in; how often the language model is asked comes out."""

from __future__ import annotations

import pytest

import binder
from binder.dispatch.questions import same_question
from tests.server import Body, Said, Server, completion

ROWS = [
    {"rider": f"Rider {i} ({code})", "pos": i}
    for i, code in enumerate(["ESP", "ITA", "FRA", "ESP", "BEL"] * 8)
]
FORMS = [
    "SELECT COUNT(*) FROM w WHERE {} = 'yes'",
    "SELECT COUNT(*) FROM w WHERE {}",
    "SELECT SUM(CASE WHEN {} THEN 1 ELSE 0 END) FROM w",
    "SELECT COUNT(*) FROM (SELECT rider FROM w WHERE {} = 'Yes')",
    "SELECT COUNT(rider) FROM w WHERE pos >= 0 AND {} = 'yes'",
]
WORDINGS = [
    "is the rider from Spain?",
    "Is the rider from Spain?",
    "is the  rider from Spain",
    "is the rider from Spain ?",
]
PROGRAMS = [form.format(f'QA("map@{wording}"; rider)') for form in FORMS for wording in WORDINGS]


def questions(server: Server, programs: list[str]) -> tuple[int, list[object]]:
    def reply(body: Body) -> Said:
        return None if body["messages"][-1]["content"].startswith("{") else completion(*programs)

    server.forget()
    server.reply = reply
    server.answer = lambda task: {key: "ESP" in row[0] for key, row in task["rows"].items()}
    with binder.connect({"w": ROWS}, model="m", base_url=server.url, cache=None) as db:
        answer = db.ask("how many riders are from Spain?", samples=len(programs), language="sql")
    assert all(candidate.error is None for candidate in answer.candidates), answer.candidates
    return server.questions, answer.values


def test_twenty_samples_that_ask_nearly_the_same_ask_as_one(server: Server) -> None:
    assert len(set(PROGRAMS)) == 20
    one, alone = questions(server, PROGRAMS[:1])
    twenty, voted = questions(server, PROGRAMS)
    assert alone == voted == [16] and one == 40
    assert twenty <= 1.3 * one


def test_another_question_is_asked_for_itself(server: Server) -> None:
    other = FORMS[0].format('QA("map@is the rider from spain, or from Italy?"; rider)')
    assert questions(server, [PROGRAMS[0], other])[0] == 80


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("Which country?", "which country", True),
        ("  is it\nred ?", "Is it red?", True),
        ("US citizen?", "us citizen?", False),
        ("is it Polish?", "is it polish?", False),
        ("Turkey or not?", "turkey or not?", False),
        ("how many?", "how much?", False),
        ("WHO member?", "who member?", False),
    ],
)
def test_what_is_the_same_question(one: str, other: str, same: bool) -> None:
    assert (same_question(one) == same_question(other)) is same
