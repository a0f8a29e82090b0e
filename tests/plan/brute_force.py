"""A small program and its tables come in; the least number of questions that settle its rows comes
out, by trying other answers, with what its plan asks and what DuckDB alone yields.

python -m tests.plan.brute_force FILE...    tells where the cases of files ask more, or are wrong

A set of questions settles the rows if no other answers to the remaining ones change them. That is
less than any plan can know before it asks: where a question is only one of several that would do, a
plan asks until it has found one."""

from __future__ import annotations

import itertools
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from binder.analysis.sql import Checked, check
from binder.executors import Batch, Mapping, execute
from binder.executors.sql import SqlExecutor
from binder.language.repair import parsed
from binder.plan import Plan
from binder.plan.naive import build
from binder.plan.rules import optimize
from binder.prompt.wire import wire
from binder.tables.table import Table
from tests import cases
from tests.plan import differential
from tests.plan.differential import answers, asked, near

Question = tuple[str, str, str]  # the question, its input, and the tables of an ans
Found = dict[Question, Any]  # the answer to each

MOST_RUNS = 800  # of a program, to find out which of several questions would do


def rows_and_answers(plan: Plan, instead: Found) -> tuple[list[Any], Found]:
    """The rows of a plan and all answers that it was given; instead: other ones than the usual."""
    execution = execute(plan, SqlExecutor(plan, near()))
    found: Found = {}
    try:
        batches = next(execution)
        while True:
            batches = execution.send(tuple(_said(batch, instead, found) for batch in batches))
    except StopIteration as done:
        return done.value.rows, found


def _said(batch: Batch, instead: Found, found: Found) -> Mapping:
    said = {}
    for value, usual in answers(batch, set()).values.items():
        sent = json.dumps([wire(cell) for cell in value])
        question = (batch.ask.call.question, sent, str(batch.parts.get(value)))
        said[value] = found[question] = instead.get(question, usual)
    return Mapping(said)


def others(answer: Any) -> list[Any]:
    """Other answers than one, of its type."""
    if isinstance(answer, list):
        return [[], *([other] for other in others(answer[0] if answer else None) if other)]
    if isinstance(answer, bool):
        return [not answer, None]
    if isinstance(answer, (int, float)):
        return [answer + 1000, -1, None]
    return ["zz", "A", None] if answer is not None else ["zz", 5, True]


class Program:
    """One program over tables, with everything that it could ask."""

    def __init__(self, text: str, tables: Sequence[Table]):
        near().use(tables)
        self.tables = tables
        self.checked: Checked = check(parsed(asked(text), tables), tables)
        self.naive = build(self.checked)
        self.rows, self.answers = rows_and_answers(self.naive, {})

    def changes(self, instead: Found) -> bool:
        """Whether other answers change the rows."""
        try:
            return rows_and_answers(self.naive, instead)[0] != self.rows
        except Exception:
            return True  # it fails with them

    def needed(self) -> set[Question]:
        """The questions without which no plan can tell the rows."""
        return {
            question
            for question, answer in self.answers.items()
            if any(self.changes({question: other}) for other in others(answer))
        }

    def least(self) -> int | None:
        """The size of the smallest set of questions that settles the rows; None if it takes too
        many runs to tell."""
        needed = self.needed()
        left = [question for question in self.answers if question not in needed]
        if 4 ** len(left) > MOST_RUNS:
            return None
        # of each set of questions: whether other answers to these alone change the rows
        tried = self._assignments(left)
        changing = [frozenset(instead) for instead in tried if self.changes(instead)]
        for size in range(len(left) + 1):
            for known in itertools.combinations(left, size):
                if all(changed & set(known) for changed in changing):
                    return len(needed) + size
        raise AssertionError("all answers together do not settle the rows")

    def _assignments(self, questions: Sequence[Question]) -> Iterator[Found]:
        options = [[None, *((other,) for other in others(self.answers[one]))] for one in questions]
        for chosen in itertools.product(*options):
            pairs = zip(questions, chosen, strict=True)
            yield {question: one[0] for question, one in pairs if one is not None}


def report(text: str, tables: Sequence[Table]) -> tuple[int, int]:
    """Prints what is wrong with a program, and returns what it asks and the least."""
    program = Program(text, tables)
    rows, found = rows_and_answers(optimize(program.checked), {})
    if rows != program.rows:
        print(f"WRONG {rows}, without rules {program.rows}\n    {text}")
    if "#" in text or "$" in text:
        shown = program.checked.present(rows)[0]
        reference = differential.expected(text, tuple(tables))
        if Counter(map(str, shown)) != Counter(map(str, reference)):
            print(f"WRONG {shown}, SQL {reference}\n    {text}")
    needed, least = program.needed(), program.least()
    if len(found) > (len(needed) if least is None else least):
        spare = [" ".join(one[:2]) for one in found if one not in needed]
        at_least = f"at least {len(needed)}" if least is None else str(least)
        print(f"asks {len(found)} of {len(program.answers)}, needs {at_least}: {spare}\n    {text}")
    return len(found), len(needed) if least is None else least


def main(paths: Sequence[str]) -> None:
    """Reports on the cases of files: those that ask more than they must, and in all."""
    totals = Counter[str]()
    for path in paths:
        for case in cases.read(Path(path)):
            try:
                count, least = report(case.program, case.tables)
            except Exception as error:
                print(f"FAILS {type(error).__name__} {str(error)[:400]}\n    {case.program}")
                totals["failed"] += 1
                continue
            totals.update(programs=1, asked=count, least=least)
    print(dict(totals))


if __name__ == "__main__":
    main(sys.argv[1:])
