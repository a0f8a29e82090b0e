"""A benchmark, recorded programs and perhaps recorded answers come in; predictions and a report with the official metric go out.

Programs of one question are executed, errors and empty results dropped, the rest voted, the first of equals winning.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from binder import table
from binder.answer import Answer, Candidate, vote
from binder.benchmarks import Example, RawTable, Tally, tally
from binder.benchmarks.replays import Recorded, RecordedAnswers, read_programs, read_titles
from binder.benchmarks.wikitq import WikiTableQuestions
from binder.engine import Binder, connect
from binder.errors import BinderError, NotConfigured
from binder.lm import Choice, Reply, Request
from binder.lm import Usage as Spent
from binder.result import Usage
from binder.table import Table
from binder.trace import Trace


@dataclass(frozen=True)
class Report:
    """What an evaluation found: metric name -> counts; failed: questions whose programs all ended in an error."""

    questions: int
    answered: int
    failed: int
    scores: dict[str, Tally]

    def __str__(self) -> str:
        lines = [f"questions {self.questions:,}   answered {self.answered:,} ({self.answered / max(1, self.questions):.2%})"]
        lines.append(f"every program ended in an error: {self.failed:,} ({self.failed / max(1, self.questions):.2%})")
        lines += [f"{name}: {count.right:,} right ({count.accuracy:.2%})" for name, count in self.scores.items()]
        return "\n".join(lines)


class Answering:
    """The recorded answers of one program in place of a language model."""

    def __init__(self) -> None:
        self.answer: Any = None

    async def complete(self, request: Request) -> Reply:
        """Answers a map task from the record; an endpoint that knows nothing else."""
        if self.answer is None:
            raise NotConfigured("the recorded answers do not cover this program")
        task = json.loads(request.messages[-1].content)
        rows = (
            {key: self.answer(task["question"], task["columns"], values) for key, values in task["rows"].items()}
            if task["task"] == "map"
            else []
        )
        return Reply((Choice(json.dumps({"answers": rows})),), Spent(requests=1))

    async def close(self) -> None:
        """Nothing is open."""


def evaluate_programs(data: Path, split: str, programs: Path, answers: Path | None, out: Path) -> Report:
    """Executes recorded programs on a split of WikiTableQuestions and writes one prediction a line."""
    recorded = read_programs(programs)
    served = RecordedAnswers(answers) if answers is not None else None
    benchmark = WikiTableQuestions(data, titles=read_titles(programs))
    examples = [example for example in benchmark.examples(split) if example.id in recorded]
    official, lenient, answered, failed = [], [], 0, 0
    with open(out, "w", encoding="utf-8") as file:
        for example, answer in answer_all(examples, recorded, served):
            prediction = answer.texts if answer.values else None
            official.append(benchmark.score(example, prediction))
            lenient.append(benchmark.score(example, prediction, "binder_lenient"))
            errors = [str(c.error) for c in answer.candidates if c.error is not None]
            every = bool(answer.candidates) and len(errors) == len(answer.candidates)
            answered += prediction is not None
            failed += every
            line = {
                "id": example.id,
                "answer": prediction or [],
                "error": errors[0] if every else None if prediction else "no program gave a row",
                "official": official[-1].verdict,
                "program": answer.program,
                "confidence": round(answer.confidence, 4),
            }
            file.write(json.dumps(line, ensure_ascii=False) + "\n")
    benchmark.close()
    return Report(len(examples), answered, failed, {"official": tally(official), "binder_lenient": tally(lenient)})


def answer_all(
    examples: list[Example], recorded: dict[str, list[Recorded]], served: RecordedAnswers | None
) -> Iterator[tuple[Example, Answer]]:
    """The voted answer of each question, one table after the other, in the order of the examples."""
    tables: dict[str, Table] = {}
    lm = Answering()
    with connect({"w": [{"a": ""}]}, lm=lm) as db:
        for example in examples:
            if example.table.name not in tables:
                tables[example.table.name] = typed(example.table)
            db.use(tables[example.table.name])
            yield example, _voted(db, lm, example, recorded[example.id], served)


def typed(raw: RawTable) -> Table:
    """The Table of a benchmark's table, named w."""
    return table.tidy(raw.header, raw.rows, title=raw.title)


def _voted(db: Binder, lm: Answering, example: Example, programs: list[Recorded], served: RecordedAnswers | None) -> Answer:
    candidates = []
    for program in programs:
        known = served is not None and (example.id, program.program) in served
        lm.answer = served.for_program(example.id, program.program) if known and served is not None else None
        try:
            result = db.run(program.program, program.language)
            candidates.append(Candidate(program.program, program.language, result, votes=program.votes))
        except BinderError as error:
            candidates.append(Candidate(program.program, program.language, error=error, votes=program.votes))
    return vote(example.question, candidates, Usage(), Trace())
