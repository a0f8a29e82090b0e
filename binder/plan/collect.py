"""The SQL that collects the inputs of a call that are still needed.

It is the program's own SELECT, cut off behind the clause in which the call stands, with everything
left out that is not known yet.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

from sqlglot import exp

from binder.analysis.sql.ordering import order_keys
from binder.language.annotations import notes
from binder.language.sqltree import copied, tree_of
from binder.plan import Collect, RowFilter
from binder.plan.blocks import OF_GROUPS, Stage, outer_columns
from binder.plan.correlate import clause_around, derived, joins_of, lifted, name_of
from binder.plan.expressions import any_present, column, every, is_true, number, opposite
from binder.plan.first_rows import FirstRowsQuery
from binder.plan.outcomes import Outcome
from binder.plan.three_valued import Knowledge, can, unasked, unknown_in

PLACE = "place"  # where in row order an input first stands

# the clauses that are evaluated after the one in which a call stands
_BEHIND = {
    "expressions": ("with_",),
    "order": ("with_", "order", "limit", "offset", "distinct"),
    "qualify": ("with_", "qualify", "order", "limit", "offset", "distinct"),
}
# the clauses that choose among the rows which WHERE leaves
_CHOOSING = ("distinct", "qualify", "limit", "offset")
# the clauses that see groups, or stand in front of the whole query
_AFTER_GROUPS = ("with_", "having", "windows", "qualify", "distinct", "order", "limit", "offset")


def key_name(index: int) -> str:
    """The column of an argument, in collects and in mappings."""
    return f"k{index}"


def key_values(node: exp.Anonymous) -> Sequence[exp.Expr]:
    """The expressions whose values are the inputs of a call: the arguments of a map; of an ans the
    columns of the queries around that its tables refer to."""
    if any(isinstance(argument, exp.Subquery) for argument in node.expressions):
        return outer_columns(node)
    return node.expressions


def inputs(
    collect: Collect,
    known: Knowledge,
    reach: int | None = None,
    among: Sequence[exp.Anonymous] = (),
) -> exp.Select:
    """The distinct inputs of a call, in the order of their first appearance, so that equal runs ask
    equal requests. reach: how many rows an early exit looks at now; among: calls that are known on
    the rows to be looked at.

    >>> program = 'SELECT city FROM w WHERE people > 1000 AND QA("map@vowel?"; country)'
    >>> collect(program, filter_first)
    SELECT k0
    FROM (SELECT w.country AS k0, w.row_id AS place FROM w WHERE (w.people > 1000)) AS asked
    GROUP BY k0 ORDER BY MIN(place), k0
    """
    rows = CollectQuery(collect, known)
    query = rows.query(reach, among)
    # a correlated collect has no place in row order; inputs that first appear at one place, as
    # those of groups that tie, come in the order of their values
    keys = [name_of(key) for key in rows.keys]
    order: list[exp.Expr] = [*keys]
    if PLACE in query.named_selects:
        order.insert(0, exp.Min(this=exp.column(PLACE)))
    return exp.Select(
        expressions=keys,
        from_=derived(query),
        group=exp.Group(expressions=[copied(key) for key in keys]),
        order=exp.Order(
            expressions=[exp.Ordered(this=copied(key), nulls_first=False) for key in order]
        ),
        with_=clause_around(collect.site.block.select, known),
    )


def rows_looked_at(collect: Collect, known: Knowledge) -> exp.Select:
    """How many rows a collect looks at."""
    return exp.Select(
        expressions=[tree_of("COUNT(*) AS rows")],
        from_=derived(CollectQuery(collect, known).query()),
        with_=clause_around(collect.site.block.select, known),
    )


def share_settled(collect: Collect, known: Knowledge) -> exp.Select | None:
    """For what share of the rows on which a call is known it alone settles the WHERE, one way or
    the other. known: what is known without the other calls of that WHERE. None for a correlated
    SELECT, where this would be involved.

    SELECT AVG(CASE WHEN (<can be true> AND <can fail>) IS TRUE THEN 0 ELSE 1 END) AS share
    FROM w WHERE <the call is known> AND <an argument is not NULL>
    """
    block, call = collect.site.block, collect.site.node
    where = block.condition("where")
    if where is None or not block.has("from_") or outer_columns(block.select):
        return None
    # a row is settled if the WHERE can no longer come out both ways
    is_open = every([can(where, Outcome.TRUE, known), can(where, Outcome.NOT_TRUE, known)])
    settled = tree_of("AVG(IF(($open) IS TRUE, 0, 1))", open=is_open)
    query = exp.Select(
        expressions=[exp.alias_(settled, "share")], from_=copied(block.select.args["from_"])
    )
    query.set("joins", joins_of(block, None, known))
    is_known = [opposite(unknown_in(call, known)), any_present(call.expressions)]
    query.where(every(is_known), copy=False)
    query.set("with_", clause_around(block.select, known))
    return query


class CollectQuery:
    """The query that yields the inputs of a call for each row on which it is evaluated, and the
    place of that row in row order, if one column tells it."""

    def __init__(self, collect: Collect, known: Knowledge):
        self.collect = collect
        self.known = known
        self.site = collect.site
        self.block = collect.site.block
        self.filters: list[RowFilter] = []
        self.of_groups: list[RowFilter] = []
        for one in collect.filters:
            if one.block is self.block:
                filters = self.of_groups if one.clause == OF_GROUPS else self.filters
                filters.append(one)

    @cached_property
    def keys(self) -> tuple[exp.Expr, ...]:
        """The inputs, as projections k0, k1, ..."""
        keys = []
        # an ans about the same tables on every row has no inputs: then only rows are counted
        for i, value in enumerate(key_values(self.site.node) or [number(1)]):
            keys.append(exp.alias_(copied(value), key_name(i), quoted=True, copy=False))
        return tuple(keys)

    def query(self, reach: int | None = None, among: Sequence[exp.Anonymous] = ()) -> exp.Select:
        """The query, a correlated one beside the FROMs that it refers to."""
        # calls among the arguments come first: as long as they are unknown, there is no input
        parts = [*(key.this for key in self.keys), *among]
        ready = [opposite(unknown_in(part, self.known)) for part in parts]
        return lifted(self._rows(reach, ready), self.collect, PLACE, self.known)

    def _rows(self, reach: int | None, ready: list[exp.Expr]) -> exp.Select:
        """The query by the stage of the call: the later it is evaluated, the fewer rows there are,
        but the more must be known."""
        is_last = self.site.stage is Stage.OUTPUT and self._is_complete()
        if is_last and self._needs_whole_select():
            return self._shown_rows(ready)
        # not known enough for that: of groups all that can be needed, else of rows
        is_grouped = self.site.stage is Stage.OUTPUT and self.block.is_grouped
        if is_grouped or self.site.stage is Stage.GROUPS:
            return self._groups()
        return self._joined_rows(is_last, reach, ready)

    def _conditions(self, *without: str, on_output: bool = False) -> list[exp.Expr]:
        """What the filters leave open, those of some clauses left out. on_output: also those that
        can only be told of rows that come out."""
        kept = [one for one in self.filters if one.clause not in without]
        if not on_output:
            # a window function would see other rows here than in the SELECT itself
            kept = [one for one in kept if not one.node.find(exp.Window)]
            kept = [one for one in kept if one.clause != "qualify"]
        return [can(one.node, one.outcomes, self.known) for one in kept]

    @cached_property
    def _behind(self) -> tuple[str, ...]:
        """The clauses that are evaluated after that of the call."""
        return _BEHIND[self.site.place.clause]

    def _is_complete(self) -> bool:
        """Whether every clause before that of the call can be evaluated."""
        block = self.block
        if block.has("distinct") and "distinct" not in self._behind:
            return False  # the call itself is one of the columns that must differ
        parts: list[exp.Expr] = [*block.joins]
        clauses = ("where", "having", "qualify", "order", "limit", "offset")
        before = [clause for clause in clauses if clause not in self._behind]
        parts += [block.select.args[clause] for clause in before if block.has(clause)]
        return not any(unasked(part, self.known) for part in parts)

    def _needs_whole_select(self) -> bool:
        """Whether the rows that come out are more than those that pass WHERE."""
        if self.site.place.clause == "qualify" or self.block.is_grouped:
            return True
        if self.block.has(*(clause for clause in _CHOOSING if clause not in self._behind)):
            return True
        # window functions see all rows that pass, so these have to be there
        reads = [*self.keys, *(one.node for one in self.filters)]
        return any(part.find(exp.Window) for part in reads)

    def _shown_rows(self, ready: list[exp.Expr]) -> exp.Select:
        """Exactly the rows that the SELECT yields, LIMIT included.

        >>> collect('SELECT QA("map@upper?"; city) FROM w LIMIT 2', ask_what_is_shown)
        SELECT k0
        FROM (SELECT k0, place
              FROM (SELECT k0, ROW_NUMBER() OVER () AS place, needed
                    FROM (SELECT w.city AS k0, TRUE AS needed FROM w
                          ORDER BY w.row_id LIMIT 2) AS asked) AS asked
              WHERE needed) AS asked
        GROUP BY k0 ORDER BY MIN(place), k0
        """
        without = ["where", "having"]  # the SELECT itself applies these
        if self.site.place.clause != "qualify":
            without.append("qualify")
        needed = every([*self._conditions(*without, on_output=True), *ready])
        shown = copied(self.block.select)
        for clause in self._behind:
            shown.set(clause, None)
        shown.set("expressions", [*self.keys, exp.alias_(needed, "needed")])

        # rows are numbered before those that are not needed are dropped
        number_rows = exp.Window(this=exp.RowNumber(), order=self._order_of_groups(shown))
        place = exp.alias_(number_rows, PLACE)
        placed = exp.Select(
            expressions=[*map(name_of, self.keys), place, exp.column("needed")],
            from_=derived(shown),
        )
        kept = exp.Select(
            expressions=[*map(name_of, self.keys), exp.column(PLACE)], from_=derived(placed)
        )
        return kept.where(exp.column("needed"), copy=False)

    def _order_of_groups(self, shown: exp.Select) -> exp.Order | None:
        """The order of groups that no ORDER BY settles, since an engine yields them in any: that of
        their first rows, which become further columns, then that of their inputs."""
        if not self.block.is_grouped or shown.args.get("order"):
            return None
        sources = [notes(item.this).source for item in self.block.items]
        from_tables = all(source is not None and source.table is not None for source in sources)
        order: list[exp.Expr] = []
        if from_tables and not shown.args.get("distinct"):
            for i, key in enumerate(order_keys(self.block.select)):
                shown.append("expressions", exp.alias_(exp.Min(this=key), f"first{i}"))
                order.append(exp.column(f"first{i}"))
        order += map(name_of, self.keys)
        return exp.Order(expressions=[exp.Ordered(this=key, nulls_first=False) for key in order])

    def _groups(self) -> exp.Select:
        """The groups of the SELECT, as far as it is known which are needed.

        >>> collect('SELECT country FROM w GROUP BY country HAVING QA("map@vowel?"; country)')
        SELECT k0
        FROM (SELECT w.country AS k0, MIN(w.row_id) AS place FROM w GROUP BY w.country) AS asked
        GROUP BY k0 ORDER BY MIN(place), k0
        """
        groups = copied(self.block.select)
        for clause in _AFTER_GROUPS:
            groups.set(clause, None)
        # the WHERE stays as it is, and filters on rows are part of it
        needed = every(self._conditions("where"))
        if not is_true(needed):
            groups.set("having", exp.Having(this=needed))
        groups.set("expressions", list(self.keys))
        return _placed(groups, [exp.Min(this=key) for key in order_keys(self.block.select)])

    def _joined_rows(self, is_last: bool, reach: int | None, ready: list[exp.Expr]) -> exp.Select:
        """The rows of FROM that can be needed. is_last: the WHERE is known, so it is used as it is
        instead of its filters."""
        query = exp.Select(expressions=list(self.keys))
        start = self.block.select.args.get("from_")
        if start is not None:
            query.set("from_", copied(start))
        query.set("joins", joins_of(self.block, self.site.join, self.known))
        conditions: list[exp.Expr] = []
        where = self.block.condition("where")
        if is_last and where is not None:
            conditions.append(copied(where))
        conditions += self._conditions("where") if is_last else self._conditions()
        needed = every([*conditions, *ready, *self._in_groups()])
        if reach is not None and self.collect.first_rows is not None:
            first = FirstRowsQuery(self.block, self.collect.first_rows, self.known)
            return first.query(query, needed, reach, PLACE)
        if not is_true(needed):
            query.where(needed, copy=False)
        return _placed(query, order_keys(query))

    def _in_groups(self) -> list[exp.Expr]:
        """That the group of a row matters, if it is known by now which rows it has.

        EXISTS (SELECT 1 FROM (SELECT keys ... GROUP BY keys HAVING <needed>) AS asked
                WHERE k0 IS NOT DISTINCT FROM key)
        """
        select, members = self.block.select, self.site.stage is Stage.MEMBERS
        # which rows a group has is known only when nothing before GROUP BY is asked any more
        parts = [*self.block.joins, select.args.get("where"), select.args.get("group")]
        is_chosen = self.of_groups or (members and self.block.has("having", "limit"))
        if not is_chosen or any(map(self._is_unasked, parts)) or outer_columns(select):
            return []
        after = [select.args.get(clause) for clause in ("having", "order", "limit", "offset")]
        is_last = members and not any(map(self._is_unasked, after))
        groups = copied(select)
        # what of HAVING, ORDER BY and LIMIT is known chooses; a LIMIT without its order does not
        for clause in ("with_", "having") if is_last else _AFTER_GROUPS:
            groups.set(clause, None)
        needed = self._needed_groups(is_last)
        if is_true(needed) and not self.block.has("limit"):
            return []
        return [_is_among(groups, needed)]

    def _needed_groups(self, is_last: bool) -> exp.Expr:
        """What a group must meet, as far as it is known. is_last: whether all of HAVING is."""
        conditions = [one for one in self.of_groups if not self._is_unasked(one.node)]
        known = [can(one.node, one.outcomes, self.known) for one in conditions]
        if is_last:
            known = [*map(copied, self.block.conjuncts("having")), *known]
        return every(known)

    def _is_unasked(self, part: exp.Expr | None) -> bool:
        return part is not None and unasked(part, self.known)


def _is_among(groups: exp.Select, needed: exp.Expr) -> exp.Expr:
    """Whether a row belongs to one of some groups. needed: their HAVING."""
    group = groups.args.get("group")
    keys = [] if group is None else group.expressions
    shown = [exp.alias_(copied(key), key_name(i)) for i, key in enumerate(keys)]
    groups.set("expressions", shown or [tree_of("COUNT(*)")])
    if not is_true(needed):
        groups.set("having", exp.Having(this=needed))
    pairs = []
    for i, key in enumerate(keys):
        theirs = column(key_name(i), "asked")
        pairs.append(tree_of("$one IS NOT DISTINCT FROM ($other)", one=theirs, other=copied(key)))
    found = exp.Select(expressions=[number(1)], from_=derived(groups))
    return exp.Exists(this=found.where(*pairs, copy=False) if pairs else found)


def _placed(query: exp.Select, order: list[exp.Expr]) -> exp.Select:
    """The query with the place of each row as a further column, if one column tells it."""
    if len(order) == 1:
        query.append("expressions", exp.alias_(copied(order[0]), PLACE))
    return query
