"""The final query: a tree in which every call is a look-up in its mapping, as plain SQL.

The mapping of a call is a narrow table: k0, k1, ... and value. A look-up compares NULL-safely. It
is a LEFT JOIN where that is legal, else a scalar sub-select, which is legal wherever an expression
is.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from binder.analysis.sql.ordering import is_aggregate
from binder.language.annotations import notes
from binder.language.sqltree import call_of, copied, nodes, placeholders, tree_of
from binder.plan.blocks import Blocks, SelectBlock, Stage, has_window, is_comma, outer_columns
from binder.plan.collect import key_name
from binder.plan.expressions import any_present, column, quoted

# expressions that never fail, so they can be evaluated on rows that WHERE would drop
_SAFE = (
    exp.Identifier, exp.Literal, exp.Paren, exp.Null, exp.DPipe, exp.Coalesce, exp.Upper, exp.Lower,
    exp.Trim,
)  # fmt: skip


def mapping_name(call_name: str, tag: str) -> str:
    """The table that holds the mapping of a call in the execution of that tag."""
    return f"answers of {call_name} {tag}"


def looked_up(tree: exp.Expr, tag: str) -> exp.Expr:
    """A copy of a tree in which every call is a look-up in its mapping.

    >>> final('SELECT city FROM w WHERE QA("map@vowel?"; city)')
    SELECT w.city FROM w
    LEFT JOIN "answers of call_0 1" AS "answers 0" ON "answers 0".k0 IS NOT DISTINCT FROM w.city
    WHERE "answers 0".value ORDER BY w.row_id

    In the condition of a join, on groups, and for an argument that may fail, it is a sub-select:

    >>> final('SELECT QA("map@upper?"; country) AS u FROM w GROUP BY country')
    SELECT (SELECT "answers of call_0 1".value FROM "answers of call_0 1"
            WHERE "answers of call_0 1".k0 IS NOT DISTINCT FROM w.country) AS u
    FROM w GROUP BY w.country ORDER BY MIN(w.row_id)
    """
    root = exp.Subquery(this=copied(tree))  # so that the top of the tree can be replaced, too
    blocks = Blocks()
    # joins first: what cannot be joined is still a placeholder afterwards
    for node in nodes(root):
        if isinstance(node, exp.Select):
            _join_mappings(blocks.block(node), tag)
    # inner calls first, so that outer ones copy arguments that are looked up already
    for node in placeholders(root):
        call = call_of(node)
        table = mapping_name(call.name, tag)
        node.replace(_map_value(node, table) if call.per_input else _ans_value(node, table))
    for node in nodes(root):
        if notes(node).is_lookup:
            node.replace(_is_held(node, mapping_name(call_of(node).name, tag)))
    made: exp.Expr = root.this
    return made.pop()


# Joins


def _join_mappings(block: SelectBlock, tag: str) -> None:
    """Joins each mapping that a SELECT looks into once, however often it does. Its rows stay as
    they are, because the keys of a mapping are unique."""
    if not block.has("from_") or block.groups_by_comma:
        return  # there is nothing to join to, or a join would bind other items than before
    joined = _joinable(block)
    for number, (lookup, places) in enumerate(joined.items()):
        _join_mapping(block, f"answers {number}", mapping_name(lookup.name, tag), lookup, places)
    for join in block.joins if joined else []:
        if is_comma(join):  # it would bind less than the joins that follow
            join.set("kind", "CROSS")


def _joinable(block: SelectBlock) -> dict[exp.Anonymous, list[exp.Anonymous]]:
    """The calls of a SELECT that can be joined: call and arguments -> its places."""
    sources = {id(notes(item.this).source) for item in block.items}
    found: dict[exp.Anonymous, list[exp.Anonymous]] = {}
    for node in nodes(block.select):
        if not isinstance(node, exp.Anonymous) or not _can_join(node, block, sources):
            continue
        arguments = [copied(argument) for argument in node.expressions]
        # equal calls with equal arguments share one join
        lookup = exp.Anonymous(this=call_of(node).name, expressions=arguments)
        found.setdefault(lookup, []).append(node)
    return found


def _can_join(node: exp.Anonymous, block: SelectBlock, sources: set[int]) -> bool:
    """Whether a call, or the test whether its answer is known, can read a joined mapping."""
    call = notes(node).call
    if call is None or not call.per_input:
        return False
    place = block.blocks.place_of_call(node)
    if place.block is not block or not place.is_direct:
        return False
    if place.stage is not Stage.ROWS:
        return False  # a join yields rows: not groups, nor pairs on which ON is still open
    return all(_is_safe(argument, sources) for argument in node.expressions)


def _is_safe(argument: exp.Expr, sources: set[int]) -> bool:
    """Whether an argument is made of columns of these sources in ways that never fail: a join
    evaluates it also on rows that a condition before it drops."""
    for part in nodes(argument):
        if isinstance(part, exp.Column):
            if id(notes(part).source) not in sources:
                return False
        elif not isinstance(part, _SAFE):
            return False
    return True


def _join_mapping(
    block: SelectBlock,
    alias: str,
    table: str,
    lookup: exp.Anonymous,
    places: Sequence[exp.Anonymous],
) -> None:
    """LEFT JOIN table AS alias ON alias.k0 IS NOT DISTINCT FROM argument, read in all places."""
    keys = [column(key_name(i), alias) for i in range(len(lookup.expressions))]
    for node in places:
        # the mapping holds the arguments: not all keys are NULL, as NULLs alone are not asked about
        is_found = any_present(keys)
        node.replace(is_found if notes(node).is_lookup else column("value", alias))
    pairs = []
    for key, argument in zip(keys, lookup.expressions, strict=True):
        pairs.append(exp.NullSafeEQ(this=key, expression=argument))
    mapping = exp.Table(this=quoted(table), alias=exp.TableAlias(this=quoted(alias)))
    on = exp.and_(*pairs, copy=False)
    block.select.append("joins", exp.Join(this=mapping, side="LEFT", on=on))


# Sub-selects


def _map_value(node: exp.Anonymous, table: str) -> exp.Expr:
    """The value of a map call as a scalar sub-select, where DuckDB can evaluate one."""
    if _is_in_outer_join(node) or any(map(_must_stay_outside, node.expressions)):
        return _element_of_map(node, table)
    return exp.Subquery(this=_keyed(table, list(node.expressions)))


def _is_in_outer_join(node: exp.Expr) -> bool:
    """Whether a call stands in the condition of an outer, semi or anti join, where DuckDB fails on
    sub-selects."""
    join = node.find_ancestor(exp.Join, exp.Select)
    return isinstance(join, exp.Join) and bool(join.side or join.kind in ("SEMI", "ANTI"))


def _must_stay_outside(argument: exp.Expr) -> bool:
    """Whether an argument cannot move into a sub-select: a window function, and an aggregate over
    other look-ups or over no column, would be evaluated there."""
    if has_window(argument):
        return True
    for part in argument.walk():
        if is_aggregate(part) and (part.find(exp.Query) or not part.find(exp.Column)):
            return True
    return False


def _element_of_map(node: exp.Anonymous, table: str) -> exp.Expr:
    """(SELECT MAP(ARRAY_AGG({'k0': k0}), ARRAY_AGG(value)) FROM table)[{'k0': argument}]"""
    # the sub-select is about the mapping alone; the arguments stay outside, as a subscript
    names = [key_name(i) for i in range(len(node.expressions))]
    keys = _struct(names, [column(name, table) for name in names])
    wanted = _struct(names, [copied(argument) for argument in node.expressions])
    values = exp.ArrayAgg(this=column("value", table))
    whole = exp.Map(keys=exp.ArrayAgg(this=keys), values=values)
    mapping = exp.Select(expressions=[whole], from_=_from(table))
    return exp.Bracket(this=exp.Subquery(this=mapping), expressions=[wanted])


def _struct(names: Sequence[str], values: Sequence[exp.Expr]) -> exp.Struct:
    fields = []
    for name, value in zip(names, values, strict=True):
        fields.append(exp.PropertyEQ(this=quoted(name), expression=value))
    return exp.Struct(expressions=fields)


def _is_held(node: exp.Expr, table: str) -> exp.Expr:
    """Whether a mapping holds some arguments."""
    return exp.Exists(this=_keyed(table, list(node.expressions)))


def _ans_value(node: exp.Anonymous, table: str) -> exp.Expr:
    """All answers of an ans inside IN and as the whole of a SELECT without FROM; else the first."""
    answers = _keyed(table, list(outer_columns(node)))
    answers.order_by(column("position", table), copy=False)
    holder = node.parent
    # x IN (call) becomes x IN (SELECT ...)
    if isinstance(holder, exp.In) and len(holder.expressions) == 1 and holder.this is not node:
        holder.set("query", exp.Subquery(this=answers))
        holder.set("expressions", None)
        return exp.Null()
    if isinstance(holder, (exp.Cast, exp.TryCast)) and holder.to.this == exp.DType.ARRAY:
        answers.set("order", None)
        value, position = column("value", table), column("position", table)
        answers.set("expressions", [tree_of("LIST($v ORDER BY $p)", v=value, p=position)])
        return exp.Subquery(this=answers)
    whole = holder.parent if isinstance(holder, exp.Alias) else None
    if isinstance(whole, exp.Select) and _only_shows_one(whole):
        # as a FROM, because the SELECT may be a side of UNION
        alias = exp.TableAlias(this=quoted(table))
        whole.set("from_", exp.From(this=exp.Subquery(this=answers, alias=alias)))
        return column("value", table)
    return exp.Subquery(this=answers.limit(1, copy=False))


def _only_shows_one(select: exp.Select) -> bool:
    return len(select.expressions) == 1 and not select.args.get("from_")


def _keyed(table: str, arguments: Sequence[exp.Expr]) -> exp.Select:
    """SELECT value FROM table WHERE k0 IS NOT DISTINCT FROM argument"""
    select = exp.Select(expressions=[column("value", table)], from_=_from(table))
    matches = []
    for i, argument in enumerate(arguments):
        key = column(key_name(i), table)
        matches.append(exp.NullSafeEQ(this=key, expression=copied(argument)))
    return select.where(*matches, copy=False) if matches else select


def _from(table: str) -> exp.From:
    return exp.From(this=exp.Table(this=quoted(table)))
