"""Questions of a benchmark asked through a connection, and what the report says of the answers."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from binder.benchmarks.evaluate import asked, evaluate
from binder.benchmarks.tabfact import TabFact
from binder.benchmarks.wikitq import WikiTableQuestions
from binder.candidates.vote import Voting
from binder.cli.commands import main
from binder.engine import connect
from binder.errors import BinderError, NotConfigured
from binder.lm import Choice, Reply, Request
from tests.server import Body, Said, Server, completion


def program(body: Body) -> str:
    """The program for a question: the first column of the first row, or of the year that is asked
    for."""
    asked = body["messages"][-1]["content"].rsplit("Question: ", 1)[-1]
    return (
        "SELECT Name FROM w LIMIT 1"
        if "who" in asked
        else "SELECT Year FROM w"
        if "years" in asked
        else "no idea"
    )


def folder(path: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_text(text, newline="")
    return path


def test_an_evaluation_asks_each_question_over_its_table(
    server: Server, wikitq_files: dict[str, str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    server.reply = program
    data, out = folder(tmp_path / "data", wikitq_files), tmp_path / "out.jsonl"
    words = [
        "eval",
        "wikitq",
        "--data",
        str(data),
        "--split",
        "test",
        "--out",
        str(out),
        "--no-cache",
        "--samples",
        "1",
    ]
    assert main([*words, "--base-url", server.url, "--model", "m"]) == 0
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert [line["id"] for line in lines] == ["nu-0", "nu-1", "nu-2"]
    assert [line["official"] for line in lines] == ["right", "right", "not run"]
    assert lines[0]["program"] == "SELECT Name FROM w LIMIT 1"
    shown = capsys.readouterr().out
    assert "official: 2 right (66.67%)" in shown
    assert re.search(r"\d+ requests", shown)


class Failing:
    """An LM that fails with an error for all questions but the first."""

    def __init__(self, error: BinderError):
        self.error = error

    async def complete(self, request: Request) -> Reply:
        """A program, or the error."""
        if "who says hi" not in request.messages[-1].content:
            raise self.error
        return Reply((Choice("SELECT Name FROM w LIMIT 1"),))

    async def close(self) -> None:
        """Nothing is open."""


def test_an_error_that_would_end_all_questions_is_raised_and_what_was_answered_is_written(
    wikitq_files: dict[str, str], tmp_path: Path
) -> None:
    benchmark = WikiTableQuestions(folder(tmp_path / "data", wikitq_files))
    examples = list(benchmark.examples("test"))
    with (
        connect({"w": [{"a": ""}]}, lm=Failing(NotConfigured("no key"))) as db,
        pytest.raises(NotConfigured),
    ):
        evaluate(
            benchmark, asked(db, examples, benchmark.question, 1, samples=1), tmp_path / "out.jsonl"
        )
    assert [
        json.loads(line)["official"] for line in (tmp_path / "out.jsonl").read_text().splitlines()
    ] == ["right"]


def test_statements_are_asked_as_facts(
    server: Server, tabfact_files: dict[str, str], tmp_path: Path
) -> None:
    def judged(body: Body) -> str:
        name = "bo" if "bo have" in body["messages"][-1]["content"] else "ann"
        return f"SELECT points = 3 FROM w WHERE name = '{name}'"

    server.reply = judged
    benchmark = TabFact(folder(tmp_path / "data", tabfact_files))
    examples = list(benchmark.examples("small_test"))
    with connect({"w": [{"a": ""}]}, model="m", base_url=server.url, cache=None) as db:
        report = evaluate(
            benchmark, asked(db, examples, benchmark.question, samples=1), tmp_path / "out.jsonl"
        )
    assert report.questions == 2
    assert report.scores["official"][0].verdict == "right"


@pytest.mark.parametrize(
    ("bias", "verdicts"), [(1.0, ["wrong", "right"]), (3.0, ["right", "right"])]
)
def test_a_vote_on_facts_can_favour_one_answer(
    server: Server, tabfact_files: dict[str, str], tmp_path: Path, bias: float, verdicts: list[str]
) -> None:
    says = "SELECT QA(\"map@are these 3 points?\"; points) = 'yes' FROM w WHERE name = 'ann'"
    wrong = [
        f"SELECT points = {number} FROM w WHERE name = 'ann'" for number in (4, 5)
    ]  # a program that goes wrong says no

    def judged(body: Body) -> Said:
        last = body["messages"][-1]["content"]
        if last.startswith("{"):
            return None
        return (
            completion(says, *wrong)
            if "ann have" in last
            else "SELECT COUNT(*) > 0 FROM w WHERE name = 'bo' AND points = 3"
        )

    server.reply = judged
    server.answer = lambda task: {
        key: "yes" if str(row[0]) == "3" else "no" for key, row in task["rows"].items()
    }
    benchmark = TabFact(folder(tmp_path / "data", tabfact_files))
    examples = list(benchmark.examples("small_test"))
    voting = Voting(bias={"yes": bias})
    with connect(
        {"w": [{"a": ""}]}, model="m", base_url=server.url, cache=None, voting=voting
    ) as db:
        questions = asked(db, examples, benchmark.question, samples=3, language="sql")
        report = evaluate(benchmark, questions, tmp_path / "out.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "out.jsonl").read_text().splitlines()]
    assert [line["official"] for line in lines] == verdicts
    assert report.questions == 2
