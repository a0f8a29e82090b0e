"""Rules that filter the rows a call is asked about by the conditions around it."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from binder.analysis.sql.ordering import is_aggregate
from binder.analysis.sql.types import kind
from binder.language.annotations import notes
from binder.language.sqltree import copied, placeholders
from binder.plan import Ask, Plan, RowFilter
from binder.plan.asks import each, filtered
from binder.plan.blocks import BEFORE_WHERE, SelectBlock, SelectPlace, Stage, outer_columns
from binder.plan.expressions import column, number, quoted
from binder.plan.matters import filters_of
from binder.plan.outcomes import Outcome


def filter_first(plan: Plan) -> Plan:
    """Collect only rows that can still meet the other conditions of WHERE, groups that can meet
    those of HAVING, and of the sides of INTERSECT and EXCEPT rows that the plain side does not rule
    out.

    >>> program = 'SELECT city FROM w WHERE QA("map@vowel?"; city) AND people > 1000'
    >>> show(program)
    Ask      map 'vowel?' -> boolean
      Collect  distinct 'city'
    >>> show(program, filter_first)
    Ask      map 'vowel?' -> boolean
      Collect  distinct 'city'  where people > 1000

    Legal because a row that fails one conjunct of its own WHERE is dropped whatever the call would
    answer, and a group that fails its HAVING likewise. The same holds for the rows of the queries
    around a sub-select, and for what the condition of a join says of rows that it keeps."""

    def change(ask: Ask) -> Ask:
        added: list[RowFilter] = []
        for place in ask.collect.site.place.outward():
            added += _conditions_beside(ask, place)
        return filtered(ask, added)

    return each(plan, change)


def _conditions_beside(ask: Ask, place: SelectPlace) -> list[RowFilter]:
    """The conditions of one SELECT that a row must meet for what stands in a place to matter."""
    block = place.block
    if place.clause == "joins":
        return _of_kept_rows(place)
    if place.clause in BEFORE_WHERE:
        return []  # a sub-select in FROM and a CTE have rows of their own
    # of groups the WHERE is already applied
    if place.node is ask.collect.site.node and ask.collect.site.stage is Stage.GROUPS:
        return [*_of_other_side(block), *_conjuncts(place, "having")]
    conditions = [*_conjuncts(place, "where"), *_conjuncts(place, "qualify")]
    return [*_of_other_side(block), *conditions, *_of_keys(block)]


def _conjuncts(place: SelectPlace, clause: str) -> list[RowFilter]:
    """The conditions of a clause that do not hold what stands in a place."""
    block = place.block
    parts = [part for part in block.conjuncts(clause) if not place.is_inside(part)]
    return [RowFilter(part, Outcome.TRUE, block, clause) for part in parts]


def _of_keys(block: SelectBlock) -> Iterator[RowFilter]:
    """The conditions of HAVING on the keys of groups: they are so of each row of a group."""
    for part in block.conjuncts("having"):
        if not placeholders(part) and not any(map(is_aggregate, part.walk())):
            yield RowFilter(part, Outcome.TRUE, block, "where")


def _of_kept_rows(place: SelectPlace) -> list[RowFilter]:
    """For a call in a join: the plain conditions of WHERE on columns of rows that the join keeps
    whatever its condition comes out as."""
    block = place.block
    index = place.path[-1].index
    if block.condition("where") is None or index is None:
        return []
    if any(later.side in ("RIGHT", "FULL") for later in block.joins[index + 1 :]):
        return []  # a later join can fill those rows with NULLs
    kept = {id(notes(item.this).source) for item in _kept_items(place, index)}
    found = []
    for part in block.conjuncts("where"):
        sources = [id(notes(column).source) for column in outer_columns(part)]
        if not placeholders(part) and kept.issuperset(sources):
            found.append(RowFilter(part, Outcome.TRUE, block, "where"))
    return found


def _kept_items(place: SelectPlace, index: int) -> list[exp.Expr]:
    """The items of FROM whose rows a join does not fill with NULLs."""
    block = place.block
    join, before = block.joins[index], block.items[: index + 1]
    if join.side == "FULL":
        return []
    if join.side == "RIGHT":
        return [join]
    # LEFT keeps what is before it; an inner join both sides
    on = join.args.get("on")
    # a call in a sub-select that is joined sees rows before they are joined
    is_in_condition = on is not None and place.is_inside(on)
    return [*before, join] if is_in_condition and not join.side else before


def _of_other_side(block: SelectBlock) -> list[RowFilter]:
    """For a side of INTERSECT or EXCEPT whose other side is plain: the row must be there, too, or
    must not."""
    together, is_first = _set_operation(block.select)
    if together is None or block.is_grouped or block.has("limit", "offset", "qualify", "distinct"):
        return []
    subtracts = isinstance(together, exp.Except) and is_first
    if subtracts and not together.args.get("distinct"):
        return []  # EXCEPT ALL leaves as many rows as there are more on this side
    # the other side is evaluated as it is: it has to be plain
    other: exp.Expr = together.expression if is_first else together.this
    if (
        not isinstance(other, exp.Query)
        or placeholders(other)
        or not _are_comparable(block.select, other)
    ):
        return []
    found = exp.Exists(this=_equal_rows(block.select, other))
    outcomes = Outcome.FALSE if subtracts else Outcome.TRUE
    return [RowFilter(found, outcomes, block, "where")]


def _set_operation(select: exp.Select) -> tuple[exp.Intersect | exp.Except | None, bool]:
    """The INTERSECT or EXCEPT of which a SELECT is a side, and whether it is the first one."""
    side: exp.Expr = select
    while isinstance(side.parent, exp.Subquery) and not set(side.parent.args) - {"this"}:
        side = side.parent
    together = side.parent
    if not isinstance(together, (exp.Intersect, exp.Except)):
        return None, False
    return together, side is together.this


def _are_comparable(select: exp.Select, other: exp.Query) -> bool:
    """Whether a row of a SELECT can be compared with those of another query before it is shown:
    plain columns, alike in type."""
    for one, two in zip(select.selects, other.selects, strict=True):
        shown = one.unalias()
        if placeholders(shown) or shown.find(exp.Window, exp.Query):
            return False
        if kind(shown) is None or kind(shown) != kind(two.unalias()):
            return False  # the set operation would cast one of them first
    return True


def _equal_rows(select: exp.Select, other: exp.Expr) -> exp.Select:
    """SELECT 1 FROM (other) AS "other side"(c0, c1) WHERE c0 IS NOT DISTINCT FROM ...: the rows of
    another query that are equal to a row of a SELECT."""
    names, pairs = [], []
    for i, shown in enumerate(select.selects):
        names.append(quoted(f"c{i}"))
        theirs = column(f"c{i}", "other side")
        pairs.append(exp.NullSafeEQ(this=theirs, expression=copied(shown.unalias())))
    alias = exp.TableAlias(this=quoted("other side"), columns=names)
    equal = exp.Select(
        expressions=[number(1)], from_=exp.From(this=exp.Subquery(this=copied(other), alias=alias))
    )
    return equal.where(*pairs, copy=False)


def ask_the_undecided(plan: Plan) -> Plan:
    """Collect only rows for which OR, CASE, COALESCE and FILTER leave open what a call would
    answer.

    >>> show('SELECT city FROM w WHERE people > 1000 OR QA("map@vowel?"; city)', ask_the_undecided)
    Ask      map 'vowel?' -> boolean
      Collect  distinct 'city'  where (people > 1000) is not true

    Legal because such an expression has the same value whatever the call answers: TRUE OR x is
    true, a branch of CASE that is not reached is not evaluated, and in WHERE, false and NULL are
    equivalent."""

    def change(ask: Ask) -> Ask:
        added: list[RowFilter] = []
        for place in ask.collect.site.place.outward():
            added += filters_of(place)
        return filtered(ask, [*added, *_of_branches(ask)])

    return each(plan, change)


def _of_branches(ask: Ask) -> list[RowFilter]:
    """For a call in a condition with branches: the condition can come out either way. A call in one
    branch can settle it for those in the others."""
    site = ask.collect.site
    is_on_groups = site.place.clause == "having" and site.stage is Stage.GROUPS
    if not site.is_in_where and not is_on_groups:
        return []
    for part in site.block.conjuncts(site.place.clause):
        if site.place.is_inside(part) and part.find(exp.Case, exp.If):
            either_way = (Outcome.TRUE, Outcome.NOT_TRUE)
            return [RowFilter(part, can, site.block, site.place.clause) for can in either_way]
    return []
