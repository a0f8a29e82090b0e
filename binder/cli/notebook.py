"""A line or a cell of a notebook comes in (`%load_ext binder`); a Result, an Answer or a Plan goes
out, which the notebook shows.

%%binder --table w=frame                a program; the table is a variable of the notebook or a file
%%binder --table w=w.csv --ask          a question
%binder --on db --explain SELECT ...    the plan of a program, over a connection that is open
%%binder answer << --on db --ask        a question; the answer is kept in a variable
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from binder.candidates.answer import Answer
from binder.engine import Binder, connect
from binder.errors import BinderError, UsageError
from binder.plan.python import AnyPlan
from binder.results.result import Result
from binder.tables.table import named

HELP = """Executes a Binder program, or asks a question, over tables of the notebook.

    %%binder [NAME <<] [options]        the program or the question stands below
    %binder [NAME <<] [options] text    ... or on the same line

    --table, -t [NAME=]SOURCE   a table: a variable (DataFrame, Arrow table, list of dicts) or the path of a file; repeatable
    --on NAME                   a connection made by binder.connect, instead of tables
    --title TEXT                the title of the only table
    --ask                       the text is a question
    --samples NUMBER            programs to sample for a question (5)
    --explain                   show the plan of the program and what it can cost; asks nothing
    --save NAME                 keep what comes out in a variable, too
    NAME <<                     keep it in a variable, and show nothing

The language model is taken from BINDER_MODEL, OPENAI_BASE_URL and OPENAI_API_KEY."""

FLAGS = ("--ask", "--explain")
VALUED = ("--table", "--on", "--title", "--samples", "--save")
SHORT = {"-t": "--table"}
_TARGET = re.compile(r"\s*([^\W\d]\w*)\s*<<(?:\s|\Z)")
_OPTION = re.compile(
    r"\s*(--[a-z]+|-[a-z])(?=[\s=]|\Z)"
)  # `--` and a space is a comment of a program
_VALUE = re.compile(r"""[\s=]\s*("[^"\n]*"|'[^'\n]*'|[^\s=]+="[^"\n]*"|[^\s=]+='[^'\n]*'|\S+)""")


@dataclass(frozen=True)
class Cell:
    """What a cell asks for. target: the variable of `NAME <<`; options: option -> its values."""

    text: str
    target: str | None = None
    options: dict[str, list[str]] = field(default_factory=dict)

    def one(self, option: str) -> str | None:
        """The value of an option that may be given once."""
        values = self.options.get(option, [])
        if len(values) > 1:
            raise UsageError(f"{option} is given {len(values)} times")
        return values[0] if values else None


def load_ipython_extension(shell: Any) -> None:
    """Called by %load_ext binder."""
    from IPython.core.magic import no_var_expand

    def binder(line: str, cell: str | None = None) -> Any:
        return show(shell.user_ns, line, cell or "")

    binder.__doc__ = HELP
    shell.register_magic_function(
        no_var_expand(binder), "line_cell", "binder"
    )  # braces belong to the program


def show(variables: dict[str, Any], line: str, below: str) -> Result | Answer | AnyPlan | None:
    """Executes one cell with the variables of the notebook; what the notebook is to show."""
    try:
        cell = read(line, below)
        kept = [name for name in (cell.target, cell.one("--save")) if name is not None]
        outcome = execute(cell, variables)
    except BinderError as error:
        text = f"{type(error).__name__}: {error}"
        vars(error)["_render_traceback_"] = lambda: text.split(
            "\n"
        )  # what IPython shows: the place in the program, not in here
        raise
    variables.update(dict.fromkeys(kept, outcome))
    return None if cell.target else outcome


def read(line: str, below: str = "") -> Cell:
    """The options at the start of a line, and the text after them, which goes on below."""
    start = _TARGET.match(line)
    place = start.end() if start else 0
    options: dict[str, list[str]] = {}
    while (option := _OPTION.match(line, place)) is not None:
        name = SHORT.get(option[1], option[1])
        place = option.end()
        if name in FLAGS:
            options[name] = []
            continue
        value = _VALUE.match(line, place)
        if name not in VALUED or value is None:
            problem = "needs a value" if name in VALUED else "is no option"
            raise UsageError(
                f"{option[1]} {problem}", hint="the options are " + ", ".join([*VALUED, *FLAGS])
            )
        options.setdefault(name, []).append(re.sub(r"""(?<![^=])(["'])(.*)\1\Z""", r"\2", value[1]))
        place = value.end()
    text = f"{line[place:]}\n{below}".strip()
    if not text:
        raise UsageError(
            "there is no program and no question",
            hint="it stands after the options, or below %%binder",
        )
    return Cell(text, start[1] if start else None, options)


def execute(cell: Cell, variables: dict[str, Any]) -> Result | Answer | AnyPlan:
    """Runs, explains or asks, over an open connection or over one that is opened for this cell."""
    name = cell.one("--on")
    if name is None:
        with connect(_sources(cell, variables), title=cell.one("--title")) as db:
            return _outcome(cell, db)
    opened = variables.get(name)
    if not isinstance(opened, Binder):
        raise UsageError(f"{name} is no connection", hint=f"{name} = binder.connect(...)")
    if "--table" in cell.options:
        raise UsageError("--on and --table exclude each other")
    return _outcome(cell, opened)


def _outcome(cell: Cell, db: Binder) -> Result | Answer | AnyPlan:
    if "--explain" in cell.options:
        return db.explain(cell.text)
    if "--ask" not in cell.options:
        return db.run(cell.text)
    samples = cell.one("--samples") or "5"
    if not samples.isdecimal() or int(samples) < 1:
        raise UsageError(f"--samples is no number of programs: {samples}")
    return db.ask(cell.text, samples=int(samples))


def _sources(cell: Cell, variables: dict[str, Any]) -> Any:
    """The tables that --table names."""
    given = cell.options.get("--table", [])
    if not given:
        raise UsageError(
            "no table is given", hint="--table w=frame, with a variable or a file; or --on db"
        )
    sources = named(given)
    if isinstance(sources, str):
        return _source(sources, variables)
    return {name: _source(source, variables) for name, source in sources.items()}


def _source(source: str, variables: dict[str, Any]) -> Any:
    """The variable of that name, else the path of a file."""
    if source in variables:
        return variables[source]
    if not Path(source).exists():
        raise UsageError(f"there is no variable and no file called {source}")
    return source
