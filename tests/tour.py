"""The stages of one question and one program, for docs/tour.md: `python -m tests.tour` writes the
blocks of that page anew from what the code does.

A block of the page stands behind a line `<!-- NAME -->`; STAGES says what it holds."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import sqlglot

import binder
from binder.analysis.sql import Checked, check
from binder.candidates.answer import Answer
from binder.executors import Batch, Mapping
from binder.executors.sql import SqlExecutor
from binder.executors.workers.duckdb_client import Worker
from binder.executors.workers.subprocess import Limits
from binder.language import grammar
from binder.language.program import Program
from binder.language.repair import parsed
from binder.lm import Request
from binder.plan.naive import build
from binder.plan.rules import RULES, optimize
from binder.prompt.programs import asked_text
from binder.prompt.replies import read_answers
from binder.prompt.tasks import map_request
from binder.tables.table import Table, tidy
from tests.scripted import Scripted

PAGE = Path(__file__).parents[1] / "docs" / "tour.md"
QUESTION = "Which country had the most riders in the top four?"
PROGRAM = """\
SELECT QA("map@which country?"; Cyclist) AS country
FROM w WHERE Rank <= 4
GROUP BY country ORDER BY COUNT(*) DESC LIMIT 1"""
CSV = """\
Rank,Cyclist,Points
1,Alejandro Valverde (ESP),40
2,Alexandr Kolobnev (RUS),30
3,Davide Rebellin (ITA),25
4,Carlos Sastre (ESP),20
5,Samuel Sánchez (ESP),15"""
COUNTRIES = {"ESP": "Spain", "RUS": "Russia", "ITA": "Italy"}


class ShownWorker(Worker):
    """A worker that remembers the queries that it was sent."""

    queries: list[str]

    def run(self, sql: str, says: dict[str, Any] | None = None) -> tuple[Any, list[str]]:
        """The rows of a query, as every worker finds them."""
        self.queries = [*getattr(self, "queries", []), sql]
        return super().run(sql, says)


def reply_to(request: Request) -> str:
    """What the language model of the tour says: a program for a question, else countries."""
    message = request.messages[-1].content
    if not message.startswith("{"):
        return f"```sql\n{PROGRAM}\n```"
    rows = json.loads(message)["rows"]
    answers = {key: COUNTRIES[row[0][-4:-1]] for key, row in rows.items()}
    return json.dumps({"answers": answers})


class Tour:
    """One question on its way, stage by stage; every attribute is what one stage made."""

    def __init__(self) -> None:
        header, *rows = [line.split(",") for line in CSV.splitlines()]
        self.table: Table = tidy(header, rows, "w")
        self.tree = grammar.parse(PROGRAM)
        self.program: Program = parsed(PROGRAM, [self.table])
        self.checked: Checked = check(self.program, (self.table,))
        self.naive = build(self.checked)
        self.plan = optimize(self.checked, RULES)
        worker = ShownWorker([self.table], Limits())
        try:
            self._execute(SqlExecutor(self.plan, worker), worker)
        finally:
            worker.close()
        self.answer, self.provenance = self._ask()

    def _execute(self, executor: SqlExecutor, worker: ShownWorker) -> None:
        """Drives one execution by hand, as dispatch drives many."""
        execution = executor.execution()
        (self.batch,) = next(execution)
        ask = self.batch.ask
        self.collect_sql = worker.queries[-1]
        keyed = {f"r{number}": value for number, value in enumerate(self.batch.inputs, 1)}
        self.request = map_request(ask.call.question, ask.columns, keyed, model="any")
        self.reply = reply_to(self.request)
        answers = read_answers(self.reply, keyed)
        self.mapping = Mapping({value: answers[key] for key, value in keyed.items()})
        try:
            execution.send((self.mapping,))
        except StopIteration as done:
            self.rows = done.value
        self.final_sql = worker.queries[-1]

    def _ask(self) -> tuple[Answer, dict[str, Any]]:
        """The same question through the front door."""
        with binder.connect(self.table, lm=Scripted(reply_to)) as db:
            answer = db.ask(QUESTION, samples=2, language="sql")
            return answer, db.run(PROGRAM).why(0, 0)


def _pretty(sql: str) -> str:
    return sqlglot.transpile(sql, read="duckdb", write="duckdb", pretty=True)[0]


def _as_json(value: dict[str, Any]) -> str:
    """An object with one line for each of its keys."""
    lines = [
        f"  {json.dumps(key)}: {json.dumps(item, ensure_ascii=False)}"
        for key, item in value.items()
    ]
    return "{\n" + ",\n".join(lines) + "\n}"


def _origin(provenance: dict[str, Any]) -> dict[str, Any]:
    """Where a cell came from, without the texts of requests and replies, which stand above."""
    shown = ("call", "inputs", "value", "source")
    calls = [{name: call[name] for name in shown} for call in provenance["calls"]]
    return {**provenance, "calls": calls}


def _lines(items: dict[Any, Any], between: str) -> str:
    return "\n".join(f"{key}{between}{value}" for key, value in items.items())


def _batch(batch: Batch) -> str:
    rows = [f"{batch.ask.call.kind} {batch.ask.call.question!r} about {batch.ask.columns}"]
    return "\n".join([*rows, *(f"  {value}" for value in batch.inputs)])


STAGES: dict[str, tuple[str, Callable[[Tour], str]]] = {
    "table": ("csv", lambda tour: CSV),
    "prompt": ("text", lambda tour: asked_text(QUESTION, [tour.table])),
    "program": ("sql", lambda tour: PROGRAM),
    "tree": ("text", lambda tour: next(tour.tree.find_data("item")).pretty("  ")),
    "skeleton": ("sql", lambda tour: tour.program.skeleton),
    "resolved": ("sql", lambda tour: tour.checked.query.sql("duckdb", pretty=True)),
    "call types": ("text", lambda tour: _lines(tour.checked.call_types, ": ")),
    "naive plan": ("text", lambda tour: str(tour.naive)),
    "plan": ("text", lambda tour: str(tour.plan)),
    "collect": ("sql", lambda tour: _pretty(tour.collect_sql)),
    "batch": ("text", lambda tour: _batch(tour.batch)),
    "request": ("json", lambda tour: _as_json(json.loads(tour.request.messages[-1].content))),
    "reply": ("json", lambda tour: tour.reply),
    "mapping": ("text", lambda tour: _lines(tour.mapping.values, " -> ")),
    "final": ("sql", lambda tour: _pretty(tour.final_sql)),
    "rows": ("text", lambda tour: "\n".join(map(str, [tour.rows.columns, *tour.rows.rows]))),
    "provenance": ("json", lambda tour: _as_json(_origin(tour.provenance))),
    "answer": ("text", lambda tour: str(tour.answer)),
}  # fmt: skip

_BLOCK = re.compile(r"(<!-- ([a-z ]+) -->\n)```\w*\n.*?```\n", re.DOTALL)


def written(page: str, tour: Tour) -> str:
    """The page with every block as the code makes it."""

    def block(match: re.Match[str]) -> str:
        language, show = STAGES[match[2]]
        return f"{match[1]}```{language}\n{show(tour).rstrip()}\n```\n"

    return _BLOCK.sub(block, page)


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8"), Tour()), encoding="utf-8")
