"""The shipped exemplars, each checked against its own table, and how exemplars are read and found."""

from __future__ import annotations

import re

import pytest

import binder
from binder.check import check
from binder.check.repair import parsed
from binder.errors import DataError
from binder.lm.replay import Scripted
from binder.memory import Exemplar, Memory, read
from binder.plan.build import build
from binder.plan.rules import RULES, optimize
from binder.prompt.programs import program_request

SHIPPED = Memory.shipped().exemplars


@pytest.mark.parametrize("exemplar", SHIPPED, ids=lambda exemplar: exemplar.question[:40])
def test_a_shipped_exemplar_is_planned_without_repairs(exemplar: Exemplar) -> None:
    plan = optimize(build(check(parsed(exemplar.program, [exemplar.table]), [exemplar.table])), RULES)
    assert plan.checked.program.repairs == ()
    assert len(plan.asks) == 0 or "QA(" in exemplar.program


def test_a_plain_exemplar_has_one_answer() -> None:
    with binder.connect(SHIPPED[0].table, lm=Scripted([])) as db:
        for exemplar in (exemplar for exemplar in SHIPPED if "QA(" not in exemplar.program):
            db.use(exemplar.table)
            result = db.run(exemplar.program)
            assert len(result.rows) == 1 and result.rows[0][0] is not None, exemplar.program


def test_the_exemplars_are_diverse_and_mostly_plain() -> None:
    programs = [exemplar.program for exemplar in SHIPPED]
    assert 8 <= len(programs) <= 12
    assert sum("QA(" not in program for program in programs) >= len(programs) / 2
    calls = (r"WHERE.*QA\(.map@", r"ORDER BY QA\(.map@", r"SELECT QA\(.map@.*GROUP BY", r"QA\(.ans@")
    for construct in (*calls, r"row_id", r"\(SELECT", r"COUNT\(", r"MONTH\("):
        assert any(re.search(construct, program, re.DOTALL) for program in programs), construct


def test_what_is_shown_before_a_question_is_short() -> None:
    request = program_request("q?", [SHIPPED[0].table], SHIPPED[1:], model="m")
    assert sum(len(message.content) for message in request.messages) < 1800 * 4  # characters to a token, about


def test_an_exemplar_is_read() -> None:
    exemplar = read("title: A: b\n|x|y\\nz|\n|1||\n| a | b|\nquestion: what: x?\nSELECT x\nFROM w\n")
    assert exemplar == Exemplar("A: b", ("x", "y\nz"), (("1", ""), ("a", "b")), "what: x?", "SELECT x\nFROM w")
    assert exemplar.table.title == "A: b" and [column.name for column in exemplar.table.columns] == ["x", "y\nz"]


NO_TABLE, NO_PROGRAM = "title: t\nquestion: q?\nSELECT 1", "title: t\n|a|\n|1|\nquestion: q?"
NO_TITLE = "|a|\n|1|\nquestion: q?\nSELECT 1"


@pytest.mark.parametrize("block", ["", NO_TABLE, NO_PROGRAM, NO_TITLE])
def test_a_block_that_is_no_exemplar(block: str) -> None:
    with pytest.raises(DataError, match="no exemplar"):
        read(block)


def test_the_nearest_exemplars_are_retrieved_in_their_order() -> None:
    asked = ("who won in May?", "how many games?", "who won in June?")
    memory = Memory(tuple(Exemplar("t", ("a",), (("1",),), question, "SELECT 1") for question in asked))
    assert [e.question for e in memory.retrieve("who won in June?", most=2)] == ["who won in May?", "who won in June?"]
    assert memory.retrieve("anything") == memory.exemplars
    assert Memory().retrieve("anything") == ()
