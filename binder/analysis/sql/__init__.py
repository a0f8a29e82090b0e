"""Semantic analysis of SQL: names resolved, calls typed, comparisons aligned, row order explicit.

`check` runs PASSES in their order over one tree. Nothing here asks a language model or runs a
query; what the tables make certain is repaired and listed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlglot import exp
from sqlglot.errors import SqlglotError

from binder.analysis.sql import (
    allowlist,
    call_arguments,
    call_types,
    labels,
    numeric_order,
    ordering,
    raw_text,
    sqlite,
)
from binder.analysis.sql.call_types import CallType
from binder.analysis.sql.coercion import Literals
from binder.analysis.sql.doubts import doubts, refuse_years
from binder.analysis.sql.resolve import Names
from binder.analysis.sql.stars import ordered_outside
from binder.errors import CheckFault
from binder.language.program import Program
from binder.language.relations import Field
from binder.language.sqltree import TITLES, sql_of
from binder.tables.table import Table


@dataclass(frozen=True)
class Checked:
    """A program that fits its tables. query: its resolved tree; outputs: its columns; call_types:
    what each call may answer; cells: output -> the hidden column of the query that holds the raw
    text of its cells; warnings: what must be told of the columns that it computes with."""

    program: Program
    tables: tuple[Table, ...]
    query: exp.Expr
    outputs: tuple[Field, ...]
    call_types: dict[str, CallType]
    cells: dict[int, int]
    warnings: tuple[str, ...] = ()

    def present(
        self, rows: Sequence[tuple[Any, ...]]
    ) -> tuple[list[tuple[Any, ...]], list[tuple[str, ...]]]:
        """Rows of the query as values of the program's columns, and as a person is shown them."""
        return raw_text.present(rows, self.outputs, self.cells)


@dataclass
class Analysis:
    """The state that the passes share: the program as it was parsed, its tree, and what is known
    of it so far."""

    program: Program
    tables: tuple[Table, ...]
    tree: exp.Expr
    outputs: list[Field] = field(default_factory=list)
    call_types: dict[str, CallType] = field(default_factory=dict)
    cells: dict[int, int] = field(default_factory=dict)
    repairs: list[str] = field(default_factory=list)
    doubts: list[str] = field(default_factory=list)


def _allow(state: Analysis) -> None:
    allowlist.check(state.program, state.tree)


def _calls_outside(state: Analysis) -> None:
    state.tree = ordered_outside(state.tree)


def _resolve(state: Analysis) -> None:
    names = Names(state.program, state.tables)
    state.outputs = names.query(state.tree)
    state.repairs += names.repairs


def _type_calls(state: Analysis) -> None:
    state.call_types = call_types.call_types_of(state.tree, state.program)
    for call in state.program.calls:
        found = state.call_types.get(call.name)
        for name in found.untold if found is not None else ():
            state.doubts.append(
                f"{call.question!r} is not told the values of {name}, which are too many: only"
                " answers that are spelled as they are match"
            )


def _align_labels(state: Analysis) -> None:
    labels.align(state.tree, state.program)


def _arguments(state: Analysis) -> None:
    call_arguments.arguments(state.tree, state.program)


def _doubt(state: Analysis) -> None:
    refuse_years(state.tree, state.program)
    state.doubts += doubts(state.tree, state.tables)


def _coerce(state: Analysis) -> None:
    literals = Literals(state.program.given.origin)
    _rewrite(state, literals.rewrite)
    state.repairs += dict.fromkeys(literals.repairs)
    state.doubts += dict.fromkeys(literals.doubts)


def _sqlite(state: Analysis) -> None:
    _rewrite(state, sqlite.rewrite)


def _numeric_order(state: Analysis) -> None:
    _rewrite(state, numeric_order.rewrite)


def _order(state: Analysis) -> None:
    _rewrite(state, ordering.settle)


def _order_calls(state: Analysis) -> None:
    """Rows need an explicit order only where a collect has to meet those of the query."""
    # without a call no other query has to meet them, and SQLite's own order is what is meant
    if state.program.calls:
        _order(state)


def _raw_texts(state: Analysis) -> None:
    state.cells = raw_text.keep(state.tree)


def _rewrite(state: Analysis, rewrite: Callable[[exp.Expr], object]) -> None:
    """Rewrites the tree below a root, so that the tree itself can be replaced."""
    root = exp.Subquery(this=state.tree)
    rewrite(root)
    state.tree = root.this.pop()


Pass = Callable[[Analysis], None]
PASSES: tuple[Pass, ...] = (
    _allow,  # on what was written: later passes bring functions of their own
    _calls_outside,  # before names: it puts a SELECT around, with names to resolve
    _resolve,
    _type_calls,  # before anything is aligned: the place of a call is as its author wrote it
    _align_labels,  # after types: it needs the kinds of what calls are compared with
    _arguments,  # before comparisons in them are rewritten: they are sent as the cells read
    _doubt,  # before rewrites: what computes with a column is as its author wrote it
    _coerce,  # knows the kind of every call by now
    _sqlite,  # after comparisons: it reads the texts that are computed with as numbers
    _numeric_order,
    _order,  # after all that adds expressions
    _raw_texts,  # hidden columns, which no pass need look at
)
# SQLite compares, converts and orders by itself, as whoever wrote the program means it.
PASSES_FOR_SQLITE: tuple[Pass, ...] = (
    _allow,
    _calls_outside,
    _resolve,
    _type_calls,
    _arguments,
    _order_calls,
)


def check(program: Program, tables: tuple[Table, ...]) -> Checked:
    """Resolves and types a program against the tables; a CheckFault marks what does not fit."""
    try:
        checked = _checked(program, tables)
        sql_of(checked.query, program.given.dialect)
    except RecursionError as error:
        raise _unwritable(program, "the program is nested too deeply") from error
    except (SqlglotError, ValueError) as error:  # of what no pass has foreseen
        raise _unwritable(program, str(error).partition("\n")[0]) from error
    return checked


def _checked(program: Program, tables: tuple[Table, ...]) -> Checked:
    state = Analysis(program, tables, program.tree())
    for step in PASSES if program.given.dialect == "duckdb" else PASSES_FOR_SQLITE:
        step(state)
    repaired = replace(program, repairs=(*program.repairs, *state.repairs))
    outputs = tuple(state.outputs)
    told = tuple(state.doubts)
    return Checked(repaired, tables, state.tree, outputs, state.call_types, state.cells, told)


def _unwritable(program: Program, reason: str) -> CheckFault:
    message = f"{TITLES[program.given.dialect]} has no equivalent for this expression"
    return CheckFault(
        f"{message}: {reason}" if reason else message, text=program.text, span=program.place(0)
    )
