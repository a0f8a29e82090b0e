"""Asks of a plan come in; the same plan with these changed goes out: the small moves that rules are
made of."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from sqlglot import exp

from binder.language.sqltree import placeholders, sql_of
from binder.plan import Ask, Plan, RowFilter
from binder.plan.three_valued import clause_of, conjuncts

ELSEWHERE = ("joins", "from_", "with_")  # clauses that see other rows than those that meet WHERE


def each(plan: Plan, change: Callable[[Ask], Ask]) -> Plan:
    return replace(
        plan,
        steps=tuple(
            replace(step, asks=tuple(change(ask) for ask in step.asks)) for step in plan.steps
        ),
    )


def guarded(ask: Ask, added: list[RowFilter]) -> Ask:
    """The ask with further guards; one without branches that holds no call but this one with the
    same arguments says nothing as long as it is unknown."""
    node = ask.collect.site.node
    telling = [
        guard
        for guard in added
        if not (calls := placeholders(guard.node))
        or any(call != node for call in calls)
        or guard.node.find(exp.Case, exp.If)
    ]
    guards = {written(guard): guard for guard in (*ask.collect.where, *telling)}
    return replace(ask, collect=replace(ask.collect, where=tuple(guards.values())))


def written(guard: RowFilter) -> tuple[str, str, int, str]:
    return sql_of(guard.node), guard.outcomes, id(guard.select), guard.clause


def holds(tree: exp.Expr, node: exp.Expr) -> bool:
    while node is not tree and node.parent is not None:
        node = node.parent
    return node is tree


def around(ask: Ask) -> Iterator[tuple[exp.Select, exp.Expr]]:
    """The SELECTs around a call, inner ones first, each with what stands in it: the call, or the
    sub-select that holds it."""
    below: exp.Expr = ask.collect.site.node
    select: exp.Expr | None = ask.collect.site.select
    while isinstance(select, exp.Select):
        yield select, below
        below = select
        while isinstance(below.parent, (exp.Subquery, exp.SetOperation, exp.Exists)):
            below = below.parent
        select = below.find_ancestor(exp.Select)


def within(plan: Plan, selects: Sequence[exp.Select]) -> Plan:
    """The plan in which calls on the rows of some SELECTs are asked about rows that can meet their
    WHERE alone."""
    chosen = {id(select) for select in selects}

    def filtered(ask: Ask) -> Ask:
        added, node = [], ask.collect.site.node
        for select, below in around(ask):
            where, on_rows = (
                select.args.get("where"),
                below is not node or ask.collect.site.level == "rows",
            )
            if (
                id(select) in chosen
                and where is not None
                and on_rows
                and clause_of(below, select) not in ELSEWHERE
            ):
                branches = exp.Case, exp.If  # of which a call in one can be told by the others
                parts = [
                    p
                    for p in conjuncts(where.this)
                    if not holds(p, below) or (below is node and p.find(*branches))
                ]
                added += [RowFilter(part, "T", select, "where") for part in parts]
        return guarded(ask, added)

    return each(plan, filtered)


def is_comma(join: exp.Join) -> bool:
    """Whether a join is a mere comma, which binds less than what follows."""
    return not (
        join.kind or join.side or join.method or join.args.get("on") or join.args.get("using")
    )


def groups_by_comma(select: exp.Expr) -> bool:
    """Whether a comma decides which rows an outer join fills with NULLs: then nothing can stand for
    it."""
    joins = select.args.get("joins") or []
    return any(map(is_comma, joins)) and any(join.side in ("RIGHT", "FULL") for join in joins)
