"""The SQL of an early exit: the inputs of the first rows, until enough rows certainly pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from binder.analysis.sql.ordering import order_keys
from binder.language.sqltree import copied, tree_of
from binder.plan import FirstRows
from binder.plan.blocks import SelectBlock
from binder.plan.correlate import derived, name_of
from binder.plan.expressions import every, opposite
from binder.plan.outcomes import Outcome
from binder.plan.three_valued import Knowledge, can


class FirstRowsQuery:
    """The query of an early exit over a SELECT."""

    def __init__(self, block: SelectBlock, first: FirstRows, known: Knowledge):
        where = block.condition("where")
        assert where is not None  # only calls of a WHERE stop early
        self.where = where
        self.first = first
        self.known = known

    def query(self, rows: exp.Select, needed: exp.Expr, reach: int, place: str) -> exp.Select:
        """The needed inputs among the first `reach` rows that can pass WHERE. A row is left out if
        enough rows before it certainly pass. Here nothing is known yet, so no row does:

        >>> collect('SELECT city FROM w WHERE QA("map@vowel?"; city) LIMIT 2', stop_early, reach=4)
        SELECT k0
        FROM (SELECT k0, place
              FROM (SELECT k0, needed,
                           COALESCE(SUM(CAST(passes AS INT)) OVER (ORDER BY order_0
                               ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), 0)
                               AS passed_before,
                           ROW_NUMBER() OVER (ORDER BY order_0) AS place
                    FROM (SELECT w.city AS k0, TRUE AS needed, FALSE AS passes,
                                 w.row_id AS order_0
                          FROM w WHERE ((NOT (w.city) IS NULL))
                          ORDER BY w.row_id LIMIT 4) AS asked) AS asked
              WHERE needed AND passed_before < 2) AS asked
        GROUP BY k0 ORDER BY MIN(place), k0
        """
        # three levels: what is known of each row, how many certainly pass before it, the choice
        keys = list(rows.expressions)
        order = self._order(rows)
        reached = self._reached(rows, needed, order, reach)
        counted = exp.Select(
            expressions=[
                *(name_of(key) for key in keys),
                exp.column("needed"),
                exp.alias_(self._passed_before(order), "passed_before"),
                exp.alias_(exp.Window(this=exp.RowNumber(), order=_by(_again(order))), place),
            ],
            from_=derived(reached),
        )
        shown = [*(name_of(key) for key in keys), exp.column(place)]
        kept = exp.Select(expressions=shown, from_=derived(counted))
        return kept.where(
            tree_of("needed AND passed_before < $enough", enough=self.first.rows), copy=False
        )

    def _order(self, rows: exp.Select) -> Sequence[exp.Ordered]:
        """The scan order: row order, if there is no other."""
        if self.first.order:
            return self.first.order
        return [exp.Ordered(this=key, nulls_first=False) for key in order_keys(rows)]

    def _reached(
        self, rows: exp.Select, needed: exp.Expr, order: Sequence[exp.Ordered], reach: int
    ) -> exp.Select:
        """The first `reach` rows that can pass (of each value), with what is known of each."""
        first = self.first
        fails = can(self.where, Outcome.NOT_TRUE, self.known)
        # a row certainly passes if its WHERE can no longer fail
        passes = [opposite(fails), *_optional(first.match)]
        rows.append("expressions", exp.alias_(needed, "needed"))
        rows.append("expressions", exp.alias_(every(passes), "passes"))
        for i, item in enumerate(order):
            rows.append("expressions", exp.alias_(copied(item.this), f"order_{i}"))
        for i, value in enumerate(first.each):
            rows.append("expressions", exp.alias_(copied(value), f"each_{i}"))
        # rows that cannot pass do not count: an early exit looks past them
        can_pass = can(self.where, Outcome.TRUE, self.known)
        rows.where(every([can_pass, *_optional(first.within)]), copy=False)

        if not first.each:
            rows.set("order", _by(order))
            return rows.limit(reach, copy=False)
        # a LIMIT of its own for each value
        each = [copied(value) for value in first.each]
        position = exp.Window(this=exp.RowNumber(), partition_by=each, order=_by(order))
        limit = tree_of("$position <= $reach", position=position, reach=reach)
        rows.set("qualify", exp.Qualify(this=limit))
        return rows

    def _passed_before(self, order: Sequence[exp.Ordered]) -> exp.Expr:
        """How many of the rows in front of one certainly pass (of those with its value)."""
        # without the row itself: it is asked about until enough before it pass
        in_front = "ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING"
        passed = tree_of(f"SUM(CAST(passes AS INT)) OVER ({in_front})")
        passed.set("partition_by", [exp.column(f"each_{i}") for i in range(len(self.first.each))])
        passed.set("order", _by(_again(order)))
        # the first row has none in front: SUM of nothing is NULL
        return tree_of("COALESCE($passed, 0)", passed=passed)


def _again(order: Sequence[exp.Ordered]) -> list[exp.Ordered]:
    """The scan order by the columns order_0, order_1, ... of a sub-select."""
    items = []
    for i, item in enumerate(order):
        direction: dict[str, Any] = {name: item.args.get(name) for name in ("desc", "nulls_first")}
        items.append(exp.Ordered(this=exp.column(f"order_{i}"), **direction))
    return items


def _by(items: Sequence[exp.Expr]) -> exp.Order | None:
    return exp.Order(expressions=[copied(item) for item in items]) if items else None


def _optional(condition: exp.Expr | None) -> list[exp.Expr]:
    return [] if condition is None else [copied(condition)]
