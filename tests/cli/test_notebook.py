"""%binder and %%binder in a shell as notebooks have it, over a scripted endpoint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import binder
from binder.candidates.answer import Answer
from binder.cli.notebook import read
from binder.errors import CheckFault, DataError, UsageError
from binder.plan import Plan
from binder.results.result import Result
from tests.server import Server, completion

interactive = pytest.importorskip(
    "IPython.core.interactiveshell", reason="IPython is not installed"
)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Any]:
    """A shell with the extension loaded and a table."""
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    monkeypatch.chdir(tmp_path)
    from traitlets.config import Config

    shell = interactive.InteractiveShell(config=Config({"HistoryManager": {"enabled": False}}))
    shell.run_line_magic("load_ext", "binder")
    shell.user_ns["frame"] = pd.DataFrame({"Name": ["Ann", "Bob"], "Age {y}": [31, 25]})
    yield shell
    shell.reset()


@pytest.fixture
def model(server: Server, monkeypatch: pytest.MonkeyPatch) -> Server:
    """The endpoint that the environment names."""
    monkeypatch.setenv("OPENAI_BASE_URL", server.url)
    monkeypatch.setenv("BINDER_MODEL", "m")
    return server


def cell(shell: Any, source: str) -> Any:
    """What a cell shows."""
    return shell.run_cell(source).result


def test_a_program_over_a_variable(shell: Any) -> None:
    result = cell(shell, "%%binder --table w=frame\nSELECT Name FROM w\nWHERE `Age {y}` > 30")
    assert isinstance(result, Result) and result.rows == [("Ann",)]
    assert "<td" in result._repr_html_() and "Ann" in result._repr_html_()


def test_the_value_of_a_variable_is_bound(shell: Any, model: Server) -> None:
    shell.user_ns["who"] = "Ann' OR 1=1 --"
    program = "SELECT Name FROM w WHERE Name = {{ who }} OR `Age {y}` IN {{ages}}"
    shell.user_ns["ages"] = [25]
    assert cell(shell, f"%%binder --table w=frame\n{program}").rows == [("Bob",)]
    plan = cell(shell, '%binder --table frame --explain QA("map@is {{who}} it?"; Name)')
    assert f"is {shell.user_ns['who']} it?" in str(plan)
    outcome = shell.run_cell("%binder --table frame SELECT {{nobody}}")
    assert "there is no variable nobody" in str(outcome.error_in_exec)


def test_a_program_on_one_line_over_a_file(shell: Any) -> None:
    shell.user_ns["frame"].to_csv("my people.csv", index=False)
    result = cell(
        shell,
        """%binder --table people="my people.csv" SELECT COUNT(*) AS "n {y}" FROM people WHERE `Age {y}` > 1""",
    )
    assert result.columns == ("n {y}",) and result.rows == [(2,)]
    assert cell(shell, "%binder -t 'my people.csv' SELECT MAX(`Age {y}`) FROM w").rows == [(31,)]


def test_a_question(shell: Any, model: Server) -> None:
    program = "SELECT Name FROM w WHERE `Age {y}` < 30"  # whatever is asked for
    model.reply = lambda body: completion(
        '{"answers": ["Bob"]}' if "response_format" in body else program
    )
    answer = cell(shell, "%%binder --table w=frame --ask --samples 3\nwho is younger than 30?")
    assert isinstance(answer, Answer) and answer.values == ["Bob"] and answer.confidence == 1.0
    assert len(model.requests) == 3 and "Bob" in answer._repr_html_()


def test_a_plan_asks_nothing(shell: Any, model: Server) -> None:
    plan = cell(shell, '%%binder --table w=frame --explain\nSELECT QA("map@old?"; Name) FROM w')
    assert (
        isinstance(plan, Plan)
        and "at most 2 questions" in plan._repr_html_()
        and not model.requests
    )


def test_what_comes_out_is_kept(shell: Any) -> None:
    assert cell(shell, "%%binder kept << --table frame\nSELECT 1 AS x FROM w") is None
    assert shell.user_ns["kept"].rows == [(1,), (1,)]
    shown = cell(shell, "%binder --table frame --save again SELECT 2 AS x")
    assert shown.rows == [(2,)] and shell.user_ns["again"] is shown


def test_an_open_connection(shell: Any) -> None:
    with binder.connect(shell.user_ns["frame"]) as shell.user_ns["db"]:
        result = cell(shell, "%binder --on db SELECT Name FROM w WHERE `Age {y}` < 30")
        assert result.rows == [("Bob",)] and result.why(0)["rows"] == {"w": [1]}
        outcome = shell.run_cell("%binder --on db --table frame SELECT 1")
        assert "use either --on or --table" in str(outcome.error_in_exec)


def test_two_tables(shell: Any) -> None:
    shell.user_ns["other"] = [{"Name": "Ann", "City": "Oslo"}]
    result = cell(
        shell, "%%binder -t frame -t other\nSELECT City FROM frame JOIN other USING (Name)"
    )
    assert result.rows == [("Oslo",)]


@pytest.mark.parametrize(
    ("source", "kind", "message"),
    [
        ("%%binder\nSELECT 1", UsageError, "no table"),
        ("%%binder --table w=nosuch\nSELECT 1", UsageError, "no variable or file named nosuch"),
        ("%%binder --table\nSELECT 1", UsageError, "--table needs a value"),
        ("%%binder --nosuch\nSELECT 1", UsageError, "unknown option --nosuch"),
        ("%%binder --on frame\nSELECT 1", UsageError, "frame is not an open connection"),
        ("%binder --table frame", UsageError, "no program"),
        ("%%binder --table frame --ask --samples x\nq?", UsageError, "--samples"),
        ("%%binder -t w=frame -t w=frame\nSELECT 1", UsageError, "duplicate table name"),
        ("%%binder --save a --save b --table frame\nSELECT 1", UsageError, "given more than once"),
        ("%%binder --table frame\nSELECT nosuch FROM w", CheckFault, "nosuch"),
    ],
)
def test_an_error_is_shown_without_a_traceback(
    shell: Any, capsys: pytest.CaptureFixture[str], source: str, kind: type, message: str
) -> None:
    outcome = shell.run_cell(source)
    assert isinstance(outcome.error_in_exec, kind) and message in str(outcome.error_in_exec)
    shown = "".join(capsys.readouterr())
    assert (
        f"{kind.__name__}: " in shown
        and message in shown
        and "Traceback" not in shown
        and "magic.py" not in shown
    )


def test_a_file_that_cannot_be_read(shell: Any) -> None:
    Path("w.xyz").write_text("?")
    assert isinstance(shell.run_cell("%binder -t w.xyz SELECT 1").error_in_exec, DataError)


def test_only_what_stands_before_the_text_is_an_option() -> None:
    assert (
        read("--ask --table w=f is --save an option << here?").text
        == "is --save an option << here?"
    )
    assert read("-- a comment", "SELECT 1").text == "-- a comment\nSELECT 1"
    found = read("a << --table='my file.csv' -t b='x y' --title \"A = 'B'\"", "SELECT 1")
    options = found.options
    assert (found.target, options.table) == ("a", ["my file.csv", "b=x y"])
    assert (options.title, options.ask, options.samples) == ("A = 'B'", False, 5)


@pytest.mark.parametrize(
    ("line", "table", "text"),
    [
        ("-t w=frame SELECT 'it''s'", "w=frame", "SELECT 'it''s'"),
        ("-t=w.csv what's up?", "w.csv", "what's up?"),
        ("--table w='a b.csv' SELECT \"x\"", "w=a b.csv", 'SELECT "x"'),
        ("-t C:\\data\\w.csv 'x'", "C:\\data\\w.csv", "'x'"),
        ("--table w=f -5 + 1", "w=f", "-5 + 1"),
        ("-t f  SELECT  1 << 2", "f", "SELECT  1 << 2"),
    ],
)
def test_the_text_is_kept_as_it_is_written(line: str, table: str, text: str) -> None:
    found = read(line)
    assert (found.target, found.options.table, found.text) == (None, [table], text)


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("--title 'x SELECT 1", "unclosed quote in the value of --title"),
        ("--samples many q", "--samples: invalid int value: 'many'"),
        ("--samples 0 --ask --table f q", "positive number, not 0"),
        ("--nosuch=1 q", "unknown option --nosuch"),
        ("--ask=x q", "--ask"),
    ],
)
def test_an_option_that_is_wrong(shell: Any, line: str, message: str) -> None:
    shell.user_ns["f"] = shell.user_ns["frame"]
    outcome = shell.run_cell(f"%binder {line}")
    assert isinstance(outcome.error_in_exec, UsageError) and message in str(outcome.error_in_exec)


def test_its_help_lists_all_options(shell: Any) -> None:
    told = shell.find_line_magic("binder").__doc__
    assert "%%binder [NAME <<] [options]" in told
    for name in ("--table", "--on", "--title", "--ask", "--samples", "--explain", "--save"):
        assert name in told
