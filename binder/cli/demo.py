"""The `binder demo` command: a few questions over small tables, on the way from question to answer.

A language model of the user's answers where one is set, else the recorded replies of one, through
the same code."""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from textwrap import indent
from typing import Any

from binder.candidates.answer import Answer, Candidate
from binder.engine import Binder, connect
from binder.errors import UsageError
from binder.lm import LM
from binder.lm.providers.openai import OpenAI, endpoint
from binder.lm.replay import Record, Replay, recorded
from binder.lm.retry import Retry
from binder.plan.python import AnyPlan
from binder.prompt.schema import cut
from binder.results.result import count, grid, text
from binder.results.trace import Event
from binder.tables.table import Table, load

FOLDER = Path(__file__).parents[1] / "data" / "demo"
REPLIES = FOLDER / "replies.jsonl"
MOST_ROWS = 4  # of a table
MOST_LINES = 4  # of each thing that a value came from


@dataclass(frozen=True)
class Question:
    """One question of the demo: what it is an example of, and the tables it is asked about with
    their titles."""

    kind: str
    question: str
    tables: dict[str, str]

    def load(self) -> tuple[Table, ...]:
        """The tables, from the files that come with binder."""
        return tuple(
            load(FOLDER / f"{name}.csv", name, title) for name, title in self.tables.items()
        )


@dataclass(frozen=True)
class Voice:
    """Who answers: a language model, its name, how many programs it is asked for, and words that
    say which it is."""

    lm: LM
    model: str
    samples: int
    sentence: str


def questions() -> list[Question]:
    """The questions of the demo."""
    return [Question(**data) for data in _contents()["questions"]]


def show(options: argparse.Namespace, tracer: Callable[[Event], None] | None = None) -> int:
    """Asks all questions and prints each with its programs, plan, answer and origin; 1 where one
    has no answer."""
    voice = _live(options) or _recorded(options)
    asked = questions()
    told = f"{count(len(asked), 'question')} over small tables, {voice.sentence}"
    print(f"binder demo: {told}", flush=True)
    settings = {"concurrency": options.concurrency, "batch_rows": options.batch_rows}
    settings |= {"lm": voice.lm, "tracer": tracer}
    answered = 0
    with connect(asked[0].load(), voice.model, **settings) as db:
        for number, question in enumerate(asked, 1):
            db.use(*question.load())
            answer = db.ask(question.question, samples=voice.samples)
            answered += bool(answer.values)
            title = f" {number}  {question.kind} "
            print(f"\n{title:-^{_width()}}\n\n{_shown(db, answer)}", flush=True)
    print(f"\n{answered} of {count(len(asked), 'question')} answered, {voice.sentence}")
    return 0 if answered == len(asked) else 1


def _live(options: argparse.Namespace) -> Voice | None:
    """The language model of the user, where one is set; its replies are recorded where a file for
    them is given."""
    where = endpoint(options.model, options.base_url)
    record: Path | None = options.record
    if where.model and (where.api_key or where.base_url):
        lm: LM = Retry(OpenAI(where, options.timeout))
        lm = Record(lm, record) if record else lm
        return Voice(lm, where.model, options.samples, f"with the replies of {where.model}")
    if options.model or options.base_url:
        where.check(where.model or "")
    if record:
        raise UsageError("--record needs a language model", hint="set --model and OPENAI_API_KEY")
    return None


def _recorded(options: argparse.Namespace) -> Voice:
    """The replies that come with binder; the model's name and the number of programs are those of
    the recording."""
    first = next(request for request, _ in recorded(REPLIES))
    contents = _contents()
    samples = int(contents["samples"])
    if options.samples != samples:
        raise UsageError(
            f"the recording has {samples} samples per question",
            hint="to change --samples, set a language model",
        )
    sentence = f"using replies recorded on {contents['recorded']}"
    return Voice(Replay(REPLIES), first.model, samples, sentence)


def _contents() -> dict[str, Any]:
    return dict(json.loads((FOLDER / "questions.json").read_text(encoding="utf-8")))


def _width() -> int:
    return min(120, shutil.get_terminal_size((100, 24)).columns)


def _shown(db: Binder, answer: Answer) -> str:
    """One question from its tables to the origin of its answer."""
    parts = [*map(_table, db.tables), f"Question  {answer.question}", _programs(answer)]
    if answer.program and answer.winner:
        parts.append(f"Plan\n{indent(_plan(db.explain(answer.program, origin='lm')), '  ')}")
    parts.append(f"Answer    {answer}  (confidence {answer.confidence:.0%})")
    if answer.result and answer.result.rows:
        parts.append(f"Why\n{_why(db, answer.result.why(0))}")
    return "\n\n".join(parts)


def _plan(plan: AnyPlan) -> str:
    """The steps of a plan and its bill, without what was shown already: its program and the
    repairs."""
    lines = str(plan).removeprefix(f"Query    {plan.checked.program.text.strip()}\n").split("\n")
    repairs = ("repaired", "auto-repaired")
    return "\n".join(line.removeprefix("  ") for line in lines if not line.startswith(repairs))


def _table(table: Table) -> str:
    """The first rows as a terminal shows them, each line cut at its width."""
    cells = [[cell or "" for cell in table.texts(column)] for column in table.columns]
    names = tuple(column.name for column in table.columns)
    rows = grid(names, list(zip(*cells, strict=True)), MOST_ROWS)
    lines = [cut(line, _width()) for line in rows.split("\n")]
    return "\n".join([f"Table     {table.name}: {table.title}", *lines])


def _programs(answer: Answer) -> str:
    """What was sampled, with the votes and the outcome of each."""
    total = sum(candidate.votes for candidate in answer.candidates)
    lines = ["Programs"]
    for candidate in answer.candidates:
        program = _indented(candidate.text.strip()).lstrip()
        lines.append(f"  {count(candidate.votes, 'vote')} of {total}  {program}")
        lines.append(_indented(_outcome(candidate)))
    return "\n".join(lines)


def _indented(text: str) -> str:
    return indent(text, " " * 10)


def _outcome(candidate: Candidate) -> str:
    if candidate.result is None:
        return f"failed: {candidate.error}"
    lines = [f"auto-repaired: {repair}" for repair in candidate.result.repairs]
    lines.append(f"-> {', '.join(candidate.texts) or 'no rows'}")
    return "\n".join(lines)


def _why(db: Binder, origin: dict[str, Any]) -> str:
    """The rows behind a value as they are written, and what the language model said to which
    input."""
    lines = []
    tables = {table.name: table for table in db.tables}
    for name, row_ids in origin["rows"].items():
        lines += _first(_rows(tables[name], row_ids), "rows")
    said: dict[str, list[str]] = {}
    for call in origin["calls"]:
        said.setdefault(call["call"], []).append(_said(call))
    for question, answers in said.items():
        lines.append(f"asked: {question}")
        lines += indent("\n".join(_first(answers, "answers")), "  ").split("\n")
    return indent("\n".join(lines) or "computed by the program", "  ")


def _rows(table: Table, row_ids: list[int]) -> list[str]:
    """Rows of a table as they are written, each on a line."""
    columns = [table.texts(column) for column in table.columns]

    def line(row_id: int) -> str:
        return " | ".join(column[row_id] or "" for column in columns)

    return [f"{table.name} {row_id}: {line(row_id)}" for row_id in row_ids]


def _said(call: dict[str, Any]) -> str:
    inputs = ", ".join(map(text, call["inputs"].values()))
    return f"{inputs} -> {text(call['value'])}".lstrip()


def _first(lines: list[str], noun: str) -> list[str]:
    more = len(lines) - MOST_LINES
    if more <= 0:
        return lines
    return [*lines[:MOST_LINES], f"... and {more} more {noun}"]
