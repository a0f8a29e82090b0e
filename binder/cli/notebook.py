"""The notebook magic `%%binder` (`%load_ext binder`), which shows a Result, an Answer or a Plan.

%%binder --table w=frame                a program; the table is a variable of the notebook or a file
%%binder --table w=w.csv --ask          a question
%binder --on db --explain SELECT ...    the plan of a program, over a connection that is open
%%binder answer << --on db --ask        a question; the answer is stored in a variable

{{name}} in a program is the value of that variable: it is bound, never a part of the text.
"""

from __future__ import annotations

import argparse
import io
import re
import shlex
from collections import Counter
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from binder.candidates.answer import Answer
from binder.cli.options import TABLE, TITLE, add, flag, number, option
from binder.engine import Binder, connect
from binder.errors import BinderError, UsageError
from binder.plan.python import AnyPlan
from binder.results.result import Result, text
from binder.tables.table import named

OPTIONS = (
    TABLE._replace(
        help="a table: a variable (DataFrame, Arrow table, list of dicts) or a file; repeatable"
    ),
    option("--on", "a connection made by binder.connect, instead of tables", metavar="NAME"),
    TITLE,
    flag("--ask", "the text is a question"),
    number("--samples", "number of candidates to sample for a question", 5),
    flag("--explain", "show the plan of the program and its maximum cost; calls no model"),
    option("--save", "also store the outcome in a variable", metavar="NAME"),
)
_BY_NAME = {name: each for each in OPTIONS for name in each.names}
# `--` and a blank begin a comment of a program
_NAME = re.compile(r"--[a-z]+|-[a-z]")

USAGE = """%%%%binder [NAME <<] [options], with the program or question in the cell body
       %%binder [NAME <<] [options] text
       NAME << stores the outcome and shows nothing"""
AFTER = "The language model is taken from BINDER_MODEL, OPENAI_BASE_URL and OPENAI_API_KEY."


class _Parser(argparse.ArgumentParser):
    """A parser that raises a UsageError instead of ending the process."""

    def error(self, message: str) -> NoReturn:
        raise UsageError(message.removeprefix("argument "), hint=_available())


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="binder",
        usage=USAGE,
        description="Run a Binder program, or ask a question, over tables of the notebook.",
        epilog=AFTER,
        add_help=False,
        allow_abbrev=False,
    )
    add(parser, OPTIONS)
    return parser


def _available() -> str:
    return "available options: " + ", ".join(each.names[0] for each in OPTIONS)


class Cell(NamedTuple):
    """What a cell asks for: its text, the variable of `NAME <<`, and its options."""

    text: str
    target: str | None
    options: argparse.Namespace


def load_ipython_extension(shell: Any) -> None:
    """Called by %load_ext binder."""
    from IPython.core.magic import no_var_expand

    def binder(line: str, cell: str | None = None) -> Any:
        return show(shell.user_ns, line, cell or "")

    binder.__doc__ = _parser().format_help()
    # Braces belong to the program.
    shell.register_magic_function(no_var_expand(binder), "line_cell", "binder")


def show(variables: dict[str, Any], line: str, below: str) -> Result | Answer | AnyPlan | None:
    """Runs one cell with the variables of the notebook; what the notebook is to show."""
    try:
        cell = read(line, below)
        outcome = execute(cell, variables)
    except BinderError as error:
        text = f"{type(error).__name__}: {error}"
        # IPython shows this instead of a traceback: the place in the program, not in here.
        vars(error)["_render_traceback_"] = lambda: text.split("\n")
        raise
    for name in (cell.target, cell.options.save):
        if name is not None:
            variables[name] = outcome
    return None if cell.target else outcome


def read(line: str, below: str = "") -> Cell:
    """The options at the start of a line, and the text after them, which goes on below."""
    target, rest = _target(line)
    words, rest = _split(rest)
    text = f"{rest}\n{below}".strip()
    options = _parser().parse_args(words)
    if not text:
        raise UsageError(
            "no program or question", hint="write it after the options or in the cell body"
        )
    return Cell(text, target, options)


def _target(line: str) -> tuple[str | None, str]:
    """The variable of `NAME <<`, and the rest of a line."""
    name, arrows, rest = line.partition("<<")
    name = name.strip()
    if arrows and name.isidentifier() and (not rest or rest[0].isspace()):
        return name, rest
    return None, line


def _split(line: str) -> tuple[list[str], str]:
    """The options in front of a line as argparse takes them, and the rest as it is written: its
    quotes are those of a program."""
    stream = io.StringIO(line)
    lexer = shlex.shlex(stream, posix=True)
    lexer.whitespace_split = True
    lexer.commenters = lexer.escape = ""  # a path may have backslashes
    words: list[str] = []
    given: Counter[str] = Counter()
    while True:
        rest = line[stream.tell() :]
        name = re.split(r"[\s=]", rest.lstrip(), maxsplit=1)[0]
        if not _NAME.fullmatch(name):
            return words, rest
        word = _option(lexer, name)
        given[name] += 1
        if given[name] > 1 and "action" not in _BY_NAME[name].how:
            raise UsageError(f"{name} is given more than once")
        words.append(word)


def _option(lexer: shlex.shlex, name: str) -> str:
    """The next option, with its value after an equals sign."""
    found = _BY_NAME.get(name)
    if found is None:
        raise UsageError(f"unknown option {name}", hint=_available())
    try:
        _, equals, value = (lexer.get_token() or "").partition("=")
        if not found.takes_value:
            return name + equals + value
        given = value if equals else lexer.get_token()
    except ValueError:
        raise UsageError(f"unclosed quote in the value of {name}") from None
    if given is None:
        raise UsageError(f"{name} needs a value", hint=_available())
    return f"{found.names[0]}={given}"


def execute(cell: Cell, variables: dict[str, Any]) -> Result | Answer | AnyPlan:
    """Runs, explains or asks, over an open connection or over one that is opened for this cell."""
    name = cell.options.on
    if name is None:
        with connect(_sources(cell, variables), title=cell.options.title) as db:
            return _outcome(cell, db, variables)
    opened = variables.get(name)
    if not isinstance(opened, Binder):
        raise UsageError(f"{name} is not an open connection", hint=f"{name} = binder.connect(...)")
    if cell.options.table:
        raise UsageError("use either --on or --table")
    return _outcome(cell, opened, variables)


def _outcome(cell: Cell, db: Binder, variables: dict[str, Any]) -> Result | Answer | AnyPlan:
    if not cell.options.ask:
        program, params = bound(cell.text, variables)
        if cell.options.explain:
            return db.explain(program, params=params)
        return db.run(program, params=params)
    samples = cell.options.samples
    if samples < 1:
        raise UsageError(f"--samples must be a positive number, not {samples}")
    return db.ask(said(cell.text, variables), samples=samples)


_BRACES = re.compile(r"\{\{\s*([^\W\d]\w*)\s*\}\}")


def bound(program: str, variables: dict[str, Any]) -> tuple[str, dict[str, Any] | None]:
    """A program whose {{name}} are parameters, and their values: those of the variables."""
    names = dict.fromkeys(_BRACES.findall(program))
    params = {name: _variable(name, variables) for name in names}
    return _BRACES.sub(r"$\1", program), params or None


def said(question: str, variables: dict[str, Any]) -> str:
    """A question with the texts of variables in the places of their {{name}}."""
    return _BRACES.sub(lambda match: text(_variable(match[1], variables)), question)


def _variable(name: str, variables: dict[str, Any]) -> Any:
    if name not in variables:
        raise UsageError(
            f"{{{{{name}}}}}: there is no variable {name}", hint=f"set it first: {name} = ..."
        )
    return variables[name]


def _sources(cell: Cell, variables: dict[str, Any]) -> Any:
    """The tables that --table names."""
    given = cell.options.table
    if not given:
        raise UsageError("no table", hint="--table w=frame (a variable or a file), or --on db")
    sources = named(given)
    if isinstance(sources, str):
        return _source(sources, variables)
    return {name: _source(source, variables) for name, source in sources.items()}


def _source(source: str, variables: dict[str, Any]) -> Any:
    """The variable of that name, else the path of a file."""
    if source in variables:
        return variables[source]
    if not Path(source).exists():
        raise UsageError(f"no variable or file named {source}")
    return source
