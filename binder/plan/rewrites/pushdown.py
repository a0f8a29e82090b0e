"""Rules for sub-selects that stay what they are: a plan comes in; the plan in which calls do not
wait inside goes out.

A call that a sub-select shows moves out to where its value is used; a condition outside moves in to
the rows that it drops."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from binder.analysis.sql.ordering import ROW_ORDER, is_grouped
from binder.analysis.sql.scope import Field, Source
from binder.analysis.sql.types import kind
from binder.analysis.sql.value_linking import hidden_column
from binder.language.annotations import field_of, notes, source_of
from binder.language.sqltree import copied, is_placeholder, placeholders
from binder.plan import Plan
from binder.plan.asks import within
from binder.plan.collect import outer_columns
from binder.plan.naive import build, level_of
from binder.plan.three_valued import conjuncts


def ask_outside(plan: Plan) -> Plan:
    """A call that a sub-select shows is asked where its value is used; the sub-select shows its
    arguments.

    Legal because a call is a function of its inputs, and because one whose inputs an outer join
    left NULL is NULL."""
    root = exp.Subquery(this=copied(plan.query.tree))
    inner_first = reversed(_subqueries(root))
    around = [
        select
        for select, _, inside in inner_first
        if isinstance(inside.this, exp.Select) and _lift(select, inside)
    ]
    tree: exp.Expr = root.this
    return within(build(replace(plan.checked, query=tree.pop())), around) if around else plan


def _lift(select: exp.Select, inside: exp.Subquery) -> bool:
    """Moves the calls that a sub-select shows into the SELECT around it; whether there were any."""
    inner, source = inside.this, source_of(inside)
    if inner.args.get("distinct"):
        return False
    moved = False
    for projection in [part for part in inner.expressions if is_placeholder(part.unalias())]:
        call = projection.unalias()
        stays = any(
            isinstance(part, exp.Subquery) or placeholders(part) for part in call.expressions
        )
        if stays or (is_grouped(inner) and level_of(call, inner)[0] != "groups"):
            continue
        name = projection.alias_or_name
        shown = [
            exp.alias_(part, f"{name} {i}", quoted=True) for i, part in enumerate(call.expressions)
        ]
        arguments = [hidden_column(source, Field(part.alias, kind(part.this))) for part in shown]
        call.set("expressions", arguments)
        for column in [
            column for column in select.find_all(exp.Column) if _shows(column, source, name)
        ]:
            column.replace(copied(call))
        kept = [part for part in inner.expressions if part is not projection]
        inner.set("expressions", [*kept, *shown])
        moved = True
    return moved


def _shows(column: exp.Column, source: Source, name: str) -> bool:
    return notes(column).source is source and column.name.casefold() == name.casefold()


def filter_inside(plan: Plan) -> Plan:
    """A plain condition on what a sub-select shows holds of its rows, too: of each side of a set
    operation, of groups where it is about their keys.

    Legal because it drops, one for one, the rows that the WHERE around drops; LIMIT would see
    others, and so would a window function, but for conditions on what parts its rows."""
    root = exp.Subquery(this=copied(plan.query.tree))
    filtered: list[exp.Select] = []
    for select, item, inside in _subqueries(root):
        where, joins = select.args.get("where"), select.args.get("joins") or []
        later = joins[joins.index(item) + 1 :] if item in joins else joins
        if (
            where is None
            or not placeholders(inside)
            or any(join.side in ("RIGHT", "FULL") for join in later)
        ):
            continue
        if isinstance(item, exp.Join) and (item.side or item.kind not in ("", "INNER", "CROSS")):
            continue
        source, sides = source_of(inside), _sides(inside)
        for part in conjuncts(where.this):
            columns = outer_columns(part)
            plain = columns and not placeholders(part) and not part.find(exp.Query, exp.Window)
            if not plain or any(notes(column).source is not source for column in columns):
                continue
            for side, names in sides:
                alike = len(sides) == 1 or all(field_of(column).kind for column in columns)
                condition = _told(part, side, names) if alike else None
                if condition is not None:
                    side.where(condition, copy=False)
                    filtered.append(side)
    tree: exp.Expr = root.this
    return within(build(replace(plan.checked, query=tree.pop())), filtered) if filtered else plan


def _sides(query: exp.Expr) -> list[tuple[exp.Select, list[str]]]:
    """The SELECTs that yield the rows of a query, each with the names of what it shows."""
    names = (
        [name.casefold() for name in query.named_selects] if isinstance(query, exp.Query) else []
    )
    found, left = [], [query]
    for part in left:
        chosen = any(
            part.args.get(name) for name in ("limit", "offset", "qualify", "with_", "by_name")
        )
        if isinstance(part, exp.Subquery) and not chosen:
            left.append(part.this)
        elif isinstance(part, exp.SetOperation) and not chosen:
            left += [part.this, part.expression]
        elif isinstance(part, exp.Select) and not chosen:
            found.append((part, names))
    return found


def _told(part: exp.Expr, side: exp.Select, names: list[str]) -> exp.Expr | None:
    """A condition on what a SELECT shows as one on its rows; nothing where it is about more."""
    condition = exp.paren(part)
    group = side.args.get("group")
    keys = group.expressions if group and set(group.args) == {"expressions"} else []
    distinct = side.args.get("distinct")
    if side.args.get("from_") is None or (distinct and distinct.args.get("on")):
        return None
    windows = [
        one
        for shown in side.expressions
        if shown.alias != ROW_ORDER
        for one in shown.find_all(exp.Window)
    ]
    for column in outer_columns(part):
        place = (
            names.index(column.name.casefold())
            if column.name.casefold() in names
            else len(side.expressions)
        )
        shown = side.expressions[place].unalias() if place < len(side.expressions) else None
        if (
            shown is None
            or placeholders(shown)
            or shown.find(exp.Query, exp.Window)
            or (is_grouped(side) and shown not in keys)
        ):
            return None
        if any(shown not in (one.args.get("partition_by") or []) for one in windows):
            return None
        for same in [one for one in condition.find_all(exp.Column) if one == column]:
            same.replace(exp.paren(copied(shown), copy=False))
    return condition


def _subqueries(root: exp.Expr) -> list[tuple[exp.Select, exp.Expr, exp.Subquery]]:
    """The sub-selects of all FROMs, outer ones first, each with the SELECT and the item of it where
    it stands."""
    found = []
    for select in root.find_all(exp.Select):
        joins = select.args.get("joins") or []
        items = (
            [select.args.get("from_"), *joins]
            if not any(join.args.get("using") or join.method for join in joins)
            else []
        )
        found += [
            (select, item, item.this)
            for item in items
            if item is not None and _is_derived(item.this)
        ]
    return found


def _is_derived(node: exp.Expr) -> bool:
    """Whether a node is a sub-select whose columns have the names that it gives them."""
    source = isinstance(node, exp.Subquery) and isinstance(notes(node).source, Source)
    return source and not node.args["alias"].args.get("columns")
