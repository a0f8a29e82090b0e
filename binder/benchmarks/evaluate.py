"""Evaluation of a benchmark: predictions, official metric, cost.

Answers come from a question (`asked`: sampled, executed and voted by the language model of a
connection), or from recorded programs (`replayed`): those of one question are executed, errors and
empty results dropped, the rest voted, the first of equals winning."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from binder.benchmarks import Benchmark, Example, RawTable, Score, Tally, tally
from binder.benchmarks.replays import Recorded, RecordedAnswers
from binder.candidates.answer import Answer, Candidate
from binder.candidates.vote import vote
from binder.engine import Binder, connect
from binder.errors import BadReply, BinderError, LimitExceeded, NotConfigured, Unreachable
from binder.language.call_kinds import CALL_KINDS
from binder.lm import LM, Choice, Reply, Request, RequestUsage
from binder.results.result import Usage, count
from binder.results.trace import Trace
from binder.tables import table
from binder.tables.table import Table

Answered = Iterable[tuple[Example, Answer | BinderError]]


@dataclass
class Report:
    """What an evaluation has found so far: metric name -> scores; failed: questions for which every
    program ended in an error."""

    scores: dict[str, list[Score]]
    questions: int = 0
    answered: int = 0
    failed: int = 0
    usage: Usage = field(default_factory=Usage)

    def tallies(self) -> dict[str, Tally]:
        """Metric name -> counts of right, wrong and not run."""
        return {name: tally(scores) for name, scores in self.scores.items()}

    @property
    def line(self) -> str:
        """How far it has come, in one line."""
        right = next(iter(self.tallies().values()))
        return f"{count(self.questions, 'question')}, {right.accuracy:.2%} right; {self.usage}"

    def __str__(self) -> str:
        lines = [
            f"questions {self.questions:,}   answered {self._share(self.answered)}",
            f"every program ended in an error: {self._share(self.failed)}",
        ]
        for name, found in self.tallies().items():
            lines.append(f"{name}: {found.right:,} right ({found.accuracy:.2%})")
        if self.usage.requests or self.usage.cached:
            lines.append(str(self.usage))
        return "\n".join(lines)

    def _share(self, number: int) -> str:
        """A number of questions, and its share of all."""
        return f"{number:,} ({number / max(1, self.questions):.2%})"


def evaluate(
    benchmark: Benchmark,
    answered: Answered,
    out: Path,
    told: Callable[[Report], None] = lambda _: None,
) -> Report:
    """Judges answers as they come and writes one prediction a line. told: is shown the report after
    each."""
    report, started = Report({name: [] for name in benchmark.metrics}), time.monotonic()
    with open(out, "w", encoding="utf-8") as file:
        for example, answer in answered:
            file.write(
                json.dumps(_judged(benchmark, example, answer, report), ensure_ascii=False) + "\n"
            )
            file.flush()
            report.usage = replace(report.usage, seconds=time.monotonic() - started)
            told(report)
    return report


def _judged(
    benchmark: Benchmark, example: Example, answer: Answer | BinderError, report: Report
) -> dict[str, Any]:
    """Adds an answer to the report; its line of the predictions."""
    texts, program, confidence = None, None, 0.0
    if isinstance(answer, Answer):
        texts = answer.texts if answer.values else None
        program, confidence = answer.program, round(answer.confidence, 4)
        report.usage += answer.usage
    for name, scores in report.scores.items():
        scores.append(benchmark.score(example, texts, name))
    failure = _failure(answer)
    report.questions += 1
    report.answered += texts is not None
    report.failed += failure is not None
    unanswered = None if texts else "no program gave a row"
    return {
        "id": example.id,
        "answer": texts or [],
        "error": failure or unanswered,
        "official": report.scores["official"][-1].verdict,
        "program": program,
        "confidence": confidence,
    }


def _failure(answer: Answer | BinderError) -> str | None:
    """The first error of a question for which every program ended in one."""
    if isinstance(answer, BinderError):
        return str(answer)
    errors = [candidate.error for candidate in answer.candidates]
    if not errors or None in errors:
        return None
    return str(errors[0])


def asked(
    db: Binder,
    examples: Sequence[Example],
    question: Callable[[Example], str],
    parallel: int = 4,
    **settings: Any,
) -> Answered:
    """Asks each question over its table, several at a time: all share the endpoint, the cache, the
    budget and the slots of db.

    question: how an example is put; settings: of `Binder.ask`. What ends only one question (a reply
    without sense, a limit) counts as no answer; what would end all of them (key, quota, budget) is
    raised."""
    free: SimpleQueue[Binder] = SimpleQueue()

    def answer(example: Example) -> tuple[Example, Answer | BinderError]:
        own = free.get()
        try:
            own.use(typed(example.table))
            return example, own.ask(question(example), **settings)
        except (LimitExceeded, BadReply, Unreachable) as error:
            return example, error
        finally:
            free.put(own)

    with ExitStack() as stack, ThreadPoolExecutor(parallel) as threads:
        for _ in range(parallel):
            free.put(stack.enter_context(db.beside()))
        waiting = [threads.submit(answer, example) for example in examples]
        try:
            for future in waiting:
                yield future.result()
        finally:
            for future in waiting:
                future.cancel()


def replayed(
    examples: Iterable[Example], recorded: dict[str, list[Recorded]], served: RecordedAnswers | None
) -> Iterator[tuple[Example, Answer]]:
    """The voted answer of recorded programs for each question, one table after the other, in the
    order of the examples."""
    tables: dict[str, Table] = {}
    lm = Answering()
    with connect({"w": [{"a": ""}]}, lm=lm) as db:
        for example in examples:
            if example.table.name not in tables:
                tables[example.table.name] = typed(example.table)
            db.use(tables[example.table.name])
            yield example, _voted(db, lm, example, recorded[example.id], served)


class Answering(LM):
    """The recorded answers of one program in place of a language model."""

    answer: Any = None

    async def complete(self, request: Request) -> Reply:
        """Answers a map task from the record; an endpoint that knows nothing else."""
        if self.answer is None:
            raise NotConfigured("the recorded answers do not cover this program")
        task = json.loads(request.messages[-1].content)
        rows = {}
        if CALL_KINDS[task["task"]].per_input:
            for key, values in task["rows"].items():
                rows[key] = self.answer(task["question"], task["columns"], values)
        answers = json.dumps({"answers": rows or []})
        return Reply((Choice(answers),), RequestUsage(requests=1))


def typed(raw: RawTable) -> Table:
    """The Table of a benchmark's table, named w."""
    return table.tidy(raw.header, raw.rows, title=raw.title)


def _voted(
    db: Binder,
    lm: Answering,
    example: Example,
    programs: list[Recorded],
    served: RecordedAnswers | None,
) -> Answer:
    candidates = []
    for program in programs:
        key = example.id, program.program
        lm.answer = served.for_program(*key) if served is not None and key in served else None
        result, failure = None, None
        try:
            result = db.run(program.program, program.language, origin="lm")
        except BinderError as error:
            failure = error
        candidates.append(
            Candidate(program.program, program.language, result, failure, votes=program.votes)
        )
    return vote(example.question, candidates, Usage(), Trace())
