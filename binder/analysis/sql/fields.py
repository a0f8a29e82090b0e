"""A node of a tree comes in; what it offers to those who name it goes out: its fields, the column
whose values it shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import sqlglot
from sqlglot import exp

from binder.analysis.sql.scope import Field, Scope
from binder.analysis.sql.types import PICKING
from binder.language.annotations import notes
from binder.language.program import Program
from binder.language.repair import PLACEHOLDERS
from binder.language.sqltree import Dialect, sql_of
from binder.tables.spelling import alike, key
from binder.tables.table import Column, Table

# How an author calls the only table who does not know its name.


def title(projection: exp.Expr, program: Program) -> str:
    """What a projection is called: its alias, its column, the question of its call, or its text."""
    shown = projection.unalias()
    call = notes(shown).call
    if isinstance(projection, exp.Alias):
        return projection.alias
    return call.question if call else shown.name if isinstance(shown, exp.Column) else sql_of(shown)


def renamed(fields: list[Field], names: list[str]) -> list[Field]:
    """The fields under the names that an alias gives them."""
    given = [replace(f, name=name) for f, name in zip(fields, names, strict=False)]
    return [*given, *fields[len(given) :]]


def unchanged(node: exp.Expr) -> tuple[Table, Column] | None:
    """The stored column whose values an expression hands on unchanged, such as MAX(column)."""
    if isinstance(node, exp.Window):
        return unchanged(node.this)
    if isinstance(node, PICKING):
        inner = node.this
        held = notes(inner).field if isinstance(inner, exp.Column) else None
        return held.origin if held else unchanged(inner)
    return None


def yields(function: exp.Expr) -> str:
    """The name of the column of a table function."""
    if isinstance(function, exp.GenerateSeries):
        return "range" if function.args.get("is_end_exclusive") else "generate_series"
    return function.name.lower() if isinstance(function, exp.Anonymous) else str(function.key)


def list_of_literals(text: str) -> exp.Expr | None:
    """`[1, 2]`, which names no column, as a list."""
    try:
        made = sqlglot.parse_one(f"[{text}]", read=Dialect)
    except sqlglot.errors.SqlglotError:
        return None
    listed = isinstance(made, exp.Array) and all(
        isinstance(item, (exp.Literal, exp.Neg)) for item in made.expressions
    )
    return made if listed else None


def nameless(name: str, scope: Scope) -> str | None:
    """`filledcolumnname`, `filledcolumnname_2`: how the original Binder calls columns without a
    header."""
    stem, _, number = key(name).partition("filledcolumnname")
    if stem or "filledcolumnname" not in key(name):
        return None
    empty = [f.name for _, f in scope.fields() if f.origin and not f.origin[1].header.strip()]
    index = int(number) - 1 if number.isdigit() else 0
    return empty[index] if index < len(empty) else None


def known(names: Sequence[str]) -> str | None:
    """The hint that tells which names there are."""
    return (
        "it knows: " + ", ".join(repr(name) for name in list(dict.fromkeys(names))[:12])
        if names
        else None
    )


def stored(name: str, tables: Mapping[str, Table]) -> tuple[Table | None, str | None]:
    """The table that a name certainly means, and the repair it takes: the only table by its title,
    another by a spelling."""
    table = tables.get(name.casefold())
    if table is not None:
        return table, None
    if len(tables) == 1:
        only = next(iter(tables.values()))
        titles = [only.name, *([only.title] if only.title else [])]
        within = bool(only.title and key(name) and key(name) in key(only.title))
        if key(name) in PLACEHOLDERS or alike(name, titles, 0.6) or within:
            return only, f"table {name!r} -> {only.name!r}"
    match = alike(name, [t.name for t in tables.values()])
    return (tables[match.casefold()], f"table {name!r} -> {match!r}") if match else (None, None)
