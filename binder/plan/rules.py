"""Rules turn a plan into one that asks fewer questions and yields the same rows; each says why it is legal.

RULES=() is the reference meaning. Every rule is tested by executing with and without it: the same rows, never more questions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from binder.check.rows import is_aggregate, is_grouped, order_keys
from binder.plan import Ask, Guard, Plan, Rule, Site, Step, Window
from binder.plan.asks import ELSEWHERE, around, each, guarded, holds, written
from binder.plan.demand import clause_of, conjuncts, direct, guards
from binder.plan.simpler import inline_subqueries, join_in_where
from binder.program import placeholders, sql_of


def filter_first(plan: Plan) -> Plan:
    """Collect only rows that can still meet the other conditions of WHERE, and groups that can meet those of HAVING.

    Legal because a row that fails one conjunct of its own WHERE is dropped whatever the call would answer, and a group that
    fails its HAVING likewise. The same holds for the rows of the queries around a sub-select.
    """

    def filtered(ask: Ask) -> Ask:
        added = []
        for select, below in around(ask):
            clause = clause_of(below, select)
            if clause in ELSEWHERE:
                continue
            grouped = below is ask.collect.site.node and ask.collect.site.level == "groups"
            for name in ("having",) if grouped else ("where", "qualify"):
                condition = select.args.get(name)
                parts = conjuncts(condition.this) if condition is not None else []
                added += [Guard(part, "T", select, name) for part in parts if not holds(part, below)]
            if not grouped and select.args.get("having") is not None:  # what is said of a group's keys is so of its rows
                parts = [part for part in conjuncts(select.args["having"].this) if not placeholders(part)]
                keys = [part for part in parts if not any(is_aggregate(inner) for inner in part.walk())]
                added += [Guard(part, "T", select, "where") for part in keys]
        return guarded(ask, added)

    return each(plan, filtered)


def ask_the_undecided(plan: Plan) -> Plan:
    """Collect only rows for which OR, CASE, COALESCE and FILTER leave open what a call would answer.

    Legal because such an expression has the same value whatever the call answers: TRUE OR x is true, a branch of CASE that is
    not reached is not evaluated, and in WHERE it is all one whether a condition is false or NULL.
    """

    def undecided(ask: Ask) -> Ask:
        return guarded(ask, [guard for select, below in around(ask) for guard in guards(below, select)[0]])

    return each(plan, undecided)


def ask_what_is_shown(plan: Plan) -> Plan:
    """A call behind WHERE and GROUP BY is asked about the rows or groups that come out: in the projections LIMIT included, in
    ORDER BY and QUALIFY after what stands before.

    Legal because a projection outside of window functions is evaluated on no other row, and because nothing that decides
    which rows come out holds an unasked call: else all its rows are collected.
    """

    def shown(ask: Ask) -> Ask:
        site = ask.collect.site
        group = site.select.args.get("group")
        if site.level == "on" or (site.level == "rows") == is_grouped(site.select) or (group and group.args.get("all")):
            return ask
        if clause_of(site.node, site.select) not in ("expressions", "order", "qualify"):
            return ask
        if isinstance(site.node.find_ancestor(exp.Window, exp.Select), exp.Window):
            return ask
        return replace(ask, collect=replace(ask.collect, site=replace(site, level="output")))

    return each(plan, shown)


def stop_early(plan: Plan) -> Plan:
    """Where LIMIT says how many rows are enough, ask about the first ones that can meet WHERE until so many do.

    Legal because rows come in the order of plain columns: a row behind enough others that surely come out cannot come out.
    The calls of such a WHERE are asked together, a few rows at a time: at first as many as must be asked, then never more
    than before.
    """
    return _windowed(plan, _first_rows)


def stop_at_a_match(plan: Plan) -> Plan:
    """EXISTS and IN ask about the rows of their sub-select in order, until one surely meets its WHERE; IN only about rows that
    are equal to what is looked for.

    Legal because one such row makes EXISTS and IN true, whatever the others are. Where it matters whether IN is false or NULL,
    rows that hold NULL are asked about, too.
    """
    return _windowed(plan, _first_match)


def _windowed(plan: Plan, enough: Callable[[Ask], Window | None]) -> Plan:
    """The plan in which the calls of each WHERE that has a window are asked together.

    A type that is read off the replies may change with further replies, and what was decided with it: such a WHERE has none.
    """
    unsure = {id(ask.collect.site.select) for ask in plan.asks if ask.typing.type == "auto" and _in_where(ask.collect.site)}
    steps: list[Step] = []
    for step in plan.steps:
        select = step.asks[0].collect.site.select
        window = enough(step.asks[0]) if id(select) not in unsure else None
        if window is None or step.asks[0].collect.window is not None:
            steps.append(step)
            continue
        added = [] if window.open is None else [window.open]
        asks = tuple(guarded(replace(ask, collect=replace(ask.collect, window=window)), added) for ask in step.asks)
        if steps and steps[-1].decides is select:
            steps[-1] = replace(step, asks=(*steps[-1].asks, *asks), decides=select)
        else:
            steps.append(replace(step, asks=asks, decides=select))
    return replace(plan, steps=tuple(steps))


def _decides_rows(ask: Ask) -> bool:
    """Whether a call stands in a WHERE all of whose calls stand in it directly, in a SELECT that yields its rows as they are."""
    site = ask.collect.site
    select = site.select
    if not _in_where(site) or is_grouped(select):
        return False
    if select.args.get("distinct") or select.args.get("qualify") or any(part.find(exp.Window) for part in select.expressions):
        return False
    return all(direct(call, select) and not call.find(exp.Query) for call in placeholders(select.args["where"]))


def _first_rows(ask: Ask) -> Window | None:
    """How many rows are enough for LIMIT."""
    select = ask.collect.site.select
    limit, offset = (select.args.get(part) for part in ("limit", "offset"))
    numbers = [part.expression for part in (limit, offset) if part is not None]
    if limit is None or not all(isinstance(number, exp.Literal) and number.is_int for number in numbers):
        return None
    order = select.args.get("order")
    if order is not None and (placeholders(order) or order.find(exp.Window, exp.Query)):
        return None
    if not _decides_rows(ask) or (order is None and not order_keys(select)):
        return None
    return Window(sum(int(number.name) for number in numbers))


def _first_match(ask: Ask) -> Window | None:
    """The one row that is enough for EXISTS or IN."""
    select = ask.collect.site.select
    holder = select.parent.parent if isinstance(select.parent, exp.Subquery) else select.parent
    if select.args.get("limit") or not isinstance(holder, (exp.Exists, exp.In)) or not _decides_rows(ask):
        return None
    around, shown = holder.find_ancestor(exp.Select), select.expressions[0]
    if not isinstance(around, exp.Select):
        return None
    still = Guard(holder, "FN", around, clause_of(holder, around))
    if isinstance(holder, exp.Exists):
        return Window(1, open=still)
    if len(select.expressions) > 1 or placeholders(shown) or isinstance(holder.this, exp.Tuple):
        return None
    match = exp.EQ(this=exp.paren(holder.this), expression=exp.paren(shown.unalias()))
    if guards(holder, around)[1] == "true":
        return Window(1, match, match, still)
    return Window(1, match, exp.Not(this=exp.Is(this=exp.paren(match), expression=exp.false())), still)


def cheapest_first(plan: Plan) -> Plan:
    """The calls of one WHERE are asked in the order of their cost and of how much they settle, which first answers tell.

    Legal because the order in which conditions are known does not change what they come out as.
    """
    steps: list[Step] = []
    for step in plan.steps:
        site = step.asks[0].collect.site
        before = steps[-1].asks[0].collect.site if steps else site
        if not _in_where(site):
            steps.append(step)
        elif steps and before.select is site.select and _in_where(before):
            steps[-1] = Step((*steps[-1].asks, *step.asks), site.select, ranked=True)
        else:
            steps.append(replace(step, ranked=step.decides is not None))
    return replace(plan, steps=tuple(steps))


def _in_where(site: Site) -> bool:
    """Whether a call stands in the WHERE of its SELECT."""
    return site.level == "rows" and clause_of(site.node, site.select) == "where"


def ask_once(plan: Plan) -> Plan:
    """A call that was asked about all rows that it is needed for is not collected again.

    Legal because equal arguments over equal rows are equal inputs: a site whose rows must meet all conditions of another one,
    and perhaps more, needs nothing that the other did not ask.
    """
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
        plan, steps=tuple(replace(step, asks=tuple(now[ask.collect.site.number] for ask in step.asks)) for step in steps)
    )


def _covers(first: Ask, other: Ask) -> bool:
    """Whether the inputs of one ask include those of another of the same call."""
    one, two = first.collect.site, other.collect.site
    if first.call.name != other.call.name or one.select is not two.select or one.join != two.join:
        return False
    if [sql_of(part) for part in one.node.expressions] != [sql_of(part) for part in two.node.expressions]:
        return False
    levels = (one.level, two.level)
    if "groups" in levels and one.level != two.level or levels == ("output", "rows"):
        return False
    if levels == ("output", "output") and clause_of(one.node, one.select) != clause_of(two.node, two.select):
        return False
    if (first.collect.window is None) != (other.collect.window is None) and two.level != "output":
        return False
    asked, needed = ({written(guard) for guard in ask.collect.where} for ask in (first, other))
    return asked <= needed


RULES: tuple[Rule, ...] = (
    inline_subqueries,
    join_in_where,
    filter_first,
    ask_the_undecided,
    ask_what_is_shown,
    stop_early,
    stop_at_a_match,
    ask_once,
    cheapest_first,
)


def optimize(plan: Plan, rules: tuple[Rule, ...] = RULES) -> Plan:
    """The plan after all rules, in order."""
    for rule in rules:
        plan = rule(plan)
    return plan
