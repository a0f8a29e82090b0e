"""The tables of options: each has help, a default in it, and no name twice."""

from __future__ import annotations

import argparse

import pytest

from binder.cli.commands import COMMANDS, Command
from binder.cli.options import add, flag, in_options, number, option


@pytest.mark.parametrize("command", COMMANDS, ids=[command.name for command in COMMANDS])
def test_every_option_is_described_once(command: Command) -> None:
    names = [name for each in command.options for name in each.names]
    assert len(set(names)) == len(names)
    for each in command.options:
        assert each.help and not each.help.endswith(".")


def test_a_default_is_named() -> None:
    assert number("--rows", "rows", 1000).help == "rows (default: 1,000)"
    assert option("--split", "split", default="dev").help == "split (default: dev)"
    assert number("--limit", "questions").help == "questions"


def test_options_are_added_to_a_parser() -> None:
    parser = argparse.ArgumentParser()
    add(parser, [number("--rows", "rows", 3), flag("--json", "JSON")])
    assert vars(parser.parse_args(["--json"])) == {"rows": 3, "json": True}


def test_python_is_told_in_options() -> None:
    assert in_options("raise it: Budget(tokens=...)") == "raise it: --max-tokens N"
    assert in_options("set model= or BINDER_MODEL") == "set --model or BINDER_MODEL"
    assert in_options("db = connect(model=...)") == "db = connect(model=...)"
