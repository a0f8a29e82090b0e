"""Tools of an MCP server as own functions: a real server, in a process of its own."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import binder
from binder.language.functions.own import Function

ROWS = [{"city": "Oslo"}, {"city": "Rome"}, {"city": "Bonn"}]
COMMAND = [sys.executable, "-m", "tests.language.functions.mcp_server"]


@pytest.fixture(scope="module")
def tools() -> dict[str, Function]:
    return {tool.name: tool for tool in binder.mcp(COMMAND)}


Run = Callable[[str], Any]


@pytest.fixture
def run(tools: dict[str, Function]) -> Iterator[Run]:
    functions = tools.values()
    with binder.connect(ROWS, "m", "http://127.0.0.1:1", cache=None, functions=functions) as db:
        yield db.run


def test_tools_that_only_read_and_take_plain_values_are_functions(
    tools: dict[str, Function],
) -> None:
    assert list(tools) == ["latitude", "near", "describe", "stop"]
    assert tools["latitude"].signature == "latitude(city TEXT) -> NUMBER"
    assert tools["near"].signature == "near(city TEXT, most NUMBER (optional)) -> TEXT[]"
    # an argument that is no plain value is left out where it is optional
    assert tools["describe"].signature == "describe(city TEXT) -> TEXT"
    assert tools["describe"].doc == "A sentence about a city."


def test_a_program_calls_a_tool(run: Run) -> None:
    result = run("SELECT city, latitude(city), near(city, 1), describe(city) FROM w")
    assert result.rows[0] == ("Oslo", 59.9, ["Oslo-0"], "Oslo is a city.")
    assert result.rows[2][1] is None
    (missing,) = result.errors
    assert missing.inputs == {"city": "Bonn"} and "latitude" in missing.message


def test_a_server_that_has_ended_is_a_missing_value_with_the_reason() -> None:
    functions = binder.mcp(COMMAND)
    with binder.connect(ROWS, "m", "http://127.0.0.1:1", cache=None, functions=functions) as db:
        result = db.run("SELECT stop(city) FROM w LIMIT 1")
        assert result.rows == [(None,)]
        assert "Connection closed" in result.errors[0].message


def test_a_tool_that_changes_something_is_taken_only_by_name(tools: dict[str, Function]) -> None:
    (forget,) = binder.mcp(COMMAND, only=["forget"])
    assert forget.signature == "forget(city TEXT) -> TEXT"


@pytest.mark.parametrize(
    ("server", "only", "said"),
    [
        (COMMAND, ["nothing"], "has no tool 'nothing'"),
        (COMMAND, ["merge"], "are no texts, numbers, truths or dates"),
        ([sys.executable, "-c", "pass"], None, "cannot be used"),
        ("no-such-command-at-all", None, "cannot be used"),
        ("http://127.0.0.1:1/mcp", None, "cannot be used"),
        ("", None, "the command of the MCP server is empty"),
    ],
)
def test_a_server_that_cannot_be_used_says_why(server: Any, only: Any, said: str) -> None:
    with pytest.raises(binder.UsageError, match=said):
        binder.mcp(server, only)
