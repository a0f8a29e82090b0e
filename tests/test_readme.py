"""The README: its session runs against a local endpoint, its options, commands and files exist."""

from __future__ import annotations

import ast
import doctest
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import binder
from binder.cli.commands import main
from tests.scripted import Scripted
from tests.server import Server, completion, task_of

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
COUNTRIES = {"ESP": "Spain", "RUS": "Russia", "ITA": "Italy"}
PROGRAM = 'SELECT QA("map@which country?"; `Cyclist`) AS country FROM w WHERE `Rank` <= 10 GROUP BY 1 ORDER BY COUNT(*) DESC LIMIT 1'


def blocks(language: str) -> list[str]:
    """The code blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL)


def country(task: dict[str, Any]) -> dict[str, str] | list[str]:
    """Answers the one question that the README asks, of each cyclist or of all."""
    if task["task"] == "ans":
        return ["Italy"]
    return {key: COUNTRIES[values[0][-4:-1]] for key, values in task["rows"].items()}


def test_session(server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Every line of the session prints what the README says."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "cyclists.csv").write_text(blocks("csv")[0], encoding="utf-8")
    for name, value in (
        ("OPENAI_BASE_URL", server.url),
        ("OPENAI_API_KEY", "none"),
        ("BINDER_MODEL", "any"),
    ):
        monkeypatch.setenv(name, value)
    server.answer = country
    server.reply = lambda body: (
        completion(*[PROGRAM] * body.get("n", 1)) if task_of(body) is None else None
    )
    session = "\n".join(blocks("pycon"))
    test = doctest.DocTestParser().get_doctest(session, {}, "README.md", "README.md", 0)
    report: list[str] = []
    outcome = doctest.DocTestRunner(optionflags=doctest.ELLIPSIS).run(test, out=report.append)
    assert outcome.attempted > 10
    assert not outcome.failed, "".join(report)


def test_commands_exist() -> None:
    """Each `binder <command>` that the README names is one."""
    commands = set(re.findall(r"^    binder (\w+)", README, re.MULTILINE))
    assert commands
    for command in commands:
        with pytest.raises(SystemExit) as helped:
            main([command, "--help"])
        assert helped.value.code == 0, command


def test_options(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The table of options has an example of each keyword of `connect`, and each example opens a
    connection."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "session.jsonl").touch()
    examples = re.findall(r"^\|[^|]+\| `(\w+=.+)` \|$", README, re.MULTILINE)
    names: dict[str, Any] = {"binder": binder, "my_model": Scripted([])}

    def geocode(city: str) -> float:
        return float(len(city))

    names["geocode"] = geocode
    monkeypatch.setenv("BINDER_MODEL", "my-model")
    keywords: set[str | None] = set()
    for example in examples:
        call: Any = ast.parse(f"connect({example})", mode="eval").body
        keywords |= {keyword.arg for keyword in call.keywords}
        with eval(f"binder.connect([{{'a': 1}}], {example})", names) as db:
            assert len(db.tables) == 1
    assert keywords == set(inspect.signature(binder.connect).parameters) - {"tables"}


def test_files_exist() -> None:
    """Each file that the README names is there."""
    named = set(re.findall(r"\]\(([\w/.]+)\)", README)) | {
        f"binder/{name}" for name in re.findall(r"`([\w/]+\.py)`", README)
    }
    assert [name for name in named if not (ROOT / name).exists()] == []
