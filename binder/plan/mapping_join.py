"""A tree in which calls are placeholders comes in; the same tree over mappings, which an engine can
run, goes out.

A bound call is a look-up in the narrow table of its mapping, which compares NULL-safely: a join
where that is legal, else a scalar sub-select, which is legal wherever an expression is."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from binder.analysis.sql.ordering import is_aggregate
from binder.language.annotations import notes
from binder.language.sqltree import call_of, copied, nodes, placeholders
from binder.plan.asks import groups_by_comma, is_comma
from binder.plan.collect import key_name, outer_columns
from binder.plan.naive import level_of
from binder.plan.three_valued import direct


def mapping_name(call_name: str, tag: str) -> str:
    """The table that holds the mapping of a call in the execution of that tag."""
    return f"answers of {call_name} {tag}"


def looked_up(tree: exp.Expr, tag: str) -> exp.Expr:
    """A copy of a tree in which every call is a look-up in its mapping."""
    root = exp.Subquery(this=copied(tree))
    for select in [part for part in nodes(root) if isinstance(part, exp.Select)]:
        _join(select, tag)
    for node in placeholders(root):
        call = call_of(node)
        table = mapping_name(call.name, tag)
        node.replace(_map_value(node, table) if call.per_input else _ans_value(node, table))
    for lookup in [part for part in nodes(root) if notes(part).is_lookup]:
        lookup.replace(_is_held(lookup, mapping_name(call_of(lookup).name, tag)))
    made: exp.Expr = root.this
    return made.pop()


def _join(select: exp.Select, tag: str) -> None:
    """Joins each mapping that a SELECT looks into once, however often it does, where its rows stay
    as they are: keys are unique.

    That is so of calls on its rows, not on its groups; a condition of its joins and what cannot be
    evaluated on every row, as a cast, stay outside."""
    if select.args.get("from_") is None or groups_by_comma(select):
        return
    items = [item.this for item in (select.args["from_"], *(select.args.get("joins") or []))]
    sources = {id(notes(item).source) for item in items}
    joined: dict[exp.Expr, list[exp.Anonymous]] = {}
    for node in [part for part in nodes(select) if isinstance(part, exp.Anonymous)]:
        call = notes(node).call
        if call is None or not call.per_input or not direct(node, select):
            continue
        if level_of(node, select)[0] == "rows" and all(
            _is_safe(part, sources) for part in node.expressions
        ):
            joined.setdefault(
                exp.Anonymous(
                    this=call.name, expressions=[copied(part) for part in node.expressions]
                ),
                [],
            ).append(node)
    for number, (asked, places) in enumerate(joined.items()):
        alias = f"answers {number}"
        keys = [_column(key_name(i), alias) for i in range(len(asked.expressions))]
        for node in places:
            missing = [
                exp.Not(this=exp.Is(this=copied(key), expression=exp.null())) for key in keys
            ]
            held = exp.paren(exp.or_(*missing, copy=False), copy=False)
            node.replace(held if notes(node).is_lookup else _column("value", alias))
        table = exp.Table(
            this=exp.to_identifier(mapping_name(asked.name, tag), quoted=True),
            alias=exp.TableAlias(this=exp.to_identifier(alias, quoted=True)),
        )
        pairs = [
            exp.NullSafeEQ(this=key, expression=part)
            for key, part in zip(keys, asked.expressions, strict=True)
        ]
        select.append("joins", exp.Join(this=table, side="LEFT", on=exp.and_(*pairs, copy=False)))
    for join in select.args.get("joins") or [] if joined else []:
        if is_comma(join):
            join.set("kind", "CROSS")


def _is_safe(argument: exp.Expr, sources: set[int]) -> bool:
    """Whether an argument is made of columns of these sources in ways that never fail."""
    return all(
        id(notes(part).source) in sources
        if isinstance(part, exp.Column)
        else isinstance(part, _SAFE)
        for part in nodes(argument)
    )


_SAFE = (
    exp.Identifier,
    exp.Literal,
    exp.Paren,
    exp.Null,
    exp.DPipe,
    exp.Coalesce,
    exp.Upper,
    exp.Lower,
    exp.Trim,
)


def _column(name: str, table: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True), exp.to_identifier(table, quoted=True))


def _from(table: str) -> exp.From:
    return exp.From(this=exp.Table(this=exp.to_identifier(table, quoted=True)))


def _keyed(table: str, arguments: list[exp.Expr]) -> exp.Select:
    select = exp.Select(expressions=[_column("value", table)], from_=_from(table))
    matches = [
        exp.NullSafeEQ(this=_column(key_name(i), table), expression=copied(argument))
        for i, argument in enumerate(arguments)
    ]
    return select.where(*matches, copy=False) if matches else select


def _map_value(node: exp.Anonymous, table: str) -> exp.Expr:
    """A scalar sub-select; a window function cannot stand inside one, nor an aggregate over other
    look-ups or over no column, and the engine trips over one in the condition of an outer, semi or
    anti join: there it is an element of the whole mapping."""
    join = node.find_ancestor(exp.Join, exp.Select)
    outer = isinstance(join, exp.Join) and (join.side or join.kind in ("SEMI", "ANTI"))
    inside = [part for argument in node.expressions for part in argument.walk()]
    alone = any(
        is_aggregate(part) and (part.find(exp.Query) or not part.find(exp.Column))
        for part in inside
    )
    if (
        outer
        or alone
        or any(
            isinstance(part, exp.Window)
            for one in node.expressions
            for part in nodes(one, (exp.Query,))
        )
    ):
        names = [key_name(i) for i in range(len(node.expressions))]
        keys, wanted = (
            _struct(names, [_column(name, table) for name in names]),
            _struct(names, [copied(part) for part in node.expressions]),
        )
        whole = exp.Map(
            keys=exp.ArrayAgg(this=keys), values=exp.ArrayAgg(this=_column("value", table))
        )
        return exp.Bracket(
            this=exp.Subquery(this=exp.Select(expressions=[whole], from_=_from(table))),
            expressions=[wanted],
        )
    return exp.Subquery(this=_keyed(table, list(node.expressions)))


def _is_held(node: exp.Expr, table: str) -> exp.Expr:
    """Whether a mapping holds some arguments."""
    return exp.Exists(this=_keyed(table, list(node.expressions)))


def _struct(names: list[str], values: Sequence[exp.Expr]) -> exp.Struct:
    pairs = zip(names, values, strict=True)
    return exp.Struct(
        expressions=[
            exp.PropertyEQ(this=exp.to_identifier(name, quoted=True), expression=value)
            for name, value in pairs
        ]
    )


def _ans_value(node: exp.Anonymous, table: str) -> exp.Expr:
    """All answers inside IN and as the whole of a SELECT without FROM; else the first."""
    select = _keyed(table, list(outer_columns(node)))
    select.order_by(_column("position", table), copy=False)
    holder = node.parent
    if isinstance(holder, exp.In) and len(holder.expressions) == 1 and holder.this is not node:
        holder.set("query", exp.Subquery(this=select))
        holder.set("expressions", None)
        return exp.Null()
    whole = holder.parent if isinstance(holder, exp.Alias) else None
    if (
        isinstance(whole, exp.Select)
        and len(whole.expressions) == 1
        and not whole.args.get("from_")
    ):
        alias = exp.TableAlias(this=exp.to_identifier(table, quoted=True))
        whole.set(
            "from_", exp.From(this=exp.Subquery(this=select, alias=alias))
        )  # the SELECT may be a side of UNION
        return _column("value", table)
    return exp.Subquery(this=select.limit(1, copy=False))
