"""The languages of programs, and what binder does with a program in each: parse, analyze, plan,
execute.

One entry in LANGUAGES is all that the rest of binder knows of a language, besides its grammar
(language/grammar.py) and its prompt (data/prompts)."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any, Protocol, TypeVar

from binder.analysis.python import CheckedPython
from binder.analysis.python import check as check_python
from binder.analysis.sql import Checked
from binder.analysis.sql import check as check_sql
from binder.errors import UsageError
from binder.executors import Executor
from binder.executors.python import PythonExecutor
from binder.executors.sql import SqlExecutor
from binder.executors.workers.duckdb_client import Worker
from binder.executors.workers.monty_client import Sandbox, available
from binder.executors.workers.sqlite_client import SqliteWorker
from binder.executors.workers.subprocess import Limits
from binder.language.functions import allowed
from binder.language.functions.own import Function, functions_of
from binder.language.program import PLAIN, Given, Program
from binder.language.python import KINDS as PYTHON_CALLS
from binder.language.python import allowed as python_allowed
from binder.language.python import parse as parse_python
from binder.language.repair import parsed
from binder.plan import Plan, Rule
from binder.plan.cost import spent_on
from binder.plan.python import PythonPlan
from binder.plan.python import build as build_python
from binder.plan.rules import optimize
from binder.results.trace import Trace
from binder.tables.table import Table

Analyzed = TypeVar("Analyzed")
Planned = TypeVar("Planned")


class Workers:
    """The worker processes of a connection, one for each language. Each starts when it is first
    asked."""

    def __init__(self, tables: tuple[Table, ...], limits: Limits, dialect: str = "duckdb"):
        self.tables = tables
        self.sql = (Worker if dialect == "duckdb" else SqliteWorker)(tables, limits)
        self.python = Sandbox(tables, limits)

    def use(self, tables: tuple[Table, ...]) -> None:
        """Replaces the tables; the processes stay."""
        self.tables = tables
        self.sql.use(tables)
        self.python.use(tables)

    def close(self) -> None:
        """Ends the processes."""
        self.sql.close()
        self.python.close()


class Language(Protocol[Analyzed, Planned]):
    """A language of programs, from text to execution."""

    name: str
    title: str  # as people write it
    measurable: bool  # whether a run tells what each call of a plan used

    def require(self) -> None:
        """Raises a UsageError if a package that runs programs of this language is missing."""

    def parse(self, text: str, tables: tuple[Table, ...], given: Given = PLAIN) -> Program:
        """The Program of a text; a SyntaxFault if the text is not in the language."""

    def analyze(self, program: Program, tables: tuple[Table, ...]) -> Analyzed:
        """The program with its names resolved; a CheckFault if it does not match the tables."""

    def plan(self, analyzed: Analyzed, rules: tuple[Rule, ...]) -> Planned:
        """The plan of an analyzed program."""

    def executor(self, plan: Planned, workers: Workers) -> Executor:
        """The executor of one plan."""

    def measured(self, plan: Planned, trace: Trace) -> Planned:
        """The plan with what each call used in a run."""


class Sql:
    """Binder SQL, executed by DuckDB."""

    name, title, measurable = "sql", "SQL", True

    def require(self) -> None:
        """Nothing: DuckDB comes with binder."""

    def parse(self, text: str, tables: tuple[Table, ...], given: Given = PLAIN) -> Program:
        """The Program, with repairs to its text."""
        return parsed(text, tables, given)

    def analyze(self, program: Program, tables: tuple[Table, ...]) -> Checked:
        """The resolved and typed query."""
        return check_sql(program, tables)

    def plan(self, analyzed: Checked, rules: tuple[Rule, ...]) -> Plan:
        """The naive plan, made cheaper by the rules."""
        return optimize(analyzed, rules)

    def executor(self, plan: Plan, workers: Workers) -> SqlExecutor:
        """The executor in the DuckDB worker."""
        return SqlExecutor(plan, workers.sql)

    def measured(self, plan: Plan, trace: Trace) -> Plan:
        """The plan with what each call used in a run."""
        return replace(plan, spent=spent_on(trace))


class Python:
    """Binder Python, executed in the sandbox."""

    name, title, measurable = "python", "Python", False

    def require(self) -> None:
        """The sandbox is an optional package."""
        available()

    def parse(self, text: str, tables: tuple[Table, ...], given: Given = PLAIN) -> Program:
        """The Program; headers are repaired by the analysis."""
        if given.params.passed:
            hint = "write the values into the program, or use SQL"
            raise UsageError("params are for programs in SQL", hint=hint)
        return parse_python(text, given)

    def analyze(self, program: Program, tables: tuple[Table, ...]) -> CheckedPython:
        """The program with its names checked and its data flow known."""
        return check_python(program, tables)

    def plan(self, analyzed: CheckedPython, rules: tuple[Rule, ...]) -> PythonPlan:
        """The plan. The rules are about SQL: a Python program decides for itself what it asks."""
        return build_python(analyzed)

    def executor(self, plan: PythonPlan, workers: Workers) -> PythonExecutor:
        """The executor in the sandbox."""
        return PythonExecutor(plan, workers.python)

    def measured(self, plan: PythonPlan, trace: Trace) -> PythonPlan:
        """The plan as it is: its calls are not those of the text, one may be made many times."""
        return plan


def own_functions(given: Iterable[Function | Callable[..., Any]]) -> tuple[Function, ...]:
    """The own functions of a connection; a UsageError where a language has the name of one."""
    functions = functions_of(given)
    for function in functions:
        if function.name in allowed() | python_allowed()["builtins"] | {"qa", *PYTHON_CALLS}:
            raise UsageError(
                f"{function.name!r} is a function of SQL or Python already",
                hint="name yours: Function(f, name=...)",
            )
    return functions


_ALL: tuple[Language[Any, Any], ...] = (Sql(), Python())
LANGUAGES = {language.name: language for language in _ALL}  # the first is the default


def language_named(name: str) -> Language[Any, Any]:
    """The language of a name; a UsageError for an unknown one."""
    if name not in LANGUAGES:
        raise UsageError(
            f"unknown language {name!r}", hint=f"available languages: {', '.join(LANGUAGES)}"
        )
    return LANGUAGES[name]
