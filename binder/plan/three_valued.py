"""A place in a SELECT comes in; the conditions under which its value can still matter go out, and
what a condition can still come out as while some of its calls are unknown.

An input is unknown until its mapping holds it; an input of NULLs alone is known. Wherever something
is too involved to be told, it can be anything: then more is asked, never too little."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlglot import exp

from binder.analysis.sql.ordering import is_aggregate
from binder.language.annotations import annotate, notes
from binder.language.sqltree import call_of, copied, is_placeholder, placeholders
from binder.plan import RowFilter

_SWAPPED = str.maketrans("TF", "FT")


@dataclass(frozen=True)
class Knowledge:
    """done: sites of which nothing more is needed; begun: names of calls whose mapping holds
    something."""

    done: frozenset[int] = frozenset()
    begun: frozenset[str] = frozenset()


def guards(node: exp.Expr, select: exp.Select) -> tuple[list[RowFilter], str]:
    """What must be so, in the expression in which a node stands, for its value to matter to that
    expression; and what of it matters: only whether it is `true`, only whether it is `false`, or
    its `value`."""
    chain = _chain(node, select)
    clause = chain[-1].arg_key or ""
    beside, truth = _on_the_way(
        chain, "true" if clause in ("where", "having", "qualify", "joins") else "value"
    )
    return [RowFilter(part, outcomes, select, clause) for part, outcomes in beside], truth


def _chain(node: exp.Expr, top: exp.Expr) -> list[exp.Expr]:
    """A node and what stands around it, below a top one."""
    chain = [node]
    while chain[-1].parent is not None and chain[-1].parent is not top:
        chain.append(chain[-1].parent)
    return chain


def _on_the_way(chain: Sequence[exp.Expr], truth: str) -> tuple[list[tuple[exp.Expr, str]], str]:
    """What must come out how for the first of a chain to matter to the last; and what of it
    matters."""
    found: list[tuple[exp.Expr, str]] = []
    for around, below in zip(chain[:0:-1], chain[-2::-1], strict=True):
        if isinstance(around, exp.Window) or (
            is_aggregate(around) and not (around.parent and is_aggregate(around.parent))
        ):
            found.clear()  # below, other rows are seen than above
        beside, truth = _beside(around, below, truth)
        found += beside
    return found, truth


def _beside(
    around: exp.Expr, below: exp.Expr, truth: str
) -> tuple[list[tuple[exp.Expr, str]], str]:
    """What an expression asks of its other parts for one part to matter, and what of that part then
    matters."""
    if isinstance(around, (exp.Paren, exp.Where, exp.Having, exp.Qualify, exp.Join)):
        return [], truth
    if isinstance(around, exp.Not):
        return [], {"true": "false", "false": "true"}.get(truth, truth)
    if isinstance(around, (exp.And, exp.Or)):
        other = around.right if below is around.left else around.left
        if isinstance(around, exp.And):
            return [(other, "T" if truth == "true" else "TN")], truth
        return [(other, "F" if truth == "false" else "FN")], truth
    if isinstance(around, exp.Is) and isinstance(around.expression, exp.Boolean):
        return [], "true" if around.expression.this else "false"
    if isinstance(around, exp.If) and not isinstance(around.parent, exp.Case):
        if below is around.this:
            return [], "true"
        return [(around.this, "T" if below is around.args.get("true") else "FN")], truth
    if isinstance(around, exp.If):
        if below is not around.this:
            return [(_condition(around), "T")], truth
        compared = around.parent is not None and around.parent.this is not None
        return [], "value" if compared else "true"
    if isinstance(around, exp.Case):
        if below is around.this:
            return [], "value"
        earlier = [branch for branch in around.args["ifs"] if branch is not below]
        if below in around.args["ifs"]:
            earlier = earlier[: _place(around.args["ifs"], below)]
        return [(_condition(branch), "FN") for branch in earlier], truth
    if isinstance(around, exp.Coalesce):
        parts = [around.this, *around.expressions]
        return [(part, "N") for part in parts[: _place(parts, below)]], "value"
    if isinstance(around, exp.In) and below is not around.this and below in around.expressions:
        others = [copied(part) for part in around.expressions if part is not below]
        rest = exp.In(this=copied(around.this), expressions=others)
        return [(rest, "F" if truth == "false" else "FN")] if others else [], "value"
    if isinstance(around, exp.Filter):
        if below is around.this:
            return [(around.expression.this, "T")], "value"
        return [], "true"
    return [], "value"


def _place(parts: Sequence[exp.Expr], part: exp.Expr) -> int:
    return next(i for i, other in enumerate(parts) if other is part)


def _condition(branch: exp.If) -> exp.Expr:
    """The condition of a branch of CASE, also where the CASE compares one operand."""
    operand = branch.parent.this if isinstance(branch.parent, exp.Case) else None
    condition: exp.Expr = branch.this
    return (
        condition
        if operand is None
        else exp.EQ(this=exp.paren(operand), expression=exp.paren(condition))
    )


def can(node: exp.Expr, outcomes: str, known: Knowledge) -> exp.Expr:
    """Whether a condition can come out true (T), false (F) or NULL (N): a plain expression that is
    not true only where it certainly cannot. Wherever all calls are known, it is exact."""
    if len(outcomes) == 3:
        return exp.true()
    if not unasked(node, known):
        return _is(copied(node), outcomes)
    if isinstance(node, exp.Paren):
        return can(node.this, outcomes, known)
    if isinstance(node, exp.Not):
        return can(node.this, "".join(sorted(outcomes.translate(_SWAPPED), key="TFN".index)), known)
    if isinstance(node, (exp.And, exp.Or)):
        return _can_connect(node, outcomes, known)
    if isinstance(node, exp.Is) and isinstance(node.expression, (exp.Boolean, exp.Null)):
        held = (
            "N" if isinstance(node.expression, exp.Null) else "T" if node.expression.this else "F"
        )
        wanted = [
            o for o in "TFN" if (o == held and "T" in outcomes) or (o != held and "F" in outcomes)
        ]
        return can(node.this, "".join(wanted), known) if wanted else exp.false()
    if isinstance(node, exp.Case) and node.this is None:
        return _can_case(node.args["ifs"], node.args.get("default"), outcomes, known)
    if isinstance(node, exp.If):
        return _can_case([node], node.args.get("false"), outcomes, known)
    if isinstance(node, exp.Exists) and isinstance(node.this, exp.Select):
        return _can_exist(node, outcomes, known)
    if isinstance(node, exp.In) and node.args.get("query") is not None:
        return _can_be_in(node, outcomes, known)
    unknown = unknown_in(node, known)
    if isinstance(unknown, exp.Boolean) and unknown.this:
        return unknown
    if _is_null_by(node, known):
        return exp.true() if "N" in outcomes else unknown
    return some([unknown, exp.paren(_is(copied(node), outcomes), copy=False)])


_COMPARED = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.Like, exp.ILike)


def _is_null_by(node: exp.Expr, known: Knowledge) -> bool:
    """Whether a condition compares a call of which nothing is known with a literal: it is NULL
    wherever the call is."""
    call = (
        node.this.unnest()
        if isinstance(node, _COMPARED) and isinstance(node.expression, exp.Literal)
        else node
    )
    return is_placeholder(call) and call_of(call).name not in known.begun


def _can_connect(node: exp.And | exp.Or, outcomes: str, known: Knowledge) -> exp.Expr:
    if outcomes in ("N", "TF"):
        return (
            every([_can_connect(node, part, known) for part in ("TN", "FN")])
            if outcomes == "N"
            else exp.true()
        )
    parts = [can(side, outcomes, known) for side in _chained(node)]
    both = outcomes in ("T", "TN") if isinstance(node, exp.And) else outcomes in ("F", "FN")
    return every(parts) if both else some(parts)


def _chained(node: exp.And | exp.Or) -> list[exp.Expr]:
    """What a chain of one operator puts together: looked at link by link, a long one would be gone
    through once for each."""
    sides: list[exp.Expr] = []
    open_: list[exp.Expr] = [node]
    while open_:
        side = open_.pop()
        if side.__class__ is node.__class__:
            open_ += [side.args["expression"], side.args["this"]]
        else:
            sides.append(side)
    return sides


def _can_case(
    branches: Sequence[exp.If], default: exp.Expr | None, outcomes: str, known: Knowledge
) -> exp.Expr:
    reached: list[exp.Expr] = []
    found: list[exp.Expr] = []
    for branch in branches:
        value = can(branch.args["true"], outcomes, known)
        found.append(
            every([*(copied(part) for part in reached), can(branch.this, "T", known), value])
        )
        reached.append(can(branch.this, "FN", known))
    return some([*found, every([*reached, can(default or exp.null(), outcomes, known)])])


def _can_exist(node: exp.Exists, outcomes: str, known: Knowledge) -> exp.Expr:
    surely, possibly = bracket(node.this, known)
    if surely is None or possibly is None:
        return exp.true()
    if outcomes == "N":
        return exp.false()
    if "T" in outcomes and "F" in outcomes:
        return exp.true()
    return exp.Exists(this=possibly) if "T" in outcomes else exp.Not(this=exp.Exists(this=surely))


def _can_be_in(node: exp.In, outcomes: str, known: Knowledge) -> exp.Expr:
    select = node.args["query"].unnest()
    surely, possibly = bracket(select, known)
    if surely is None or possibly is None or unasked(node.this, known):
        return exp.true()
    if outcomes in ("T", "TN"):
        inside = exp.In(this=copied(node.this), query=exp.Subquery(this=possibly))
        return inside if outcomes == "T" else exp.paren(_is(inside, "TN"))
    if outcomes in ("F", "FN"):
        return exp.paren(_is(exp.In(this=copied(node.this), query=exp.Subquery(this=surely)), "FN"))
    return exp.true()


def bracket(select: exp.Expr, known: Knowledge) -> tuple[exp.Select | None, exp.Select | None]:
    """The rows that a SELECT surely yields, and those that it can yield; nothing where more than
    its WHERE is unknown."""
    where = select.args.get("where")
    if (
        not isinstance(select, exp.Select)
        or where is None
        or select.args.get("limit")
        or select.args.get("group")
    ):
        return None, None
    if any(
        unasked(part, known)
        for key, value in select.args.items()
        if key != "where"
        for part in _nodes(value)
    ):
        return None, None
    if (
        any(node.find(*_WHOLE) for node in select.expressions)
        or select.args.get("having")
        or select.args.get("qualify")
    ):
        return None, None
    surely, possibly = copied(select), copied(select)
    surely.set("where", exp.Where(this=opposite(can(where.this, "FN", known))))
    possibly.set("where", exp.Where(this=can(where.this, "T", known)))
    return surely, possibly


_WHOLE = (exp.AggFunc, exp.Window)


def _nodes(value: object) -> list[exp.Expr]:
    return [
        part
        for part in (value if isinstance(value, list) else [value])
        if isinstance(part, exp.Expr)
    ]


def unasked(node: exp.Expr, known: Knowledge) -> bool:
    """Whether an expression holds a call of which more may be needed."""
    return any(notes(part).site not in known.done for part in placeholders(node))


def unknown_in(node: exp.Expr, known: Knowledge) -> exp.Expr:
    """Whether some call in an expression is unknown on a row; also true where that cannot be
    told."""
    calls = [part for part in placeholders(node) if notes(part).site not in known.done]
    if any(_inside_query(part, node) for part in calls):
        return exp.true()
    return some([every([unknown(part, known), *_reached(part, node, known)]) for part in calls])


def _reached(part: exp.Expr, node: exp.Expr, known: Knowledge) -> list[exp.Expr]:
    """What must be so for a part of an expression to matter to its value."""
    conditions = _on_the_way([*_chain(part, node), node], "value")[0] if part is not node else []
    return [can(condition, outcomes, known) for condition, outcomes in conditions]


def unknown(call: exp.Anonymous, known: Knowledge) -> exp.Expr:
    """Whether a call is unknown on a row, though the calls among its arguments are not: some of its
    arguments is no NULL, and its mapping does not hold them."""
    if any(isinstance(argument, exp.Subquery) for argument in call.expressions):
        return exp.true()
    values = [exp.paren(copied(argument), copy=False) for argument in call.expressions]
    some_value = some([exp.Not(this=exp.Is(this=value, expression=exp.null())) for value in values])
    if call_of(call).name not in known.begun:
        return some_value
    arguments = [copied(argument) for argument in call.expressions]
    held = exp.Anonymous(this=f"known_{call.name}", expressions=arguments)
    annotate(held, call=call_of(call), is_lookup=True)
    return every([some_value, exp.Not(this=held)])


def _inside_query(part: exp.Expr, node: exp.Expr) -> bool:
    while part is not node:
        assert part.parent is not None
        part = part.parent
        if isinstance(part, exp.Query):
            return True
    return False


def _is(node: exp.Expr, outcomes: str) -> exp.Expr:
    """A condition that is true just where a condition comes out as one of the outcomes."""
    node = node if isinstance(node, exp.Paren) else exp.paren(node, copy=False)
    if outcomes in ("T", "F"):
        return node if outcomes == "T" else exp.Not(this=node)
    if outcomes in ("N", "TF"):
        null = exp.Is(this=node, expression=exp.null())
        return null if outcomes == "N" else exp.Not(this=null)
    return exp.Not(this=exp.Is(this=node, expression=exp.Boolean(this=outcomes == "FN")))


def every(parts: Sequence[exp.Expr]) -> exp.Expr:
    """All conditions together; what is always true is left out."""
    if any(isinstance(part, exp.Boolean) and not part.this for part in parts):
        return exp.false()
    left = list(dict.fromkeys(part for part in parts if not isinstance(part, exp.Boolean)))
    return exp.and_(*left, copy=False) if left else exp.true()


def some(parts: Sequence[exp.Expr]) -> exp.Expr:
    """Any of the conditions; what is never true is left out."""
    if any(isinstance(part, exp.Boolean) and part.this for part in parts):
        return exp.true()
    left = list(dict.fromkeys(part for part in parts if not isinstance(part, exp.Boolean)))
    return exp.paren(exp.or_(*left, copy=False), copy=False) if left else exp.false()


def opposite(node: exp.Expr) -> exp.Expr:
    """True just where a condition is not."""
    if isinstance(node, exp.Boolean):
        return exp.Boolean(this=not node.this)
    return exp.Not(this=exp.Is(this=exp.paren(node), expression=exp.true()))


def clause_of(node: exp.Expr, select: exp.Select) -> str:
    """The clause of a SELECT in which a node stands."""
    while node.parent is not None and node.parent is not select:
        node = node.parent
    return node.arg_key or ""


def conjuncts(node: exp.Expr) -> list[exp.Expr]:
    """The conditions that AND puts together."""
    node = node.unnest() if isinstance(node, exp.Paren) else node
    return (
        [part for side in (node.left, node.right) for part in conjuncts(side)]
        if isinstance(node, exp.And)
        else [node]
    )


def direct(node: exp.Expr, select: exp.Select) -> bool:
    """Whether a node stands in a SELECT itself, and not in a sub-select of it."""
    return node.find_ancestor(exp.Query) is select
