"""The move of join conditions with calls into WHERE."""

from __future__ import annotations

from sqlglot import exp

from binder.language.annotations import annotate, notes
from binder.language.sqltree import copied, placeholders
from binder.plan.blocks import SelectBlock, conjuncts
from binder.plan.naive import in_order


def join_in_where(root: exp.Subquery) -> bool:
    """Move conditions of inner joins that hold calls into WHERE, where rules find them.

    >>> rewrite(join_in_where, '''
    ...     SELECT city FROM w JOIN v ON w.country = v.code AND QA("map@vowel?"; city)
    ...     WHERE people > 1000''')
    SELECT city FROM w JOIN v ON country = code WHERE QA("vowel?"; city) AND people > 1000
    ORDER BY row_id, row_id

    Legal because an inner join yields the pairs that meet its condition, and no later join brings
    back a row that it drops."""
    changed = False
    for select in list(root.find_all(exp.Select)):
        block = SelectBlock(select)
        asking = [_asking(join) for join in block.joins]
        if any(asking) and _can_move(block, asking):
            changed |= _move(block, asking)
    return changed


def _conditions(join: exp.Join) -> list[exp.Expr]:
    on = join.args.get("on")
    return [] if on is None else conjuncts(on)


def _asking(join: exp.Join) -> list[exp.Expr]:
    """The conditions of a join that hold calls."""
    return [part for part in _conditions(join) if placeholders(part)]


def _can_move(block: SelectBlock, asking: list[list[exp.Expr]]) -> bool:
    """Whether all conditions with calls can leave their joins. One that stays would be asked first,
    about more rows than before."""
    for join, parts in zip(block.joins, asking, strict=True):
        if parts and not _is_inner(join):
            return False
        if any(part.find(exp.Query) for part in parts):
            return False
    return True


def _is_inner(join: exp.Join) -> bool:
    return not join.side and not join.method and join.kind in ("", "INNER", "CROSS")


def _move(block: SelectBlock, asking: list[list[exp.Expr]]) -> bool:
    """Moves the conditions; whether there was a join whose conditions can move."""
    # the turn of each call is noted before the conditions move
    if not any(map(_compares_tables, _deciding(block))):
        _in_turn(block)
    moved = False
    for index, join in enumerate(block.joins):
        if not asking[index]:
            continue
        if any(later.side in ("RIGHT", "FULL") for later in block.joins[index:]):
            continue  # it keeps rows without a match, which WHERE would drop
        # plain conditions stay: they choose the pairs, and DuckDB joins by them
        plain = [copied(part) for part in _conditions(join) if not placeholders(part)]
        join.set("on", exp.and_(*plain, copy=False) if plain else exp.true())
        where = block.select.args.get("where")
        stays = [] if where is None else conjuncts(where.this)
        conditions = [*map(copied, asking[index]), *stays]
        block.select.set("where", exp.Where(this=exp.and_(*conditions, copy=False)))
        moved = True
    return moved


def _deciding(block: SelectBlock) -> list[exp.Anonymous]:
    """The calls of the joins and of WHERE."""
    found = []
    for join in block.joins:
        found += placeholders(join)
    where = block.select.args.get("where")
    return found if where is None else [*found, *placeholders(where)]


def _compares_tables(call: exp.Anonymous) -> bool:
    """Whether a call is about pairs of rows. There are more pairs than rows, and conditions of
    WHERE can save some: such calls are asked in any order."""
    return len({column.table for column in call.find_all(exp.Column)}) > 1


def _in_turn(block: SelectBlock) -> None:
    """Notes that the calls of joins are asked one after the other, as they would be in their joins,
    and those of WHERE behind them."""
    turns: list[list[exp.Anonymous]] = []
    for join in block.joins:
        turns += [[call] for call in in_order(join)]
    # turns that a call has from inlining come first, these inside of each
    count = len(turns) + 1
    where = block.select.args.get("where")
    turns.append([] if where is None else placeholders(where))
    for turn, calls in enumerate(turns):
        for call in calls:
            annotate(call, layer=notes(call).layer * count + turn)
