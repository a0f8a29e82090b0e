"""Selection of exemplars by the questions they answer right, written to a memory file that is shown
as it is.

A set counts by what is right once its programs are executed. Two thirds of the questions choose the
set; the rest, which the search never sees, say what it is worth. What was asked is in the cache: a
search that was stopped goes on where it was."""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from binder.benchmarks import Benchmark, Example
from binder.benchmarks.evaluate import asked
from binder.candidates.answer import Answer
from binder.candidates.vote import agreement
from binder.engine import Binder
from binder.errors import BinderError, BudgetExceeded, DataError, UsageError
from binder.prompt.memory import FIXED, Memory
from binder.prompt.memory.exemplars import Exemplar, write

HELD = 3  # one in so many questions is held back

Set = tuple[Exemplar, ...]
# Yields sets to try, is sent the share that each answers.
Search = Generator[Set, float | None, None]
# Asks a connection questions: which of them it gets right.
Judge = Callable[[Binder, Sequence[Any]], Generator[bool, None, None]]


@dataclass(frozen=True)
class Trial:
    """One set, and how many of the questions that it was asked it answered; no exemplars: the
    memory as it is."""

    number: int
    exemplars: Set
    right: int
    asked: int
    best: bool = False

    def __str__(self) -> str:
        name = f"set {self.number}" if self.exemplars else "the memory as it is"
        best = ", the best so far" if self.best else ""
        return f"{name}: {self.right} of {self.asked} right{best}"


@dataclass(frozen=True)
class Tuned:
    """What a search found: trials in their order, the best of them, and what it and the memory as
    it was get right of the questions that were held back. stopped: why the search ended early."""

    trials: tuple[Trial, ...]
    best: Trial
    held: tuple[int, int, int] | None = None  # right before, right now, questions
    stopped: BinderError | None = None

    def __str__(self) -> str:
        lines = [f"best: {self.best} ({len(self.trials)} tried)"]
        if self.held is not None:
            before, now, of = self.held
            lines.append(f"held-out questions: {now} of {of} right, before {before}")
        if self.stopped is not None:
            lines.append(f"stopped early: {self.stopped.message}")
        return "\n".join(lines)


def random_search(
    pool: Sequence[Exemplar], size: int, rounds: int, chance: random.Random
) -> Search:
    """Sets drawn at random, in random order; each second one is the best so far with one exemplar
    changed and two swapped."""
    best: tuple[float, Set] = (-1.0, ())
    for number in range(rounds):
        chosen = chance.sample(list(pool), min(size, len(pool)))
        if number % 2 and best[1]:
            others = [exemplar for exemplar in pool if exemplar not in best[1]]
            chosen = list(best[1])
            if others:
                chosen[chance.randrange(len(chosen))] = chance.choice(others)
            one, other = chance.randrange(len(chosen)), chance.randrange(len(chosen))
            chosen[one], chosen[other] = chosen[other], chosen[one]
        score = (yield tuple(chosen)) or 0.0
        best = max(best, (score, tuple(chosen)), key=lambda found: found[0])


def tune(
    db: Binder,
    questions: Sequence[Any],
    judge: Judge,
    search: Search,
    told: Callable[[Trial], None] = lambda _: None,
) -> Tuned:
    """Tries the sets of a search after the memory of the connection as it is; a set must answer
    more to be better.

    A set is left as soon as it cannot win. Where the budget ends, the best so far is the result.
    told: is shown each trial."""
    if len(questions) < HELD:
        raise UsageError(
            f"{len(questions)} questions are too few for tuning",
            hint=f"use at least {HELD}, better 50",
        )
    chosen = [question for number, question in enumerate(questions) if number % HELD != HELD - 1]
    held = [question for number, question in enumerate(questions) if number % HELD == HELD - 1]
    trials: list[Trial] = []
    best = Trial(0, (), 0, 0)
    try:
        for tried in _trials(db, chosen, judge, search):
            best = tried if tried.best else best
            trials.append(tried)
            told(tried)
        before, now = (
            _tried(db, held, judge, exemplars).right for exemplars in ((), best.exemplars)
        )
    except BudgetExceeded as error:
        return Tuned(tuple(trials), best, stopped=error)
    return Tuned(tuple(trials), best, (before, now, len(held)))


def _trials(db: Binder, questions: Sequence[Any], judge: Judge, search: Search) -> Iterator[Trial]:
    """The memory as it is, then the sets of a search, which is told what each is worth."""
    best = _tried(db, questions, judge)
    yield best
    exemplars, number = next(search, None), 0
    while exemplars:
        number += 1
        tried = _tried(db, questions, judge, exemplars, number, best.right)
        best = tried if tried.best else best
        yield tried
        try:
            exemplars = search.send(tried.right / len(questions))
        except StopIteration:
            return


def _tried(
    db: Binder,
    questions: Sequence[Any],
    judge: Judge,
    exemplars: Set = (),
    number: int = 0,
    beat: int = -1,
) -> Trial:
    """A trial of one set, asked as long as it can still get more right than it has to beat."""
    own, right, done = db.memory, 0, 0
    db.memory = Memory(exemplars=exemplars, fixed=True) if exemplars else own
    try:
        with closing(judge(db, questions)) as verdicts:
            for verdict in verdicts:
                right, done = right + verdict, done + 1
                if right + len(questions) - done <= beat:
                    break
    finally:
        db.memory = own
    return Trial(number, exemplars, right, done, right > beat)


def judge_benchmark(benchmark: Benchmark, parallel: int = 4, **settings: Any) -> Judge:
    """Judges examples of a benchmark by its official metric. settings: of `Binder.ask`."""

    def judge(db: Binder, examples: Sequence[Example]) -> Generator[bool, None, None]:
        for example, answer in asked(db, examples, benchmark.question, parallel, **settings):
            texts = answer.texts if isinstance(answer, Answer) and answer.values else None
            yield benchmark.score(example, texts).verdict == "right"

    return judge


def judge_questions(**settings: Any) -> Judge:
    """Judges questions over the tables of the connection, each with its right values, by whether
    the answer agrees with these."""

    def judge(
        db: Binder, questions: Sequence[tuple[str, list[Any]]]
    ) -> Generator[bool, None, None]:
        for question, values in questions:
            yield agreement(db.ask(question, **settings).values) == agreement(values)

    return judge


def read_questions(path: Path) -> list[tuple[str, list[Any]]]:
    """The questions of a file of the user's, a line {"question": ..., "answer": [...]} each."""
    found = []
    for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
        try:
            read = json.loads(line)
            answer = read["answer"]
            found.append((str(read["question"]), answer if isinstance(answer, list) else [answer]))
        except (ValueError, KeyError, TypeError) as error:
            raise DataError(
                f"{path}, line {number}: expected a question",
                path=str(path),
                row=number,
                hint='for example {"question": "...", "answer": [...]}',
            ) from error
    return found


def save(path: Path, found: Tuned, note: str) -> bool:
    """Writes the best set as a memory that is shown as it is, below a note; nothing where no set
    was better."""
    if not found.best.exemplars:
        return False
    above = "".join(f"# {line}\n" for line in f"{note}\n{found}".splitlines())
    path.write_text(
        FIXED + above + "\n" + "\n".join(map(write, found.best.exemplars)), encoding="utf-8"
    )
    return True
