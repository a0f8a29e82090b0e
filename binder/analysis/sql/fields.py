"""What a projection, or a function in FROM, offers to the query around it: a name, a kind, the
stored column or the call whose values it shows."""

from __future__ import annotations

import re
from dataclasses import replace

from sqlglot import exp

from binder.analysis.sql.types import PICKING, kind, values
from binder.language.annotations import notes
from binder.language.calls import Call
from binder.language.program import Program
from binder.language.relations import Field
from binder.language.sqltree import call_of, is_placeholder, sql_of
from binder.tables.table import Column, Table

_MODIFIED = re.compile(r"\b(DATE|DATETIME|TIME|JULIANDAY|UNIXEPOCH|STRFTIME)_OF\(")


def title(projection: exp.Expr, program: Program) -> str:
    """What a projection is called: its alias, its column, the question of its call, or its text."""
    shown = projection.unalias()
    if isinstance(projection, exp.Alias):
        return projection.alias
    if (call := notes(shown).call) is not None:
        return call.question
    if isinstance(shown, exp.Column):
        return shown.name
    # functions that the skeleton gave names of its own are shown as they were written
    text = _MODIFIED.sub(r"\1(", sql_of(shown))
    for call in program.calls:
        if call.function is not None:
            text = text.replace(f"{call.name.upper()}(", f"{call.function.name}(")
    return text


def renamed(fields: list[Field], names: list[str]) -> list[Field]:
    """The fields under the names that an alias gives them."""
    given = [replace(f, name=name) for f, name in zip(fields, names, strict=False)]
    return [*given, *fields[len(given) :]]


def field_of_projection(shown: exp.Expr, name: str) -> Field:
    """The field that a projection makes."""
    held = notes(shown).field
    origin = held.origin if held else _unchanged(shown)
    return Field(name, kind(shown), origin, *_calls_behind(shown))


def _unchanged(node: exp.Expr) -> tuple[Table, Column] | None:
    """The stored column whose values an expression hands on unchanged, such as MAX(column)."""
    if isinstance(node, exp.Window):
        return _unchanged(node.this)
    if isinstance(node, PICKING):
        inner = node.this
        held = notes(inner).field if isinstance(inner, exp.Column) else None
        return held.origin if held else _unchanged(inner)
    return None


def _calls_behind(shown: exp.Expr) -> tuple[Call | None, tuple[Call, ...]]:
    """The call whose value an expression shows, where it shows no other values; all calls whose
    value it may show."""
    only: Call | None = None
    mixed = False
    calls: list[Call] = []
    for value in values(shown):
        call: Call | None = None
        if (held := notes(value).field) is not None:
            call = held.call
            calls += held.calls
        elif is_placeholder(value):
            call = call_of(value)
            calls.append(call)
        mixed = mixed or call is None
        only = only or call
    return None if mixed else only, tuple(dict.fromkeys(calls))


def yields(function: exp.Expr) -> str:
    """The name of the column of a table function."""
    if isinstance(function, exp.GenerateSeries):
        return "range" if function.args.get("is_end_exclusive") else "generate_series"
    return function.name.lower() if isinstance(function, exp.Anonymous) else str(function.key)
