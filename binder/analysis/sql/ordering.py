"""Row order made explicit: tables keep their order, ties keep it, LIMIT keeps it.

A query that collects the inputs of a call and the one that shows its values must see the rows in
the same order, so nothing that depends on it is left to DuckDB. A scalar sub-select takes its first
row, a bare column of a group the row that stands for the group.
"""

from __future__ import annotations

from sqlglot import exp

from binder.analysis.sql.aggregates import AROUND, aggregates_of, is_aggregate, is_grouped
from binder.analysis.sql.bare_columns import settle_bare_columns, take_first
from binder.analysis.sql.value_linking import hidden_column
from binder.language.annotations import notes
from binder.language.relations import Field, Source
from binder.language.sqltree import copied, is_placeholder, nodes

# rooms above ask here what a SELECT does to its rows
__all__ = [
    "ROW_ORDER", "aggregates_of", "is_aggregate", "is_grouped", "order_keys", "order_rows", "settle"
]  # fmt: skip

ROW_ORDER = "row order"  # the hidden column with which a sub-select hands on its order

_SEEING_ORDER = (exp.GroupConcat, exp.ArrayAgg, exp.First, exp.Last, exp.AnyValue)
_NUMBERING = (exp.RowNumber, exp.Ntile, exp.Lag, exp.Lead, exp.FirstValue)
# around a sub-select: what takes all of its rows, not one value
_OF_ROWS = (
    exp.From, exp.Join, exp.In, exp.Any, exp.All, exp.Exists, exp.CTE, exp.Lateral,
    exp.SetOperation, exp.Subquery, exp.Table,
)  # fmt: skip


def settle(tree: exp.Expr) -> exp.Expr:
    """Makes the row order of every SELECT of the tree explicit, inner ones first."""
    # Without a call no collect has to meet the rows of the query in the same order.
    calls = any(map(is_placeholder, nodes(tree)))
    for select in reversed(nodes(tree)):
        if isinstance(select, exp.Select):
            _settle(select, tree, calls)
    for together in nodes(tree):
        if isinstance(together, exp.SetOperation):
            _order_set(together)
    return tree


def _settle(select: exp.Select, tree: exp.Expr, calls: bool) -> None:
    inside = isinstance(select.parent, (exp.Subquery, exp.CTE))
    if calls and inside and select.args.get("distinct"):
        _undistinct(select)  # so that its rows have a place
    _first_rows(select)
    # In a ROLLUP a column may be a key in one row and bare in the next: FIRST would be wrong there.
    group = select.args.get("group")
    if is_grouped(select) and not (group and _has_sets(group)):
        settle_bare_columns(select, _rising(order_keys(select)))
    if calls:
        _untie(select)
    if select.parent is tree or _keeps_order(select):
        order_rows(select)
    elif _is_side(select, tree):
        order_rows(select)
        _parenthesize(select)
    if group := select.args.get("group"):
        _drop_equal_keys(group)


def _has_sets(group: exp.Group) -> bool:
    """Whether a column may be grouped in some rows and not in others."""
    return bool(group.args.get("all") or group.find(exp.Rollup, exp.Cube, exp.GroupingSets))


def _parenthesize(side: exp.Select) -> None:
    """Puts a side of a set operation that has an order of its own in parentheses."""
    around = side.parent
    if side.args.get("order") is not None and isinstance(around, exp.SetOperation):
        around.set("this" if side is around.this else "expression", exp.Subquery(this=side))


def _drop_equal_keys(group: exp.Group) -> None:
    """Keeps the first of equal keys: DuckDB's parser drops the others, too, and compares keys
    without the names of what sub-selects in them show."""
    kept: dict[exp.Expr, exp.Expr] = {}
    for key in group.expressions:
        kept.setdefault(_nameless(key), key)
    group.set("expressions", list(kept.values()))


def _nameless(key: exp.Expr) -> exp.Expr:
    # transform copies the whole key: only sub-selects have names to lose
    if not key.find(exp.Query):
        return key
    bare: exp.Expr = key.transform(lambda part: part.unalias())
    return bare


def _is_side(select: exp.Select, tree: exp.Expr) -> bool:
    """Whether a SELECT is a side of the UNION ALL whose rows are shown."""
    node = select.parent
    while isinstance(node, (exp.Union, exp.Subquery)) and node is not tree:
        if node.args.get("distinct"):
            return False
        node = node.parent
    return node is tree and isinstance(tree.this, exp.Union) and not tree.this.args.get("order")


def _untie(select: exp.Select) -> None:
    """Gives row order to what depends on the order of rows."""
    keys = order_keys(select)
    clauses = [select.args.get(name) for name in ("having", "order", "qualify")]
    for part in (*select.expressions, *clauses):
        for function in aggregates_of(part) if part is not None else ():
            _order_inside(function, keys)
    keys = _first(keys) if is_grouped(select) else keys
    for part in nodes(select, (exp.Query,)):
        if isinstance(part, exp.Window) and not part.alias:
            _untie_window(part, keys)


def _untie_window(window: exp.Window, keys: list[exp.Expr]) -> None:
    # IGNORE NULLS and FILTER stand around the function
    function = window.this.this if isinstance(window.this, AROUND) else window.this
    order = window.args.get("order")
    if isinstance(function, _NUMBERING) and keys:
        items = order.expressions if order else []
        window.set("order", exp.Order(expressions=[*items, *_rising(keys)]))
    elif order is None:
        _order_inside(function, keys)


def _order_inside(function: exp.Expr, keys: list[exp.Expr]) -> None:
    """Gives an aggregate that sees the order of its rows these keys; of distinct values, the values
    themselves."""
    if not isinstance(function, _SEEING_ORDER) or isinstance(function.this, exp.Order):
        return
    # DuckDB orders DISTINCT values only by themselves: STRING_AGG(DISTINCT a ORDER BY a)
    keys = function.this.expressions if isinstance(function.this, exp.Distinct) else keys
    if keys:
        function.set("this", exp.Order(this=function.this, expressions=_rising(keys)))


def _rising(keys: list[exp.Expr]) -> list[exp.Expr]:
    return [exp.Ordered(this=copied(key), nulls_first=False) for key in keys]


def _order_set(node: exp.SetOperation) -> None:
    """Rows without duplicates come in the order of their values, as in SQLite; UNION ALL keeps the
    order of its sides."""
    order = node.args.get("order")
    limited = node.args.get("limit") or node.args.get("offset")
    if order:
        wanted = bool(limited)
    else:
        keeps = isinstance(node, exp.Union) and not node.args.get("distinct")
        wanted = not keeps and bool(limited or not _is_part(node))
    if wanted:
        items = order.expressions if order else []
        numbers: list[exp.Expr] = [exp.Literal.number(i + 1) for i in range(len(node.selects))]
        node.set("order", exp.Order(expressions=[*items, *_rising(numbers)]))


def _is_part(node: exp.SetOperation) -> bool:
    """Whether the rows of a set operation are only looked at: as a side, a list or a CTE."""
    holders = (node.parent, node.parent.parent if node.parent else None)
    looking = (exp.SetOperation, exp.In, exp.Exists, exp.CTE)
    return any(isinstance(holder, looking) for holder in holders)


def _first_rows(select: exp.Select) -> None:
    """A sub-select that stands for one value takes its first row."""
    around = select.parent
    if not isinstance(around, exp.Subquery):
        return
    if select.args.get("limit") or around.args.get("limit"):
        return
    holder = around.parent
    if holder is None or isinstance(holder, _OF_ROWS) or is_placeholder(holder):
        return
    if isinstance(holder, exp.Select) and around.arg_key in ("from_", "joins", "laterals"):
        return
    # SELECT MAX(a) has one row: LIMIT 1 would say nothing
    if _is_one_group(select):
        return
    select.limit(1, copy=False)


def _is_one_group(select: exp.Select) -> bool:
    """Whether a SELECT yields one row, that of all its rows together."""
    return is_grouped(select) and not select.args.get("group")


def _keeps_order(select: exp.Select) -> bool:
    """Whether the order of rows can be seen outside: under LIMIT, and in the arguments of a
    call."""
    if select.args.get("limit") or select.args.get("order"):
        return True
    holder = select.parent
    return isinstance(holder, exp.Subquery) and is_placeholder(holder.parent)


def order_rows(select: exp.Select) -> None:
    """Adds the order of the source rows behind the ORDER BY that there is."""
    order = select.args.get("order")
    if order is not None and isinstance(order.expressions[0].this, exp.Var):
        return  # ORDER BY ALL
    keys = order_keys(select)
    if not keys or (order is None and _streams(select)):
        return
    if select.args.get("distinct"):
        if not _undistinct(select):
            return
        keys = _first(keys)
    elif is_grouped(select):
        if _is_one_group(select) or (order is not None and _all_keys(select, order)):
            return
        keys = _first(keys)
    select.order_by(*[exp.Ordered(this=part, nulls_first=False) for part in keys], copy=False)


def _all_keys(select: exp.Select, order: exp.Order) -> bool:
    """Whether groups are in the order of all their keys: then no two are alike."""
    shown = {part.alias_or_name.casefold(): part.unalias() for part in select.expressions}
    ordered: list[exp.Expr] = []
    for item in order.expressions:
        ordered.append(item.this)
        if isinstance(item.this, exp.Column) and not item.this.table:
            named = shown.get(item.this.name.casefold())
            ordered += [named] if named is not None else []
    grouped = select.args["group"].expressions
    return bool(grouped) and all(key in ordered for key in grouped)


def _streams(select: exp.Select) -> bool:
    """Whether DuckDB keeps row order by itself: one stored table, no grouping, no look-ups."""
    start = select.args.get("from_")
    source = notes(start.this).source if start is not None else None
    if source is None or source.table is None or select.args.get("joins"):
        return False
    if select.args.get("distinct") or is_grouped(select):
        return False
    for part in nodes(select):
        if isinstance(part, (exp.Window, exp.Subquery)) or is_placeholder(part):
            return False
    return True


def _undistinct(select: exp.Select) -> bool:
    """SELECT DISTINCT as GROUP BY of all its columns, which can be ordered by first appearance."""
    if select.args["distinct"].args.get("on") or is_grouped(select) or select.args.get("qualify"):
        return False
    if any(projection.find(exp.Window) for projection in select.expressions):
        return False
    select.set("distinct", None)
    shown = [projection.unalias() for projection in select.expressions]
    select.set("group", exp.Group(expressions=list(map(copied, shown))))
    if (order := select.args.get("order")) is not None:
        take_first(order, set(shown), _rising(order_keys(select)))
    return True


# what puts rows in order


def order_keys(select: exp.Select) -> list[exp.Expr]:
    """What puts the source rows of a SELECT in order: the row_id of each stored table, or what its
    sub-selects hand on."""
    start = select.args.get("from_")
    joins = [j for j in select.args.get("joins") or () if j.kind not in ("SEMI", "ANTI")]
    items = [*([start] if start else []), *joins]
    keys: list[exp.Expr] = []
    for item in items:
        source = notes(item.this).source
        found = _keys(source) if source is not None else []
        # The rows of UNNEST, say, have no place: what stands before it orders them.
        if not found:
            return keys
        keys += found
    return keys


def _keys(source: Source) -> list[exp.Expr]:
    """What puts the rows of one source in order: their place where they come from, else what they
    hold."""
    if source.table is not None:
        return [hidden_column(source, Field("row_id", "number"))]
    if _hands_on_order(source.select):
        return [hidden_column(source, Field(ROW_ORDER, "number"))]
    fields = source.fields if source.select is not None else []
    return [hidden_column(source, held) for held in fields]


def _hands_on_order(query: exp.Expr | None) -> bool:
    """Makes a query hand on the place of each row in a hidden column, where it has one."""
    sides = _sides(query)
    if all(ROW_ORDER in side.named_selects for side in sides):
        return bool(sides)
    places: list[exp.Expr] = []
    for number, side in enumerate(sides):
        place = _place(side)
        if place is None:
            return False
        if len(sides) > 1:
            # all rows of one side stand before those of the next
            place = exp.Tuple(expressions=[exp.Literal.number(number), place])
        places.append(place)
    for side, place in zip(sides, places, strict=True):
        side.append("expressions", exp.alias_(place, ROW_ORDER, quoted=True, copy=False))
    return True


def _sides(query: exp.Expr | None) -> list[exp.Select]:
    """The SELECTs whose rows a query hands on as they are, one behind the other; none where it is
    too involved."""
    if isinstance(query, exp.Select):
        return [] if query.args.get("distinct") else [query]
    if isinstance(query, exp.Subquery):
        return [] if _has(query, "order", "limit", "offset") else _sides(query.this)
    if not isinstance(query, exp.Union) or _repeats(query):
        return []
    if _has(query, "distinct", "order", "limit", "offset", "by_name", "with_"):
        return []
    left, right = _sides(query.this), _sides(query.expression)
    return [*left, *right] if left and right else []


def _has(query: exp.Expr, *parts: str) -> bool:
    return any(query.args.get(part) for part in parts)


def _repeats(query: exp.Union) -> bool:
    """Whether a UNION is that of a recursive CTE."""
    clause = query.parent.parent if isinstance(query.parent, exp.CTE) else None
    return clause is not None and bool(clause.args.get("recursive"))


def _place(select: exp.Select) -> exp.Expr | None:
    """What tells where a row stands among those of its SELECT."""
    keys = order_keys(select)
    order = select.args.get("order")
    if _is_one_group(select) or (not keys and order is None):
        return None
    keys = _first(keys) if is_grouped(select) else keys
    if order is None and len(keys) == 1:
        return keys[0]
    items = [copied(item) for item in order.expressions] if order else []
    # order_rows may have added the same keys before
    items = [item for item in items if not isinstance(item.this, exp.Min) or item.this not in keys]
    items += [exp.Ordered(this=part, nulls_first=False) for part in keys]
    return exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=items))


def _first(keys: list[exp.Expr]) -> list[exp.Expr]:
    """The first row of a group, of several tables taken together: then no two groups are alike."""
    if len(keys) < 2:
        return [exp.Min(this=key) for key in keys]
    named: list[exp.Expr] = []
    for i, key in enumerate(keys):
        name = exp.to_identifier(f"o{i}", quoted=True)
        named.append(exp.PropertyEQ(this=name, expression=key))
    return [exp.Min(this=exp.Struct(expressions=named))]
