"""The shipped exemplars: each runs on its own table, with the answers that stand beside it, and
gives what stands beside it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

import binder
from binder.lm import Choice, Reply, Request, RequestUsage
from binder.prompt.memory import Memory
from binder.prompt.memory.constructs import constructs
from binder.prompt.memory.exemplars import Exemplar
from binder.prompt.programs import program_request
from binder.results.result import plain

SHIPPED = Memory().exemplars
SQL = [exemplar for exemplar in SHIPPED if exemplar.language == "sql"]


class Said:
    """The answers of one exemplar in place of a language model; a question that it has no answer to
    fails."""

    says: Any = None

    async def complete(self, request: Request) -> Reply:
        """Answers a task."""
        task = json.loads(request.messages[-1].content)
        said = self.says[task["question"]]
        if task["task"] == "map":
            said = {key: said["; ".join(map(str, row))] for key, row in task["rows"].items()}
        return Reply((Choice(json.dumps({"answers": said})),), RequestUsage(requests=1))

    async def close(self) -> None:
        """Nothing is open."""


@pytest.fixture(scope="module")
def db() -> Iterator[tuple[binder.Binder, Said]]:
    said = Said()
    with binder.connect(SHIPPED[0].tables[0], lm=said) as opened:
        yield opened, said


@pytest.mark.parametrize(
    "exemplar", SHIPPED, ids=lambda exemplar: f"{exemplar.language} {exemplar.question[:40]}"
)
def test_a_shipped_exemplar_gives_what_it_says(
    exemplar: Exemplar, db: tuple[binder.Binder, Said]
) -> None:
    opened, said = db
    opened.use(*exemplar.tables)
    said.says = json.loads(exemplar.says or "null")
    result = opened.run(exemplar.program, exemplar.language)
    assert [plain(value) for row in result.rows for value in row] == json.loads(exemplar.gives)
    assert result.repairs == ()
    assert all(entry.fault == "no_answer" for entry in result.errors)


def test_every_exemplar_says_what_it_gives() -> None:
    assert all(exemplar.gives for exemplar in SHIPPED)
    calls = ("QA(", "qa_map(", "qa_ans(")
    assert all(
        bool(exemplar.says) == any(call in exemplar.program for call in calls)
        for exemplar in SHIPPED
    )


@pytest.mark.parametrize(("language", "least"), [("sql", 40), ("python", 25)])
def test_the_exemplars_are_many_diverse_and_mostly_plain(language: str, least: int) -> None:
    programs = [constructs(e.program, language) for e in SHIPPED if e.language == language]
    assert len(programs) >= least and len(set(programs)) > 0.75 * len(programs)
    assert sum(not program & {"map", "ans"} for program in programs) >= len(programs) / 2
    wanted = {
        "count",
        "sum",
        "extreme",
        "compare",
        "arithmetic",
        "date",
        "text",
        "map",
        "ans",
        "join",
        "not",
        "neighbour",
        "distinct",
    }
    sql = {"first", "order", "group", "having", "or", "window", "exists", "in", "sub-select"}
    found = frozenset[str]().union(*programs)
    assert wanted | (sql if language == "sql" else set()) <= found


def test_calls_stand_in_every_clause() -> None:
    texts = " ".join(exemplar.program for exemplar in SQL)
    for clause in (
        "SELECT QA(",
        "WHERE QA(",
        "AND QA(",
        "ORDER BY QA(",
        "SUM(QA(",
        "ON QA(",
        "AS continent FROM w GROUP BY continent",
    ):
        assert clause in texts, clause
    assert any(exemplar.program.startswith('QA("ans@') for exemplar in SQL)


def test_no_question_and_no_title_is_there_twice() -> None:
    assert len({(e.question, e.language) for e in SHIPPED}) == len(SHIPPED)
    titles = [e.grids[0].title for e in SQL]
    assert len(set(titles)) == len(titles)


def test_what_is_shown_before_a_question_is_short() -> None:
    shown = Memory().retrieve("who won the most races?", SQL[1].tables)
    request = program_request("who won the most races?", SQL[1].tables, shown, model="m")
    assert len(shown) == 12 and len(request.messages) == 26
    assert (
        sum(len(message.content) for message in request.messages) < 3500 * 4
    )  # characters to a token, about
