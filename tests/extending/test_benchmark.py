"""A benchmark from outside of binder: one class and one line, evaluated on a scripted model."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

import binder
from binder.benchmarks import Benchmark, Example, RawTable
from binder.benchmarks.evaluate import asked, evaluate
from binder.benchmarks.registry import BENCHMARKS, open_benchmark
from binder.benchmarks.release import open_release
from tests.scripted import Scripted


class Towns(Benchmark):
    """Questions about towns, in a file of JSON; an answer is right if it lists the gold values."""

    name = "Towns"
    splits = ("test",)

    def __init__(self, data: str | Path, titles: Mapping[str, str] | None = None):
        self.release = open_release(data, "towns.json", "write towns.json")

    def read(self, split: str) -> Iterator[Example]:
        """The questions, all over one table."""
        file = json.loads(self.release.text("towns.json"))
        header, *rows = map(tuple, file["table"])
        table = RawTable("towns", None, header, tuple(rows))
        for number, (question, gold) in enumerate(file["questions"]):
            yield Example(str(number), question, table, (gold,), (gold,))

    def is_right(self, example: Example, answer: list[str], metric: str) -> bool:
        """Whether the answer lists the gold values."""
        return answer == list(example.gold)


def test_a_benchmark_is_added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(BENCHMARKS, "towns", Towns)
    table = [["town", "people"], ["Lyon", "520"], ["Oslo", "710"]]
    questions = [["the largest town?", "Oslo"], ["the smallest town?", "Lyon"]]
    (tmp_path / "towns.json").write_text(json.dumps({"table": table, "questions": questions}))
    program = "SELECT town FROM w ORDER BY people DESC LIMIT 1"
    benchmark = open_benchmark("towns", tmp_path)
    examples = list(benchmark.examples("test"))
    with binder.connect({"w": [{"a": ""}]}, lm=Scripted([program, program])) as db:
        answers = asked(db, examples, benchmark.question, 1, samples=1, language="sql")
        report = evaluate(benchmark, answers, tmp_path / "predictions.jsonl")
    assert [score.verdict for score in report.scores["official"]] == ["right", "wrong"]
