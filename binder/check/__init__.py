"""A Program and its tables come in; a Checked program goes out: names resolved, kinds aligned, calls typed, order explicit.

Nothing here asks a language model or runs a query; what the tables make certain is repaired for free and listed.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp
from sqlglot.errors import SqlglotError

from binder.check import calls, cells, functions, habits, rows, types
from binder.check.literals import Literals
from binder.check.names import Names
from binder.check.scope import Field
from binder.check.stars import ordered_outside
from binder.check.types import Typing
from binder.errors import CheckFault
from binder.program import Program, sql_of
from binder.table import Table


@dataclass(frozen=True)
class Checked:
    """A program that fits its tables. query: its resolved tree; outputs: its columns; typings: what each call may answer;
    cells: output -> the hidden column of the query that holds the raw text of its cells."""

    program: Program
    tables: tuple[Table, ...]
    query: exp.Expr
    outputs: tuple[Field, ...]
    typings: dict[str, Typing]

    cells: dict[int, int]

    def present(self, rows: Sequence[tuple[Any, ...]]) -> tuple[list[tuple[Any, ...]], list[tuple[str, ...]]]:
        """Rows of the query as values of the program's columns, and as a person is shown them."""
        return cells.present(rows, self.outputs, self.cells)


def check(program: Program, tables: tuple[Table, ...]) -> Checked:
    """Resolves and types a program against the tables; a CheckFault marks what does not fit."""
    try:
        checked = _checked(program, tables)
        sql_of(checked.query)
    except (SqlglotError, RecursionError, ValueError) as error:  # of what no rule above has foreseen
        told = str(error).splitlines()[0] if str(error) and not isinstance(error, RecursionError) else "it is nested too deeply"
        raise CheckFault(f"this cannot be written for DuckDB: {told}", text=program.text, span=program.place(0)) from error
    return checked


def _checked(program: Program, tables: tuple[Table, ...]) -> Checked:
    tree = ordered_outside(program.tree())
    functions.check(program, tree)
    names, literals = Names(program, tables), Literals()
    outputs = names.query(tree)
    typings = types.typings(tree, program)
    calls.arguments(tree, program)
    root = exp.Subquery(this=tree)  # so that the tree itself can be replaced
    literals.rewrite(root)
    habits.rewrite(root)
    rows.settle(root)
    tree = root.this
    tree.pop()
    mended = replace(program, repairs=(*program.repairs, *names.repairs, *dict.fromkeys(literals.repairs)))
    return Checked(mended, tables, tree, tuple(outputs), typings, cells.keep(tree))
