"""Names that no table has: what each certainly means, or what to suggest instead.

A header, a table or its page title that is misspelt by little is repaired and listed. A word in
double quotes that is no column is a text, as SQLite has it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import sqlglot
from sqlglot import exp

from binder.analysis.sql.scope import Scope
from binder.errors import nearest
from binder.language.program import Origin, Program
from binder.language.relations import Field, Source
from binder.language.repair import PLACEHOLDERS
from binder.language.sqltree import DuckDBDialect
from binder.tables.spelling import alike, key
from binder.tables.table import Table

LISTED = 12  # names in a hint
# how alike a misspelt name must be: one in double quotes is as likely a text
SURE, CERTAIN = 0.85, 1.0
NAMELESS = "filledcolumnname"


def stored(
    name: str, tables: Mapping[str, Table], origin: Origin
) -> tuple[Table | None, str | None]:
    """The table that a name certainly means, and the repair it takes: the only table by its title,
    another by a spelling. A person's name is not taken for one that is only like it."""
    table = tables.get(name.casefold())
    if table is not None:
        return table, None
    if len(tables) == 1:
        only = next(iter(tables.values()))
        if _means_only(name, only, origin):
            return only, f"table {name!r} -> {only.name!r}"
    # a person may mean a table that is not there: docs_data is not docs
    sure = CERTAIN if origin == "person" else SURE
    match = alike(name, [table.name for table in tables.values()], sure)
    if match is None:
        return None, None
    return tables[match.casefold()], f"table {name!r} -> {match!r}"


def _means_only(name: str, only: Table, origin: Origin) -> bool:
    """Whether a name means the only table there is."""
    wanted = key(name)
    if wanted in PLACEHOLDERS:
        return True
    if only.title and wanted and wanted in key(only.title):
        return True
    titles = [only.name, only.title] if only.title else [only.name]
    return alike(name, titles, CERTAIN if origin == "person" else 0.6) is not None


def only_source(qualifier: str, scope: Scope, tables: Mapping[str, Table]) -> Source | None:
    """The source that a qualifier means which names a table, where FROM has only one under another
    name."""
    named = qualifier.casefold()
    if len(scope.sources) == 1 and (named in tables or named in map(key, PLACEHOLDERS)):
        return next(iter(scope.sources.values()))
    return None


def column(name: str, scope: Scope, quoted: bool) -> tuple[Source, Field] | None:
    """The column that a name certainly means of all that the scope offers; quoted: whether it
    stands in double quotes."""
    offered = {f.name: (source, f) for source, f in reversed(scope.fields())}
    match = alike(name, offered, CERTAIN if quoted else SURE) or _nameless(name, scope)
    return offered[match] if match is not None else None


def _nameless(name: str, scope: Scope) -> str | None:
    """`filledcolumnname`, `filledcolumnname_2`: how the original Binder calls columns without a
    header."""
    stem, found, number = key(name).partition(NAMELESS)
    if stem or not found:
        return None
    index = int(number) - 1 if number.isdigit() else 0
    empty = [f.name for _, f in scope.fields() if f.origin and not f.origin[1].header.strip()]
    return empty[index] if index < len(empty) else None


def constant(name: str, sign: str) -> exp.Expr | None:
    """The constant that a name means which is no column: a text in double quotes, a list in
    brackets. sign: how it begins in the program."""
    if sign == '"':
        return exp.Literal.string(name)
    return _list_of_literals(name) if sign == "[" else None


def _list_of_literals(text: str) -> exp.Expr | None:
    try:
        made = sqlglot.parse_one(f"[{text}]", read=DuckDBDialect)
    except sqlglot.errors.SqlglotError:
        return None
    if not isinstance(made, exp.Array):
        return None
    constants = all(isinstance(item, (exp.Literal, exp.Neg)) for item in made.expressions)
    return made if constants else None


def first_sign(node: exp.Expr, program: Program) -> str:
    """The sign with which a node begins in the text of a program."""
    start = program.span(node).start
    return program.text[start : start + 1]


def suggestion(name: str, names: Sequence[str], what: str = "columns") -> str | None:
    """The hint for a name that is not known: the names like it, else those that there are."""
    if close := nearest(name, list(names)):
        return "did you mean " + " or ".join(map(repr, close)) + "?"
    return available(names, what)


def available(names: Sequence[str], what: str = "columns") -> str | None:
    """The hint that lists what there is."""
    shown = list(dict.fromkeys(names))[:LISTED]
    return f"available {what}: " + ", ".join(map(repr, shown)) if shown else None
