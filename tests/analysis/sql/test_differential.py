"""sqlglot's own optimizer as an oracle: what `qualify` resolves and `annotate_types` types, for the
programs of all fixtures, agrees with the analysis wherever both know.

Each accepted difference stands below with its reason.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlglot import exp
from sqlglot.errors import SqlglotError
from sqlglot.optimizer.annotate_types import annotate_types
from sqlglot.optimizer.qualify import qualify

from binder.analysis.sql.resolve import Names
from binder.analysis.sql.types import column_kind, kind
from binder.errors import ProgramError
from binder.language.annotations import notes
from binder.language.repair import parsed
from binder.language.sqltree import DuckDBDialect, copied, nodes
from tests.cases import FIXTURES, Case, read

FILES = sorted(p for room in ("analysis", "plans", "programs") for p in (FIXTURES / room).glob("*"))

# classes of nodes whose type sqlglot has in another way, and why ours stands
ACCEPTED = {
    exp.Sum: "a text that is summed is the number it writes, a boolean is 0 or 1 (sqlite.py)"
}


def programs() -> Iterator[object]:
    for path in FILES:
        for case in read(path) if path.suffix == ".txt" else ():
            yield pytest.param(case, id=case.place)


def resolved(case: Case) -> exp.Expr | None:
    """The tree of a program with its names resolved; None where it is refused."""
    try:
        program = parsed(case.program, case.tables)
        tree = program.tree()
        Names(program, case.tables).query(tree)
    except (ProgramError, SqlglotError):
        return None
    return tree


def qualified(tree: exp.Expr, case: Case) -> exp.Expr | None:
    """A copy of a resolved tree as sqlglot qualifies and types it, node by node beside ours."""
    schema: dict[str, object] = {}
    for table in case.tables:
        schema[table.name] = {c.name: c.type for c in table.columns} | {"row_id": "BIGINT"}
    try:
        made = qualify(
            copied(tree),
            schema=schema,
            dialect=DuckDBDialect,
            allow_partial_qualification=True,
            validate_qualify_columns=False,
            expand_alias_refs=False,
            expand_stars=False,
            canonicalize_table_aliases=False,
            identify=False,
        )
        return annotate_types(made, schema=schema, dialect=DuckDBDialect)
    except SqlglotError:
        return None


CASES = list(programs())


def test_the_oracle_knows_columns_and_types() -> None:
    case = next(case for case in read(FIXTURES / "analysis" / "sqlite.txt"))
    tree = resolved(case)
    assert tree is not None
    theirs = qualified(_without_tables(tree), case)
    assert theirs is not None
    columns = [part for part in nodes(theirs) if isinstance(part, exp.Column)]
    assert columns and all(column.table and column.type for column in columns)


@pytest.mark.parametrize("case", CASES)
def test_columns_stand_in_the_same_tables(case: Case) -> None:
    tree = resolved(case)
    theirs = qualified(_without_tables(tree), case) if tree is not None else None
    if tree is None or theirs is None:
        return
    ours = [part for part in nodes(tree) if isinstance(part, exp.Column)]
    other = [part for part in nodes(theirs) if isinstance(part, exp.Column)]
    if len(ours) != len(other):
        return  # USING and NATURAL, which sqlglot writes out
    for one, two in zip(ours, other, strict=True):
        if two.table and one.table and one.name.casefold() == two.name.casefold():
            assert one.table.casefold() == two.table.casefold(), one.sql()


@pytest.mark.parametrize("case", CASES)
def test_expressions_have_the_same_type(case: Case) -> None:
    tree = resolved(case)
    theirs = qualified(tree, case) if tree is not None else None
    if tree is None or theirs is None:
        return
    typed = {part.sql(): part for part in nodes(theirs) if part.type is not None}
    for part in nodes(tree):
        other = typed.get(part.sql())
        if other is None or type(part) in ACCEPTED or isinstance(part, exp.Query):
            continue
        assert other.type is not None
        known = column_kind(other.type.sql(DuckDBDialect))
        if known is not None and kind(part) is not None:
            assert kind(part) == known, f"{part.sql()}: {kind(part)}, {other.type.sql()}"


def _without_tables(tree: exp.Expr | None) -> exp.Expr:
    """A copy in which columns that only one source offers are named without it, for sqlglot to
    find."""
    assert tree is not None
    made = copied(tree)
    sources = {id(found): found for part in nodes(made) if (found := notes(part).source)}
    for part in nodes(made):
        if not isinstance(part, exp.Column):
            continue
        if sum(source.find(part.name) is not None for source in sources.values()) == 1:
            part.set("table", None)
    return made
