"""A plan comes in; the same plan over a simpler tree goes out: conditions of joins in WHERE, plain
sub-selects and CTEs put into the SELECT that reads them.

What then stands in one SELECT shares its WHERE, its LIMIT and its order: nothing else has to see
through joins and sub-selects."""

from __future__ import annotations

from dataclasses import replace

from sqlglot import exp

from binder.analysis.sql.ordering import is_grouped
from binder.analysis.sql.scope import Source
from binder.language.annotations import annotate, notes, source_of
from binder.language.sqltree import copied, placeholders
from binder.plan import Plan
from binder.plan.asks import groups_by_comma, is_comma, within
from binder.plan.collect import outer_columns
from binder.plan.naive import build, in_order
from binder.plan.three_valued import conjuncts

_PLAIN = {"expressions", "from_", "joins", "where", "kind", "hint"}


def join_in_where(plan: Plan) -> Plan:
    """Conditions of inner joins that hold calls stand in WHERE, and are treated as such, but where
    one has a sub-select.

    Legal because an inner join yields the pairs that meet its condition, and no later join brings
    back a row of it."""
    tree = copied(plan.query.tree)
    moved = []
    for select in tree.find_all(exp.Select):
        joins = select.args.get("joins") or []
        parts = [
            conjuncts(join.args["on"]) if join.args.get("on") is not None else [] for join in joins
        ]
        calls = [[part for part in those if placeholders(part)] for those in parts]
        stay = any(those and not _is_inner(join) for those, join in zip(calls, joins, strict=True))
        if stay or not any(calls) or any(part.find(exp.Query) for those in calls for part in those):
            continue  # what stays would be asked first
        if all(
            len({column.table for column in call.find_all(exp.Column)}) < 2
            for call in _deciding(select)
        ):
            _in_turn(select)
        for index, join in enumerate(joins):
            if not calls[index] or any(later.side in ("RIGHT", "FULL") for later in joins[index:]):
                continue
            plain = [copied(part) for part in parts[index] if part not in calls[index]]
            join.set("on", exp.and_(*plain, copy=False) if plain else exp.true())
            where = select.args.get("where")
            every_one = [
                *map(copied, calls[index]),
                *(conjuncts(where.this) if where is not None else []),
            ]
            select.set("where", exp.Where(this=exp.and_(*every_one, copy=False)))
            moved.append(select)
    return within(build(replace(plan.checked, query=tree)), moved) if moved else plan


def _in_turn(select: exp.Select) -> None:
    """Marks the calls of joins to be asked one after the other, as they are without this rule, and
    those of WHERE behind them. Where a call compares two tables, this is not done: there are more
    pairs than rows, which what stands in WHERE can spare."""
    on = [call for join in select.args["joins"] for call in in_order(join)]
    within = select.args.get("where")
    for place, calls in enumerate(
        [*([call] for call in on), placeholders(within) if within else []]
    ):
        for call in calls:
            annotate(call, layer=notes(call).layer * (len(on) + 1) + place)


def _is_inner(join: exp.Join) -> bool:
    return not join.side and not join.method and join.kind in ("", "INNER", "CROSS")


def inline_subqueries(plan: Plan) -> Plan:
    """A sub-select that only filters and computes stands in the FROM of the SELECT that reads it; a
    call that it shows is asked where its value is used.

    Legal because such a sub-select yields its rows one for one and in order, because its conditions
    drop the same rows in the WHERE around it (not on the side of an outer join that NULLs fill),
    and because a call is a function of its inputs."""
    if not placeholders(plan.query.tree) or not any(
        plan.query.tree.find_all(exp.Subquery, exp.CTE)
    ):
        return plan
    root = exp.Subquery(this=copied(plan.query.tree))
    changed = _inline_ctes(root)
    around: list[exp.Select] = []
    for select in root.find_all(exp.Select):  # outer ones first
        conditions = [
            select.args.get("where"),
            *(join.args.get("on") for join in select.args.get("joins") or []),
        ]
        for call in [
            call for part in conditions if part is not None for call in placeholders(part)
        ]:
            if notes(call).home is None:
                annotate(call, home=id(select))
    while found := next(
        (select for select in root.find_all(exp.Select) if _inline_into(select)), None
    ):
        around.append(found)
    tree: exp.Expr = root.this
    return (
        within(build(replace(plan.checked, query=tree.pop())), around)
        if changed or around
        else plan
    )


def _inline_ctes(root: exp.Expr) -> bool:
    """Puts CTEs where they are read: plain ones, and others that are read once."""
    ctes = list(root.find_all(exp.CTE))
    names = [cte.alias.casefold() for cte in ctes]
    if any(clause.args.get("recursive") for clause in root.find_all(exp.With)) or len(
        set(names)
    ) < len(names):
        return False
    changed = False
    for cte in ctes:  # the first ones first: those that read them then hold their calls
        if cte.args["alias"].args.get("columns") or not placeholders(cte.this):
            continue
        readers = [table for table in root.find_all(exp.Table) if _reads(table, cte)]
        if any(table.args["alias"].args.get("columns") for table in readers):
            continue
        if not _is_plain(cte.this) and len(readers) > 1:
            continue
        for table in readers:
            inside = exp.Subquery(this=copied(cte.this), alias=copied(table.args["alias"]))
            annotate(inside, source=notes(table).source)
            table.replace(inside)
        clause = cte.parent
        cte.pop()
        if clause is not None and not clause.expressions:
            clause.pop()
        changed = True
    return changed


def _reads(table: exp.Table, cte: exp.CTE) -> bool:
    source = notes(table).source
    return (
        isinstance(source, Source)
        and source.table is None
        and table.name.casefold() == cte.alias.casefold()
    )


def _is_plain(select: exp.Expr) -> bool:
    """Whether a query only filters and computes."""
    if (
        not isinstance(select, exp.Select)
        or not {key for key, value in select.args.items() if value} <= _PLAIN
    ):
        return False
    if (
        is_grouped(select)
        or select.args.get("from_") is None
        or any(part.find(exp.Window) for part in select.expressions)
    ):
        return False
    joins = select.args.get("joins") or []
    if any(
        not isinstance(item.this, (exp.Table, exp.Subquery))
        for item in (select.args["from_"], *joins)
    ):
        return False
    if (
        any(join.args.get("using") or join.method for join in joins)
        or outer_columns(select)
        or groups_by_comma(select)
    ):
        return False
    return all(part.unalias().find(exp.Column) for part in select.expressions)


def _inline_into(select: exp.Select) -> bool:
    """Puts the first sub-select of a FROM that can stand in it there; whether there was one."""
    start, joins = select.args.get("from_"), select.args.get("joins") or []
    if (
        start is None
        or any(join.args.get("using") or join.method for join in joins)
        or select.args.get("laterals")
    ):
        return False
    if groups_by_comma(select):
        return False
    for index, item in enumerate([start, *joins]):
        later = joins[index:]
        inside = item.this
        if not isinstance(inside, exp.Subquery) or not isinstance(notes(inside).source, Source):
            continue
        inner = inside.this
        if not _is_plain(inner) or any(join.side in ("RIGHT", "FULL") for join in later):
            continue
        if index and (
            item.side or item.kind not in ("", "INNER", "CROSS") or inner.args.get("joins")
        ):
            continue
        if (
            not placeholders(inner)
            and not placeholders(select)
            or inside.args["alias"].args.get("columns")
        ):
            continue
        if _deciding(inner) and any(
            placeholders(join.args["on"]) for join in joins if join.args.get("on")
        ):
            continue  # its conditions come before those of the joins around
        if _merge(select, item, inside):
            return True
    return False


def _merge(select: exp.Select, item: exp.Expr, inside: exp.Subquery) -> bool:
    """Puts a sub-select into the SELECT around it: its FROM for itself, what its columns show for
    them, its WHERE to WHERE."""
    source, inner = source_of(inside), inside.this
    shown = {
        projection.alias_or_name.casefold(): projection.unalias()
        for projection in inner.expressions
    }
    columns = [column for column in select.find_all(exp.Column) if notes(column).source is source]
    if any(column.name.casefold() not in shown for column in columns):
        return False
    _rename(inner, source.alias)
    for column in columns:
        column.replace(exp.paren(copied(shown[column.name.casefold()]), copy=False))
    joins = inner.args.get("joins") or []
    for join in joins:
        if is_comma(join):
            join.set("kind", "CROSS")
    conditions = [
        part.args["where"].this for part in (inner, select) if part.args.get("where") is not None
    ]
    if inside_calls := _deciding(inner):
        least = 1 + max(notes(call).layer for call in inside_calls)
        for call in _deciding(select):
            # calls of sub-selects beside it do not wait for it
            if notes(call).home in (None, id(select)):
                annotate(call, layer=least + notes(call).layer)
    item.set("this", inner.args["from_"].this)
    select.set("joins", [*joins, *(select.args.get("joins") or [])])
    if conditions:
        select.set("where", exp.Where(this=exp.and_(*conditions)))
    return True


def _deciding(select: exp.Select) -> list[exp.Anonymous]:
    """The calls that decide which rows a SELECT has, before it groups."""
    return [
        call
        for part in (*(select.args.get("joins") or []), select.args.get("where"))
        if part
        for call in placeholders(part)
    ]


def _rename(inner: exp.Select, around: str) -> None:
    """Gives the sources of a sub-select names that nothing around it has."""
    items = [inner.args["from_"].this, *(join.this for join in inner.args.get("joins") or [])]
    renamed = {}
    for node in items:
        source = source_of(node)
        renamed[id(source)] = replace(source, alias=f"{source.alias} in {around}")
        node.set(
            "alias", exp.TableAlias(this=exp.to_identifier(renamed[id(source)].alias, quoted=True))
        )
    for node in inner.walk():
        new = renamed.get(id(notes(node).source))
        if new is not None:
            annotate(node, source=new)
            if isinstance(node, exp.Column):
                node.set("table", exp.to_identifier(new.alias, quoted=True))
