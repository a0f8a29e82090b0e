"""What plans say in DuckDB's SQL alone, as the SQLite worker has it.

A plan is one, whatever runs it. SQLite has no structs, lists, maps and LATERAL: the worker has
functions of its own in their places, and each form here is one call of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlglot import exp

from binder.language.sqltree import nodes

_LAST = exp.Literal.number(2**63 - 1)


def for_sqlite(tree: exp.Expr) -> exp.Expr:
    """Rewrites a query over mappings in place; outer forms first, for they are told by what is
    inside."""
    root = exp.Paren(this=tree)
    for forms in (_AROUND, _INSIDE):
        for node in nodes(root):
            form = forms.get(node.__class__)
            made = form(node) if form is not None else None
            if made is not None:
                node.replace(made)
    query: exp.Expr = root.this.pop()
    return query


def _function(name: str, *arguments: exp.Expr) -> exp.Anonymous:
    return exp.Anonymous(this=name, expressions=list(arguments))


def _values(struct: exp.Expr) -> list[exp.Expr]:
    return [field.expression for field in struct.expressions]


def _first_place(node: exp.Min) -> exp.Expr | None:
    """MIN({'o0': a, 'o1': b}): MIN(PRINTF('%020d%020d', a, b)), which orders as the pairs do."""
    if not isinstance(node.this, exp.Struct):
        return None
    values = _values(node.this)
    places = [exp.Coalesce(this=value, expressions=[_LAST.copy()]) for value in values]
    pattern = exp.Literal.string("%020d" * len(places))
    return exp.Min(this=_function("PRINTF", pattern, *places))


def _element_of_map(node: exp.Bracket) -> exp.Expr | None:
    """(SELECT MAP(...) FROM answers)[{'k0': a}]: ANSWERED('answers', a)"""
    made = node.this.find(exp.Map) if isinstance(node.this, exp.Subquery) else None
    if made is None:
        return None
    table = node.this.find(exp.Table)
    return _function("ANSWERED", exp.Literal.string(table.name), *_values(node.expressions[0]))


def _struct(node: exp.Struct) -> exp.Expr:
    """{'k0': a}: AS_OBJECT('k0', a), which is JSON."""
    parts: list[exp.Expr] = []
    for field in node.expressions:
        parts += [exp.Literal.string(field.name), field.expression]
    return _function("AS_OBJECT", *parts)


def _list(node: exp.ArrayAgg) -> exp.Expr:
    """ARRAY_AGG(a): AS_LIST(a), which is JSON."""
    return _function("AS_LIST", _unordered(node.this))


def _unordered(value: exp.Expr) -> exp.Expr:
    """What an aggregate takes, without an order of its own: SQLite takes rows as they come."""
    inner: exp.Expr = value.this if isinstance(value, exp.Order) else value
    return inner


def _joined(node: exp.GroupConcat) -> None:
    node.set("this", _unordered(node.this))


def _first(node: exp.First) -> exp.Expr:
    """FIRST(a ORDER BY b DESC): FIRST_OF(a, b, 1)"""
    keys: list[exp.Expr] = []
    for item in node.this.expressions if isinstance(node.this, exp.Order) else ():
        keys += [item.this, exp.Literal.number(int(bool(item.args.get("desc"))))]
    return _function("FIRST_OF", _unordered(node.this), *keys)


def _lateral(node: exp.Lateral) -> exp.Expr:
    """LATERAL (SELECT ... AS k0) AS asked: JSON_EACH((SELECT PACKED(k0) FROM (...))) AS asked,
    whose columns are read as UNPACKED(asked.value, 0). JSON_EACH sees the items before it in
    FROM."""
    query, alias = node.this.this, node.alias
    names = [shown.alias_or_name for shown in query.selects]
    _read_unpacked(node.find_ancestor(exp.Select), alias, names)
    inner = exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier("packed")))
    columns = [exp.column(exp.to_identifier(name, quoted=True)) for name in names]
    packed = exp.Select(expressions=[_function("PACKED", *columns)], from_=exp.From(this=inner))
    rows = _function("JSON_EACH", exp.Subquery(this=packed))
    return exp.Table(this=rows, alias=node.args["alias"])


def _read_unpacked(select: exp.Expr | None, alias: str, names: Sequence[str]) -> None:
    for column in list(select.find_all(exp.Column)) if select is not None else ():
        if column.table == alias and column.name in names:
            place = exp.Literal.number(names.index(column.name))
            made: exp.Expr = _function("UNPACKED", exp.column("value", alias, quoted=True), place)
            if isinstance(column.parent, exp.Select):
                made = exp.alias_(made, column.name, quoted=True)
            column.replace(made)


_AROUND: dict[type[Any], Callable[[Any], exp.Expr | None]] = {
    exp.Min: _first_place,
    exp.Bracket: _element_of_map,
}
_INSIDE: dict[type[Any], Callable[[Any], exp.Expr | None]] = {
    exp.Struct: _struct,
    exp.ArrayAgg: _list,
    exp.GroupConcat: _joined,
    exp.First: _first,
    exp.Lateral: _lateral,
}
