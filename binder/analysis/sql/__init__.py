"""A Program and its tables come in; a Checked program goes out: names resolved, kinds aligned,
calls typed, order explicit.

Nothing here asks a language model or runs a query; what the tables make certain is repaired for
free and listed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp
from sqlglot.errors import SqlglotError

from binder.analysis.sql import (
    allowlist,
    call_arguments,
    call_types,
    numeric_order,
    ordering,
    raw_text,
    sqlite,
)
from binder.analysis.sql.call_types import CallType
from binder.analysis.sql.coercion import Literals
from binder.analysis.sql.doubts import doubts, refuse_years
from binder.analysis.sql.resolve import Names
from binder.analysis.sql.scope import Field
from binder.analysis.sql.stars import ordered_outside
from binder.errors import CheckFault
from binder.language.program import Program
from binder.language.sqltree import sql_of
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


def check(program: Program, tables: tuple[Table, ...]) -> Checked:
    """Resolves and types a program against the tables; a CheckFault marks what does not fit."""
    try:
        checked = _checked(program, tables)
        sql_of(checked.query)
    except (
        SqlglotError,
        RecursionError,
        ValueError,
    ) as error:  # of what no rule above has foreseen
        told = (
            str(error).splitlines()[0]
            if str(error) and not isinstance(error, RecursionError)
            else "it is nested too deeply"
        )
        raise CheckFault(
            f"this cannot be written for DuckDB: {told}", text=program.text, span=program.place(0)
        ) from error
    return checked


def _checked(program: Program, tables: tuple[Table, ...]) -> Checked:
    tree = ordered_outside(program.tree())
    allowlist.check(program, tree)
    names, literals = Names(program, tables), Literals()
    outputs = names.query(tree)
    types_of_calls = call_types.call_types_of(tree, program)
    call_arguments.arguments(tree, program)
    refuse_years(tree, program)
    told = tuple(doubts(tree))
    root = exp.Subquery(this=tree)  # so that the tree itself can be replaced
    literals.rewrite(root)
    sqlite.rewrite(root)
    numeric_order.rewrite(root)
    ordering.settle(root)
    tree = root.this
    tree.pop()
    mended = replace(
        program, repairs=(*program.repairs, *names.repairs, *dict.fromkeys(literals.repairs))
    )
    cells = raw_text.keep(tree)
    return Checked(mended, tables, tree, tuple(outputs), types_of_calls, cells, told)
