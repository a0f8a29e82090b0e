"""Literals linked to the cells they mean, and values to the raw text of their cells.

A text literal of a language model's that no cell equals is replaced by the cells it is certainly a
spelling of; a person's stays as it is, and the cells are only named. One that spells a missing
value becomes a test for NULL. A tidied column keeps the raw text of its cells in a
hidden column beside it.
"""

from __future__ import annotations

import difflib
import re
from typing import NamedTuple

from sqlglot import exp

from binder.language.annotations import annotate, notes
from binder.language.program import Origin
from binder.language.relations import Field, Source
from binder.language.sqltree import copied
from binder.tables.cells import clean, fold, is_missing
from binder.tables.readings.identifiers import are_names
from binder.tables.spelling import key
from binder.tables.table import Column, Table

UNEQUAL = (exp.NEQ, exp.NullSafeNEQ)
SHORTEST = 4  # letters and digits of a literal that may name a cell only in part
LISTED = 12  # cells that are named


class Link(NamedTuple):
    """A test of the cells that a literal means, and what is told of it; no test where the literal
    stays as it is."""

    test: exp.Expr | None
    told: str


def absent(node: exp.Binary, column: exp.Expr, literal: exp.Expr) -> Link | None:
    """`column = '-'`, where the column is no text and has missing cells: a test for NULL."""
    if not isinstance(column, exp.Column) or not _is_text(literal):
        return None
    held: Field | None = notes(column).field
    if held is None or held.origin is None or held.kind == "text":
        return None
    table, stored = held.origin
    if not _says_missing(literal.this) or not table.has_missing(stored):
        return None
    return _missing(node, raw_of(column) or column, stored, literal.this)


def linked(node: exp.Binary, origin: Origin, negative: bool = False) -> Link | None:
    """A test for equality, its text literal replaced by the cells it spells where no cell equals
    it. origin: who wrote it; negative: whether it is denied from outside."""
    for subject, literal in ((node.this, node.expression), (node.expression, node.this)):
        held = _behind(subject) if _is_text(literal) else None
        if held is not None:
            negative = negative or isinstance(node, UNEQUAL)
            return _cells(node, subject, held, literal.this, origin, negative)
    return None


def _is_text(node: exp.Expr) -> bool:
    return isinstance(node, exp.Literal) and bool(node.is_string)


def _behind(node: exp.Expr) -> Field | None:
    """The stored column of texts whose cells an operand shows: itself, or the one that a scalar
    sub-select picks from."""
    if isinstance(node, exp.Subquery) and isinstance(node.unnest(), exp.Select):
        return _behind(node.unnest().expressions[0].unalias())
    held: Field | None = notes(node).field if isinstance(node, exp.Column) else None
    return held if held is not None and held.origin is not None and held.kind == "text" else None


def _cells(
    node: exp.Binary, column: exp.Expr, held: Field, text: str, origin: Origin, negative: bool
) -> Link | None:
    """The test for the cells of a column that a text spells."""
    assert held.origin is not None
    table, stored = held.origin
    # `<> 'x'` must not leave out cells that only contain x
    cells = spellings(table, stored, text, shown=held.name == stored.raw, in_part=not negative)
    if cells is None:
        return _missing(node, column, stored, text)
    if not cells or cells == [text]:
        return None
    named = ", ".join(map(repr, cells[:LISTED])) + ", ..." * (len(cells) > LISTED)
    if origin == "person" and not _is_said(node, text, cells, negative):
        return Link(None, f"no cell of {stored.name!r} is {text!r}; did you mean {named}?")
    return Link(_any(node, column, cells), f"{stored.name!r} {text!r} -> {named}")


def _is_said(node: exp.Expr, text: str, cells: list[str], negative: bool) -> bool:
    """Whether a person's literal says these cells: read as a cell is, it is one of them; or it asks
    for them and has only other letters in upper case."""
    if cells == [clean(text)]:
        return True
    same = {cell.casefold() for cell in cells} == {text.casefold()}
    return same and not negative and _only_asks(node)


def _only_asks(node: exp.Expr) -> bool:
    """Whether rows are kept where a test is true, and nothing else is made of it."""
    around = node.parent
    # below NOT, CASE or in a SELECT list a found cell would change what is left out or counted
    while isinstance(around, (exp.And, exp.Or, exp.Paren, exp.In)):
        around = around.parent
    return isinstance(around, (exp.Where, exp.Having, exp.Join))


def _missing(node: exp.Binary, column: exp.Expr, stored: Column, text: str) -> Link:
    test: exp.Expr = exp.Is(this=copied(column), expression=exp.Null())
    if isinstance(node, UNEQUAL):
        test = exp.not_(test, copy=False)
    return Link(test, f"{stored.name!r} {text!r} -> NULL (missing cell)")


def _any(node: exp.Binary, column: exp.Expr, cells: list[str]) -> exp.Expr:
    literals = [exp.Literal.string(cell) for cell in cells]
    if len(cells) == 1:
        return type(node)(this=copied(column), expression=literals[0])
    inside = exp.In(this=copied(column), expressions=literals)
    return exp.not_(inside, copy=False) if isinstance(node, UNEQUAL) else inside


# spellings of cells


def spellings(
    table: Table, column: Column, text: str, shown: bool = False, in_part: bool = True
) -> list[str] | None:
    """The cells that a literal spells: itself, those equal but for case and signs, the one it
    misspells by little.

    Empty where nothing is certain; None where the literal spells a missing value and the column has
    some."""
    known = table.spellings(column.raw if shown and column.raw else column.name)
    if known is None:
        return [text]
    folded = fold(text)
    if same := known.get(folded) or known.get(fold(clean(text))):
        return [text] if text in same else same
    if _says_missing(text):
        return None if table.has_missing(column) else []
    # names of drugs and codes that differ by little are two things
    searched = in_part and table.tidied and not are_names(column.header)
    return _resembling(folded, known, searched)


def _resembling(folded: str, known: dict[str, list[str]], searched: bool) -> list[str]:
    """The cells of the same letters and digits; else, if searched, those that a text comes near."""
    wanted = key(folded)
    if not wanted:
        return []
    keyed = [cells for cell, cells in known.items() if key(cell) == wanted]
    if len(keyed) == 1:
        return keyed[0]
    return _close(folded, known) if searched and len(wanted) >= SHORTEST else []


def _says_missing(text: str) -> bool:
    return is_missing(text) or text.strip().casefold() in ("none", "null", "nan")


def _close(folded: str, known: dict[str, list[str]]) -> list[str]:
    """The cells that a text names in part, by several words or up to a sign, or the only one that
    differs by a letter or two."""
    starts: list[list[str]] = []
    for cell, cells in known.items():
        if cell.startswith(folded) and re.match(r"\s*[(,\[/;:\n]", cell[len(folded) :]):
            starts.append(cells)
    if len(starts) == 1:
        return starts[0]
    if len(folded.split()) > 1:
        inside = re.compile(rf"(?<!\w){re.escape(folded)}(?!\w)")
        holders: list[str] = []
        for cell, cells in known.items():
            if inside.search(cell):
                holders += cells
        if holders:
            return holders
    if starts:
        return []
    digits = re.sub(r"\D", "", folded)
    close = difflib.get_close_matches(folded, list(known), n=2, cutoff=0.9)
    # another number or another first letter is another thing
    close = [cell for cell in close if re.sub(r"\D", "", cell) == digits and cell[:1] == folded[:1]]
    return known[close[0]] if len(close) == 1 else []


# raw texts


def raw_of(column: exp.Column) -> exp.Column | None:
    """The hidden column with the raw text of a tidied one; None where the value is its own text."""
    held: Field | None = notes(column).field
    source: Source | None = notes(column).source
    if held is None or source is None or held.origin is None:
        return None
    raw = held.origin[1].raw
    if raw is None or held.name == raw:
        return None
    if source.table is not None:
        return hidden_column(source, Field(raw, "text", held.origin))
    return _through(source, held)


def _through(source: Source, held: Field) -> exp.Column | None:
    """The raw text of a column that a plain sub-select hands on: the sub-select is made to hand it
    on too."""
    select = source.select
    if not isinstance(select, exp.Select):
        return None
    if select.args.get("distinct") or select.args.get("group"):
        return None  # a further column would divide its rows anew
    shown = _projection(select, held.name)
    column = _shifted(shown) if isinstance(shown, exp.Window) else shown
    raw = raw_of(column) if isinstance(column, exp.Column) else None
    if shown is None or raw is None:
        return None
    name = f"{held.name} (raw)"
    if _projection(select, name) is None:
        handed: exp.Expr = raw
        if isinstance(shown, exp.Window):
            handed = copied(shown)
            handed.this.this.replace(raw)
        select.append("expressions", exp.alias_(handed, name, quoted=True, copy=False))
    return hidden_column(source, Field(name, "text", held.origin))


def _projection(select: exp.Select, name: str) -> exp.Expr | None:
    """What a SELECT shows under a name."""
    for projection in select.expressions:
        if isinstance(projection, exp.Alias) and projection.alias == name:
            shown: exp.Expr = projection.this
            return shown
    return None


def _shifted(window: exp.Window) -> exp.Expr | None:
    """The column of LAG and LEAD, which show cells of other rows."""
    function = window.this
    return function.this if isinstance(function, (exp.Lag, exp.Lead)) else None


def hidden_column(source: Source, held: Field) -> exp.Column:
    """A column of a source that programs cannot name."""
    column = exp.column(
        exp.to_identifier(held.name, quoted=True), exp.to_identifier(source.alias, quoted=True)
    )
    annotate(column, field=held, source=source)
    return column
