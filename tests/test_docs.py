"""The pages of documentation: their examples run, each command and option is described, and links
lead somewhere."""

from __future__ import annotations

import argparse
import doctest
import re
from pathlib import Path
from typing import Any

import pytest

from binder.cli.commands import _parser
from tests.server import Server

ROOT = Path(__file__).parents[1]
PAGES = [
    ROOT / "README.md",
    ROOT / "SECURITY.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
]
COUNTRIES = {"ESP": "Spain", "RUS": "Russia", "ITA": "Italy"}


def country(cell: str) -> str:
    """The country in the parentheses at the end of a rider's name."""
    return COUNTRIES[cell[-4:-1]]


MAPS = {
    "which country?": lambda row: country(row[0]),
    "do both come from the same country?": lambda row: country(row[0]) == country(row[1]),
    "how many letters has the first name?": lambda row: len(row[0].split()[0]),
    "who coached this rider?": lambda row: None,
}


def answers(task: dict[str, Any]) -> Any:
    """Answers the questions of the language page."""
    if task["task"] == "ans":
        return ["Italy"]
    return {key: MAPS[task["question"]](row) for key, row in task["rows"].items()}


def test_the_language_page_runs(
    server: Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    pytest.importorskip("pydantic_monty", reason="pydantic-monty is not installed")
    page = (ROOT / "docs" / "language.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    Path("cyclists.csv").write_text(
        re.findall(r"```csv\n(.*?)```", page, re.DOTALL)[0], encoding="utf-8"
    )
    for name, value in (
        ("OPENAI_BASE_URL", server.url),
        ("OPENAI_API_KEY", "none"),
        ("BINDER_MODEL", "any"),
    ):
        monkeypatch.setenv(name, value)
    server.answer = answers
    session = "\n".join(re.findall(r"```pycon\n(.*?)```", page, re.DOTALL))
    test = doctest.DocTestParser().get_doctest(session, {}, "language.md", "language.md", 0)
    report: list[str] = []
    outcome = doctest.DocTestRunner().run(test, out=report.append)
    assert outcome.attempted > 15
    assert not outcome.failed, "".join(report)


def test_the_command_line_page_is_complete() -> None:
    """Each command has a section, which names its options itself or links to a group of them; and
    no option but these."""
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    sections = dict(re.findall(r"^##+ (.+)\n((?:(?!##).*\n)*)", page, re.MULTILINE))
    commands = next(
        action for action in _parser()._actions if isinstance(action, argparse._SubParsersAction)
    ).choices
    assert {title for title in sections if title.startswith("binder ")} == {
        f"binder {name}" for name in commands
    }
    for name, command in commands.items():
        section = sections[f"binder {name}"]
        for group in ("Table options", "Model options", "Prompt options"):
            section += sections[group] if f"(#{group.lower().replace(' ', '-')})" in section else ""
        options = {
            option
            for action in command._actions
            for option in action.option_strings
            if option.startswith("--")
        }
        assert set(re.findall(r"`(--[\w-]+)", section)) == options - {"--help"}, name


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    links = re.findall(r"\]\((?!https?:)([^)#]*)(?:#[^)]*)?\)", page.read_text(encoding="utf-8"))
    assert [link for link in links if link and not (page.parent / link).exists()] == []
