"""A search over sets of exemplars, against language models that answer by what they are shown."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pytest

from binder.benchmarks import tune as work
from binder.benchmarks.tune import judge_questions, random_search, read_questions, tune
from binder.cli.commands import main
from binder.engine import connect
from binder.errors import BudgetExceeded, DataError, UsageError
from binder.lm import Choice, Reply, Request, RequestUsage
from binder.lm.budget import Budget
from binder.prompt.memory import Memory
from binder.prompt.memory.exemplars import Exemplar, Grid, write
from tests.server import Body, Server

GRID = Grid("w", "", ("a",), (("1",),))
POOL = [
    Exemplar((GRID,), f"is it {name}?", "SELECT a FROM w")
    for name in ("good", "fair", "bad", "poor", "dull", "odd")
]
QUESTIONS = [(f"what is {number}?", [number]) for number in range(12)]


class Student:
    """Answers three questions in four when the good exemplar is shown last, half with it at all,
    else one in four."""

    def __init__(self) -> None:
        self.requests: list[Request] = []

    async def complete(self, request: Request) -> Reply:
        """A program: right or wrong."""
        self.requests.append(request)
        *_, question = request.messages[-1].content.split("what is ")
        number = int(question.rstrip("?"))
        shown = [message.content for message in request.messages if "is it " in message.content]
        worth = (
            3
            if shown and "good" in shown[-1]
            else 2
            if any("good" in text for text in shown)
            else 1
        )
        return Reply(
            (Choice(f"SELECT {number if number % 4 < worth else -1}"),), RequestUsage(requests=1)
        )

    async def close(self) -> None:
        """Nothing is open."""


def tuned(student: Student, rounds: int = 12, seed: int = 1, **settings: object) -> work.Tuned:
    memory = Memory(exemplars=POOL[1:])
    with connect([{"a": 1}], lm=student, memory=memory, **settings) as db:  # type: ignore[arg-type]
        return tune(
            db,
            QUESTIONS,
            judge_questions(samples=1, language="sql"),
            random_search(POOL, 3, rounds, random.Random(seed)),
        )


def test_the_best_set_and_order_are_found() -> None:
    found = tuned(Student())
    assert found.best.exemplars[-1].question == "is it good?"
    assert [trial.right for trial in found.trials if trial.best] == sorted(
        {t.right for t in found.trials if t.best}
    )
    assert (
        found.trials[0].exemplars == () and found.trials[0].number == 0 and len(found.trials) == 13
    )
    before, now, of = found.held or (0, 0, 0)
    assert of == 4 and before < now
    assert str(found).startswith(f"best: set {found.best.number}: ")


def test_the_same_seed_tries_the_same_sets() -> None:
    one, other, third = (tuned(Student(), seed=seed) for seed in (1, 1, 2))
    sets = [[trial.exemplars for trial in found.trials] for found in (one, other, third)]
    assert sets[0] == sets[1] != sets[2]


def test_a_set_that_cannot_win_is_left() -> None:
    student = Student()
    found = tuned(student)
    assert all(trial.asked < 8 for trial in found.trials[1:] if not trial.best)
    assert len(student.requests) == sum(trial.asked for trial in found.trials) + 8


def test_a_budget_ends_the_search_with_the_best_so_far() -> None:
    found = tuned(Student(), budget=Budget(requests=40))
    assert isinstance(found.stopped, BudgetExceeded) and found.held is None
    assert found.best.exemplars and "stopped early" in str(found)


def test_a_search_that_was_stopped_goes_on_for_free(tmp_path: Path, server: Server) -> None:
    server.reply = reply
    first = remote(server, tmp_path, rounds=2)
    asked = len(server.requests)
    again = remote(server, tmp_path, rounds=2)
    assert len(server.requests) == asked and [t.exemplars for t in again.trials] == [
        t.exemplars for t in first.trials
    ]


def reply(body: Body) -> str:
    return "SELECT 1"


def remote(server: Server, tmp_path: Path, rounds: int) -> work.Tuned:
    with connect(
        [{"a": 1}],
        model="m",
        base_url=server.url,
        cache=tmp_path / "cache",
        memory=Memory(exemplars=POOL),
    ) as db:
        return tune(
            db,
            QUESTIONS,
            judge_questions(samples=1, language="sql"),
            random_search(POOL, 2, rounds, random.Random(0)),
        )


def test_the_search_is_sent_the_scores() -> None:
    search = random_search(POOL, 2, 4, random.Random(0))
    first = next(search)
    second = search.send(1.0)
    assert len(set(first) - set(second)) <= 1 and len(second) == 2
    assert len(list(random_search(POOL[:1], 5, 3, random.Random(0)))) == 3


def test_the_command_writes_a_memory_that_is_shown_as_it_is(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table, questions, own, out = (
        tmp_path / name for name in ("w.csv", "q.jsonl", "own.txt", "tuned.txt")
    )
    table.write_text("a\n7\n", encoding="utf-8")
    questions.write_text(
        "".join(json.dumps({"question": f"q{i}?", "answer": 7}) + "\n" for i in range(6)),
        encoding="utf-8",
    )
    own.write_text(write(Exemplar((GRID,), "is it good?", "SELECT a FROM w")), encoding="utf-8")
    server.reply = lambda body: "SELECT a FROM w" if len(body["messages"]) == 6 else "SELECT 0"
    words = [
        "tune",
        str(questions),
        "-t",
        str(table),
        "--size",
        "2",
        "--rounds",
        "3",
        "--memory",
        str(own),
        "--out",
        str(out),
    ]
    assert main([*words, "--no-cache", "--base-url", server.url, "--model", "m"]) == 0
    said = capsys.readouterr()
    assert (
        "the memory as it is: 0 of 4 right" in said.err
        and "held-out questions: 2 of 2 right, before 0" in said.out
    )
    memory = Memory(out)
    assert (
        memory.fixed and len(memory.exemplars) == 2 and "seed 0" in out.read_text(encoding="utf-8")
    )


def test_nothing_better_is_nothing_written(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "w.csv").write_text("a\n7\n")
    (tmp_path / "q.jsonl").write_text('{"question": "q?", "answer": [7]}\n' * 3)
    server.reply = lambda body: "SELECT a FROM w"
    words = [
        "tune",
        str(tmp_path / "q.jsonl"),
        "-t",
        str(tmp_path / "w.csv"),
        "--rounds",
        "2",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main([*words, "--no-cache", "--base-url", server.url, "--model", "m"]) == 0
    assert "nothing written" in capsys.readouterr().out and not (tmp_path / "out").exists()


@pytest.mark.parametrize("line", ["{}", "no", '{"question": "q?"}', "[1]"])
def test_a_file_without_questions(tmp_path: Path, line: str) -> None:
    path = tmp_path / "q.jsonl"
    path.write_text(line)
    with pytest.raises(DataError, match="line 1: expected a question"):
        read_questions(path)


def test_too_few_questions() -> None:
    with connect([{"a": 1}], lm=Student()) as db, pytest.raises(UsageError, match="too few"):
        tune(db, QUESTIONS[:2], judge_questions(), random_search(POOL, 2, 1, random.Random(0)))
