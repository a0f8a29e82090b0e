"""Three-valued partial evaluation: what a condition can still come out as.

A condition of SQL is true, false or NULL (Kleene's logic): AND is the least and OR the greatest of
false < NULL < true, NOT swaps the ends, and WHERE keeps what is true. While some calls are unknown,
a condition has a set of outcomes that it can still have. `can(node, outcomes)` is plain SQL that is
true on every row on which the node can come out as one of them. It may be true too often, never too
rarely: then more is asked than must be, but no row is lost. `a AND call(x)` can be true where `a`
is; `a OR call(x)` can be false or NULL where `a` is. An unknown call can come out as anything, so
a collect asks for x exactly where the condition is still open. Where all calls of a condition are
known, `can` is exact.

A call is unknown on a row until its mapping holds its arguments; arguments that are all NULL need
no answer, so such a call is known.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import singledispatch

from sqlglot import exp

from binder.language.annotations import annotate, notes
from binder.language.sqltree import call_of, copied, is_placeholder, placeholders
from binder.plan.expressions import any_present, comes_out, every, is_true, opposite, some
from binder.plan.matters import needs_along
from binder.plan.outcomes import Matters, Outcome


@dataclass(frozen=True)
class Knowledge:
    """What an execution knows by now. done: sites of which nothing more is needed; begun: names of
    calls whose mapping holds something."""

    done: frozenset[int] = frozenset()
    begun: frozenset[str] = frozenset()


def can(node: exp.Expr, outcomes: Outcome, known: Knowledge) -> exp.Expr:
    """Whether a condition can come out as one of the outcomes: a plain condition that is not true
    only where it certainly cannot."""
    if outcomes == Outcome.ANY:
        return exp.true()
    if not outcomes:
        return exp.false()
    if not unasked(node, known):  # all is known: it is what it is
        return comes_out(copied(node), outcomes)
    return _can(node, outcomes, known)


@singledispatch
def _can(node: exp.Expr, outcomes: Outcome, known: Knowledge) -> exp.Expr:
    """`can` of a condition that holds a call of which more may be needed: by the kind of node. Of
    most it is only told whether a call is unknown: then they can be anything, else they are what
    they are."""
    unknown_calls = unknown_in(node, known)
    # it reads other rows, whose calls are unknown: nothing can be ruled out
    if is_true(unknown_calls):
        return unknown_calls
    # where the call is known, its input is NULL, and so is the condition
    if _is_null_by(node, known):
        return exp.true() if Outcome.NULL in outcomes else unknown_calls
    return some([unknown_calls, exp.paren(comes_out(copied(node), outcomes), copy=False)])


@_can.register
def _(node: exp.Paren, outcomes: Outcome, known: Knowledge) -> exp.Expr:
    return can(node.this, outcomes, known)


@_can.register
def _(node: exp.Not, outcomes: Outcome, known: Knowledge) -> exp.Expr:
    return can(node.this, outcomes.negated, known)


@_can.register(exp.And)
@_can.register(exp.Or)
def _(node: exp.And | exp.Or, outcomes: Outcome, known: Knowledge) -> exp.Expr:
    if outcomes == Outcome.NOT_NULL:
        return exp.true()  # too involved to be worth a condition
    if outcomes == Outcome.NULL:  # NULL is neither true nor false: this holds of both
        halves = (Outcome.NOT_FALSE, Outcome.NOT_TRUE)
        return every([_can(node, half, known) for half in halves])
    # AND is true, or not false, where all sides are; it is false, or not true, where one side is.
    # OR is the mirror image.
    of_all = Outcome.TRUE in outcomes
    if isinstance(node, exp.Or):
        of_all = not of_all
    sides = [can(side, outcomes, known) for side in _sides(node)]
    return every(sides) if of_all else some(sides)


@_can.register
def _(node: exp.Is, outcomes: Outcome, known: Knowledge) -> exp.Expr:
    if isinstance(node.expression, exp.Null):
        tested = Outcome.NULL
    elif isinstance(node.expression, exp.Boolean):
        tested = Outcome.TRUE if node.expression.this else Outcome.FALSE
    else:
        return _can.dispatch(exp.Expr)(node, outcomes, known)
    # IS is never NULL: true if the tested outcome is there, else false
    wanted = Outcome(0)
    if Outcome.TRUE in outcomes:
        wanted |= tested
    if Outcome.FALSE in outcomes:
        wanted |= Outcome.ANY & ~tested
    return can(node.this, wanted, known)


@_can.register
def _(node: exp.Case, outcomes: Outcome, known: Knowledge) -> exp.Expr:
    if node.this is not None:  # CASE x WHEN 1 THEN ...: too rare to look inside
        return _can.dispatch(exp.Expr)(node, outcomes, known)
    return _can_branch(node.args["ifs"], node.args.get("default"), outcomes, known)


@_can.register
def _(node: exp.If, outcomes: Outcome, known: Knowledge) -> exp.Expr:
    return _can_branch([node], node.args.get("false"), outcomes, known)


@_can.register
def _(node: exp.Exists, outcomes: Outcome, known: Knowledge) -> exp.Expr:
    if not isinstance(node.this, exp.Select):
        return _can.dispatch(exp.Expr)(node, outcomes, known)
    rows = bracket(node.this, known)
    if rows is None or Outcome.NOT_NULL in outcomes:
        return exp.true()  # nothing is known of the rows, or everything will do
    if outcomes == Outcome.NULL:
        return exp.false()  # EXISTS is never NULL
    # a row that may be there makes it true, perhaps; only a row that is there keeps it from false
    if Outcome.TRUE in outcomes:
        return exp.Exists(this=rows.possible)
    return exp.Not(this=exp.Exists(this=rows.certain))


@_can.register
def _(node: exp.In, outcomes: Outcome, known: Knowledge) -> exp.Expr:
    if node.args.get("query") is None:
        return _can.dispatch(exp.Expr)(node, outcomes, known)
    rows = bracket(node.args["query"].unnest(), known)
    if rows is None or unasked(node.this, known):
        return exp.true()
    if outcomes in (Outcome.TRUE, Outcome.NOT_FALSE):  # more rows can only help
        inside = exp.In(this=copied(node.this), query=exp.Subquery(this=rows.possible))
        return inside if outcomes == Outcome.TRUE else exp.paren(comes_out(inside, outcomes))
    if outcomes in (Outcome.FALSE, Outcome.NOT_TRUE):  # fewer rows can only help
        inside = exp.In(this=copied(node.this), query=exp.Subquery(this=rows.certain))
        return exp.paren(comes_out(inside, Outcome.NOT_TRUE))
    return exp.true()


def _can_branch(
    branches: Sequence[exp.If], default: exp.Expr | None, outcomes: Outcome, known: Knowledge
) -> exp.Expr:
    """A value of CASE counts where its condition can be true and those before it need not be."""
    skipped: list[exp.Expr] = []
    reached: list[exp.Expr] = []
    for branch in branches:
        value = can(branch.args["true"], outcomes, known)
        before = [copied(part) for part in skipped]
        reached.append(every([*before, can(branch.this, Outcome.TRUE, known), value]))
        skipped.append(can(branch.this, Outcome.NOT_TRUE, known))
    otherwise = can(default or exp.null(), outcomes, known)
    return some([*reached, every([*skipped, otherwise])])


def _sides(node: exp.And | exp.Or) -> list[exp.Expr]:
    """What a chain of one operator combines. Looked at link by link, a long chain would be walked
    once for each link."""
    sides: list[exp.Expr] = []
    waiting: list[exp.Expr] = [node]
    while waiting:
        side = waiting.pop()
        if side.__class__ is node.__class__:  # links without parentheses
            waiting += [side.args["expression"], side.args["this"]]
        else:
            sides.append(side)
    return sides


_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike)


def _is_null_by(node: exp.Expr, known: Knowledge) -> bool:
    """Whether a condition compares a call of which nothing is known with a literal: it is NULL
    wherever the call is."""
    compared = isinstance(node, _COMPARED) and isinstance(node.expression, exp.Literal)
    call = node.this.unnest() if compared else node
    return is_placeholder(call) and call_of(call).name not in known.begun


@dataclass(frozen=True)
class Bracket:
    """The rows that a SELECT certainly yields, and those that it can yield."""

    certain: exp.Select
    possible: exp.Select


def bracket(select: exp.Expr, known: Knowledge) -> Bracket | None:
    """The rows of a SELECT as far as they are known; None where more than its WHERE is unknown, or
    where a row that fails its WHERE can change the others."""
    where = select.args.get("where")
    if not isinstance(select, exp.Select) or where is None or _combines_rows(select):
        return None
    for key, value in select.args.items():
        parts = value if isinstance(value, list) else [value]
        if key != "where" and any(_is_unasked(part, known) for part in parts):
            return None  # its joins, or what it shows, are not known themselves
    # a row is certain if its WHERE can no longer fail, and possible if it can still be true
    certain, possible = copied(select), copied(select)
    fails = can(where.this, Outcome.NOT_TRUE, known)
    certain.set("where", exp.Where(this=opposite(fails)))
    possible.set("where", exp.Where(this=can(where.this, Outcome.TRUE, known)))
    return Bracket(certain, possible)


def _combines_rows(select: exp.Select) -> bool:
    """Whether a row of a SELECT depends on its other rows."""
    if any(select.args.get(clause) for clause in ("limit", "group", "having", "qualify")):
        return True
    return any(shown.find(exp.AggFunc, exp.Window) for shown in select.expressions)


def _is_unasked(part: object, known: Knowledge) -> bool:
    return isinstance(part, exp.Expr) and unasked(part, known)


def unasked(node: exp.Expr, known: Knowledge) -> bool:
    """Whether an expression holds a call of which more may be needed."""
    return any(notes(part).site not in known.done for part in placeholders(node))


def unknown_in(node: exp.Expr, known: Knowledge) -> exp.Expr:
    """Whether a call in an expression is unknown on a row; true also where that cannot be told."""
    found = []
    for call in placeholders(node):
        if notes(call).site in known.done:
            continue  # nothing more is needed of it: where it is not known, it does not matter
        path = _path(call, node)
        if any(isinstance(step, exp.Query) for step in path[1:]):
            return exp.true()  # a call on other rows than this one
        # an unknown call does not count where a branch or an OR hides it
        found.append(every([unknown(call, known), *_reached(path, known)]))
    return some(found)


def _path(part: exp.Expr, node: exp.Expr) -> list[exp.Expr]:
    """The nodes from a part up to the node that holds it."""
    path = [part]
    while path[-1] is not node:
        assert path[-1].parent is not None
        path.append(path[-1].parent)
    return path


def _reached(path: Sequence[exp.Expr], known: Knowledge) -> list[exp.Expr]:
    """What must be so for the first node of a path to matter to the value of the last."""
    conditions, _ = needs_along(path, Matters.VALUE)
    return [can(condition, outcomes, known) for condition, outcomes in conditions]


def unknown(call: exp.Anonymous, known: Knowledge) -> exp.Expr:
    """Whether a call is unknown on a row, given that the calls among its arguments are known: an
    argument is not NULL, and the mapping does not hold the arguments."""
    if any(isinstance(argument, exp.Subquery) for argument in call.expressions):
        return exp.true()  # an ans: its inputs are tables
    # an empty mapping needs no look-up: this is what most first collects are made of
    if call_of(call).name not in known.begun:
        return any_present(call.expressions)
    held = exp.Anonymous(this=f"known_{call.name}", expressions=list(map(copied, call.expressions)))
    annotate(held, call=call_of(call), is_lookup=True)
    return every([any_present(call.expressions), exp.Not(this=held)])
