"""Rules for early exit: they find how many rows are enough.

The calls of a WHERE are asked about the first rows in some order, until enough of these certainly
pass it; the rows behind cannot change what comes out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from sqlglot import exp

from binder.analysis.sql.ordering import ROW_ORDER, aggregates_of, order_keys
from binder.language.sqltree import placeholders
from binder.plan import Ask, FirstRows, Plan, RowFilter, Step
from binder.plan.asks import filtered
from binder.plan.blocks import SelectBlock
from binder.plan.expressions import is_not
from binder.plan.matters import matters_at
from binder.plan.outcomes import Matters, Outcome

Enough = Callable[[SelectBlock], FirstRows | None]


def stop_early(plan: Plan) -> Plan:
    """Under LIMIT n, ask in row order and stop once n rows pass WHERE.

    >>> show('SELECT city FROM w WHERE QA("map@vowel?"; city) LIMIT 2', stop_early)
    Ask      map 'vowel?' -> boolean
      Collect  distinct 'city'  until 2 rows surely meet the condition

    Legal because rows come in the order of plain columns: a row behind enough others that certainly
    come out cannot come out. The calls of such a WHERE are asked together, a few rows at a time: at
    first as many as must be asked, then never more than before."""
    return _stopping(plan, _for_limit)


def stop_at_a_match(plan: Plan) -> Plan:
    """In EXISTS and IN, stop at the first row of the sub-select that passes its WHERE; in IN, ask
    only about rows that equal what is looked for.

    >>> show('''SELECT name FROM v
    ...         WHERE EXISTS (SELECT 1 FROM w WHERE QA("map@vowel?"; city))''', stop_at_a_match)
    Ask      map 'vowel?' -> boolean
      Collect  distinct 'city'  until 1 row surely meets the condition

    Legal because one such row makes EXISTS and IN true, whatever the others are. Where it matters
    whether IN is false or NULL, rows that hold NULL are asked about, too."""
    return _stopping(plan, _for_a_match)


def stop_at_the_first_of_each(plan: Plan) -> Plan:
    """For DISTINCT and COUNT(DISTINCT), stop at the first passing row of each value; for MIN and
    MAX, ask about the smallest or largest values first.

    >>> show('SELECT DISTINCT country FROM w WHERE QA("map@vowel?"; city)',
    ...      stop_at_the_first_of_each)
    Ask      map 'vowel?' -> boolean
      Collect  distinct 'city'  until 1 row of each value surely meets the condition

    Legal because a value is there once one row of it is, and because no value behind an extreme one
    can be the extreme."""
    return _stopping(plan, _for_each)


def _stopping(plan: Plan, enough: Enough) -> Plan:
    """The plan in which the calls of each WHERE that has enough rows at some point are asked
    together."""
    unsure = _with_open_types(plan)
    steps: list[Step] = []
    for step in plan.steps:
        first = step.asks[0].collect
        block = first.site.block
        rows = None
        # the first rule that finds an end keeps it
        if first.first_rows is None and id(block) not in unsure and _decides_rows(step.asks[0]):
            rows = enough(block)
        if rows is None:
            steps.append(step)
            continue
        asks = tuple(_until(ask, rows) for ask in step.asks)
        # calls of one WHERE look at the same rows, in one step
        if steps and steps[-1].where_of is block:
            asks = (*steps.pop().asks, *asks)
        steps.append(replace(step, asks=asks, where_of=block))
    return replace(plan, steps=tuple(steps))


def _until(ask: Ask, rows: FirstRows) -> Ask:
    """An ask that stops when enough rows certainly pass."""
    stopping = replace(ask, collect=replace(ask.collect, first_rows=rows))
    return stopping if rows.open is None else filtered(stopping, [rows.open])


def _with_open_types(plan: Plan) -> set[int]:
    """The SELECTs whose WHERE holds a call of type auto. Further replies may change its type, and
    with it what was decided: there is no row of which the outcome is certain."""
    found = set()
    for ask in plan.asks:
        if ask.call_type.type == "auto" and ask.collect.site.is_in_where:
            found.add(id(ask.collect.site.block))
    return found


def _decides_rows(ask: Ask) -> bool:
    """Whether a call stands in a WHERE that can be decided row by row."""
    site, block = ask.collect.site, ask.collect.site.block
    if not site.is_in_where:
        return False
    if block.has("distinct", "qualify", "having"):
        return False  # these see all rows that pass
    for shown in block.select.expressions:
        if shown.alias != ROW_ORDER and shown.find(exp.Window):
            return False  # so does a window function
    for call in placeholders(block.select.args["where"]):
        is_direct = block.blocks.place_of_call(call).is_direct
        if not is_direct or call.find(exp.Query):
            return False  # a call that is asked about other rows
    return True


def rows_wanted(select: exp.Select) -> int | None:
    """How many rows LIMIT and OFFSET read, if both are numbers."""
    if select.args.get("limit") is None:
        return None
    wanted = 0
    for clause in ("limit", "offset"):
        part = select.args.get(clause)
        if part is None:
            continue
        number = part.expression
        if not isinstance(number, exp.Literal) or not number.is_int:
            return None
        wanted += int(number.name)
    return wanted


def _for_limit(block: SelectBlock) -> FirstRows | None:
    """The rows that are enough for LIMIT."""
    most, order = rows_wanted(block.select), block.select.args.get("order")
    if most is None or block.is_grouped:
        return None
    if order is None:  # row order, if the FROM has one
        return FirstRows(most) if order_keys(block.select) else None
    if placeholders(order) or order.find(exp.Window, exp.Query, exp.Var):
        return None  # the order itself is not known yet
    return FirstRows(most, order=tuple(order.expressions))


def _for_a_match(block: SelectBlock) -> FirstRows | None:
    """The one row that is enough for EXISTS or IN."""
    select = block.select
    if block.has("limit") or block.is_grouped:
        return None  # not every row that passes is one that EXISTS or IN sees
    inside = select.parent if isinstance(select.parent, exp.Subquery) else select
    holder = inside.parent
    if not isinstance(holder, (exp.Exists, exp.In)):
        return None
    place = block.blocks.place(holder)
    if place is None:
        return None
    # once EXISTS or IN is true, no other row of the sub-select matters
    still_open = RowFilter(holder, Outcome.NOT_TRUE, place.block, place.clause)
    if isinstance(holder, exp.Exists):
        return FirstRows(1, open=still_open)

    shown = select.expressions[0]
    if len(select.expressions) > 1 or placeholders(shown) or isinstance(holder.this, exp.Tuple):
        return None  # whether a row is equal must be told without asking
    equal = exp.EQ(this=exp.paren(holder.this), expression=exp.paren(shown.unalias()))
    if matters_at(place) is Matters.TRUTH:
        return FirstRows(1, match=equal, within=equal, open=still_open)
    # a row with NULL makes IN NULL where no row matches
    within = is_not(exp.paren(equal), exp.false())
    return FirstRows(1, match=equal, within=within, open=still_open)


def _for_each(block: SelectBlock) -> FirstRows | None:
    """The one row that is enough for each value that is shown or counted once, and for the least or
    the largest value."""
    select = block.select
    if not order_keys(select) or (block.has("limit") and rows_wanted(select) is None):
        return None
    aggregates = [one for shown in select.expressions for one in aggregates_of(shown)]
    if block.has("group"):
        return None if aggregates else _for_each_key(block)
    return _for_aggregates(aggregates)


def _for_each_key(block: SelectBlock) -> FirstRows | None:
    """DISTINCT, which analysis writes as GROUP BY: one row of each group is enough, as long as the
    order of groups is told by their keys or by their first rows."""
    group, order = block.select.args["group"], block.select.args.get("order")
    if set(group.args) - {"expressions"} or not _are_plain(group.expressions):
        return None
    # MIN of row order is the place of the first row that passes: it is among those asked about
    known = [exp.Min(this=key) for key in order_keys(block.select)] + group.expressions
    if order is not None and any(item.this not in known for item in order.expressions):
        return None
    return FirstRows(1, each=tuple(group.expressions))


def _for_aggregates(aggregates: list[exp.Expr]) -> FirstRows | None:
    """COUNT(DISTINCT x), or MIN(x) or MAX(x), however often, and no other aggregate."""
    if not aggregates or any(isinstance(one.parent, exp.Filter) for one in aggregates):
        return None  # FILTER is one more condition on the rows
    first = aggregates[0]
    if any(type(one) is not type(first) or one.this != first.this for one in aggregates):
        return None  # each would stop at another row
    value = first.this
    if isinstance(first, exp.Count) and isinstance(value, exp.Distinct):
        counted = value.expressions
        if len(counted) > 1 or not _are_plain(counted):
            return None
        return FirstRows(1, each=tuple(counted))
    if not isinstance(first, (exp.Min, exp.Max)) or not _are_plain([value]):
        return None
    # NULLs are no extreme
    within = is_not(exp.paren(value), exp.null())
    order = exp.Ordered(this=value, desc=isinstance(first, exp.Max), nulls_first=False)
    return FirstRows(1, within=within, order=(order,))


def _are_plain(values: list[exp.Expr]) -> bool:
    """Whether values are told without calls and other rows."""
    for value in values:
        if placeholders(value) or value.find(exp.Query, exp.Window, exp.Distinct):
            return False
    return True
