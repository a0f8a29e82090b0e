"""The conditions under which a value can matter to the clause in which it stands.

In `a OR call(x)` the call matters only on rows where `a` is not true; in `CASE WHEN a THEN call(x)
END` only where `a` is true. Each kind of expression that can hide the value of one of its parts has
an entry here: what its other parts must come out as for that part to matter, and what of the part
then matters. The entries of all expressions around a call, together, are its row filters.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch

from sqlglot import exp

from binder.analysis.sql.ordering import is_aggregate
from binder.language.sqltree import copied, placeholders
from binder.plan import RowFilter
from binder.plan.blocks import SelectPlace
from binder.plan.outcomes import Matters, Outcome

# A condition, and the outcomes that it must still be able to have.
Need = tuple[exp.Expr, Outcome]
Needs = tuple[list[Need], Matters]

# Of the conditions in these clauses it only counts whether they are true.
_KEEPS_WHAT_IS_TRUE = ("where", "having", "qualify", "joins")


def filters_of(place: SelectPlace) -> list[RowFilter]:
    """What must be so, in the clause of a place, for the value that stands there to matter."""
    conditions, _ = _needs_at(place)
    return [RowFilter(part, outcomes, place.block, place.clause) for part, outcomes in conditions]


def matters_at(place: SelectPlace) -> Matters:
    """What of the value in a place matters to its clause."""
    return _needs_at(place)[1]


def _needs_at(place: SelectPlace) -> Needs:
    keeps = place.clause in _KEEPS_WHAT_IS_TRUE
    return needs_along(place.path, Matters.TRUTH if keeps else Matters.VALUE)


def needs_along(path: Sequence[exp.Expr], matters: Matters) -> Needs:
    """What must be so for the first node of a path to matter to the last, of which `matters`
    matters."""
    found: list[Need] = []
    for index in range(len(path) - 1, 0, -1):
        parent, child = path[index], path[index - 1]
        if _reads_many_rows(parent):
            found.clear()  # what was found above is about other rows
        conditions, matters = needs(parent, child, matters)
        found += conditions
    return found, matters


def _reads_many_rows(node: exp.Expr) -> bool:
    """Whether a node computes one value from several rows. An aggregate can stand in wrappers that
    belong to it, as FILTER: the outermost one counts."""
    if isinstance(node, exp.Window):
        return True
    wrapped = node.parent is not None and is_aggregate(node.parent)
    return is_aggregate(node) and not wrapped


@singledispatch
def needs(parent: exp.Expr, child: exp.Expr, matters: Matters) -> Needs:
    """What a parent needs of its other parts for one child to matter, where `matters` matters of
    the parent; and what then matters of the child. Most expressions always need the value."""
    return [], Matters.VALUE


def _strict(parent: exp.Expr, child: exp.Expr, matters: Matters) -> Needs:
    # `NULL = child` is NULL whatever the child is
    other = parent.this if child is not parent.this else parent.args.get("expression")
    if other is None or not _tells_null(other):
        return [], Matters.VALUE
    return [(other, Outcome.NOT_NULL)], Matters.VALUE


# operators that are NULL where one operand is
_STRICT = (
    exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike, exp.Add, exp.Sub,
    exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.DPipe, exp.Between,
)  # fmt: skip
for operator in _STRICT:
    needs.register(operator, _strict)


def _tells_null(other: exp.Expr) -> bool:
    """Whether an operand can be NULL, and tells it without calls and other rows."""
    if placeholders(other) or other.find(exp.Query, exp.Window, exp.Any, exp.All, exp.Tuple):
        return False
    return other.find(exp.Column, exp.Null) is not None


@needs.register(exp.Paren)
@needs.register(exp.Where)
@needs.register(exp.Having)
@needs.register(exp.Qualify)
@needs.register(exp.Join)
def _(parent: exp.Expr, child: exp.Expr, matters: Matters) -> Needs:
    return [], matters


@needs.register
def _(parent: exp.Not, child: exp.Expr, matters: Matters) -> Needs:
    # NOT is true exactly where its operand is false
    return [], matters.negated


@needs.register
def _(parent: exp.And, child: exp.Expr, matters: Matters) -> Needs:
    # `other AND child` is false whatever the child is where the other is false. Where only TRUE
    # counts, a NULL of the other settles it as well.
    other = parent.right if child is parent.left else parent.left
    open_ = Outcome.TRUE if matters is Matters.TRUTH else Outcome.NOT_FALSE
    return [(other, open_)], matters


@needs.register
def _(parent: exp.Or, child: exp.Expr, matters: Matters) -> Needs:
    # the mirror image: `other OR child` is true whatever the child is where the other is true
    other = parent.right if child is parent.left else parent.left
    open_ = Outcome.FALSE if matters is Matters.FALSITY else Outcome.NOT_TRUE
    return [(other, open_)], matters


@needs.register
def _(parent: exp.Is, child: exp.Expr, matters: Matters) -> Needs:
    if not isinstance(parent.expression, exp.Boolean):
        return [], Matters.VALUE  # IS NULL
    # IS TRUE makes one thing of false and NULL
    return [], Matters.TRUTH if parent.expression.this else Matters.FALSITY


@needs.register
def _(parent: exp.Case, child: exp.Expr, matters: Matters) -> Needs:
    if child is parent.this:
        return [], Matters.VALUE  # the operand that all branches are compared with
    # a branch is reached only if the conditions of those before it are not true
    before = []
    for branch in parent.args["ifs"]:
        if branch is child:
            break
        before.append((condition_of(branch), Outcome.NOT_TRUE))
    return before, matters


@needs.register
def _(parent: exp.If, child: exp.Expr, matters: Matters) -> Needs:
    case = parent.parent if isinstance(parent.parent, exp.Case) else None
    if child is parent.this:  # the condition itself; in CASE x WHEN child it is compared with x
        compared = case is not None and case.this is not None
        return [], Matters.VALUE if compared else Matters.TRUTH
    # a value counts if the condition leads to it
    reached = Outcome.TRUE if child is parent.args.get("true") else Outcome.NOT_TRUE
    return [(condition_of(parent), reached)], matters


@needs.register
def _(parent: exp.Coalesce, child: exp.Expr, matters: Matters) -> Needs:
    # an argument is read only if all before it are NULL
    before = []
    for part in (parent.this, *parent.expressions):
        if part is child:
            break
        before.append((part, Outcome.NULL))
    return before, Matters.VALUE


@needs.register
def _(parent: exp.In, child: exp.Expr, matters: Matters) -> Needs:
    # `x IN (child, 1, 2)` is true whatever the child is where `x IN (1, 2)` is
    others = [part for part in parent.expressions if part is not child]
    is_item = child is not parent.this and len(others) < len(parent.expressions)
    if not is_item or not others:
        return [], Matters.VALUE
    rest = exp.In(this=copied(parent.this), expressions=[copied(part) for part in others])
    open_ = Outcome.FALSE if matters is Matters.FALSITY else Outcome.NOT_TRUE
    return [(rest, open_)], Matters.VALUE


@needs.register
def _(parent: exp.Filter, child: exp.Expr, matters: Matters) -> Needs:
    if child is not parent.this:
        return [], Matters.TRUTH  # the WHERE of FILTER
    # an aggregate reads only rows that pass
    return [(parent.expression.this, Outcome.TRUE)], Matters.VALUE


def condition_of(branch: exp.If) -> exp.Expr:
    """The condition of a branch, also of a CASE that compares one operand."""
    condition: exp.Expr = branch.this
    operand = branch.parent.this if isinstance(branch.parent, exp.Case) else None
    if operand is None:
        return condition
    return exp.EQ(this=exp.paren(operand), expression=exp.paren(condition))
