"""The rewrites of what only asks whether a row exists: EXISTS, SEMI JOIN and ANTI JOIN."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from binder.analysis.sql.ordering import is_grouped
from binder.language.sqltree import placeholders, tree_of
from binder.plan.blocks import SelectBlock
from binder.plan.expressions import number

# what makes another number of rows of one
_MULTIPLYING = (exp.Unnest, exp.Explode, exp.Inline)


def show_nothing(root: exp.Subquery) -> bool:
    """Drop from EXISTS what its SELECT shows, with its order, its DISTINCT, its groups that no
    HAVING chooses among, and a LIMIT that lets one row through.

    >>> rewrite(show_nothing, '''
    ...     SELECT name FROM v
    ...     WHERE EXISTS (SELECT QA("map@upper?"; city) FROM w WHERE country = code)''')
    SELECT name FROM v WHERE EXISTS(SELECT 1 FROM w WHERE country = code) ORDER BY row_id

    Legal because EXISTS reads no value: a query has a row whatever the row shows, and has as many
    in any order."""
    changed = False
    for exists in root.find_all(exp.Exists):
        for select in _sides(exists.this):
            changed |= _show_nothing(select)
    return changed


def _sides(query: exp.Expr) -> Iterator[exp.Select]:
    """The SELECTs of which each has a row of its own to show for a query."""
    waiting = [query]
    while waiting:
        part = waiting.pop()
        if isinstance(part, exp.Select):
            yield part
        elif any(part.args.get(clause) for clause in ("limit", "offset", "by_name")):
            continue
        elif isinstance(part, exp.Subquery):
            waiting.append(part.this)
        elif isinstance(part, exp.Union):
            waiting += [part.expression, part.this]


def _show_nothing(select: exp.Select) -> bool:
    """Drops what does not change whether a SELECT has a row; whether that holds a call."""
    calls = len(placeholders(select))
    if not calls or any(shown.find(*_MULTIPLYING) for shown in select.expressions):
        return False
    # DISTINCT ON keeps a row of each value in any order, LIMIT and OFFSET count
    select.set("order", None)
    if _lets_one_through(select):
        select.set("limit", None)
    # what skips rows sees how many differ
    if not any(select.args.get(clause) for clause in ("limit", "offset")):
        select.set("distinct", None)
        _drop_groups(select)
    if not select.args.get("distinct"):
        # an aggregate makes one row of none, so one must stay
        alone = is_grouped(select) and not select.args.get("group")
        select.set("expressions", [tree_of("COUNT(*)") if alone else number(1)])
    return len(placeholders(select)) < calls


def _lets_one_through(select: exp.Select) -> bool:
    """Whether a LIMIT keeps the first row, and nothing is skipped before it."""
    limit = select.args.get("limit")
    if limit is None or select.args.get("offset"):
        return False
    most = limit.args.get("expression")
    return isinstance(most, exp.Literal) and most.is_int and int(most.name) > 0


def _drop_groups(select: exp.Select) -> None:
    """Drops a GROUP BY behind which every group comes out: each has a row."""
    group = select.args.get("group")
    if group is None or any(select.args.get(clause) for clause in ("having", "qualify")):
        return
    plain = {name for name, value in group.args.items() if value} == {"expressions"}
    if plain and not group.find(exp.Rollup, exp.Cube, exp.GroupingSets):
        select.set("group", None)


def join_as_exists(root: exp.Subquery) -> bool:
    """Turn a SEMI JOIN whose condition holds a call into EXISTS, and an ANTI JOIN into NOT EXISTS.

    >>> rewrite(join_as_exists, '''
    ...     SELECT city FROM w SEMI JOIN v ON country = code AND QA("map@same?"; city; name)''')
    SELECT city FROM w
    WHERE EXISTS(SELECT 1 FROM v WHERE country = code AND QA("same?"; city, name)) ORDER BY row_id

    Legal because both keep a row where the condition is true for one row of the other side, or for
    none, and because no later join brings back a row that is dropped. EXISTS stops at a match."""
    changed = False
    for select in list(root.find_all(exp.Select)):
        block = SelectBlock(select)
        for join in reversed(block.joins):  # the last ones first: each sees those before it
            if _can_be_exists(block, join):
                _move(block, join)
                changed = True
    return changed


def _can_be_exists(block: SelectBlock, join: exp.Join) -> bool:
    condition = join.args.get("on")
    if join.kind not in ("SEMI", "ANTI") or condition is None or not placeholders(condition):
        return False
    if join.side or join.method or block.groups_by_comma:
        return False
    if not isinstance(join.this, (exp.Table, exp.Subquery)):
        return False  # LATERAL
    behind = block.joins[block.joins.index(join) + 1 :]
    return not any(later.side in ("RIGHT", "FULL") for later in behind)


def _move(block: SelectBlock, join: exp.Join) -> None:
    condition, other = join.args["on"], join.this
    match = exp.Select(expressions=[number(1)], from_=exp.From(this=other.pop()))
    match.set("where", exp.Where(this=condition.pop()))
    found: exp.Expr = exp.Exists(this=match)
    if join.kind == "ANTI":
        found = exp.Not(this=found)
    block.joins.remove(join)
    block.select.set("joins", block.joins)
    where = block.condition("where")
    block.select.set("where", exp.Where(this=found if where is None else exp.and_(found, where)))
