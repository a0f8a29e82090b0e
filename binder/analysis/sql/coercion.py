"""Comparisons of a resolved tree come in; they go out between values of one kind, literals spelt as
the cells are.

Text against a number compares as a number (NULL where it is none), text against a date as a date; a
text literal that no cell equals is replaced by the cells it is certainly a spelling of, and the
repair is listed."""

from __future__ import annotations

import datetime
import difflib
import re

from sqlglot import exp

from binder.analysis.sql.scope import Field, Source
from binder.analysis.sql.types import kind
from binder.language.annotations import annotate, notes
from binder.language.sqltree import copied, nodes
from binder.tables.cells import fold, is_missing, read_boolean
from binder.tables.dates import read_date, read_duration
from binder.tables.numbers import read_number
from binder.tables.spelling import key
from binder.tables.table import Column, Table

UNEQUAL = (exp.NEQ, exp.NullSafeNEQ)
EQUALITIES = (exp.EQ, exp.NullSafeEQ, *UNEQUAL)
COMPARISONS = (*EQUALITIES, exp.GT, exp.GTE, exp.LT, exp.LTE)


class Literals:
    """Rewrites the comparisons of one tree in place; `repairs` lists the literals that were
    respelt."""

    def __init__(self) -> None:
        self.repairs: list[str] = []

    def rewrite(self, tree: exp.Expr) -> None:
        """All comparisons of the tree, inner ones first."""
        for node in reversed(nodes(tree)):
            if isinstance(node, exp.Between):
                self._between(node)
            elif isinstance(node, exp.In):
                self._in(node)
            elif isinstance(node, COMPARISONS):
                self._comparison(node)

    def _between(self, node: exp.Between) -> None:
        low = exp.GTE(this=copied(node.this), expression=node.args["low"])
        high = exp.LTE(this=node.this, expression=node.args["high"])
        node.replace(exp.paren(exp.And(this=low, expression=high), copy=False))
        self._comparison(low)
        self._comparison(high)

    def _comparison(self, node: exp.Binary) -> None:
        left, right = node.this, node.expression
        if isinstance(left, exp.Tuple) and isinstance(right, exp.Tuple):
            for a, b in zip(list(left.expressions), list(right.expressions), strict=False):
                new_a, new_b = self._align(a, b)
                a.replace(new_a) if new_a is not a else None
                b.replace(new_b) if new_b is not b else None
            return
        if isinstance(node, EQUALITIES) and (absent := self._absent(node, left, right)) is not None:
            node.replace(absent)
            return
        if isinstance(left, exp.Literal) and not isinstance(right, exp.Literal):
            new_right, new_left = self._align(right, left)
        else:
            new_left, new_right = self._align(left, right)
        node.set("this", new_left)
        node.set("expression", new_right)
        if isinstance(node, EQUALITIES):
            respelt = self._respelt(node)
            if respelt is not node:
                node.replace(respelt)

    def _in(self, node: exp.In) -> None:
        query = node.args.get("query")
        if query is not None:
            inner = query.unnest()
            outer_kind, inner_kind = kind(node.this), kind(inner)
            if (outer_kind, inner_kind) == ("text", "number"):
                node.set("this", number(node.this))
            elif (outer_kind, inner_kind) == ("number", "text") and isinstance(inner, exp.Select):
                shown = inner.expressions[0]
                shown.set("this", number(shown.this))
            return
        if not node.expressions:  # IN a list value
            return
        kept: list[exp.Expr] = []
        apart: list[exp.Expr] = []  # members that compare in another way than the rest
        subject = copied(node.this)
        for item in node.expressions:
            left, right = self._align(subject, item)
            equal = exp.EQ(this=left, expression=right)
            test = self._absent(equal, node.this, item) or self._respelt(
                equal, negative=isinstance(node.parent, exp.Not)
            )
            if isinstance(test, exp.In):
                kept += test.expressions
            elif isinstance(test, exp.EQ) and test.this == node.this:
                kept.append(test.expression)
            else:
                apart.append(test)
                subject = copied(node.this)
        if kept:
            node.set("expressions", kept)
            apart.insert(0, copied(node))
        if len(apart) > 1 or not kept:
            node.replace(exp.paren(exp.or_(*apart, copy=False), copy=False))

    def _align(self, left: exp.Expr, right: exp.Expr) -> tuple[exp.Expr, exp.Expr]:
        """Both sides as one kind; a literal, if there is one, stands right."""
        if isinstance(right, exp.Literal) and right.is_string:
            return _literal(left, right, kind(left))
        kinds = {kind(left), kind(right)}
        if kinds == {"text", "number"}:
            return number(left), number(right)
        if kinds == {"date", "number"}:
            return _year(left), _year(right)
        if kinds == {"date", "text"}:
            return moment(left), moment(right)
        return left, right

    def _absent(self, node: exp.Binary, column: exp.Expr, literal: exp.Expr) -> exp.Expr | None:
        """`column = '-'`, where the column is no text and has missing cells: a test for NULL."""
        if (
            not isinstance(column, exp.Column)
            or not isinstance(literal, exp.Literal)
            or not literal.is_string
        ):
            return None
        held: Field | None = notes(column).field
        if held is None or held.origin is None or held.kind == "text":
            return None
        table, stored = held.origin
        if not _says_missing(literal.this) or not table.has_missing(stored):
            return None
        self.repairs.append(f"{stored.name!r} {literal.this!r} -> a missing value")
        return _missing(node, raw_of(column) or column)

    def _respelt(self, node: exp.Binary, negative: bool = False) -> exp.Expr:
        """A test for equality, its text literal replaced by the cells it spells where no cell
        equals it."""
        for subject, literal in ((node.this, node.expression), (node.expression, node.this)):
            if (
                isinstance(literal, exp.Literal)
                and literal.is_string
                and (held := _behind(subject)) is not None
            ):
                return self._cells(
                    node, subject, held, literal.this, negative or isinstance(node, UNEQUAL)
                )
        return node

    def _cells(
        self, node: exp.Binary, column: exp.Expr, held: Field, text: str, negative: bool
    ) -> exp.Expr:
        assert held.origin is not None
        table, stored = held.origin
        cells = spellings(table, stored, text, shown=held.name == stored.raw, in_part=not negative)
        if cells is None:
            self.repairs.append(f"{stored.name!r} {text!r} -> a missing value")
            return _missing(node, column)
        if not cells or cells == [text]:
            return node
        self.repairs.append(f"{stored.name!r} {text!r} -> {', '.join(map(repr, cells))}")
        return _any(node, column, cells)


def _literal(
    left: exp.Expr, literal: exp.Literal, left_kind: str | None
) -> tuple[exp.Expr, exp.Expr]:
    """A text literal against something of a known kind, read as that kind."""
    text = literal.this
    value: float | None
    if left_kind == "number":
        value = read_number(text)
        if value is None and _unit(left) == "seconds":
            value = read_duration(text)
        return (left, _signed(value)) if value is not None else (as_text(left), literal)
    if left_kind == "date":
        day = read_date(text)
        if day is not None:
            return left, date_literal(day)
        year = re.fullmatch(r"\s*(\d{4})\s*", text)
        return (
            (exp.Year(this=left), exp.Literal.number(year[1])) if year else (as_text(left), literal)
        )
    if left_kind == "boolean":
        truth = read_boolean(text)
        return (left, exp.Boolean(this=truth)) if truth is not None else (as_text(left), literal)
    return left, literal


def _behind(node: exp.Expr) -> Field | None:
    """The stored column of texts whose cells an operand shows: itself, or the one that a scalar
    sub-select picks from."""
    if isinstance(node, exp.Subquery) and isinstance(node.unnest(), exp.Select):
        return _behind(node.unnest().expressions[0].unalias())
    held: Field | None = notes(node).field if isinstance(node, exp.Column) else None
    return held if held is not None and held.origin is not None and held.kind == "text" else None


def _unit(node: exp.Expr) -> str | None:
    held = notes(node).field if isinstance(node, exp.Column) else None
    return held.origin[1].unit if held and held.origin else None


def _missing(node: exp.Binary, column: exp.Expr) -> exp.Expr:
    test: exp.Expr = exp.Is(this=copied(column), expression=exp.Null())
    return exp.not_(test, copy=False) if isinstance(node, UNEQUAL) else test


def _any(node: exp.Binary, column: exp.Expr, cells: list[str]) -> exp.Expr:
    literals = [exp.Literal.string(cell) for cell in cells]
    if len(cells) == 1:
        return type(node)(this=copied(column), expression=literals[0])
    inside = exp.In(this=copied(column), expressions=literals)
    return exp.not_(inside, copy=False) if isinstance(node, UNEQUAL) else inside


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
    same = known.get(folded)
    if same:
        return [text] if text in same else same
    if _says_missing(text):
        return None if table.has_missing(column) else []
    wanted = key(text)
    if not wanted:
        return []
    keyed = [cells for cell, cells in known.items() if key(cell) == wanted]
    if len(keyed) == 1:
        return keyed[0]
    return _close(folded, known) if in_part and table.tidied and len(wanted) >= 4 else []


def _says_missing(text: str) -> bool:
    return is_missing(text) or text.strip().casefold() in ("none", "null", "nan")


def _close(folded: str, known: dict[str, list[str]]) -> list[str]:
    """The cells that a text names in part, by several words or up to a sign, or the only one that
    differs by a letter or two."""
    starts = [
        cells
        for cell, cells in known.items()
        if cell.startswith(folded) and re.match(r"\s*[(,\[/;:\n]", cell[len(folded) :])
    ]
    if len(starts) == 1:
        return starts[0]
    if len(folded.split()) > 1:
        inside = re.compile(rf"(?<!\w){re.escape(folded)}(?!\w)")
        holders = [cells for cell, cells in known.items() if inside.search(cell)]
        if holders:
            return [cell for cells in holders for cell in cells]
    digits = re.sub(r"\D", "", folded)
    close = difflib.get_close_matches(folded, list(known), n=2, cutoff=0.9)
    close = [cell for cell in close if re.sub(r"\D", "", cell) == digits and cell[:1] == folded[:1]]
    return known[close[0]] if len(close) == 1 and not starts else []


def number(node: exp.Expr) -> exp.Expr:
    """Text as the number it writes, NULL where it writes none; anything else as it is."""
    if kind(node) != "text":
        return node
    if isinstance(node, exp.Literal) and node.is_string:
        value = read_number(node.this)
        return exp.Null() if value is None else _signed(value)
    made = exp.Anonymous(this="number_in", expressions=[node])
    annotate(made, family="number")
    return made


def _signed(value: float) -> exp.Expr:
    return exp.Literal.number(value) if value >= 0 else exp.Neg(this=exp.Literal.number(-value))


def moment(node: exp.Expr) -> exp.Expr:
    """Text as a date or time stamp, NULL where it is none; anything else as it is."""
    if kind(node) != "text":
        return node
    if isinstance(node, exp.Literal) and node.is_string:
        day = read_date(node.this)
        if day is not None:
            return date_literal(day)
    return exp.TryCast(this=node, to=exp.DataType.build("TIMESTAMP"))


def _year(node: exp.Expr) -> exp.Expr:
    """A date as its year; anything else as it is."""
    return exp.Year(this=node) if kind(node) == "date" else node


def date_literal(day: datetime.date) -> exp.Expr:
    """A date as SQL writes it."""
    name = "TIMESTAMP" if isinstance(day, datetime.datetime) else "DATE"
    return exp.Cast(this=exp.Literal.string(str(day)), to=exp.DataType.build(name))


def as_text(node: exp.Expr) -> exp.Expr:
    """A value as its text: the raw text of the cell where a column keeps it."""
    if isinstance(node, exp.Column) and (raw := raw_of(node)) is not None:
        return raw
    if kind(node) in ("number", "date", "boolean"):
        return exp.Cast(this=node, to=exp.DataType.build("VARCHAR"))
    return node


def raw_of(column: exp.Column) -> exp.Column | None:
    """The hidden column with the raw text of a tidied one; None where the value is its own text."""
    held: Field | None = notes(column).field
    source: Source | None = notes(column).source
    if held is None or source is None or held.origin is None or held.origin[1].raw is None:
        return None
    stored = held.origin[1]
    if held.name == stored.raw:
        return None
    if source.table is not None:
        return hidden_column(source, Field(str(stored.raw), "text", held.origin))
    return _through(source, held)


def _through(source: Source, held: Field) -> exp.Column | None:
    """The raw text of a column that a plain sub-select hands on: the sub-select is made to hand it
    on too."""
    select = source.select
    if (
        not isinstance(select, exp.Select)
        or select.args.get("distinct")
        or select.args.get("group")
    ):
        return None
    inner = next(
        (p.this for p in select.expressions if isinstance(p, exp.Alias) and p.alias == held.name),
        None,
    )
    lagged = isinstance(inner, exp.Window) and isinstance(inner.this, (exp.Lag, exp.Lead))
    column = inner.this.this if isinstance(inner, exp.Window) and lagged else inner
    if inner is None or not isinstance(column, exp.Column):
        return None
    raw = raw_of(column)
    if raw is None:
        return None
    name = f"{held.name} (raw)"
    if name not in [p.alias for p in select.expressions]:
        shown = copied(inner)
        target = shown if isinstance(shown, exp.Column) else shown.this.this
        shown = raw if target is shown else (target.replace(raw), shown)[1]
        select.append("expressions", exp.alias_(shown, name, quoted=True, copy=False))
    return hidden_column(source, Field(name, "text", held.origin))


def hidden_column(source: Source, held: Field) -> exp.Column:
    """A column of a source that programs cannot name."""
    column = exp.column(
        exp.to_identifier(held.name, quoted=True), exp.to_identifier(source.alias, quoted=True)
    )
    annotate(column, field=held)
    annotate(column, source=source)
    return column
