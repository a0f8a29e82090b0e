"""Recorded programs in all their forms, and recorded answers found by the values of a row."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from binder.benchmarks.replays import Recorded, RecordedAnswers, read_programs, read_titles
from binder.errors import DataError, UsageError


def write(path: Path, records: list[dict[str, Any]]) -> Path:
    text = "\n".join(map(json.dumps, records)) + "\n\n"
    path.write_bytes(gzip.compress(text.encode()) if path.suffix == ".gz" else text.encode())
    return path


@pytest.mark.parametrize("name", ["p.jsonl", "p.jsonl.gz"])
def test_programs(name: str, tmp_path: Path) -> None:
    records: list[dict[str, Any]] = [
        {
            "id": "a",
            "programs": [
                {"program": "SELECT 1", "votes": 3, "kind": "sql"},
                {"program": "SELECT 2"},
            ],
            "table_id": "t",
        },
        {"id": "b", "programs": []},
        {
            "id": "c",
            "sql": "SELECT 3",
            "sql2": "SELECT 4",
            "python": "def solve(table): return 1",
            "sqlite": "no",
        },
        {"id": "d", "program": "def solve(table): return 2", "language": "python"},
        {"id": "a", "program": "SELECT 5", "table_id": "t", "table_title": "Title"},
    ]
    path = write(tmp_path / name, records)
    assert read_programs(path) == {
        "a": [
            Recorded("SELECT 1", 3, "sql"),
            Recorded("SELECT 2", 1, "sql"),
            Recorded("SELECT 5", 1, "sql"),
        ],
        "b": [],
        "c": [
            Recorded("SELECT 3", 1, "sql"),
            Recorded("SELECT 4", 1, "sql"),
            Recorded("def solve(table): return 1", 1, "python"),
        ],
        "d": [Recorded("def solve(table): return 2", 1, "python")],
    }
    assert read_titles(path) == {"t": "Title"}


@pytest.mark.parametrize(
    "text", ["{", "[1]", '{"program": "SELECT 1"}', '{"id": "a", "programs": [{"votes": 1}]}']
)
def test_files_that_hold_no_programs(text: str, tmp_path: Path) -> None:
    path = tmp_path / "p.jsonl"
    path.write_text('{"id": "z", "sql": "SELECT 1"}\n' + text)
    with pytest.raises(DataError) as fault:
        read_programs(path)
    assert fault.value.path == str(path)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "p.gz").write_bytes(b"no gzip")
    for name in ("p.gz", "missing"):
        with pytest.raises(DataError, match="cannot be read"):
            read_programs(tmp_path / name)


ROWS = [
    {"row_id": 0, "values": ["ann lee", 1000], "raw_values": ["Ann  Lee", "1,000"], "answer": "x"},
    {"row_id": 1, "values": ["none", 7], "raw_values": ["-", "7.0"], "answer": 2},
    {"row_id": 2, "values": ["bo", 3.5], "raw_values": None, "answer": None, "answer_not": "yes"},
    {
        "row_id": 3,
        "values": ["cy", 4],
        "raw_values": ["CY", "4"],
        "answer": None,
        "answer_not": "democratic",
    },
    {
        "row_id": 4,
        "values": ["di", 5],
        "raw_values": ["di", "5"],
        "answer": None,
        "answer_not": "20",
    },
    {"row_id": 5, "values": ["ed", 6], "raw_values": ["ed", "6"], "answer": None},
]


@pytest.fixture
def answers(tmp_path: Path) -> RecordedAnswers:
    record = {
        "id": "a",
        "program": "SELECT  QA('map@q'; n; v)",
        "question": "what is it?",
        "columns": ["n", "v"],
        "rows": ROWS,
    }
    clash = {**record, "id": "b", "value_consistent": False}
    return RecordedAnswers(write(tmp_path / "answers.jsonl", [record, clash]))


@pytest.mark.parametrize(
    "values, answer",
    [
        (["Ann  Lee", "1,000"], "x"),  # raw
        (["ann lee", 1000], "x"),  # normalised
        (["ANN LEE", 1000.0], "x"),
        (["Ann\u00a0Lee", "1000"], "x"),
        ([None, 7], 2),
        (["", "7"], 2),
        (["Bo", "3.50"], "no"),
        (["CY", "4"], "not democratic"),
        (["di", 5], 21.0),
        (["ed", 6], None),
        (["Ann Lee"], None),  # no row has these values
        (["fay", 1], None),
    ],
)
def test_answers(
    answers: RecordedAnswers, values: list[str | int | float | None], answer: object
) -> None:
    lm = answers.for_program("a", "SELECT  QA('map@q'; n; v)")
    assert lm("what is it?", ["Name", "Value"], values) == answer
    assert lm(" What is  it?", [], values) == answer
    assert lm("what else?", ["Name", "Value"], values) is None


def test_programs_are_found_without_case_and_white_space(answers: RecordedAnswers) -> None:
    assert ("a", "select QA('map@q'; n; v)\n") in answers
    assert (
        answers.for_program("a", "select QA('map@q'; n; v)\n")("what is it?", [], ["ed", 6]) is None
    )
    assert ("a", "SELECT 1") not in answers
    with pytest.raises(UsageError, match="no recorded answers"):
        answers.for_program("a", "SELECT 1")


def test_ambiguous_programs_are_named(answers: RecordedAnswers) -> None:
    assert {id for id, _ in answers.ambiguous} == {"b"}


def test_real_answers(real_data: Path) -> None:
    folder = real_data / "replays"
    recorded = RecordedAnswers(folder / "lm_answers.jsonl.gz")
    programs = {
        (id, p.program)
        for id, listed in read_programs(folder / "replays_even.jsonl.gz").items()
        for p in listed
    }
    with gzip.open(folder / "lm_answers.jsonl.gz", "rt", encoding="utf-8") as lines:
        records = [json.loads(line) for line in lines]
    for record in records:
        key = (record["id"], record["program"])
        assert key in programs and key in recorded
        lm = recorded.for_program(*key)
        raw_tells = record["columns"] != ["row_id"]  # a row number has no raw cell
        for row in record["rows"]:
            forms = [row["values"]] if key not in recorded.ambiguous else []
            forms += [row["raw_values"]] if raw_tells and row["raw_values"] else []
            for values in forms:
                given = lm(record["question"], record["columns"], values)
                assert (
                    given != row["answer_not"] if "answer_not" in row else given == row["answer"]
                ), (key, row)
    assert len(recorded.ambiguous) == 1


def test_real_programs(real_data: Path) -> None:
    dev = read_programs(real_data / "programs_2026" / "programs_dev.jsonl")
    assert len(dev) == 120 and {p.language for listed in dev.values() for p in listed} == {
        "sql",
        "python",
    }
    replays = read_programs(real_data / "replays" / "replays_even.jsonl.gz")
    assert len(replays) == 2172 and max(p.votes for listed in replays.values() for p in listed) == 5
    assert len(read_titles(real_data / "replays" / "replays_even.jsonl.gz")) > 400
