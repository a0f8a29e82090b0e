"""Options of the command line come in; a few questions over small tables are asked and shown on the
way from question to answer. A language model of the user's answers where one is set, else the
recorded replies of one, through the same code."""

from __future__ import annotations

import argparse
import json
import shutil
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
from binder.results.result import count, grid, text
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
    """Who answers: a language model, its name, how many programs it is asked for, and a sentence
    that says which it is."""

    lm: LM
    model: str
    samples: int
    sentence: str


def questions() -> list[Question]:
    """The questions of the demo."""
    return [Question(**data) for data in _contents()["questions"]]


def show(options: argparse.Namespace) -> int:
    """Asks all questions and prints each with its programs, plan, answer and origin; 1 where one
    has no answer."""
    voice = _live(options) or _recorded(options)
    asked = questions()
    print(
        f"binder demo: {count(len(asked), 'question')} over small tables, with {voice.sentence}",
        flush=True,
    )
    answered = 0
    traced: list[str] = []
    sizes = {"concurrency": options.concurrency, "batch_rows": options.batch_rows}
    with connect(asked[0].load(), voice.model, lm=voice.lm, **sizes) as db:
        for number, question in enumerate(asked, 1):
            db.use(*question.load())
            answer = db.ask(question.question, samples=voice.samples)
            answered += bool(answer.values)
            traced += answer.trace.lines()
            print(
                f"\n{f' {number}  {question.kind} ':-^{_width()}}\n\n{_shown(db, answer)}",
                flush=True,
            )
    if options.trace:
        options.trace.write_text("".join(line + "\n" for line in traced), encoding="utf-8")
    print(f"\n{answered} of {count(len(asked), 'question')} answered, with {voice.sentence}")
    return 0 if answered == len(asked) else 1


def _live(options: argparse.Namespace) -> Voice | None:
    """The language model of the user, where one is set; its replies are recorded where a file for
    them is given."""
    where = endpoint(options.model, options.base_url)
    record: Path | None = getattr(options, "record", None)
    if not (where.model and (where.api_key or where.base_url)):
        if options.model or options.base_url:
            where.check(where.model or "")
        if record:
            raise UsageError(
                "there are no replies to record: no language model is set",
                hint="give --model and OPENAI_API_KEY",
            )
        return None
    lm: LM = Retry(OpenAI(where, options.timeout))
    return Voice(
        Record(lm, record) if record else lm,
        where.model,
        options.samples,
        f"the replies of {where.model}",
    )


def _recorded(options: argparse.Namespace) -> Voice:
    """The replies that come with binder; the model's name and the number of programs are those of
    the recording."""
    first = next(request for request, _ in recorded(REPLIES))
    samples = int(_contents()["samples"])
    if options.samples != samples:
        raise UsageError(
            f"{samples} candidates a question are recorded",
            hint="other --samples need a language model",
        )
    return Voice(
        Replay(REPLIES),
        first.model,
        samples,
        f"recorded replies of a language model, {_contents()['recorded']}",
    )


def _contents() -> dict[str, Any]:
    return dict(json.loads((FOLDER / "questions.json").read_text(encoding="utf-8")))


def _width() -> int:
    return min(120, shutil.get_terminal_size((100, 24)).columns)


def _shown(db: Binder, answer: Answer) -> str:
    """One question from its tables to the origin of its answer."""
    parts = [*map(_table, db.tables), f"Question  {answer.question}", _programs(answer)]
    if answer.program and answer.winner:
        parts.append(f"Plan\n{indent(_plan(db.explain(answer.program)), '  ')}")
    parts.append(f"Answer    {answer}  (confidence {answer.confidence:.0%})")
    if answer.result and answer.result.rows:
        parts.append(f"Why\n{_why(db, answer.result.why(0))}")
    return "\n\n".join(parts)


def _plan(plan: AnyPlan) -> str:
    """The steps of a plan and its bill, without what was shown already: its program and the
    repairs."""
    lines = str(plan).removeprefix(f"Query    {plan.checked.program.text.strip()}\n").split("\n")
    return "\n".join(line.removeprefix("  ") for line in lines if not line.startswith("repaired"))


def _table(table: Table) -> str:
    """The first rows as a terminal shows them, each line cut at its width."""
    cells = [[cell or "" for cell in table.texts(column)] for column in table.columns]
    rows = grid(tuple(c.name for c in table.columns), list(zip(*cells, strict=True)), MOST_ROWS)
    width = _width()
    lines = [line if len(line) <= width else line[: width - 1] + "…" for line in rows.split("\n")]
    return "\n".join([f"Table     {table.name}: {table.title}", *lines])


def _programs(answer: Answer) -> str:
    """What was sampled, with the votes and the fate of each."""
    total = sum(candidate.votes for candidate in answer.candidates)
    lines = []
    for candidate in answer.candidates:
        lines.append(
            f"  {candidate.votes} of {total}  {indent(candidate.text.strip(), ' ' * 10).lstrip()}"
        )
        lines.append(indent(_fate(candidate), " " * 10))
    return "\n".join(["Programs", *lines])


def _fate(candidate: Candidate) -> str:
    if candidate.result is None:
        return f"not run: {candidate.error}"
    repairs = [f"repaired for free: {repair}" for repair in candidate.result.repairs]
    return "\n".join([*repairs, f"-> {', '.join(candidate.texts) or 'nothing'}"])


def _why(db: Binder, origin: dict[str, Any]) -> str:
    """The rows behind a value as they are written, and what the language model said to which
    input."""
    lines = []
    tables = {table.name: table for table in db.tables}
    for name, row_ids in origin["rows"].items():
        texts = [tables[name].texts(column) for column in tables[name].columns]
        lines += _first(
            [
                f"{name} {row_id}: {' | '.join(text[row_id] or '' for text in texts)}"
                for row_id in row_ids
            ],
            "rows",
        )
    for question in dict.fromkeys(call["call"] for call in origin["calls"]):
        said = [_said(call) for call in origin["calls"] if call["call"] == question]
        lines += [
            f"asked: {question}",
            *indent("\n".join(_first(said, "answers")), "  ").split("\n"),
        ]
    return indent("\n".join(lines) or "computed by the program", "  ")


def _said(call: dict[str, Any]) -> str:
    inputs = ", ".join(text(value) for value in call["inputs"].values())
    return f"{inputs} -> {text(call['value'])}" if inputs else f"-> {text(call['value'])}"


def _first(lines: list[str], noun: str) -> list[str]:
    more = len(lines) - MOST_LINES
    return [*lines[:MOST_LINES], *([f"... and {more} more {noun}"] if more > 0 else [])]
