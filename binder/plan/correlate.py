"""The surroundings of a collect: joins as far as they are known, the FROMs that a correlated one
refers to, and the CTEs that it reads."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from binder.language.sqltree import copied
from binder.plan import Collect
from binder.plan.blocks import SelectBlock, SelectPlace, outer_columns
from binder.plan.expressions import column, every, is_true, quoted
from binder.plan.outcomes import Outcome
from binder.plan.three_valued import Knowledge, can, unasked


def derived(query: exp.Expr) -> exp.From:
    """FROM (query) AS asked"""
    alias = exp.TableAlias(this=exp.to_identifier("asked"))
    return exp.From(this=exp.Subquery(this=query, alias=alias))


def name_of(projection: exp.Expr) -> exp.Column:
    """A column of a sub-select, by the alias that its projection has there."""
    return exp.column(quoted(projection.alias))


def joins_of(block: SelectBlock, stop: int | None, known: Knowledge) -> list[exp.Expr]:
    """The joins of a SELECT, their conditions as far as they are known. stop: the last one, whose
    condition holds the call that is asked about."""
    joins: list[exp.Expr] = []
    for index, join in enumerate(block.joins if stop is None else block.joins[: stop + 1]):
        join = copied(join)
        if index == stop:
            # the condition of an outer join is evaluated on the pairs that an inner join shows
            join.set("side", None)
            join.set("kind", None)
        on = join.args.get("on")
        if on is not None and unasked(on, known):
            # more pairs may come than the join yields in the end, never fewer
            join.set("on", can(on, Outcome.TRUE, known))
        joins.append(join)
    return joins


def lifted(query: exp.Select, collect: Collect, place_name: str, known: Knowledge) -> exp.Select:
    """A collect that can stand by itself: a correlated one beside the FROMs that it refers to."""
    place = collect.site.block.holder
    while place is not None:
        if place.block.has("from_") and outer_columns(query):
            query = _beside_from(query, place, collect, place_name, known)
        place = place.block.holder
    return query


def _beside_from(
    query: exp.Select, place: SelectPlace, collect: Collect, place_name: str, known: Knowledge
) -> exp.Select:
    """A correlated collect as a LATERAL sub-select beside the FROM that it refers to.

    >>> collect('''SELECT name FROM v
    ...            WHERE EXISTS (SELECT 1 FROM w WHERE w.country = v.code
    ...                          AND QA("map@same?"; city; name))''', filter_first)
    SELECT k0, k1
    FROM (SELECT asked.k0, asked.k1
          FROM v, LATERAL (SELECT w.city AS k0, v.name AS k1 FROM w
                           WHERE (w.country = v.code)) AS asked) AS asked
    GROUP BY k0, k1 ORDER BY k0, k1
    """
    block = place.block
    # one row beside each row around: its place in row order says nothing of the whole
    keys = [shown for shown in query.expressions if shown.alias_or_name != place_name]
    query.set("expressions", keys)
    shown = [column(key.alias_or_name, "asked") for key in keys]
    alias = exp.TableAlias(this=quoted("asked"))
    beside = exp.Lateral(this=exp.Subquery(this=query), alias=alias)
    outer = exp.Select(expressions=shown, from_=copied(block.select.args["from_"]))
    outer.set("joins", [*_joins_before(place, known), exp.Join(this=beside)])

    filters = [one for one in collect.filters if one.block is block and one.clause != "joins"]
    needed = every(
        [can(one.node, one.outcomes, known) for one in filters if not one.node.find(exp.Window)]
    )
    if not is_true(needed):
        outer.where(needed, copy=False)
    return outer


def _joins_before(place: SelectPlace, known: Knowledge) -> list[exp.Expr]:
    """The joins that a sub-select sees from its place: in the condition of a join this one as well;
    as an item of FROM those in front of it; in other clauses all."""
    if place.clause != "joins":
        return joins_of(place.block, None, known)
    join, stop = place.path[-1], place.path[-1].index
    on = join.args.get("on")
    if on is not None and place.is_inside(on):
        return joins_of(place.block, stop, known)
    return joins_of(place.block, None, known)[:stop]


def clause_around(select: exp.Expr, known: Knowledge) -> exp.With | None:
    """The CTEs that a part of a SELECT can refer to, its own and those of the queries around, as
    far as they are known."""
    clauses = list(_clauses_around(select))
    ctes: list[exp.Expr] = []
    unknown: set[str] = set()
    recursive = False
    for clause in reversed(clauses):  # outer ones first: inner ones may read them
        for cte in clause:
            reads = {table.name.casefold() for table in cte.find_all(exp.Table)}
            recursive = recursive or bool(cte.parent and cte.parent.args.get("recursive"))
            # a CTE whose calls are unknown is left out, and so are those that read it: the part of
            # the plan that needs it is asked later
            if unasked(cte, known) or reads & unknown:
                unknown.add(cte.alias.casefold())
            else:
                ctes.append(copied(cte))
    return exp.With(expressions=ctes, recursive=recursive) if ctes else None


def _clauses_around(select: exp.Expr) -> Iterator[list[exp.Expr]]:
    """The lists of CTEs that a SELECT sees, the innermost first."""
    yield _ctes(select)
    below, around = select, select.parent
    while around is not None:
        if isinstance(around, exp.With):  # a CTE sees those before it
            yield around.expressions[: below.index]
        elif isinstance(around, exp.Query) and not isinstance(below, exp.With):
            yield _ctes(around)
        below, around = around, around.parent


def _ctes(query: exp.Expr) -> list[exp.Expr]:
    clause = query.args.get("with_")
    return [] if clause is None else clause.expressions
