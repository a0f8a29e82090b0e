"""A resolved tree comes in; the type of every call, taken from where it stands, goes out (DESIGN
section 3).

boolean: a bare predicate; options: compared with yes or no; number, date: compared with one or
computed with; text: read as text; auto: read off the replies. One call has one type: the strictest
its places ask for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sqlglot import exp

from binder.analysis.sql.coercion import COMPARISONS
from binder.analysis.sql.types import COMPUTED, TEXT_READERS, branches, kind
from binder.errors import CheckFault
from binder.language.annotations import annotate, field_of, notes
from binder.language.call_kinds import CALL_KINDS
from binder.language.program import Call, Program
from binder.language.sqltree import call_of, nodes, placeholders, sql_of
from binder.tables.cells import read_boolean, read_date, read_number

YES_NO = ("yes", "no")
_COMPUTED = (
    *COMPUTED,
    exp.Pow,
    exp.Ln,
    exp.Log,
    exp.Exp,
    exp.Sign,
    exp.StddevPop,
    exp.StddevSamp,
    exp.Quantile,
)
_DATED = (exp.Year, exp.Month, exp.Day, exp.TimeToStr, exp.DateTrunc, exp.DateDiff, exp.Extract)
_HANDED_ON = (
    exp.Paren, exp.Min, exp.Max, exp.AnyValue, exp.First, exp.Last, exp.Filter, exp.Distinct, exp.Nullif, exp.Mode,
    exp.Any, exp.All,
)  # fmt: skip
_TRUTHS = (exp.Where, exp.And, exp.Or, exp.Not, exp.Having, exp.Qualify, exp.Join)
_TABLES = (exp.From, exp.Join, exp.Lateral, exp.Select, exp.Subquery, exp.CTE, exp.SetOperation)
STRICTNESS = ("auto", "text", "date", "number", "options", "boolean")
KINDS = {
    "number": "number",
    "date": "date",
    "boolean": "boolean",
    "text": "text",
    "options": "text",
    "auto": None,
}


@dataclass(frozen=True)
class CallType:
    """What a call may answer: type is boolean, number, date, text or auto; options close the list;
    spellings only advise."""

    type: str = "auto"
    options: tuple[str, ...] | None = None
    spellings: tuple[str, ...] | None = None


def call_types_of(tree: exp.Expr, program: Program) -> dict[str, CallType]:
    """The type of each call of the tree, and `kind` set on every node that stands for one."""
    same = _merged(tree)
    shown: dict[Call, list[exp.Expr]] = {}
    for node in nodes(tree):
        call = shown_call(node)
        if call is not None:
            shown.setdefault(same[call], []).append(node)
    found: dict[Call, CallType] = {}
    for _ in range(2):  # what one call is compared with may hold another
        found = {call: _type_of(program, call, places) for call, places in shown.items()}
        for call, places in shown.items():
            for node in places:
                _set_kind(node, "options" if found[call].options else found[call].type)
    for call, places in shown.items():
        if found[call].type == "boolean" or found[call].options:
            for node in places:
                _compare_truth(node, found[call].type)
    return {call.name: call_type for call, call_type in found.items()}


def _type_of(program: Program, call: Call, places: list[exp.Expr]) -> CallType:
    """The type of one call, which stands in these places."""
    uses = [_place(node) for node in places]
    wanted = sorted({CALL_KINDS[call.kind].type, *(use[0] for use in uses)}, key=STRICTNESS.index)
    chosen = wanted[-1]
    _agree(program, call, wanted)
    literals = list(dict.fromkeys(text for use in uses for text in use[1]))
    if chosen == "options" and literals:  # yes, no, or something else: nothing is closed
        chosen, literals = "text", [*YES_NO, *literals]
    if chosen == "options":
        return CallType("text", YES_NO)
    return CallType(
        chosen, None, tuple(literals) if chosen in ("text", "auto") and literals else None
    )


def _merged(tree: exp.Expr) -> dict[Call, Call]:
    """Makes one call of those that ask the same question about the same columns; each call -> the
    first of its equals."""
    first: dict[tuple[object, ...], Call] = {}
    same: dict[Call, Call] = {}
    for node in placeholders(
        tree
    ):  # inner ones first: they are part of what the outer ones ask about
        call = call_of(node)
        kinds = (kind(column) for column in nodes(node) if isinstance(column, exp.Column))
        asked = (call.kind, call.question, *(sql_of(part) for part in node.expressions), *kinds)
        same[call] = first.setdefault(asked, call)
        node.set("this", same[call].name)
        annotate(node, call=same[call])
    return same


def _set_kind(node: exp.Expr, chosen: str) -> None:
    """Says of a node that shows a call what it yields."""
    annotate(node, family=KINDS[chosen])
    if isinstance(node, exp.Column):
        annotate(node, field=replace(field_of(node), kind=KINDS[chosen]))


def shown_call(node: exp.Expr) -> Call | None:
    """The call whose value a node shows: a placeholder, or a column of a sub-select that hands it
    on."""
    shown = notes(node).field
    return shown.call if shown is not None else notes(node).call


def _agree(program: Program, call: Call, wanted: list[str]) -> None:
    strict = [w for w in wanted if w in ("date", "number", "options", "boolean")]
    if len(strict) > 1 and set(strict) != {"options", "boolean"}:
        names = " and ".join("yes or no" if w == "options" else f"a {w}" for w in strict)
        message, hint = (
            f"the answer to {call.question!r} is used as {names}",
            "cast one use in place: CAST(QA(...) AS VARCHAR)",
        )
        raise CheckFault(message, text=program.text, span=call.span, hint=hint)


def _seen_as(node: exp.Expr) -> exp.Expr:
    """The widest expression that has the same value: parentheses, MIN, MAX and scalar sub-selects
    hand it on."""
    parent = node.parent
    if isinstance(parent, _HANDED_ON):
        return _seen_as(parent)
    select = parent.parent if isinstance(parent, exp.Alias) else parent
    if (
        not isinstance(select, exp.Select)
        or len(select.expressions) != 1
        or select.expressions[0].unalias() is not node
    ):
        return node
    around = select.parent
    value = isinstance(around, (exp.Subquery, exp.Any, exp.All)) and not isinstance(
        around.parent, _TABLES
    )
    return _seen_as(around) if around is not None and value else node


def _place(node: exp.Expr) -> tuple[str, list[str]]:
    """What the place of a node asks of it, and the text literals it is compared with."""
    node = _seen_as(node)
    parent = node.parent
    if others := _others(parent, node):
        return _compared(others)
    if isinstance(parent, exp.If) and node.arg_key == "this" or isinstance(parent, _TRUTHS):
        return "boolean", []
    if isinstance(parent, exp.Is) and isinstance(parent.expression, exp.Boolean):
        return "boolean", []
    if isinstance(parent, _COMPUTED):
        sides = (parent.this, parent.args.get("expression"))
        dated = any(isinstance(side, exp.Interval) or kind(side) == "date" for side in sides)
        return ("date" if dated else "number"), []
    if isinstance(parent, _DATED):
        return "date", []
    if isinstance(parent, TEXT_READERS):
        return "text", []
    if isinstance(parent, (exp.Cast, exp.TryCast)):
        target = kind(parent)
        return (target, []) if target in ("number", "date", "boolean") else ("auto", [])
    if isinstance(parent, (exp.Coalesce, exp.Case, exp.If, exp.Least, exp.Greatest)):
        choice = (
            parent.parent
            if isinstance(parent, exp.If) and isinstance(parent.parent, exp.Case)
            else parent
        )
        like = _like(value for value in branches(choice) if value is not node)
        return (like, []) if like != "auto" else _place(choice)
    return _like(_united(node)), []


def _like(values: Iterable[exp.Expr]) -> str:
    """The kind that values have, where it is one."""
    kinds = {kind(value) for value in values} - {None}
    return str(kinds.pop()) if len(kinds) == 1 else "auto"


def _united(node: exp.Expr) -> Iterator[exp.Expr]:
    """What a set operation puts into one column with a projection."""
    projection = node.parent if isinstance(node.parent, exp.Alias) else node
    side = projection.parent
    if not isinstance(side, exp.Select) or projection.arg_key != "expressions":
        return
    index = next(i for i, part in enumerate(side.expressions) if part is projection)
    while isinstance(side.parent, (exp.SetOperation, exp.Subquery)):
        below, side = side, side.parent
        if isinstance(side, exp.SetOperation) and not side.args.get("by_name"):
            yield (side.expression if below is side.this else side.this).selects[index].unalias()


def _others(parent: exp.Expr | None, node: exp.Expr) -> list[exp.Expr]:
    """What a value is compared with."""
    if isinstance(parent, exp.In):
        query = [parent.args["query"].unnest()] if parent.args.get("query") is not None else []
        return [*query, *parent.expressions] if parent.this is node else [parent.this]
    if isinstance(parent, exp.Between):
        return [
            part
            for part in (parent.this, parent.args["low"], parent.args["high"])
            if part is not node
        ]
    if isinstance(parent, COMPARISONS):
        return [parent.expression if parent.this is node else parent.this]
    if isinstance(parent, exp.Tuple):
        index = next(i for i, part in enumerate(parent.expressions) if part is node)
        rows = [
            other.selects if isinstance(other, exp.Query) else other.expressions
            for other in _others(parent.parent, parent)
        ]
        return [row[index].unalias() for row in rows if len(row) == len(parent.expressions)]
    case = parent.parent if isinstance(parent, exp.If) and parent.this is node else parent
    if isinstance(case, exp.Case) and case.this is not None and node.arg_key == "this":
        return [
            part
            for part in (case.this, *(branch.this for branch in case.args["ifs"]))
            if part is not node
        ]
    return []


def _compared(others: list[exp.Expr]) -> tuple[str, list[str]]:
    """The type of a value compared with others, and the texts among them."""
    texts = [other.this for other in others if isinstance(other, exp.Literal) and other.is_string]
    if any(isinstance(other, exp.Boolean) for other in others):
        return "boolean", []
    if texts and len(texts) == len(others):
        return _written(texts)
    kinds = {kind(other) for other in others} - {None}
    return (kinds.pop() or "auto", texts) if len(kinds) == 1 else ("auto", texts)


def _written(texts: list[str]) -> tuple[str, list[str]]:
    if all(read_boolean(text) is not None for text in texts):
        truths = all(text.strip().casefold().rstrip(".") in ("true", "false") for text in texts)
        return "boolean" if truths else "options", []
    if all(read_number(text) is not None for text in texts):
        return "number", []
    if all(read_date(text) is not None for text in texts):
        return "date", []
    return "text", texts


def _compare_truth(node: exp.Expr, chosen: str) -> None:
    """What is compared with a boolean is TRUE or FALSE, with an option that option as it is sent,
    however it is written."""
    parent = node.parent
    others = (
        [parent.this, parent.args.get("expression"), *parent.expressions]
        if isinstance(parent, (*COMPARISONS, exp.In))
        else []
    )
    for other in others:
        if (
            isinstance(other, exp.Literal)
            and other.is_string
            and (truth := read_boolean(other.this)) is not None
        ):
            other.replace(
                exp.Boolean(this=truth)
                if chosen == "boolean"
                else exp.Literal.string(YES_NO[not truth])
            )
