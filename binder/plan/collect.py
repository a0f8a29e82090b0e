"""A Collect and the sites asked so far come in; the plain query that yields its inputs goes out, and so do lookups of bound
calls.

A bound call is a look-up in the narrow table of its mapping: a scalar sub-select that compares NULL-safely, legal wherever an
expression is.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from binder.check.rows import is_aggregate, order_keys
from binder.check.scope import Source
from binder.plan import Collect, Site
from binder.program import placeholders

_POSITION = "n"  # where in row order an input first stands


def mapping_name(call_name: str, tag: str) -> str:
    """The table that holds the mapping of a call in the execution of that tag."""
    return f"answers of {call_name.lower()} {tag}"


def key_name(index: int) -> str:
    return f"k{index}"


def unasked(node: exp.Expr, asked: frozenset[int]) -> bool:
    """Whether an expression needs a call that was not asked yet."""
    return any(part.meta.get("site") not in asked for part in placeholders(node))


def inputs_of_map(collect: Collect, asked: frozenset[int]) -> exp.Select:
    """The distinct arguments of a map call, one column each."""
    return _inputs(collect, collect.site.node.expressions, asked)


def inputs_of_ans(collect: Collect, asked: frozenset[int]) -> tuple[list[exp.Column], exp.Select | None]:
    """The outer columns that the arguments of an ans call refer to, and the query for their distinct values."""
    outer = outer_columns(collect.site.node)
    return outer, _inputs(collect, outer, asked) if outer else None


def _inputs(collect: Collect, values: Sequence[exp.Expr], asked: frozenset[int]) -> exp.Select:
    """Distinct values at a site, in the order of their first appearance, so that equal runs ask equal requests."""
    names = [key_name(i) for i in range(len(values))]
    keys = [exp.alias_(value.copy(), name, quoted=True) for value, name in zip(values, names, strict=True)]
    inner = _lifted(_rows(collect, keys, asked), collect.site, names, asked)
    clause = inner.args.get("with_")
    inner.set("with_", None)
    ordered = exp.Min(this=exp.column(_POSITION)) if _POSITION in inner.named_selects else exp.var("ALL")
    return exp.Select(
        expressions=[exp.column(exp.to_identifier(name, quoted=True)) for name in names],
        from_=_derived(inner),
        group=exp.Group(all=True),
        order=exp.Order(expressions=[exp.Ordered(this=ordered, nulls_first=False)]),
        with_=clause,
    )


def outer_columns(node: exp.Expr) -> list[exp.Column]:
    """Columns in a tree whose source stands outside of it."""
    own = {
        id(part.meta["source"])
        for part in node.walk()
        if isinstance(part.meta.get("source"), Source) and not isinstance(part, exp.Column)
    }
    found: dict[str, exp.Column] = {}
    for column in node.find_all(exp.Column):
        source = column.meta.get("source")
        if source is not None and id(source) not in own:
            found.setdefault(column.sql("duckdb"), column)
    return list(found.values())


def _rows(collect: Collect, keys: list[exp.Expr], asked: frozenset[int]) -> exp.Select:
    """The rows on which a call is evaluated, as far as that is known, their place in row order beside them."""
    site = collect.site
    if site.level == "groups":
        return _groups(site, keys, asked)
    if site.level == "output" and _complete(site.select, asked):
        return _output(site.select, keys)
    query = exp.Select(expressions=keys)
    start = site.select.args.get("from_")
    if start is not None:
        query.set("from_", start.copy())
    query.set("joins", _joins(site.select, site.join, asked))
    conditions = [c.copy() for c in collect.where if not unasked(c, asked)]
    if conditions:
        query.where(*conditions, copy=False)
    return _placed(query, order_keys(query))


def _placed(query: exp.Select, order: list[exp.Expr]) -> exp.Select:
    """The query with the place of each row as a further column, where one column tells it."""
    if len(order) == 1:
        query.append("expressions", exp.alias_(order[0].copy(), _POSITION))
    return query


def _derived(query: exp.Select) -> exp.From:
    return exp.From(this=exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier("asked"))))


def _joins(select: exp.Select, stop: int | None, asked: frozenset[int]) -> list[exp.Expr]:
    """The joins of a SELECT as far as they are known; with a stop, those up to the one whose condition is evaluated."""
    joins = [join.copy() for join in select.args.get("joins") or ()][: None if stop is None else stop + 1]
    for index, join in enumerate(joins):
        if index == stop:
            _as_pairs(join)
        if join.args.get("on") is not None and unasked(join.args["on"], asked):
            _relax(join, asked)
    return joins


def _as_pairs(join: exp.Join) -> None:
    """A condition of an outer join is evaluated on pairs: as an inner join shows them."""
    join.set("side", None)
    join.set("kind", None)


def _relax(join: exp.Join, asked: frozenset[int]) -> None:
    """Keeps of a join condition what is known; more pairs may come, never fewer."""
    condition = join.args["on"]
    known = [c for c in conjuncts(condition) if not unasked(c, asked)]
    join.set("on", exp.and_(*known, copy=False) if known else exp.true())


def conjuncts(node: exp.Expr) -> list[exp.Expr]:
    """The conditions that AND puts together."""
    node = node.unnest() if isinstance(node, exp.Paren) else node
    return [part for side in (node.left, node.right) for part in conjuncts(side)] if isinstance(node, exp.And) else [node]


def _complete(select: exp.Select, asked: frozenset[int]) -> bool:
    """Whether every clause but the projections can be evaluated."""
    parts = [select.args.get(p) for p in ("where", "having", "qualify", "order", "limit", "offset")]
    known = all(not unasked(part, asked) for part in parts if part is not None)
    joined = all(not unasked(join, asked) for join in select.args.get("joins") or ())
    return known and joined and not select.args.get("distinct")


def _output(select: exp.Select, keys: list[exp.Expr]) -> exp.Select:
    """Exactly the rows that the SELECT yields, LIMIT included."""
    inner = select.copy()
    inner.set("with_", None)
    inner.set("expressions", keys)
    names = [exp.column(exp.to_identifier(key.alias, quoted=True)) for key in keys]
    return exp.Select(expressions=[*names, exp.alias_(exp.Window(this=exp.RowNumber()), _POSITION)], from_=_derived(inner))


def _groups(site: Site, keys: list[exp.Expr], asked: frozenset[int]) -> exp.Select:
    """The groups of a SELECT, its HAVING as far as it is known."""
    inner = site.select.copy()
    for part in ("with_", "order", "limit", "offset", "qualify", "windows", "distinct"):
        inner.set(part, None)
    having = inner.args.get("having")
    if having is not None:
        known = [c for c in conjuncts(having.this) if not unasked(c, asked)]
        inner.set("having", exp.Having(this=exp.and_(*known, copy=False)) if known else None)
    inner.set("expressions", keys)
    return _placed(inner, [exp.Min(this=key) for key in order_keys(site.select)])


def _lifted(query: exp.Select, site: Site, names: list[str], asked: frozenset[int]) -> exp.Select:
    """Puts the FROM of the queries around into a correlated collect, and the CTEs it can refer to in front."""
    select: exp.Expr | None = site.select
    withs = [site.select.args.get("with_")]
    while select is not None:
        below, select = select, select.parent
        if isinstance(select, (exp.Subquery, exp.SetOperation)):
            withs.append(select.args.get("with_"))
        if not isinstance(select, exp.Select):
            continue
        withs.append(select.args.get("with_"))
        if outer_columns(query) and select.args.get("from_") is not None:
            query = _lateral(query, select, below, names, asked)
    ctes = [cte.copy() for clause in reversed(withs) if clause for cte in clause.expressions if not unasked(cte, asked)]
    if ctes:
        recursive = any(clause.args.get("recursive") for clause in withs if clause)
        query.set("with_", exp.With(expressions=ctes, recursive=recursive))
    return query


def _lateral(query: exp.Select, around: exp.Select, below: exp.Expr, names: list[str], asked: frozenset[int]) -> exp.Select:
    """A correlated collect beside the FROM that it refers to, up to the join in whose condition it stands."""
    query.set("expressions", [projection for projection in query.expressions if projection.alias_or_name != _POSITION])
    alias = exp.TableAlias(this=exp.to_identifier("asked", quoted=True))
    keys = [exp.column(exp.to_identifier(name, quoted=True), exp.to_identifier("asked", quoted=True)) for name in names]
    outer = exp.Select(expressions=keys, from_=around.args["from_"].copy())
    stop = around.args["joins"].index(below) if below.arg_key == "joins" else None
    joins = _joins(around, stop, asked)
    outer.set("joins", [*joins, exp.Join(this=exp.Lateral(this=exp.Subquery(this=query), alias=alias))])
    where = around.args.get("where")
    known = (
        [c.copy() for c in conjuncts(where.this) if not placeholders(c) and not c.find(exp.Query)]
        if where and stop is None
        else []
    )
    return outer.where(*known, copy=False) if known else outer


def looked_up(tree: exp.Expr, kinds: dict[str, str], tag: str) -> exp.Expr:
    """A copy of a tree in which every call is a look-up in its mapping. kinds: call name -> map or ans."""
    root = exp.Subquery(this=tree.copy())
    for node in placeholders(root):
        table = mapping_name(node.name, tag)
        node.replace(_map_value(node, table) if kinds[node.name.lower()] == "map" else _ans_value(node, table))
    made: exp.Expr = root.this
    return made.pop()


def _column(name: str, table: str) -> exp.Column:
    return exp.column(exp.to_identifier(name, quoted=True), exp.to_identifier(table, quoted=True))


def _from(table: str) -> exp.From:
    return exp.From(this=exp.Table(this=exp.to_identifier(table, quoted=True)))


def _keyed(table: str, arguments: list[exp.Expr]) -> exp.Select:
    select = exp.Select(expressions=[_column("value", table)], from_=_from(table))
    matches = [
        exp.NullSafeEQ(this=_column(key_name(i), table), expression=argument.copy()) for i, argument in enumerate(arguments)
    ]
    return select.where(*matches, copy=False) if matches else select


def _map_value(node: exp.Anonymous, table: str) -> exp.Expr:
    """A scalar sub-select; an aggregate over other look-ups cannot stand inside one, so there it is an element of the whole
    mapping.
    """
    if any(is_aggregate(part) and part.find(exp.Query) for argument in node.expressions for part in argument.walk()):
        names = [key_name(i) for i in range(len(node.expressions))]
        keys, wanted = (
            _struct(names, [_column(name, table) for name in names]),
            _struct(names, [part.copy() for part in node.expressions]),
        )
        whole = exp.Map(keys=exp.ArrayAgg(this=keys), values=exp.ArrayAgg(this=_column("value", table)))
        return exp.Bracket(this=exp.Subquery(this=exp.Select(expressions=[whole], from_=_from(table))), expressions=[wanted])
    return exp.Subquery(this=_keyed(table, list(node.expressions)))


def _struct(names: list[str], values: Sequence[exp.Expr]) -> exp.Struct:
    pairs = zip(names, values, strict=True)
    return exp.Struct(
        expressions=[exp.PropertyEQ(this=exp.to_identifier(name, quoted=True), expression=value) for name, value in pairs]
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
    if isinstance(whole, exp.Select) and len(whole.expressions) == 1 and not whole.args.get("from_"):
        whole.set("from_", _from(table))
        whole.order_by(_column("position", table), copy=False)
        return _column("value", table)
    return exp.Subquery(this=select.limit(1, copy=False))
