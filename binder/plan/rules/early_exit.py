"""Rules that find how many rows are enough: a plan comes in; the plan in which some calls are asked
in windows goes out.

A window is a number of rows in an order, of which those behind cannot change what comes out once so
many before them surely do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from binder.analysis.sql.ordering import ROW_ORDER, aggregates_of, is_grouped, order_keys
from binder.language.sqltree import placeholders
from binder.plan import Ask, CallSite, FirstRows, Plan, RowFilter, Step
from binder.plan.asks import guarded
from binder.plan.three_valued import clause_of, direct, guards


def stop_early(plan: Plan) -> Plan:
    """Where LIMIT says how many rows are enough, ask about the first ones that can meet WHERE until
    so many do.

    Legal because rows come in the order of plain columns: a row behind enough others that surely
    come out cannot come out. The calls of such a WHERE are asked together, a few rows at a time: at
    first as many as must be asked, then never more than before."""
    return _windowed(plan, _first_rows)


def stop_at_a_match(plan: Plan) -> Plan:
    """EXISTS and IN ask about the rows of their sub-select in order, until one surely meets its
    WHERE; IN only about rows that are equal to what is looked for.

    Legal because one such row makes EXISTS and IN true, whatever the others are. Where it matters
    whether IN is false or NULL, rows that hold NULL are asked about, too."""
    return _windowed(plan, _first_match)


def stop_at_the_first_of_each(plan: Plan) -> Plan:
    """DISTINCT and COUNT(DISTINCT) ask about the rows of each value in order, until one surely
    meets WHERE; MIN and MAX about those of the least or largest value first.

    Legal because a value is there once one row of it is, and because no value behind an extreme one
    can be the extreme."""
    return _windowed(plan, _first_of_each)


def _windowed(plan: Plan, enough: Callable[[Ask], FirstRows | None]) -> Plan:
    """The plan in which the calls of each WHERE that has a window are asked together.

    A type that is read off the replies may change with further replies, and what was decided with
    it: such a WHERE has none."""
    unsure = {
        id(ask.collect.site.select)
        for ask in plan.asks
        if ask.call_type.type == "auto" and in_where(ask.collect.site)
    }
    steps: list[Step] = []
    for step in plan.steps:
        select = step.asks[0].collect.site.select
        window = enough(step.asks[0]) if id(select) not in unsure else None
        if window is None or step.asks[0].collect.window is not None:
            steps.append(step)
            continue
        added = [] if window.open is None else [window.open]
        asks = tuple(
            guarded(replace(ask, collect=replace(ask.collect, window=window)), added)
            for ask in step.asks
        )
        if steps and steps[-1].decides is select:
            steps[-1] = replace(step, asks=(*steps[-1].asks, *asks), decides=select)
        else:
            steps.append(replace(step, asks=asks, decides=select))
    return replace(plan, steps=tuple(steps))


def _decides_rows(ask: Ask) -> bool:
    """Whether a call stands in a WHERE all of whose calls stand in it directly, and nothing behind
    it sees all rows."""
    site = ask.collect.site
    select = site.select
    if (
        not in_where(site)
        or select.args.get("distinct")
        or select.args.get("qualify")
        or select.args.get("having")
    ):
        return False
    if any(part.find(exp.Window) for part in select.expressions if part.alias != ROW_ORDER):
        return False
    return all(
        direct(call, select) and not call.find(exp.Query)
        for call in placeholders(select.args["where"])
    )


def rows_wanted(select: exp.Select) -> int | None:
    """How many rows LIMIT and OFFSET reach, where they say so in numbers."""
    limit, offset = (select.args.get(part) for part in ("limit", "offset"))
    numbers = [part.expression for part in (limit, offset) if part is not None]
    if limit is None or not all(
        isinstance(number, exp.Literal) and number.is_int for number in numbers
    ):
        return None
    return sum(int(number.name) for number in numbers)


def _first_rows(ask: Ask) -> FirstRows | None:
    """How many rows are enough for LIMIT."""
    select = ask.collect.site.select
    most, order = rows_wanted(select), select.args.get("order")
    if most is None or is_grouped(select):
        return None
    if order is not None and (placeholders(order) or order.find(exp.Window, exp.Query, exp.Var)):
        return None
    if not _decides_rows(ask) or (order is None and not order_keys(select)):
        return None
    return FirstRows(most, order=tuple(order.expressions) if order else ())


def _first_match(ask: Ask) -> FirstRows | None:
    """The one row that is enough for EXISTS or IN."""
    select = ask.collect.site.select
    holder = select.parent.parent if isinstance(select.parent, exp.Subquery) else select.parent
    if (
        select.args.get("limit")
        or is_grouped(select)
        or not isinstance(holder, (exp.Exists, exp.In))
        or not _decides_rows(ask)
    ):
        return None
    around, shown = holder.find_ancestor(exp.Select), select.expressions[0]
    if not isinstance(around, exp.Select):
        return None
    still = RowFilter(holder, "FN", around, clause_of(holder, around))
    if isinstance(holder, exp.Exists):
        return FirstRows(1, open=still)
    if len(select.expressions) > 1 or placeholders(shown) or isinstance(holder.this, exp.Tuple):
        return None
    match = exp.EQ(this=exp.paren(holder.this), expression=exp.paren(shown.unalias()))
    if guards(holder, around)[1] == "true":
        return FirstRows(1, match, match, still)
    return FirstRows(
        1, match, exp.Not(this=exp.Is(this=exp.paren(match), expression=exp.false())), still
    )


def _first_of_each(ask: Ask) -> FirstRows | None:
    """The one row that is enough for each value that is shown once or counted once, and for the
    least or the largest value."""
    select = ask.collect.site.select
    if (
        not _decides_rows(ask)
        or not order_keys(select)
        or (rows_wanted(select) is None and select.args.get("limit"))
    ):
        return None
    found = [one for part in select.expressions for one in aggregates_of(part)]
    group, order = select.args.get("group"), select.args.get("order")
    if group is not None:
        first = [exp.Min(this=key) for key in order_keys(select)]
        items = [item.this for item in order.expressions] if order else []
        if (
            found
            or set(group.args) - {"expressions"}
            or any(item not in (*first, *group.expressions) for item in items)
        ):
            return None
        return (
            FirstRows(1, each=tuple(group.expressions)) if _all_plain(group.expressions) else None
        )
    values = [one.this for one in found]
    if (
        not found
        or any(isinstance(one.parent, exp.Filter) for one in found)
        or any(value != values[0] for value in values)
    ):
        return None
    if all(isinstance(one, exp.Count) for one in found) and isinstance(values[0], exp.Distinct):
        counted = values[0].expressions
        return (
            FirstRows(1, each=tuple(counted)) if len(counted) == 1 and _all_plain(counted) else None
        )
    if (
        len({type(one) for one in found}) > 1
        or not isinstance(found[0], (exp.Min, exp.Max))
        or not _all_plain(values)
    ):
        return None
    extreme = exp.Ordered(this=values[0], desc=isinstance(found[0], exp.Max), nulls_first=False)
    return FirstRows(
        1,
        within=exp.Not(this=exp.Is(this=exp.paren(values[0]), expression=exp.null())),
        order=(extreme,),
    )


def _all_plain(values: list[exp.Expr]) -> bool:
    """Whether values are told without calls and other rows."""
    return not any(
        placeholders(value) or value.find(exp.Query, exp.Window, exp.Distinct) for value in values
    )


def in_where(site: CallSite) -> bool:
    """Whether a call stands in the WHERE of its SELECT."""
    return site.level == "rows" and clause_of(site.node, site.select) == "where"
