"""Short forms written out: `*`, positions in GROUP BY, NATURAL, and a call in the ORDER BY of a set
operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from binder.analysis.sql.scope import Scope
from binder.errors import CheckFault
from binder.language.relations import Source
from binder.language.sqltree import copied, nodes, placeholders
from binder.tables.spelling import key

MOST_COLUMNS = 4_000
TAIL = ("order", "limit", "offset")
FaultOf = Callable[[exp.Expr, str], CheckFault]


def expand(node: exp.Select, scope: Scope, fault: FaultOf) -> None:
    """Puts the columns that `*` stands for in its place."""
    projections: list[exp.Expr] = []
    for projection in node.expressions:
        star = projection.this if isinstance(projection, exp.Column) else projection
        if not isinstance(star, exp.Star):
            projections.append(projection)
            continue
        if isinstance(projection, exp.Column):
            source = scope.source(projection.table)
            if source is None:
                raise fault(projection, f"unknown table {projection.table!r} in this FROM")
            sources = {projection.table: source}
        else:
            sources = {alias: source for alias, source in scope.sources.items() if source.shown}
        if not sources:
            raise fault(projection, "`*` needs a FROM")
        projections += _columns(star, sources, scope)
        if len(projections) > MOST_COLUMNS:
            raise fault(projection, f"`*` expands to more than {MOST_COLUMNS:,} columns")
    node.set("expressions", projections)


def _columns(star: exp.Star, sources: dict[str, Source], scope: Scope) -> list[exp.Expr]:
    left_out = {key(column.name) for column in star.args.get("except_") or ()}
    replaced = {key(item.alias): item for item in star.args.get("replace") or ()}
    columns: list[exp.Expr] = []
    seen: set[str] = set()
    for alias, source in sources.items():
        for f in source.fields:
            name = f.name.casefold()
            # a column of USING is shown once
            merged = name in scope.merged
            if key(f.name) in left_out or (merged and name in seen):
                continue
            seen.add(name)
            if key(f.name) in replaced:
                columns.append(copied(replaced[key(f.name)]))
                continue
            column = exp.column(exp.to_identifier(f.name, quoted=True))
            # after FULL JOIN ... USING (k), a.k is NULL where only the other side has a row
            if not merged:
                column.set("table", exp.to_identifier(alias, quoted=True))
            columns.append(column)
    return columns


def positions(node: exp.Select, fault: FaultOf) -> None:
    """GROUP BY 1 means the first projection; parentheses around a key mean nothing."""
    group = node.args.get("group")
    most = len(node.expressions)
    for item in list(group.expressions) if group else ():
        while isinstance(item, exp.Paren):
            item = item.replace(item.this)
        if not isinstance(item, exp.Literal) or item.is_string:
            continue
        index = int(item.this) - 1
        if not 0 <= index < most:
            raise fault(item, out_of_range("GROUP BY", item, most))
        item.replace(copied(node.expressions[index].unalias()))


def out_of_range(clause: str, position: exp.Literal, columns: int) -> str:
    """The message for a position that no projection has."""
    plural = "" if columns == 1 else "s"
    return f"{clause} {position.this} is out of range: the SELECT has {columns} column{plural}"


def natural(join: exp.Join, before: Sequence[Source], added: Sequence[Source]) -> None:
    """A NATURAL JOIN becomes one USING the columns that both sides have, so that no hidden row_id
    is among them."""
    names: list[str] = []
    for source in added:
        own = (f.name for f in source.fields)
        names += (name for name in own if any(other.find(name) for other in before))
    if names:
        join.set("method", None)
        join.set("using", [exp.to_identifier(name, quoted=True) for name in names])


def ordered_outside(tree: exp.Expr) -> exp.Expr:
    """A tree in which a call that puts a set operation in order, or limits it, stands in a SELECT
    over that: it is asked about the rows of a SELECT."""
    root = exp.Subquery(this=tree)
    for node in reversed(nodes(tree)):
        if not isinstance(node, (exp.SetOperation, exp.Subquery)):
            continue
        tail = {name: node.args[name] for name in TAIL if node.args.get(name) is not None}
        if any(map(placeholders, tail.values())):
            select = _select_around(node, tail)
            nested = isinstance(node, exp.Subquery) and node.parent is not root
            node.replace(exp.Subquery(this=select) if nested else select)
    made: exp.Expr = root.this
    return made.pop()


def _select_around(node: exp.Expr, tail: dict[str, exp.Expr]) -> exp.Select:
    """SELECT * FROM a query, which gives up its WITH and its tail to that."""
    inner = copied(node)
    for name in ("with_", *tail):
        inner.set(name, None)
    within = inner if isinstance(inner, exp.Subquery) else exp.Subquery(this=inner)
    return exp.Select(
        expressions=[exp.Star()], from_=exp.From(this=within), with_=node.args.get("with_"), **tail
    )
