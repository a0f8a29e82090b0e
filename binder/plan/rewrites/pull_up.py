"""The pull-up of calls out of the projections of sub-selects."""

from __future__ import annotations

from sqlglot import exp

from binder.analysis.sql.types import kind
from binder.analysis.sql.value_linking import hidden_column
from binder.language.annotations import notes, source_of
from binder.language.relations import Field
from binder.language.sqltree import copied, is_placeholder, placeholders
from binder.plan.blocks import Blocks, SelectBlock, Stage
from binder.plan.expressions import unused
from binder.plan.rewrites.derived import derived_tables, keys_are_read_below


def ask_outside(root: exp.Subquery) -> bool:
    """Pull a projected call out of a sub-select, which then projects the arguments of the call.

    >>> rewrite(ask_outside, '''
    ...     SELECT v FROM (SELECT QA("map@upper?"; country) AS v, COUNT(*) AS n FROM w
    ...                    GROUP BY country) AS q
    ...     WHERE n > 2 ORDER BY v''')
    SELECT QA("upper?"; `v 0`) AS v
    FROM (SELECT COUNT(*) AS n, MIN(row_id) AS `row order`, country AS `v 0` FROM w
          GROUP BY country) AS q
    WHERE n > 2 ORDER BY QA("upper?"; `v 0`), `row order`

    Legal because a call is a function of its inputs, and because one whose inputs an outer join
    left NULL is NULL."""
    changed = False
    # inner ones first: a call can move several times
    for derived in reversed(derived_tables(root)):
        if isinstance(derived.query, exp.Select):
            changed |= _pull_up(derived.block.select, derived.table)
    return changed


def _pull_up(select: exp.Select, inside: exp.Subquery) -> bool:
    """Moves the calls that a sub-select projects into the SELECT around it; whether there were
    any."""
    inner: exp.Select = inside.this
    if inner.args.get("distinct"):
        return False  # without the call, other rows would be equal
    if keys_are_read_below(SelectBlock(select), source_of(inside)):
        return False
    block = Blocks().block(inner)
    moved = False
    for projection in list(inner.expressions):
        call = projection.unalias()
        if is_placeholder(call) and _can_leave(block, call):
            _move(select, inside, projection)
            moved = True
    return moved


def _can_leave(block: SelectBlock, call: exp.Expr) -> bool:
    """Whether the arguments of a call can be projected in its place."""
    for argument in call.expressions:
        if isinstance(argument, exp.Subquery) or placeholders(argument):
            return False  # a table is no value, and an inner call would be asked inside
    if not block.is_grouped:
        return True  # the arguments are values of the rows, like the call itself
    # an argument that is evaluated on the rows of a group has no one value for the group
    return block.blocks.place_of_call(call).stage is Stage.GROUPS


def _move(select: exp.Select, inside: exp.Subquery, projection: exp.Expr) -> None:
    inner, source = inside.this, source_of(inside)
    name, call = projection.alias_or_name, projection.unalias()
    shown, arguments = [], []
    taken = {name.casefold() for name in inner.named_selects}
    for index, argument in enumerate(call.expressions):
        shown.append(exp.alias_(argument, unused(f"{name} {index}", taken), quoted=True))
        arguments.append(hidden_column(source, Field(shown[-1].alias, kind(argument))))
    call.set("expressions", arguments)
    # every use of the column outside becomes the call, over the columns of its arguments
    for column in list(select.find_all(exp.Column)):
        if notes(column).source is source and column.name.casefold() == name.casefold():
            column.replace(copied(call))
    kept = [part for part in inner.expressions if part is not projection]
    inner.set("expressions", [*kept, *shown])
