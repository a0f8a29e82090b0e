"""The push-down of conditions into sub-selects."""

from __future__ import annotations

from sqlglot import exp

from binder.analysis.sql.ordering import ROW_ORDER
from binder.language.annotations import field_of, notes, source_of
from binder.language.sqltree import copied, placeholders
from binder.plan.blocks import SelectBlock, outer_columns
from binder.plan.rewrites.derived import DerivedTable, derived_tables

# clauses behind which a SELECT shows fewer rows than WHERE left, or others
_CHOOSING = ("limit", "offset", "qualify", "with_", "by_name")


def filter_inside(root: exp.Subquery) -> bool:
    """Push a plain condition down into a sub-select: to each side of a set operation, and to the
    rows of groups if it is about their keys.

    >>> rewrite(filter_inside, '''
    ...     SELECT k FROM (SELECT country AS k, COUNT(QA("map@vowel?"; city)) AS n FROM w
    ...                    GROUP BY country) AS q
    ...     WHERE k = 'FR' ''')
    SELECT k FROM (SELECT country AS k, COUNT(QA("vowel?"; city)) AS n,
                          MIN(row_id) AS `row order`
                   FROM w WHERE ((country) = 'FR') GROUP BY country) AS q
    WHERE k = 'FR' ORDER BY `row order`

    Legal because it drops, one for one, the rows that the WHERE around drops. LIMIT would see
    other rows, and so would a window function, except for conditions on what it partitions by."""
    changed = False
    for derived in derived_tables(root):
        if placeholders(derived.table) and _is_reached_by_where(derived):
            changed |= _push_down(derived)
    return changed


def _is_reached_by_where(derived: DerivedTable) -> bool:
    """Whether the WHERE of the SELECT around sees the rows of a sub-select as they are."""
    block, item = derived.block, derived.item
    if isinstance(item, exp.Join) and (item.side or item.kind not in ("", "INNER", "CROSS")):
        return False  # it may fill the rows with NULLs, and the condition be about these
    return not any(later.side in ("RIGHT", "FULL") for later in block.joins[derived.index :])


def _push_down(derived: DerivedTable) -> bool:
    """Adds the conditions on a sub-select to the SELECTs inside; whether there were any."""
    sides = _sides(derived.table)
    names = [name.casefold() for name in derived.table.named_selects]
    changed = False
    for part in derived.block.conjuncts("where"):
        columns = outer_columns(part)
        if not _is_about(derived, part, columns):
            continue
        if len(sides) > 1 and not all(field_of(column).kind for column in columns):
            continue  # the sides may differ in type, and the condition be read differently
        for side in sides:
            condition = _inside(part, columns, side, names)
            if condition is not None:
                side.where(condition, copy=False)
                changed = True
    return changed


def _is_about(derived: DerivedTable, part: exp.Expr, columns: list[exp.Column]) -> bool:
    """Whether a condition is plain, and about columns of one sub-select only."""
    if not columns or placeholders(part) or part.find(exp.Query, exp.Window):
        return False
    source = source_of(derived.table)
    return all(notes(column).source is source for column in columns)


def _sides(query: exp.Expr) -> list[exp.Select]:
    """The SELECTs whose rows a query yields, all of them."""
    found: list[exp.Select] = []
    waiting = [query]
    for part in waiting:
        # LIMIT and the like stay on the whole: below them, rows cannot be dropped
        if any(part.args.get(clause) for clause in _CHOOSING):
            continue
        if isinstance(part, exp.Subquery):
            waiting.append(part.this)
        elif isinstance(part, exp.SetOperation):
            waiting += [part.this, part.expression]
        elif isinstance(part, exp.Select):
            found.append(part)
    return found


def _inside(
    part: exp.Expr, columns: list[exp.Column], side: exp.Select, names: list[str]
) -> exp.Expr | None:
    """A condition on what a SELECT shows as one on its rows; None if it would mean something
    else. names: of what it shows."""
    distinct = side.args.get("distinct")
    if side.args.get("from_") is None or (distinct and distinct.args.get("on")):
        return None  # DISTINCT ON keeps the first row of each value: it would be another one
    condition = exp.paren(part)
    for column in columns:
        shown = _projection(side, names, column)
        if shown is None or not _is_of_rows(shown, side):
            return None
        # the condition is about the column, inside about what the column shows
        for same in list(condition.find_all(exp.Column)):
            if same == column:
                same.replace(exp.paren(copied(shown), copy=False))
    return condition


def _projection(side: exp.Select, names: list[str], column: exp.Column) -> exp.Expr | None:
    """What a SELECT shows as a column of the query that it is a side of."""
    name = column.name.casefold()
    if name not in names or names.index(name) >= len(side.expressions):
        return None
    projection: exp.Expr = side.expressions[names.index(name)]
    return projection.unalias()


def _is_of_rows(shown: exp.Expr, side: exp.Select) -> bool:
    """Whether rows can be dropped by what a SELECT shows without a change of the others."""
    if placeholders(shown) or shown.find(exp.Query, exp.Window):
        return False  # not told from the row alone
    if SelectBlock(side).is_grouped and shown not in _keys(side):
        return False  # the value of a group, not of its rows
    for projection in side.expressions:
        if projection.alias == ROW_ORDER:
            continue  # row order may have gaps
        for window in projection.find_all(exp.Window):
            if shown not in (window.args.get("partition_by") or []):
                return False  # the window would see fewer rows
    return True


def _keys(side: exp.Select) -> list[exp.Expr]:
    """The keys of a plain GROUP BY."""
    group = side.args.get("group")
    if group is None or set(group.args) != {"expressions"}:
        return []
    keys: list[exp.Expr] = group.expressions
    return keys
