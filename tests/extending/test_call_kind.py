"""A third kind of call: `score@` asks for a number from 0 to 10 for each input."""

from __future__ import annotations

from typing import Any

import binder
from binder.language.call_kinds import CallKind
from binder.prompt.replies import JSON, NoValue, Value
from binder.prompt.tasks import InputTask, Wanted, register
from tests.server import Server, Task

ROWS = [{"film": "Alien"}, {"film": "Brazil"}, {"film": "Cats"}]
SCORES = {"Alien": "9/10", "Brazil": 8, "Cats": 1}


class ScoreTask(InputTask):
    """Says what a score is, and reads it however it is written."""

    def instructions(self, steps: bool) -> str:
        return 'Score each row of "rows" from 0 to 10. Reply {"answers": {key: score}}.'

    def value(self, item: JSON, wanted: Wanted) -> Value | NoValue:
        if isinstance(item, str):
            item = item.removesuffix("/10")
        return super().value(item, wanted)


register(ScoreTask(CallKind("score", per_input=True, function="qa_score", type="number")))


def scores(task: Task) -> Any:
    assert task["task"] == "score" and task["type"] == "number"
    return {key: SCORES[row[0]] for key, row in task["rows"].items()}


def test_a_program_asks_for_scores(server: Server) -> None:
    server.answer = scores
    program = 'SELECT film, QA("score@how good?"; film) AS score FROM w ORDER BY score DESC'
    with binder.connect(ROWS, model="m", base_url=server.url, cache=None) as db:
        assert "Ask      score 'how good?' -> number" in str(db.explain(program))
        result = db.run(program)
    assert result.rows == [("Alien", 9), ("Brazil", 8), ("Cats", 1)]
    assert result.usage.questions == 3 and result.usage.requests == 1
    assert server.requests[0]["messages"][0]["content"].startswith("Score each row")


def test_python_asks_for_scores(server: Server) -> None:
    server.answer = scores
    program = """def solve(w):
    return max(qa_score(w, "how good?", ["film"]))"""
    with binder.connect(ROWS, model="m", base_url=server.url, cache=None) as db:
        assert db.run(program, language="python").rows == [(9,)]
