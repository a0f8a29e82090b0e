"""A resolved tree comes in; it goes out with row order made explicit: tables keep their order, ties
keep it, LIMIT does.

Bare columns under GROUP BY take the first row of the group (with one MIN or MAX, the row that holds
it), a scalar sub-select its first row."""

from __future__ import annotations

from sqlglot import exp

from binder.analysis.sql.scope import Field, Source
from binder.analysis.sql.types import kind
from binder.analysis.sql.value_linking import hidden_column
from binder.language.annotations import annotate, notes
from binder.language.sqltree import copied, is_placeholder, nodes

ROW_ORDER = "row order"  # the hidden column with which a sub-select hands on its order


def settle(tree: exp.Expr) -> exp.Expr:
    """Applies all three rules to every SELECT of the tree, inner ones first."""
    calls = any(map(is_placeholder, nodes(tree)))
    for select in reversed([node for node in nodes(tree) if isinstance(node, exp.Select)]):
        if (
            calls
            and select.args.get("distinct")
            and isinstance(select.parent, (exp.Subquery, exp.CTE))
        ):
            _undistinct(select)  # so that its rows have a place
        _first_rows(select)
        if is_grouped(select):
            _bare_columns(select)
        if calls:
            _untie(select)
        if select.parent is tree or _keeps_order(select):
            order_rows(select)
        elif _is_side(select, tree):
            order_rows(select)
            if select.args.get("order") is not None and isinstance(
                holder := select.parent, exp.SetOperation
            ):
                holder.set(
                    "this" if select is holder.this else "expression", exp.Subquery(this=select)
                )
        if (
            group := select.args.get("group")
        ) is not None:  # the engine's parser drops the second of two equal keys, too
            group.set(
                "expressions",
                list({_nameless(key): key for key in reversed(group.expressions)}.values())[::-1],
            )
    for together in [node for node in nodes(tree) if isinstance(node, exp.SetOperation)]:
        _order_set(together)
    return tree


def _nameless(key: exp.Expr) -> exp.Expr:
    """A key without the names of what is shown inside: the engine's parser compares keys
    without."""
    return (
        key.transform(lambda part: part.this if isinstance(part, exp.Alias) else part)
        if key.find(exp.Query)
        else key
    )


def _is_side(select: exp.Select, tree: exp.Expr) -> bool:
    """Whether a SELECT is a side of the UNION ALL whose rows are shown."""
    node = select.parent
    while (
        isinstance(node, (exp.Union, exp.Subquery))
        and node is not tree
        and not node.args.get("distinct")
    ):
        node = node.parent
    return node is tree and isinstance(tree.this, exp.Union) and not tree.this.args.get("order")


def _untie(select: exp.Select) -> None:
    """What depends on the order of rows is given it: a query that collects and the one that shows
    must see the same."""
    keys = order_keys(select)
    parts = [
        *select.expressions,
        select.args.get("having"),
        select.args.get("order"),
        select.args.get("qualify"),
    ]
    for one in [one for part in parts if part is not None for one in aggregates_of(part)]:
        _order_inside(one, keys)
    keys = _first(keys) if is_grouped(select) else keys
    for window in [
        part
        for part in nodes(select, (exp.Query,))
        if isinstance(part, exp.Window) and not part.alias
    ]:
        function, order = (
            window.this.this if isinstance(window.this, _AROUND) else window.this,
            window.args.get("order"),
        )
        if isinstance(function, _NUMBERING) and keys:
            window.set(
                "order",
                exp.Order(expressions=[*(order.expressions if order else []), *_rising(keys)]),
            )
        elif order is None:
            _order_inside(function, keys)


def _order_inside(function: exp.Expr, keys: list[exp.Expr]) -> None:
    """Gives an aggregate that sees the order of its rows these keys; of distinct values, the values
    themselves."""
    if not isinstance(function, _SEEING_ORDER) or isinstance(function.this, exp.Order):
        return
    keys = function.this.expressions if isinstance(function.this, exp.Distinct) else keys
    if keys:
        function.set("this", exp.Order(this=function.this, expressions=_rising(keys)))


_SEEING_ORDER = (exp.GroupConcat, exp.ArrayAgg, exp.First, exp.Last, exp.AnyValue)
_NUMBERING = (exp.RowNumber, exp.Ntile, exp.Lag, exp.Lead, exp.FirstValue)


def _rising(keys: list[exp.Expr]) -> list[exp.Expr]:
    return [exp.Ordered(this=copied(key), nulls_first=False) for key in keys]


def _order_set(node: exp.SetOperation) -> None:
    """Rows without duplicates come in the order of their values, as in SQLite; UNION ALL keeps the
    order of its sides."""
    keeps = isinstance(node, exp.Union) and not node.args.get("distinct")
    holders = (node.parent, node.parent.parent if node.parent else None)
    within = any(
        isinstance(holder, (exp.SetOperation, exp.In, exp.Exists, exp.CTE)) for holder in holders
    )
    limited, order = node.args.get("limit") or node.args.get("offset"), node.args.get("order")
    if limited if order else (not keeps and (limited or not within)):
        columns = [
            exp.Ordered(this=exp.Literal.number(i + 1), nulls_first=False)
            for i in range(len(node.selects))
        ]
        node.set("order", exp.Order(expressions=[*(order.expressions if order else []), *columns]))


def is_grouped(select: exp.Select) -> bool:
    """Whether the SELECT yields groups rather than rows."""
    if select.args.get("group") or select.args.get("having"):
        return True
    return any(
        aggregates_of(part)
        for part in (*select.expressions, select.args.get("order"))
        if part is not None
    )


def aggregates_of(node: exp.Expr) -> list[exp.Expr]:
    """Aggregate functions in an expression that belong to its own SELECT and are no window
    functions."""
    if isinstance(node, exp.Window):
        return [found for piece in window_parts(node) for found in aggregates_of(piece)]
    found = []
    for part in nodes(node, (exp.Query, exp.Window)):
        if isinstance(part, exp.Window):
            found += aggregates_of(part)
        elif isinstance(part, exp.AggFunc) or _is_named_aggregate(part):
            found.append(part)
    return found


def window_parts(window: exp.Window) -> list[exp.Expr]:
    """What a window function reads: its arguments, its FILTER, PARTITION BY and ORDER BY."""
    function, parts = (
        window.this,
        [*(window.args.get("partition_by") or []), window.args.get("order")],
    )
    while isinstance(function, _AROUND):
        parts += [part for part in function.iter_expressions() if part is not function.this]
        function = function.this
    return [part for part in (*function.iter_expressions(), *parts) if isinstance(part, exp.Expr)]


def is_aggregate(node: exp.Expr) -> bool:
    """Whether a node is an aggregate, with all that belongs to it: what stands inside sees rows,
    not groups."""
    while isinstance(node, _AROUND):
        node = node.this
    return isinstance(node, exp.AggFunc) or _is_named_aggregate(node)


def _is_named_aggregate(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.upper() in _NAMED


_OF_ROWS = (
    exp.From, exp.Join, exp.In, exp.Any, exp.All, exp.Exists, exp.CTE, exp.Lateral, exp.SetOperation, exp.Subquery, exp.Table,
)  # fmt: skip
_AROUND = (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)
_NAMED = {
    "STRING_AGG", "LISTAGG", "FAVG", "FSUM", "PRODUCT", "BOOL_AND", "BOOL_OR", "BIT_AND", "BIT_OR", "BIT_XOR",
    "HISTOGRAM", "ENTROPY", "KURTOSIS", "SKEWNESS", "MAD", "SEM", "GEOMEAN", "GEOMETRIC_MEAN", "ARBITRARY", "LIST",
    "QUANTILE_CONT", "QUANTILE_DISC", "REGR_SLOPE", "CORR", "COVAR_POP", "COVAR_SAMP",
}  # fmt: skip


def _first_rows(select: exp.Select) -> None:
    """A sub-select that stands for one value takes its first row."""
    subquery = select.parent
    if (
        not isinstance(subquery, exp.Subquery)
        or select.args.get("limit")
        or subquery.args.get("limit")
    ):
        return
    holder = subquery.parent
    if holder is None or isinstance(holder, _OF_ROWS) or is_placeholder(holder):
        return
    if isinstance(holder, exp.Select) and subquery.arg_key in ("from_", "joins", "laterals"):
        return
    if is_grouped(select) and not select.args.get("group"):
        return
    select.limit(1, copy=False)


def _keeps_order(select: exp.Select) -> bool:
    """Whether the order of rows can be seen outside: under LIMIT, and in the arguments of a
    call."""
    holder = select.parent
    around = holder.parent if isinstance(holder, exp.Subquery) else None
    return (
        bool(select.args.get("limit")) or bool(select.args.get("order")) or is_placeholder(around)
    )


def order_rows(select: exp.Select) -> None:
    """Adds the order of the source rows behind the ORDER BY that there is."""
    order = select.args.get("order")
    if order is not None and any(isinstance(item.this, exp.Var) for item in order.expressions):
        return  # ORDER BY ALL
    keys = order_keys(select)
    if not keys or (order is None and _streams(select)):
        return
    if select.args.get("distinct"):
        if not _undistinct(select):
            return
        keys = _first(keys)
    elif is_grouped(select):
        group = select.args.get("group")
        if not group or (order is not None and group.expressions and _all_keys(select, order)):
            return
        keys = _first(keys)
    select.order_by(*[exp.Ordered(this=part, nulls_first=False) for part in keys], copy=False)


def _all_keys(select: exp.Select, order: exp.Order) -> bool:
    """Whether groups are in the order of all their keys: then no two are alike."""
    shown = {part.alias_or_name.casefold(): part.unalias() for part in select.expressions}
    items = [item.this for item in order.expressions]
    named = [
        shown.get(item.name.casefold(), item)
        if isinstance(item, exp.Column) and not item.table
        else item
        for item in items
    ]
    return all(key in items or key in named for key in select.args["group"].expressions)


def _streams(select: exp.Select) -> bool:
    """Whether the engine keeps row order by itself: one stored table, no grouping, no look-ups."""
    single = select.args.get("from_") is not None and not select.args.get("joins")
    source = notes(select.args["from_"].this).source if single else None
    if (
        not isinstance(source, Source)
        or source.table is None
        or select.args.get("distinct")
        or is_grouped(select)
    ):
        return False
    return not any(
        isinstance(part, (exp.Window, exp.Subquery)) or is_placeholder(part)
        for part in nodes(select)
    )


def _undistinct(select: exp.Select) -> bool:
    """SELECT DISTINCT as GROUP BY of all its columns, which can be ordered by first appearance."""
    if select.args["distinct"].args.get("on") or is_grouped(select) or select.args.get("qualify"):
        return False
    if any(p.find(exp.Window) for p in select.expressions):
        return False
    select.set("distinct", None)
    known = [p.unalias() for p in select.expressions]
    select.set("group", exp.Group(expressions=list(map(copied, known))))
    if (order := select.args.get("order")) is not None:
        _aggregate_bare(order, set(known), _rising(order_keys(select)))
    return True


def order_keys(select: exp.Select) -> list[exp.Expr]:
    """What puts the source rows of a SELECT in order: the row_id of each stored table, or what its
    sub-selects hand on."""
    start = select.args.get("from_")
    nodes = [start.this] if start else []
    nodes += [
        join.this for join in select.args.get("joins") or () if join.kind not in ("SEMI", "ANTI")
    ]
    keys: list[exp.Expr] = []
    for node in nodes:
        source = notes(node).source
        found = _keys(source) if isinstance(source, Source) else []
        if not found:
            return keys
        keys += found
    return keys


def _keys(source: Source) -> list[exp.Expr]:
    """What puts the rows of one source in order: their place where they come from, else what they
    hold."""
    if source.table is not None:
        return [hidden_column(source, Field("row_id", "number"))]
    sides = _sides(source.select)
    if any(ROW_ORDER not in side.named_selects for side in sides):
        made = [place for side in sides if (place := _place(side)) is not None]
        if len(made) == len(sides):
            for number, (side, place) in enumerate(zip(sides, made, strict=True)):
                place = (
                    place
                    if len(sides) == 1
                    else exp.Tuple(expressions=[exp.Literal.number(number), place])
                )
                side.append("expressions", exp.alias_(place, ROW_ORDER, quoted=True, copy=False))
        else:
            sides = []
    told = (
        [Field(ROW_ORDER, "number")]
        if sides
        else source.fields
        if source.select is not None
        else []
    )
    return [hidden_column(source, held) for held in told]


def _sides(query: exp.Expr | None) -> list[exp.Select]:
    """The SELECTs whose rows a query hands on as they are, one behind the other; none where it is
    too involved."""
    if isinstance(query, exp.Subquery) and not any(
        query.args.get(part) for part in ("order", "limit", "offset")
    ):
        return _sides(query.this)
    if isinstance(query, exp.Select):
        return [] if query.args.get("distinct") else [query]
    tail = ("distinct", "order", "limit", "offset", "by_name", "with_")
    if (
        not isinstance(query, exp.Union)
        or any(query.args.get(part) for part in tail)
        or _repeats(query)
    ):
        return []
    left, right = _sides(query.this), _sides(query.expression)
    return [*left, *right] if left and right else []


def _repeats(query: exp.Union) -> bool:
    """Whether a UNION is that of a recursive CTE."""
    clause = query.parent.parent if isinstance(query.parent, exp.CTE) else None
    return clause is not None and bool(clause.args.get("recursive"))


def _place(select: exp.Select) -> exp.Expr | None:
    """What tells where a row stands among those of its SELECT."""
    keys = order_keys(select)
    order = select.args.get("order")
    if not keys and order is None or (is_grouped(select) and not select.args.get("group")):
        return None
    keys = _first(keys) if is_grouped(select) else keys
    items = [copied(item) for item in order.expressions] if order else []
    items = [item for item in items if not isinstance(item.this, exp.Min) or item.this not in keys]
    items += [exp.Ordered(this=part, nulls_first=False) for part in keys]
    numbered = exp.Window(this=exp.RowNumber(), order=exp.Order(expressions=items))
    return keys[0] if order is None and len(keys) == 1 else numbered


def _first(keys: list[exp.Expr]) -> list[exp.Expr]:
    """The first row of a group, of several tables taken together: then no two groups are alike."""
    if len(keys) > 1:
        pairs = [
            exp.PropertyEQ(this=exp.to_identifier(f"o{i}", quoted=True), expression=key)
            for i, key in enumerate(keys)
        ]
        keys = [exp.Struct(expressions=pairs)]
    return [exp.Min(this=key) for key in keys]


def _bare_columns(select: exp.Select) -> None:
    """Columns that are neither grouped nor aggregated take the row that stands for the group."""
    group = select.args.get("group")
    if group is not None and (
        group.args.get("all") or group.find(exp.Rollup, exp.Cube, exp.GroupingSets)
    ):
        return
    grouped = set(group.expressions) if group else set()
    order = _standing_row(select)
    for part in (*select.expressions, select.args.get("having"), select.args.get("order")):
        if part is not None:
            _aggregate_bare(part, grouped, order)


def _standing_row(select: exp.Select) -> list[exp.Expr]:
    """With exactly one MIN or MAX, the row that holds it; else the first."""
    extremes = [a for part in select.expressions for a in aggregates_of(part)]
    keys = order_keys(select)
    ordered: list[exp.Expr] = [exp.Ordered(this=part, nulls_first=False) for part in keys]
    if len(extremes) == 1 and isinstance(extremes[0], (exp.Min, exp.Max)) and extremes[0].this:
        held = exp.Ordered(
            this=copied(extremes[0].this), desc=isinstance(extremes[0], exp.Max), nulls_first=False
        )
        return [held, *ordered]
    return ordered


def _aggregate_bare(node: exp.Expr, grouped: set[exp.Expr], order: list[exp.Expr]) -> None:
    if isinstance(node, exp.Column) and node not in grouped:
        if notes(node).field is not None and not isinstance(node.this, exp.Star):
            inner = copied(node)
            first = exp.First(
                this=exp.Order(this=inner, expressions=[copied(o) for o in order])
                if order
                else inner
            )
            annotate(first, family=kind(node))
            node.replace(first)
        return
    if node in grouped or is_aggregate(node) or isinstance(node, exp.Query):
        return
    if isinstance(node, exp.Window):
        for piece in window_parts(node):
            _aggregate_bare(piece, grouped, order)
        return
    for child in list(node.iter_expressions()):
        _aggregate_bare(child, grouped, order)
