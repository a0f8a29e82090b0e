"""Solved questions come in, those that come with binder and others; how well retrieval finds
programs made of the same constructs goes out, beside exemplars taken at random: python -m
tests.prompt.memory.retrieval [DATA]

DATA is a folder with human_programs/ (of the original Binder), programs_2026/ and wikitq/."""

from __future__ import annotations

import json
import random
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from statistics import mean, median
from typing import NamedTuple

from binder.benchmarks.evaluate import typed
from binder.benchmarks.wikitq import WikiTableQuestions
from binder.lm.tokens import estimate
from binder.prompt.memory import Memory
from binder.prompt.memory.constructs import constructs
from binder.prompt.memory.exemplars import Exemplar, Grid
from binder.prompt.programs import program_request
from tests.real import DATA

SHOWN = 8  # exemplars
DRAWS = 50  # of exemplars at random, for each question


class Found(NamedTuple):
    """Of the constructs of a program: the share that an exemplar shown for its question has, on
    average; cover: that any of them has. alike: the constructs that two programs share, of all that
    either has."""

    share: float
    cover: float
    alike: float


def measure(
    asked: Iterable[Exemplar], shown: Callable[[Exemplar], Sequence[Sequence[Exemplar]]]
) -> Found:
    """The means over solved questions of what is shown for each, once or in several draws."""
    found = [
        _found(question, exemplars)
        for question in asked
        if _made(question)
        for exemplars in shown(question)
    ]
    return Found(*map(mean, zip(*found, strict=True)))


def _found(question: Exemplar, exemplars: Sequence[Exemplar]) -> Found:
    made, others = _made(question), [_made(exemplar) for exemplar in exemplars]
    return Found(
        mean(len(made & other) / len(made) for other in others),
        len(made & frozenset[str]().union(*others)) / len(made),
        mean(len(made & other) / len(made | other) for other in others),
    )


def _made(exemplar: Exemplar) -> frozenset[str]:
    return constructs(exemplar.program, exemplar.language)


def retrieved(memory: Memory) -> Callable[[Exemplar], list[tuple[Exemplar, ...]]]:
    """What a memory shows for a question, the question itself left out."""

    def shown(question: Exemplar) -> list[tuple[Exemplar, ...]]:
        others = Memory(exemplars=[e for e in memory.exemplars if e.question != question.question])
        return [others.retrieve(question.question, question.tables, question.language, SHOWN)]

    return shown


def drawn(memory: Memory) -> Callable[[Exemplar], list[list[Exemplar]]]:
    """Exemplars at random, in several draws."""
    chance = random.Random(0)

    def shown(question: Exemplar) -> list[list[Exemplar]]:
        others = [
            e
            for e in memory.exemplars
            if e.question != question.question and e.language == question.language
        ]
        return [chance.sample(others, SHOWN) for _ in range(DRAWS)]

    return shown


def human(data: Path) -> list[Exemplar]:
    """The hand-written programs that stand with their question and tables."""
    found = []
    for line in (
        (data / "human_programs" / "human_programs.jsonl").read_text(encoding="utf-8").splitlines()
    ):
        read = json.loads(line)
        if (
            read.get("question")
            and read.get("tables")
            and all(table["columns"] for table in read["tables"])
        ):
            grids = tuple(_grid(table, f"w{number}") for number, table in enumerate(read["tables"]))
            found.append(Exemplar(grids, read["question"], read["program"]))
    return found


def _grid(table: dict[str, object], name: str) -> Grid:
    columns, rows = table["columns"], table["rows_shown"]
    assert isinstance(columns, list) and isinstance(rows, list)
    header = tuple(column["name"] for column in columns)
    return Grid(
        name,
        str(table["title"] or ""),
        header,
        tuple(tuple(map(str, row[: len(header)])) for row in rows),
    )


def written(data: Path) -> list[Exemplar]:
    """The programs of a language model over the development questions of WikiTableQuestions: sql
    and python."""
    path = data / "programs_2026" / "programs_dev.jsonl"
    programs = {
        read["id"]: read for read in map(json.loads, path.read_text(encoding="utf-8").splitlines())
    }
    benchmark = WikiTableQuestions(data / "wikitq" / "WikiTableQuestions.zip")
    examples = [example for example in benchmark.examples("dev") if example.id in programs]
    found = []
    for example in examples:
        grid = Grid("w", example.table.title or "", example.table.header, example.table.rows)
        sql = Exemplar((grid,), example.question, programs[example.id]["sql"])
        found += [sql, replace(sql, program=programs[example.id]["python"], language="python")]
    benchmark.close()
    return found


def report(data: Path) -> str:
    """The table of all measurements."""
    memory, others, models = Memory(), human(data), written(data)
    cases = [
        (
            "shipped, one left out, SQL",
            [e for e in memory.exemplars if e.language == "sql"],
            memory,
        ),
        (
            "shipped, one left out, Python",
            [e for e in memory.exemplars if e.language == "python"],
            memory,
        ),
        (f"{len(others)} hand-written programs", others, memory),
        ("hand-written programs among themselves, one left out", others, Memory(exemplars=others)),
        ("programs of a language model, SQL", [e for e in models if e.language == "sql"], memory),
        (
            "programs of a language model, Python",
            [e for e in models if e.language == "python"],
            memory,
        ),
    ]
    lines = [
        "| questions | share: retrieved / random | cover | alike |",
        "| --- | --- | --- | --- |",
    ]
    for name, asked, searched in cases:
        one, other = measure(asked, retrieved(searched)), measure(asked, drawn(searched))
        lines.append(
            f"| {name} | "
            + " | ".join(f"{a:.1%} / {b:.1%}" for a, b in zip(one, other, strict=True))
            + " |"
        )
    return "\n".join(lines)


def sizes(data: Path, rooms: Sequence[int] = (2_000, 4_000, 8_000)) -> str:
    """The table of the sizes of requests: the first question of each table of the
    WikiTableQuestions test set."""
    benchmark, memory = WikiTableQuestions(data / "wikitq" / "WikiTableQuestions.zip"), Memory()
    first = {example.table.name: example for example in reversed(list(benchmark.examples("test")))}
    cases = [(example.question, [typed(example.table)]) for example in first.values()]
    benchmark.close()
    lines = [
        "| prompt_tokens | least | median | most | milliseconds |",
        "| --- | --- | --- | --- | --- |",
    ]
    for room in rooms:
        found, started = [], time.perf_counter()
        for question, tables in cases:
            request = program_request(
                question, tables, memory.retrieve(question, tables), model="", room=room
            )
            found.append(sum(estimate(message.content) for message in request.messages))
        spent = 1000 * (time.perf_counter() - started) / len(cases)
        lines.append(
            f"| {room:,} | {min(found):,} | {median(found):,.0f} | {max(found):,} | {spent:.0f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    folder = Path(sys.argv[1]) if sys.argv[1:] else DATA
    print(report(folder), sizes(folder), sep="\n\n")
