"""Rules turn a plan into one that asks fewer questions and yields the same rows; each says why it
is legal.

RULES=() is the reference meaning. Every rule is tested by executing with and without it: the same
rows, never more questions."""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile

from sqlglot import exp

from binder.analysis.sql.ordering import is_aggregate, is_grouped
from binder.analysis.sql.types import kind
from binder.language.annotations import notes
from binder.language.sqltree import copied, placeholders, sql_of
from binder.plan import Ask, Plan, RowFilter, Rule, Step
from binder.plan.asks import ELSEWHERE, around, each, guarded, holds, written
from binder.plan.collect import outer_columns
from binder.plan.rewrites.inline import inline_subqueries, join_in_where
from binder.plan.rewrites.pushdown import ask_outside, filter_inside
from binder.plan.rules.early_exit import (
    in_where,
    rows_wanted,
    stop_at_a_match,
    stop_at_the_first_of_each,
    stop_early,
)
from binder.plan.three_valued import clause_of, conjuncts, guards


def filter_first(plan: Plan) -> Plan:
    """Collect only rows that can still meet the other conditions of WHERE, groups that can meet
    those of HAVING, and of two sides of INTERSECT or EXCEPT rows that the plain side does not rule
    out.

    Legal because a row that fails one conjunct of its own WHERE is dropped whatever the call would
    answer, and a group that fails its HAVING likewise. The same holds for the rows of the queries
    around a sub-select, and for what the condition of a join says of rows that it keeps."""

    def filtered(ask: Ask) -> Ask:
        added = []
        for select, below in around(ask):
            clause = clause_of(below, select)
            if clause in ELSEWHERE:
                added += _kept_side(select, below) if clause == "joins" else []
                continue
            added += _in_both(select)
            grouped = below is ask.collect.site.node and ask.collect.site.level == "groups"
            for name in ("having",) if grouped else ("where", "qualify"):
                condition = select.args.get(name)
                parts = conjuncts(condition.this) if condition is not None else []
                added += [
                    RowFilter(part, "T", select, name) for part in parts if not holds(part, below)
                ]
            if (
                not grouped and select.args.get("having") is not None
            ):  # what is said of a group's keys is so of its rows
                parts = [
                    part for part in conjuncts(select.args["having"].this) if not placeholders(part)
                ]
                keys = [
                    part for part in parts if not any(is_aggregate(inner) for inner in part.walk())
                ]
                added += [RowFilter(part, "T", select, "where") for part in keys]
        return guarded(ask, added)

    return each(plan, filtered)


def _kept_side(select: exp.Select, below: exp.Expr) -> list[RowFilter]:
    """The plain conditions of WHERE on columns of the rows that a join keeps whatever its condition
    comes out as."""
    joins = select.args["joins"]
    index = next(i for i, join in enumerate(joins) if holds(join, below))
    join, before = joins[index], [select.args["from_"], *joins[:index]]
    if join.side in ("RIGHT", "FULL"):
        kept = [join] if join.side == "RIGHT" else []
    else:
        on = join.args.get("on")
        kept = before if join.side or on is None or not holds(on, below) else [*before, join]
    where = select.args.get("where")
    if where is None or any(later.side in ("RIGHT", "FULL") for later in joins[index + 1 :]):
        return []
    sources = {id(notes(item.this).source) for item in kept}
    parts = [part for part in conjuncts(where.this) if not placeholders(part)]
    within = [
        part
        for part in parts
        if all(id(notes(column).source) in sources for column in outer_columns(part))
    ]
    return [RowFilter(part, "T", select, "where") for part in within]


def _in_both(select: exp.Select) -> list[RowFilter]:
    """Of a side of INTERSECT or EXCEPT, where the other side is plain: the row is there, too, or is
    not."""
    side: exp.Expr = select
    while isinstance(side.parent, exp.Subquery) and set(side.parent.args) - {"this"} == set():
        side = side.parent
    together = side.parent
    chosen = any(
        select.args.get(part) for part in ("limit", "offset", "qualify", "distinct")
    ) or is_grouped(select)
    if chosen or not isinstance(together, (exp.Intersect, exp.Except)):
        return []
    left_of_except = isinstance(together, exp.Except) and side is together.this
    if left_of_except and not together.args.get("distinct"):
        return []  # as many are left as there are more on this side
    other = together.expression if side is together.this else together.this
    shown, wanted = ([part.unalias() for part in side.selects] for side in (select, other))
    same = all(
        kind(one) is not None and kind(one) == kind(two)
        for one, two in zip(shown, wanted, strict=True)
    )
    if (
        not same
        or placeholders(other)
        or any(placeholders(part) or part.find(exp.Window, exp.Query) for part in shown)
    ):
        return []
    names = [exp.to_identifier(f"c{i}", quoted=True) for i in range(len(shown))]
    alias = exp.TableAlias(this=exp.to_identifier("other side", quoted=True), columns=names)
    held = [exp.column(name, "other side", quoted=True) for name in names]
    pairs = [
        exp.NullSafeEQ(this=one, expression=copied(part))
        for one, part in zip(held, shown, strict=True)
    ]
    there = exp.Select(
        expressions=[exp.Literal.number(1)],
        from_=exp.From(this=exp.Subquery(this=copied(other), alias=alias)),
    )
    return [
        RowFilter(
            exp.Exists(this=there.where(*pairs, copy=False)),
            "F" if left_of_except else "T",
            select,
            "where",
        )
    ]


def ask_the_undecided(plan: Plan) -> Plan:
    """Collect only rows for which OR, CASE, COALESCE and FILTER leave open what a call would
    answer.

    Legal because such an expression has the same value whatever the call answers: TRUE OR x is
    true, a branch of CASE that is not reached is not evaluated, and in WHERE it is all one whether
    a condition is false or NULL."""

    def undecided(ask: Ask) -> Ask:
        found = [guard for select, below in around(ask) for guard in guards(below, select)[0]]
        return guarded(ask, [*found, *_of_branches(ask)])

    return each(plan, undecided)


def _of_branches(ask: Ask) -> list[RowFilter]:
    """Of a condition with branches on the rows or groups that a call is asked about: that it can
    come out either way."""
    site = ask.collect.site
    clause = clause_of(site.node, site.select)
    if (clause, site.level) not in (("where", "rows"), ("having", "groups")):
        return []
    parts = [part for part in conjuncts(site.select.args[clause].this) if holds(part, site.node)]
    return [
        RowFilter(part, can, site.select, clause)
        for part in parts
        if part.find(exp.Case, exp.If)
        for can in ("T", "FN")
    ]


def ask_what_is_shown(plan: Plan) -> Plan:
    """A call behind WHERE and GROUP BY is asked about the rows or groups that come out: in the
    projections LIMIT included, in ORDER BY and QUALIFY after what stands before.

    Legal because a projection outside of window functions is evaluated on no other row, and because
    nothing that decides which rows come out holds an unasked call: else all its rows are collected.
    """

    def shown(ask: Ask) -> Ask:
        site = ask.collect.site
        group = site.select.args.get("group")
        if (
            site.level == "on"
            or (site.level == "rows") == is_grouped(site.select)
            or (group and group.args.get("all"))
        ):
            return ask
        if clause_of(site.node, site.select) not in ("expressions", "order", "qualify"):
            return ask
        if isinstance(site.node.find_ancestor(exp.Window, exp.Select), exp.Window):
            return ask
        return replace(ask, collect=replace(ask.collect, site=replace(site, level="output")))

    return each(plan, shown)


def ask_about_ties(plan: Plan) -> Plan:
    """A call in ORDER BY behind plain keys is asked about rows that are alike in these, and under
    LIMIT not about those behind.

    Legal because earlier keys put all other rows in order, whatever the call would answer about
    them."""

    def tied(ask: Ask) -> Ask:
        site, select = ask.collect.site, ask.collect.site.select
        order = select.args.get("order")
        if (
            site.level != "output"
            or order is None
            or clause_of(site.node, select) != "order"
            or select.args.get("distinct")
        ):
            return ask
        place = next((i for i, item in enumerate(order.expressions) if holds(item, site.node)), 0)
        keys = list(
            takewhile(
                lambda item: not placeholders(item) and not item.find(exp.Window),
                order.expressions[:place],
            )
        )
        if not keys or select.args.get("qualify"):
            return ask
        alike = exp.Window(
            this=exp.Count(this=exp.Star()), partition_by=[copied(item.this) for item in keys]
        )
        conditions: list[exp.Expr] = [exp.GT(this=alike, expression=exp.Literal.number(1))]
        if (most := rows_wanted(select)) is not None:
            rank = exp.Window(
                this=exp.Rank(), order=exp.Order(expressions=[copied(item) for item in keys])
            )
            conditions.append(exp.LTE(this=rank, expression=exp.Literal.number(most)))
        return guarded(
            ask, [RowFilter(condition, "T", select, "order") for condition in conditions]
        )

    return each(plan, tied)


def cheapest_first(plan: Plan) -> Plan:
    """The calls of one WHERE are asked in the order of their cost and of how much they settle,
    which first answers tell.

    Legal because the order in which conditions are known does not change what they come out as.
    """
    steps: list[Step] = []
    for step in plan.steps:
        site = step.asks[0].collect.site
        before = steps[-1].asks[0].collect.site if steps else site
        if not in_where(site):
            steps.append(step)
        elif steps and before.select is site.select and in_where(before):
            steps[-1] = Step((*steps[-1].asks, *step.asks), site.select, ranked=True)
        else:
            steps.append(replace(step, ranked=step.decides is not None))
    return replace(plan, steps=tuple(steps))


def ask_once(plan: Plan) -> Plan:
    """A call that was asked about all rows that it is needed for is not collected again.

    Legal because equal arguments over equal rows are equal inputs: a site whose rows must meet all
    conditions of another one, and perhaps more, needs nothing that the other did not ask."""
    steps: list[Step] = []
    kept: list[Ask] = []
    for step in plan.steps:
        asks = []
        for ask in step.asks:
            same = next((index for index, first in enumerate(kept) if _covers(first, ask)), None)
            if same is None:
                asks.append(ask)
            else:
                first = kept[same]
                kept[same] = replace(first, covers=(*first.covers, *ask.covers))
        kept += asks
        if asks:
            steps.append(replace(step, asks=tuple(asks)))
    now = {ask.collect.site.number: ask for ask in kept}
    return replace(
        plan,
        steps=tuple(
            replace(step, asks=tuple(now[ask.collect.site.number] for ask in step.asks))
            for step in steps
        ),
    )


def _covers(first: Ask, other: Ask) -> bool:
    """Whether the inputs of one ask include those of another of the same call."""
    one, two = first.collect.site, other.collect.site
    if first.call.name != other.call.name or one.select is not two.select or one.join != two.join:
        return False
    if [sql_of(part) for part in one.node.expressions] != [
        sql_of(part) for part in two.node.expressions
    ]:
        return False
    levels = (one.level, two.level)
    if "groups" in levels and one.level != two.level or levels == ("output", "rows"):
        return False
    if levels == ("output", "output") and clause_of(one.node, one.select) != clause_of(
        two.node, two.select
    ):
        return False
    if (first.collect.window is None) != (other.collect.window is None) and two.level != "output":
        return False
    asked, needed = ({written(guard) for guard in ask.collect.where} for ask in (first, other))
    return asked <= needed


RULES: tuple[Rule, ...] = (
    inline_subqueries,
    ask_outside,
    filter_inside,
    join_in_where,
    filter_first,
    ask_the_undecided,
    ask_what_is_shown,
    ask_about_ties,
    stop_early,
    stop_at_a_match,
    stop_at_the_first_of_each,
    ask_once,
    cheapest_first,
)


def optimize(plan: Plan, rules: tuple[Rule, ...] = RULES) -> Plan:
    """The plan after all rules, in order."""
    for rule in rules:
        plan = rule(plan)
    return plan
