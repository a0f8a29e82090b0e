"""Short forms written out: `*`, positions in GROUP BY, NATURAL, and a call in the ORDER BY of a set
operation."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlglot import exp

from binder.analysis.sql.scope import Scope, Source
from binder.errors import CheckFault
from binder.language.sqltree import copied, nodes, placeholders
from binder.tables.spelling import key

MOST_COLUMNS = 4_000
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
                raise fault(projection, f"there is no table {projection.table!r} here")
            sources = {projection.table: source}
        else:
            sources = {alias: source for alias, source in scope.sources.items() if source.shown}
        if not sources:
            raise fault(projection, "`*` needs a FROM")
        projections += _columns(star, sources, scope)
        if len(projections) > MOST_COLUMNS:
            raise fault(projection, f"the stars stand for more than {MOST_COLUMNS} columns")
    node.set("expressions", projections)


def _columns(star: exp.Star, sources: dict[str, Source], scope: Scope) -> list[exp.Expr]:
    left_out = {key(column.name) for column in star.args.get("except_") or ()}
    replaced = {key(item.alias): item for item in star.args.get("replace") or ()}
    out: list[exp.Expr] = []
    seen: set[str] = set()
    for alias, source in sources.items():
        for f in source.fields:
            merged = f.name.casefold() in scope.merged
            if key(f.name) in left_out or (merged and f.name.casefold() in seen):
                continue
            seen.add(f.name.casefold())
            if key(f.name) in replaced:
                out.append(copied(replaced[key(f.name)]))
            elif merged:
                out.append(exp.column(exp.to_identifier(f.name, quoted=True)))
            else:
                out.append(
                    exp.column(
                        exp.to_identifier(f.name, quoted=True),
                        exp.to_identifier(alias, quoted=True),
                    )
                )
    return out


def positions(node: exp.Select, fault: FaultOf) -> None:
    """GROUP BY 1 means the first projection; parentheses around a key mean nothing."""
    group = node.args.get("group")
    for item in list(group.expressions) if group else ():
        while isinstance(item, exp.Paren):
            item = item.replace(item.this)
        if isinstance(item, exp.Literal) and not item.is_string:
            index = int(item.this) - 1
            if not 0 <= index < len(node.expressions):
                raise fault(
                    item, f"GROUP BY {item.this}: there are {len(node.expressions)} columns"
                )
            item.replace(copied(node.expressions[index].unalias()))


def natural(join: exp.Join, before: Sequence[Source], added: Sequence[Source]) -> list[str]:
    """The columns that a NATURAL JOIN is about; it becomes one USING them, so that no hidden row_id
    is among them."""
    names = [
        f.name
        for source in added
        for f in source.fields
        if any(other.find(f.name) for other in before)
    ]
    if names:
        join.set("method", None)
        join.set("using", [exp.to_identifier(name, quoted=True) for name in names])
    return names


def ordered_outside(tree: exp.Expr) -> exp.Expr:
    """A tree in which a call that puts a set operation in order, or limits it, stands in a SELECT
    over that: it is asked about the rows of a SELECT."""
    root = exp.Subquery(this=tree)
    for node in [
        part for part in reversed(nodes(tree)) if isinstance(part, (exp.SetOperation, exp.Subquery))
    ]:
        behind = {
            name: part
            for name in ("order", "limit", "offset")
            if (part := node.args.get(name)) is not None
        }
        if not any(map(placeholders, behind.values())):
            continue
        inner = copied(node)
        for name in ("with_", *behind):
            inner.set(name, None)
        within = inner if isinstance(inner, exp.Subquery) else exp.Subquery(this=inner)
        select = exp.Select(
            expressions=[exp.Star()],
            from_=exp.From(this=within),
            with_=node.args.get("with_"),
            **behind,
        )
        node.replace(
            exp.Subquery(this=select)
            if isinstance(node, exp.Subquery) and node.parent is not root
            else select
        )
    made: exp.Expr = root.this
    return made.pop()
