"""A Collect and what is known so far come in; the plain query that yields its inputs goes out.

The query is the program's own SELECT, cut off behind the clause in which the call stands, with what
is unknown left out."""

from __future__ import annotations

from collections.abc import Sequence

from sqlglot import exp

from binder.analysis.sql.ordering import is_grouped, order_keys
from binder.analysis.sql.scope import Source
from binder.language.annotations import notes
from binder.language.sqltree import copied, nodes, sql_of
from binder.plan import CallSite, Collect, FirstRows, RowFilter
from binder.plan.asks import holds
from binder.plan.three_valued import (
    Knowledge,
    can,
    clause_of,
    every,
    opposite,
    some,
    unasked,
    unknown_in,
)

POSITION = "n"  # where in row order an input first stands
_BEHIND = {  # the clauses that are evaluated after the one in which a call stands
    "expressions": ("with_",),
    "order": ("with_", "order", "limit", "offset", "distinct"),
    "qualify": ("with_", "qualify", "order", "limit", "offset", "distinct"),
}
_AMONG = {
    "distinct",
    "qualify",
    "limit",
    "offset",
}  # the clauses that choose among the rows which WHERE leaves


def key_name(index: int) -> str:
    return f"k{index}"


def inputs(
    collect: Collect, known: Knowledge, rows: int | None = None, among: Sequence[exp.Anonymous] = ()
) -> exp.Select:
    """The distinct inputs of a call: the arguments of a map, the outer columns of an ans. rows: how
    far a window reaches now; among: calls that are known on the rows to be looked at.

    They come in the order of their first appearance, so that equal runs ask equal requests.
    """
    inner, names, clause = _inner(collect, known, rows, among)
    keys = [exp.column(exp.to_identifier(name, quoted=True)) for name in names]
    order: list[exp.Expr] = [*keys]  # among those that first appear at the same place: by value
    if POSITION in inner.named_selects:
        order.insert(0, exp.Min(this=exp.column(POSITION)))
    return exp.Select(
        expressions=keys,
        from_=derived(inner),
        group=exp.Group(expressions=[copied(key) for key in keys]),
        order=exp.Order(
            expressions=[exp.Ordered(this=copied(key), nulls_first=False) for key in order]
        ),
        with_=clause,
    )


def _inner(
    collect: Collect, known: Knowledge, rows: int | None = None, among: Sequence[exp.Anonymous] = ()
) -> tuple[exp.Select, list[str], exp.With | None]:
    """The rows on which a call is evaluated, the names of its keys in them, and the CTEs to stand
    in front."""
    keys = _keys(collect)
    names = [key.alias for key in keys]
    inner = _lifted(_rows(collect, keys, known, rows, among), collect, names, known)
    clause = inner.args.get("with_")
    inner.set("with_", None)
    return inner, names, clause


def _keys(collect: Collect) -> list[exp.Expr]:
    values = [copied(value) for value in key_values(collect.site.node)]
    return [
        exp.alias_(value, key_name(i), quoted=True, copy=False) for i, value in enumerate(values)
    ]


def rows_looked_at(collect: Collect, known: Knowledge) -> exp.Select:
    """How many rows a collect looks at."""
    inner, _, clause = _inner(collect, known)
    return exp.Select(
        expressions=[exp.alias_(exp.Count(this=exp.Star()), "rows")],
        from_=derived(inner),
        with_=clause,
    )


def share_settled(collect: Collect, known: Knowledge) -> exp.Select | None:
    """For what share of the rows on which a call is known it alone settles the WHERE; nothing where
    that would be involved.

    known: what is known without the other calls of that WHERE.
    """
    select, node = collect.site.select, collect.site.node
    if outer_columns(select) or select.args.get("from_") is None:
        return None
    where = select.args["where"].this
    open_ = every([can(where, "T", known), can(where, "FN", known)])
    share = exp.Avg(
        this=exp.If(
            this=exp.Is(this=exp.paren(open_), expression=exp.true()),
            true=exp.Literal.number(0),
            false=exp.Literal.number(1),
        )
    )
    query = exp.Select(expressions=[exp.alias_(share, "share")], from_=copied(select.args["from_"]))
    query.set("joins", _joins(select, None, known))
    values = [
        exp.Not(this=exp.Is(this=exp.paren(copied(part), copy=False), expression=exp.null()))
        for part in node.expressions
    ]
    query.where(every([opposite(unknown_in(node, known)), some(values)]), copy=False)
    return _lifted(query, collect, [], known)


def key_values(node: exp.Anonymous) -> Sequence[exp.Expr]:
    """The expressions whose values are the inputs of a call."""
    tables = any(isinstance(argument, exp.Subquery) for argument in node.expressions)
    return outer_columns(node) if tables else node.expressions


def outer_columns(node: exp.Expr) -> list[exp.Column]:
    """Columns in a tree whose source stands outside of it."""
    own = {
        id(notes(part).source)
        for part in nodes(node)
        if isinstance(notes(part).source, Source) and not isinstance(part, exp.Column)
    }
    found: dict[str, exp.Column] = {}
    for column in [part for part in nodes(node) if isinstance(part, exp.Column)]:
        source = notes(column).source
        if source is not None and id(source) not in own:
            found.setdefault(sql_of(column), column)
    return list(found.values())


def _rows(
    collect: Collect,
    keys: list[exp.Expr],
    known: Knowledge,
    rows: int | None,
    among: Sequence[exp.Anonymous],
) -> exp.Select:
    """The rows on which a call is evaluated, as far as that is known, their place in row order
    beside them."""
    site = collect.site
    guards = [guard for guard in collect.where if guard.select is site.select]
    ready = [opposite(unknown_in(part, known)) for part in (*(key.this for key in keys), *among)]
    where: list[exp.Expr] = []
    if site.level == "output" and _complete(site, known):
        within = clause_of(site.node, site.select) == "qualify"
        among_rows = any(
            part.find(exp.Window) for part in (*keys, *(guard.node for guard in guards))
        )
        chosen = any(site.select.args.get(part) for part in _AMONG - {*_behind(site)})
        if within or is_grouped(site.select) or among_rows or chosen:
            return _output(
                site,
                keys,
                [
                    *_conditions(
                        guards, known, "where", "having", *([] if within else ["qualify"])
                    ),
                    *ready,
                ],
            )
        where = [copied(part.this) for part in [site.select.args.get("where")] if part is not None]
        guards = [guard for guard in guards if guard.clause != "where"]
    if site.level == "groups" or (site.level == "output" and is_grouped(site.select)):
        return _groups(site, keys, guards, known)
    query = exp.Select(expressions=keys)
    start = site.select.args.get("from_")
    if start is not None:
        query.set("from_", copied(start))
    query.set("joins", _joins(site.select, site.join, known))
    guards = [
        guard for guard in guards if guard.clause != "qualify" and not guard.node.find(exp.Window)
    ]
    needed = every([*where, *_conditions(guards, known), *ready])
    if collect.window is not None and rows is not None:
        return _window(query, site.select, collect.window, needed, known, rows)
    if not isinstance(needed, exp.Boolean) or not needed.this:
        query.where(needed, copy=False)
    return _placed(query, order_keys(query))


def _behind(site: CallSite) -> tuple[str, ...]:
    return _BEHIND[clause_of(site.node, site.select)]


def _conditions(guards: Sequence[RowFilter], known: Knowledge, *without: str) -> list[exp.Expr]:
    return [
        can(guard.node, guard.outcomes, known) for guard in guards if guard.clause not in without
    ]


def _placed(query: exp.Select, order: list[exp.Expr]) -> exp.Select:
    """The query with the place of each row as a further column, where one column tells it."""
    if len(order) == 1:
        query.append("expressions", exp.alias_(copied(order[0]), POSITION))
    return query


def derived(query: exp.Expr) -> exp.From:
    """FROM a sub-select."""
    return exp.From(
        this=exp.Subquery(this=query, alias=exp.TableAlias(this=exp.to_identifier("asked")))
    )


def _names(keys: Sequence[exp.Expr]) -> list[exp.Expr]:
    return [exp.column(exp.to_identifier(key.alias, quoted=True)) for key in keys]


def _window(
    query: exp.Select,
    select: exp.Select,
    window: FirstRows,
    needed: exp.Expr,
    known: Knowledge,
    rows: int,
) -> exp.Select:
    """Of the first rows that can meet the WHERE of a SELECT those that are needed, until enough
    rows surely meet it."""
    where = select.args["where"].this
    match = [copied(window.match)] if window.match is not None else []
    fails = can(where, "FN", known)
    given = window.order or [exp.Ordered(this=key, nulls_first=False) for key in order_keys(query)]
    keys = list(query.expressions)
    items = [
        exp.Ordered(this=exp.column(f"o{i}"), **_direction(item)) for i, item in enumerate(given)
    ]
    query.append("expressions", exp.alias_(needed, "needed"))
    query.append("expressions", exp.alias_(every([opposite(fails), *match]), "sure"))
    for name, values in (("o", [item.this for item in given]), ("e", window.each)):
        for i, value in enumerate(values):
            query.append("expressions", exp.alias_(copied(value), f"{name}{i}"))
    within = [copied(window.within)] if window.within is not None else []
    query.where(every([can(where, "T", known), *within]), copy=False)
    if window.each:
        number = exp.Window(
            this=exp.RowNumber(), partition_by=list(map(copied, window.each)), order=_by(given)
        )
        query.set(
            "qualify", exp.Qualify(this=exp.LTE(this=number, expression=exp.Literal.number(rows)))
        )
    else:
        query.set("order", _by(given))
        query = query.limit(rows, copy=False)
    before = exp.WindowSpec(
        kind="ROWS",
        start="UNBOUNDED",
        start_side="PRECEDING",
        end=exp.Literal.number(1),
        end_side="PRECEDING",
    )
    each = [exp.column(f"e{i}") for i in range(len(window.each))]
    sure = exp.Sum(this=exp.cast(exp.column("sure"), "INT"))
    passed = exp.Window(this=sure, partition_by=each, order=_by(items), spec=before)
    counted = exp.Select(
        expressions=[
            *_names(keys),
            exp.column("needed"),
            exp.alias_(exp.Coalesce(this=passed, expressions=[exp.Literal.number(0)]), "passed"),
            exp.alias_(exp.Window(this=exp.RowNumber(), order=_by(items)), POSITION),
        ],
        from_=derived(query),
    )
    kept = exp.Select(expressions=[*_names(keys), exp.column(POSITION)], from_=derived(counted))
    return kept.where(
        exp.column("needed"),
        exp.LT(this=exp.column("passed"), expression=exp.Literal.number(window.rows)),
        copy=False,
    )


def _by(items: Sequence[exp.Expr]) -> exp.Order | None:
    return exp.Order(expressions=list(map(copied, items))) if items else None


def _direction(item: exp.Ordered) -> dict[str, bool | None]:
    return {"desc": item.args.get("desc"), "nulls_first": item.args.get("nulls_first")}


def _joins(select: exp.Select, stop: int | None, known: Knowledge) -> list[exp.Expr]:
    """The joins of a SELECT as far as they are known; with a stop, those up to the one whose
    condition is evaluated."""
    joins = [copied(join) for join in select.args.get("joins") or ()][
        : None if stop is None else stop + 1
    ]
    for index, join in enumerate(joins):
        if (
            index == stop
        ):  # a condition of an outer join is evaluated on pairs: as an inner join shows them
            join.set("side", None)
            join.set("kind", None)
        if join.args.get("on") is not None and unasked(
            join.args["on"], known
        ):  # more pairs may come, never fewer
            join.set("on", can(join.args["on"], "T", known))
    return joins


def _complete(site: CallSite, known: Knowledge) -> bool:
    """Whether every clause before that of a site can be evaluated."""
    behind = {*_behind(site), "expressions"}
    parts = [
        site.select.args.get(p)
        for p in ("where", "having", "qualify", "order", "limit", "offset")
        if p not in behind
    ]
    joined = all(not unasked(join, known) for join in site.select.args.get("joins") or ())
    plain = all(not unasked(part, known) for part in parts if part is not None)
    return joined and plain and (not site.select.args.get("distinct") or "distinct" in behind)


def _first_seen(query: exp.Select) -> list[exp.Expr]:
    """Where in row order each group first stands, as further columns of a query over groups; an
    engine yields them in any order. Nothing where more columns would change the rows."""
    if query.args.get("distinct"):
        return []
    items = [query.args["from_"].this] if query.args.get("from_") else []
    items += [join.this for join in query.args.get("joins") or ()]
    for item in items:
        source = notes(item).source
        if not isinstance(source, Source) or source.table is None:
            return []
    names: list[exp.Expr] = []
    for i, key in enumerate(order_keys(query)):
        query.append("expressions", exp.alias_(exp.Min(this=copied(key)), f"o{i}"))
        names.append(exp.column(f"o{i}"))
    return names


def _output(site: CallSite, keys: list[exp.Expr], needed: list[exp.Expr]) -> exp.Select:
    """Exactly the rows that the SELECT yields, LIMIT included."""
    inner = copied(site.select)
    for part in _behind(site):
        inner.set(part, None)
    inner.set("expressions", [*keys, exp.alias_(every(needed), "needed")])
    order = None
    if is_grouped(inner) and not inner.args.get("order"):
        order = _by([*_first_seen(inner), *_names(keys)])
    place = exp.alias_(exp.Window(this=exp.RowNumber(), order=order), POSITION)
    outer = exp.Select(
        expressions=[*_names(keys), place, exp.column("needed")], from_=derived(inner)
    )
    return exp.Select(
        expressions=[*_names(keys), exp.column(POSITION)], from_=derived(outer)
    ).where(exp.column("needed"), copy=False)


def _groups(
    site: CallSite, keys: list[exp.Expr], guards: Sequence[RowFilter], known: Knowledge
) -> exp.Select:
    """The groups of a SELECT, as far as it is known which are needed."""
    inner = copied(site.select)
    for part in ("with_", "order", "limit", "offset", "qualify", "windows", "distinct", "having"):
        inner.set(part, None)
    guards = [
        guard
        for guard in guards
        if guard.clause not in ("where", "qualify") and not guard.node.find(exp.Window)
    ]
    needed = every(_conditions(guards, known))
    if not isinstance(needed, exp.Boolean) or not needed.this:
        inner.set("having", exp.Having(this=needed))
    inner.set("expressions", keys)
    return _placed(inner, [exp.Min(this=key) for key in order_keys(site.select)])


def _lifted(query: exp.Select, collect: Collect, names: list[str], known: Knowledge) -> exp.Select:
    """Puts the FROM of the queries around into a correlated collect, and the CTEs it can refer to
    in front."""
    below: exp.Expr = collect.site.select
    while below.parent is not None:
        around = below.parent
        if (
            isinstance(around, exp.Select)
            and outer_columns(query)
            and around.args.get("from_") is not None
        ):
            query = _lateral(query, around, below, collect, names, known)
        below = around
    query.set("with_", clause_around(collect.site.select, known))
    return query


def clause_around(select: exp.Expr, known: Knowledge) -> exp.With | None:
    """The CTEs that a part of a SELECT can refer to, its own and those of the queries around, as
    far as they are known."""
    clauses = [_ctes(select)]
    around: exp.Expr | None = select
    while around is not None:
        below, around = around, around.parent
        if isinstance(around, exp.With):  # a CTE sees those before it
            clauses.append(around.expressions[: around.expressions.index(below)])
        elif isinstance(around, (exp.Subquery, exp.SetOperation, exp.Select)) and not isinstance(
            below, exp.With
        ):
            clauses.append(_ctes(around))
    left_out, ctes = set[str](), []
    for cte in [cte for clause in reversed(clauses) for cte in clause]:
        if unasked(cte, known) or any(
            table.name.casefold() in left_out for table in cte.find_all(exp.Table)
        ):
            left_out.add(cte.alias.casefold())
        else:
            ctes.append(copied(cte))
    recursive = any(
        cte.parent is not None and cte.parent.args.get("recursive")
        for clause in clauses
        for cte in clause
    )
    return exp.With(expressions=ctes, recursive=recursive) if ctes else None


def _ctes(query: exp.Expr) -> list[exp.Expr]:
    clause = query.args.get("with_")
    return clause.expressions if clause is not None else []


def _lateral(
    query: exp.Select,
    around: exp.Select,
    below: exp.Expr,
    collect: Collect,
    names: list[str],
    known: Knowledge,
) -> exp.Select:
    """A correlated collect beside the FROM that it refers to, up to the join in whose condition it
    stands."""
    query.set(
        "expressions",
        [projection for projection in query.expressions if projection.alias_or_name != POSITION],
    )
    alias = exp.TableAlias(this=exp.to_identifier("asked", quoted=True))
    keys = [
        exp.column(exp.to_identifier(name, quoted=True), exp.to_identifier("asked", quoted=True))
        for name in names
    ]
    outer = exp.Select(expressions=keys, from_=copied(around.args["from_"]))
    joins = around.args.get("joins") or []
    stop = next((i for i, join in enumerate(joins) if join is below), None)
    if (
        stop is not None
        and below.args.get("on") is not None
        and holds(below.args["on"], collect.site.node)
    ):
        joins = _joins(around, stop, known)
    else:  # a LATERAL sub-select sees what stands before it
        joins = _joins(around, None, known)[:stop]
    outer.set(
        "joins", [*joins, exp.Join(this=exp.Lateral(this=exp.Subquery(this=query), alias=alias))]
    )
    guards = [
        guard for guard in collect.where if guard.select is around and guard.clause != "joins"
    ]
    needed = every(
        _conditions([guard for guard in guards if not guard.node.find(exp.Window)], known)
    )
    if not isinstance(needed, exp.Boolean) or not needed.this:
        outer.where(needed, copy=False)
    return outer
