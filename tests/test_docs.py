"""The pages of documentation: their examples run, each command and option is described, and links
lead somewhere."""

from __future__ import annotations

import argparse
import dataclasses
import doctest
import inspect
import re
from pathlib import Path
from typing import Any

import pytest

import binder
from binder import connect
from binder.candidates.answer import Answer
from binder.cli.commands import _parser
from binder.dispatch.ask_task import FAILURES, REASONS
from binder.results.result import Result, Usage
from binder.results.trace import Event
from tests.index import PAGE, index
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
    "how hard is the name to spell?": lambda row: {"RUS": "hard", "ESP": "easy"}.get(
        row[0][-4:-1], "fair"
    ),
}


def answers(task: dict[str, Any]) -> Any:
    """Answers the questions of the language page."""
    if task["question"] == "which surnames?":
        return [", ".join(row[0].split()[1] for row in task["rows"])]
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


def test_the_data_page_runs(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    session = "\n".join(re.findall(r"```pycon\n(.*?)```", page, re.DOTALL))
    session += "\n>>> db.close()\n"
    test = doctest.DocTestParser().get_doctest(session, {}, "data.md", "data.md", 0)
    report: list[str] = []
    outcome = doctest.DocTestRunner().run(test, out=report.append)
    assert outcome.attempted > 10
    assert not outcome.failed, "".join(report)


def test_the_endpoints_page_runs() -> None:
    failed, attempted = doctest.testfile(
        str(ROOT / "docs" / "endpoints.md"), module_relative=False, globs={"binder": binder}
    )
    assert attempted and not failed


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
        for group in ("Table options", "Model options", "Run options", "Prompt options"):
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


def code_in(heading: str) -> set[str]:
    """The words in backticks in the first column of the table below a heading of results.md."""
    page = (ROOT / "docs" / "results.md").read_text(encoding="utf-8")
    section = re.split(r"^## ", page.split(f"## {heading}\n")[1], flags=re.MULTILINE)[0]
    cells = re.findall(r"^\| (`.*?) \|", section, re.MULTILINE)
    return {word for cell in cells for word in re.findall(r"`(\w+)[`(]", cell)}


def test_every_setting_of_a_connection_is_documented() -> None:
    assert code_in("Settings of a connection") == set(inspect.signature(connect).parameters)


def test_every_kind_of_event_is_documented() -> None:
    added = set()
    for path in (ROOT / "binder").rglob("*.py"):
        added |= set(re.findall(r"trace\.add\(\s*\"(\w+)\"", path.read_text(encoding="utf-8")))
    assert code_in("Trace events") == added
    told = inspect.getdoc(Event) or ""
    assert added == set(re.findall(r"\w+", told.partition("kind: ")[2].partition(". at:")[0])) - {
        "or"
    }


def test_every_fault_is_documented() -> None:
    assert code_in("Missing values") == {*REASONS, *FAILURES.values(), "too_long"}


@pytest.mark.parametrize("cls", [Result, Answer, Usage])
def test_the_fields_of_what_is_returned_are_documented(cls: type) -> None:
    documented = code_in(cls.__name__)
    private = {"origin", "question", "keep", "errors"} if cls is not Result else {"origin"}
    assert {field.name for field in dataclasses.fields(cls)} - private <= documented
    assert all(name in vars(cls) or name in cls.__annotations__ for name in documented)


def test_the_index_is_what_the_code_says() -> None:
    """python -m tests.index writes it."""
    assert PAGE.read_text(encoding="utf-8") == index()
    assert set(binder.__all__) <= set(dir(binder))
