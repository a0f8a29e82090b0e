"""The demo from end to end: on the recorded replies, and on an endpoint of the user."""

from __future__ import annotations

import contextlib
import io
import json
import re
from argparse import Namespace
from pathlib import Path

import pytest

from binder.cli import demo
from binder.cli.commands import main
from binder.errors import UsageError
from binder.lm.replay import recorded
from tests.server import Server, completion, task_of

ANSWERS = ["Halden Strait Bridge", "4", "Italy", "head torch", "Giulia Conti", "no"]


@pytest.fixture(scope="module")
def shown() -> str:
    """What the demo prints on the recorded replies."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "BINDER_MODEL"):
            patch.delenv(name, raising=False)
        patch.setenv("COLUMNS", "100")
        out = io.StringIO()
        with contextlib.redirect_stdout(out):
            assert main(["demo"]) == 0
    return out.getvalue()


def test_every_question_is_answered(shown: str) -> None:
    assert re.findall(r"^Answer +(.*?)  \(confidence \d+%\)$", shown, re.MULTILINE) == ANSWERS
    assert re.findall(r"^Question +(.*)$", shown, re.MULTILINE) == [
        question.question for question in demo.questions()
    ]


def test_the_first_and_the_last_line_say_who_speaks(shown: str) -> None:
    first, *_, last = shown.strip().split("\n")
    for line in (first, last):
        assert re.search(r"using replies recorded on \d{4}-\d\d-\d\d$", line)


def test_candidates_are_of_all_kinds(shown: str) -> None:
    assert shown.count("def solve(") == len(ANSWERS)
    assert shown.count("1 vote of 3  (") == len(ANSWERS)
    assert len(re.findall(r"^  1 vote of 3  (?:SELECT|WITH|QA)", shown, re.MULTILINE)) == len(
        ANSWERS
    )


def test_the_plan_and_its_bill_are_shown(shown: str) -> None:
    assert "where Year >= 2012  (at most 6)" in shown
    assert (
        "It asks at most 6 questions in 1 request" in shown
        and "It asks the language model nothing." in shown
    )


def test_where_a_value_came_from_is_shown_as_it_is_written(shown: str) -> None:
    assert (
        "  bridges 0: 1 | Halden Strait Bridge | 1,410[a] | July 17, 1981 | Halden Strait | toll bridge\n"
        in shown
    )
    assert "  asked: does this country lie on the Mediterranean Sea?\n    Algeria -> yes\n" in shown


def test_nothing_of_this_machine_is_in_the_recording() -> None:
    requests = [request for request, _ in recorded(demo.REPLIES)]
    assert {request.model for request in requests} == {"recorded"}
    assert len({request.key() for request in requests}) == len(requests)
    assert not re.search(r"/(?:home|tmp|root|work)/|http", demo.REPLIES.read_text(encoding="utf-8"))


def test_the_tables_look_like_those_of_the_web() -> None:
    for question in demo.questions():
        for table in question.load():
            assert table.tidied and table.title and 5 <= table.num_rows <= 20


def test_a_language_model_of_the_user_is_asked(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.reply = lambda body: completion("SELECT 7")
    assert main(["demo", "--model", "m", "--base-url", server.url, "--samples", "1"]) == 0
    out = capsys.readouterr().out
    assert out.count("Answer    7  (confidence 100%)") == len(ANSWERS) == len(server.requests)
    assert out.strip().endswith("with the replies of m") and "recorded" not in out


def test_what_a_language_model_says_is_recorded_and_traced(server: Server, tmp_path: Path) -> None:
    server.reply = lambda body: completion("SELECT 7") if task_of(body) is None else None
    replies, trace = tmp_path / "replies.jsonl", tmp_path / "trace.jsonl"
    words = ["demo", "--model", "m", "--base-url", server.url, "--samples", "1"]
    assert main([*words, "--record", str(replies), "--trace", str(trace)]) == 0
    assert [reply.text for _, reply in recorded(replies)] == ["SELECT 7"] * 6
    events = [json.loads(line)["kind"] for line in trace.read_text(encoding="utf-8").splitlines()]
    assert events.count("sampled") == events.count("voted") == 6


def test_there_is_nothing_to_record_without_a_language_model(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--record needs a language model"):
        demo.show(Namespace(model=None, base_url=None, record=tmp_path / "replies.jsonl"))


def test_a_question_without_an_answer_shows_in_the_status(
    server: Server, capsys: pytest.CaptureFixture[str]
) -> None:
    server.reply = lambda body: completion("I cannot say.")
    assert main(["demo", "--model", "m", "--base-url", server.url, "--samples", "1"]) == 1
    assert "0 of 6 questions answered" in capsys.readouterr().out


def test_the_recording_holds_so_many_programs_and_no_others(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["demo", "--samples", "4"]) == 2
    assert "3 samples per question" in capsys.readouterr().err


def test_half_a_setting_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["demo", "--model", "m"]) == 1
    assert "OPENAI_API_KEY" in capsys.readouterr().err


def test_the_questions_are_well_formed() -> None:
    contents = json.loads((demo.FOLDER / "questions.json").read_text(encoding="utf-8"))
    assert re.fullmatch(r"\d{4}-\d\d-\d\d", contents["recorded"])
    assert len({question.kind for question in demo.questions()}) == len(ANSWERS)


@pytest.mark.parametrize(
    "words",
    [
        ["--replay", "x"],
        ["--cache", "x"],
        ["--no-cache"],
        ["--deadline", "1"],
        ["--max-requests", "1"],
        ["--max-tokens", "1"],
        ["--max-cost", "1"],
        ["--strict"],
    ],
)
def test_options_without_effect_are_refused(
    words: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main(["demo", *words])
    assert f"unrecognized arguments: {words[0]}" in capsys.readouterr().err
