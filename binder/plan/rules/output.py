"""Rules that ask calls behind WHERE and GROUP BY about the rows that come out."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from binder.language.sqltree import copied, placeholders, tree_of
from binder.plan import Ask, CallSite, Plan, RowFilter
from binder.plan.asks import each, filtered
from binder.plan.blocks import Stage
from binder.plan.outcomes import Outcome
from binder.plan.rules.early_exit import rows_wanted


def ask_what_is_shown(plan: Plan) -> Plan:
    """Ask a call behind WHERE and GROUP BY about the rows or groups that come out: in projections
    after LIMIT, in ORDER BY and QUALIFY after the clauses before them.

    >>> show('SELECT QA("map@upper?"; city) FROM w LIMIT 1', ask_what_is_shown, counts=True)
    Ask      map 'upper?' -> auto
      Collect  distinct 'city'  (at most 1)

    Legal because a projection outside of window functions is evaluated on no other row, and because
    nothing that decides which rows come out holds an unasked call: else all its rows are collected.
    """

    def change(ask: Ask) -> Ask:
        site = ask.collect.site
        if not _is_evaluated_last(site):
            return ask
        return replace(ask, collect=replace(ask.collect, site=replace(site, stage=Stage.OUTPUT)))

    return each(plan, change)


def _is_evaluated_last(site: CallSite) -> bool:
    """Whether a call is evaluated on each row or group that its SELECT shows, and on no other."""
    if site.place.clause not in ("expressions", "order", "qualify"):
        return False
    if site.stage in (Stage.ON, Stage.OUTPUT):
        return False
    if site.block.is_grouped and site.stage is Stage.ROWS:
        return False  # inside of an aggregate
    return not _is_in_window(site) and not _groups_by_all(site)


def _is_in_window(site: CallSite) -> bool:
    """Whether a window function reads a call: it sees rows that LIMIT drops."""
    return any(isinstance(step, exp.Window) for step in site.place.path)


def _groups_by_all(site: CallSite) -> bool:
    """Whether GROUP BY ALL makes a key of what is shown."""
    group = site.block.select.args.get("group")
    return group is not None and bool(group.args.get("all"))


def ask_about_ties(plan: Plan) -> Plan:
    """Ask a call in ORDER BY behind plain keys about rows that are equal in these keys, and under
    LIMIT only about those that can come out.

    >>> program = 'SELECT city FROM w ORDER BY country, QA("map@length?"; city) LIMIT 1'
    >>> show(program, ask_what_is_shown, ask_about_ties)
    Ask      map 'length?' -> auto
      Collect  distinct 'city'  where COUNT(*) OVER (PARTITION BY country) > 1
                                  and RANK() OVER (ORDER BY country) <= 1

    Legal because earlier keys put all other rows in order, whatever the call would answer about
    them."""

    def change(ask: Ask) -> Ask:
        site = ask.collect.site
        select = site.block.select
        if site.stage is not Stage.OUTPUT or site.place.clause != "order":
            return ask
        # these drop rows between the keys and LIMIT: a tied row may be one of them
        if site.block.has("distinct", "qualify"):
            return ask
        keys = _keys_before(site, select.args["order"])
        if not keys:
            return ask
        conditions = [_is_tied(keys)]
        most = rows_wanted(select)
        if most is not None:
            conditions.append(_comes_out(keys, most))
        found = [RowFilter(part, Outcome.TRUE, site.block, "order") for part in conditions]
        return filtered(ask, found)

    return each(plan, change)


def _keys_before(site: CallSite, order: exp.Order) -> list[exp.Expr]:
    """The plain keys of ORDER BY in front of the one that holds a call."""
    keys = []
    for item in order.expressions:
        # another call in front of it is not known yet either
        if site.place.is_inside(item) or placeholders(item) or item.find(exp.Window):
            break
        keys.append(item)
    return keys


def _is_tied(keys: list[exp.Expr]) -> exp.Expr:
    """COUNT(*) OVER (PARTITION BY keys) > 1"""
    partition = [copied(item.this) for item in keys]
    return tree_of("$rows > 1", rows=exp.Window(this=tree_of("COUNT(*)"), partition_by=partition))


def _comes_out(keys: list[exp.Expr], most: int) -> exp.Expr:
    """RANK() OVER (ORDER BY keys) <= most"""
    order = exp.Order(expressions=[copied(item) for item in keys])
    return tree_of("$rank <= $most", rank=exp.Window(this=exp.Rank(), order=order), most=most)
