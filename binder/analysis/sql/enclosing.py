"""The rows that a bare column of `ans` means: those of the FROM around the call, after its plain
WHERE; where that groups, those of the group."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from sqlglot import exp

from binder.errors import CheckFault
from binder.language.annotations import annotate, notes, source_of
from binder.language.calls import Call
from binder.language.program import Program
from binder.language.relations import Source
from binder.language.sqltree import call_of, copied, nodes, placeholders, sql_of, tree_of


def enclosing(column: exp.Column, shown: exp.Expr, node: exp.Anonymous) -> exp.Select:
    """SELECT shown FROM the FROM around the call, after its plain WHERE.

    Of SELECT shop, QA("ans@..."; text) FROM r GROUP BY shop it is
    SELECT "r in group".text FROM r AS "r in group"
    WHERE "r in group".shop IS NOT DISTINCT FROM r.shop"""
    select = _select_around(node, column)
    inner = exp.Select(expressions=[shown])
    if select.args.get("from_") is not None:
        inner.set("from_", copied(select.args["from_"]))
    inner.set("joins", [copied(join) for join in select.args.get("joins") or ()])
    keys = _group_keys(select)
    grouped = bool(keys) and column not in keys
    # a group is what the whole WHERE leaves; without one, ans waits for no other call
    conditions = _conditions(select)
    inner.where(*(c for c in conditions if grouped or not placeholders(c)), copy=False)
    own = _with_own_sources(inner, " in group" if grouped else "")
    for key in keys if grouped else ():
        pair = tree_of("$own IS NOT DISTINCT FROM $key", own=copied(key), key=copied(key))
        _read_from(pair.this, own)
        inner.where(pair, copy=False)
    if grouped:
        select.set("group", exp.Group(expressions=list(map(copied, keys))))  # ALL would count ans
    return inner


def _select_around(node: exp.Expr, column: exp.Column) -> exp.Select:
    """The SELECT around a call in whose FROM a column stands."""
    nearest = select = node.find_ancestor(exp.Select)
    while select is not None and source_of(column).alias.casefold() not in _aliases(select):
        select = select.find_ancestor(exp.Select)
    # a column of no FROM around the call is one of its own SELECT, such as a lateral alias
    found = select or nearest
    assert found is not None
    return found


def check_groups(node: exp.Anonymous, call: Call, program: Program) -> None:
    """Refuses groups whose rows no sub-select can tell: those of keys that are computed."""
    select = node.find_ancestor(exp.Select)
    keys = _group_keys(select) if isinstance(select, exp.Select) else []
    odd = [key for key in keys if not isinstance(key, exp.Column)]
    if odd:
        raise CheckFault(
            f"the rows of a group by {sql_of(odd[0])} cannot be given to a call",
            text=program.text,
            span=call.span,
            hint="compute the key in a sub-select first: WITH g AS (SELECT *, ... AS key FROM w)"
            " SELECT key, QA(...) FROM g GROUP BY key",
        )


def _group_keys(select: exp.Select) -> list[exp.Expr]:
    """What the rows of a group have in common: a position or an alias stands for what is shown."""
    group = select.args.get("group")
    if group is None:
        return []
    shown = [projection.unalias() for projection in select.expressions]
    if group.args.get("all"):
        return [part for part in shown if not (_reads_rows(part) or part.find(exp.AggFunc))]
    named = {part.alias.casefold(): part.unalias() for part in select.expressions if part.alias}
    keys = []
    for key in group.expressions:
        if isinstance(key, exp.Literal) and key.is_int:
            key = shown[int(key.this) - 1]
        elif isinstance(key, exp.Column) and notes(key).source is None:
            key = named.get(key.name.casefold(), key)
        keys.append(key)
    return keys


def _reads_rows(node: exp.Expr) -> bool:
    """Whether an expression holds an ans."""
    return any(not call_of(call).per_input for call in placeholders(node))


def _with_own_sources(inner: exp.Select, ending: str) -> dict[Source, Source]:
    """Makes the copied items of a FROM sources of their own, whose aliases have an ending."""
    # later passes add columns to the SELECT behind a source: each must have its own
    own: dict[Source, Source] = {}
    for item in _items(inner):
        source = source_of(item)
        derived = isinstance(item, (exp.Subquery, exp.Lateral))
        select = item.this.unnest() if derived else source.select
        own[source] = replace(source, alias=source.alias + ending, select=select)
        if ending:
            item.set(
                "alias", exp.TableAlias(this=exp.to_identifier(own[source].alias, quoted=True))
            )
        annotate(item, source=own[source])
    _read_from(inner, own)
    return own


def _read_from(tree: exp.Expr, own: Mapping[Source, Source]) -> None:
    """Makes the columns of a tree those of other sources."""
    for column in nodes(tree):
        source = notes(column).source if isinstance(column, exp.Column) else None
        if source is not None and source in own:
            column.set("table", exp.to_identifier(own[source].alias, quoted=True))
            annotate(column, source=own[source])


def _items(select: exp.Select) -> list[exp.Expr]:
    """The items of FROM."""
    found = [select.args["from_"].this] if select.args.get("from_") else []
    found += [join.this for join in select.args.get("joins") or ()]
    return [item for item in found if notes(item).source is not None]


def _conditions(select: exp.Select) -> list[exp.Expr]:
    """Copies of the conditions of a WHERE."""
    where = select.args.get("where")
    if where is None:
        return []
    conditions = where.this.flatten() if isinstance(where.this, exp.And) else [where.this]
    return list(map(copied, conditions))


def _aliases(select: exp.Select) -> set[str]:
    return {source_of(item).alias.casefold() for item in _items(select)}
