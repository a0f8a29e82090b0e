"""A resolved tree comes in; the type of every call, taken from where it stands, goes out (DESIGN section 3).

boolean: a bare predicate; options: compared with yes or no; number, date: compared with one or computed with; text: read as
text; auto: read off the replies. One call has one type: the strictest its places ask for.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlglot import exp

from binder.check.kinds import COMPUTED, TEXT_READERS, branches, kind
from binder.check.literals import COMPARISONS
from binder.errors import CheckFault
from binder.program import Call, Program, nodes, placeholders, sql_of
from binder.values import read_boolean, read_date, read_number

YES_NO = ("yes", "no")
_COMPUTED = (*COMPUTED, exp.Pow, exp.Ln, exp.Log, exp.Exp, exp.Sign, exp.StddevPop, exp.StddevSamp, exp.Quantile)
_DATED = (exp.Year, exp.Month, exp.Day, exp.TimeToStr, exp.DateTrunc, exp.DateDiff, exp.Extract)
_HANDED_ON = (
    exp.Paren, exp.Min, exp.Max, exp.AnyValue, exp.First, exp.Last, exp.Filter, exp.Distinct, exp.Nullif, exp.Mode,
)  # fmt: skip
_TRUTHS = (exp.Where, exp.And, exp.Or, exp.Not, exp.Having, exp.Qualify, exp.Join)
_TABLES = (exp.From, exp.Join, exp.Lateral, exp.Select, exp.Subquery, exp.CTE, exp.SetOperation)
STRICTNESS = ("auto", "text", "date", "number", "options", "boolean")
KINDS = {"number": "number", "date": "date", "boolean": "boolean", "text": "text", "options": "text", "auto": None}


@dataclass(frozen=True)
class Typing:
    """What a call may answer: type is boolean, number, date, text or auto; options close the list; spellings only advise."""

    type: str = "auto"
    options: tuple[str, ...] | None = None
    spellings: tuple[str, ...] | None = None


def typings(tree: exp.Expr, program: Program) -> dict[str, Typing]:
    """The type of each call of the tree, and `kind` set on every node that stands for one."""
    same = _merged(tree, program)
    places: dict[str, list[tuple[exp.Expr, str, list[str]]]] = {}
    for node in nodes(tree):
        call = shown_call(node, program)
        if call is not None:
            places.setdefault(same[call.name], []).append((node, *_place(node)))
    found: dict[str, Typing] = {}
    for name, uses in places.items():
        wanted = sorted({use[1] for use in uses}, key=STRICTNESS.index)
        chosen = wanted[-1]
        call = program.call(name)
        assert call is not None
        _agree(program, call, wanted)
        literals = list(dict.fromkeys(text for use in uses for text in use[2]))
        if chosen == "options" and literals:  # yes, no, or something else: nothing is closed
            chosen, literals = "text", [*YES_NO, *literals]
        spellings = tuple(literals) if chosen in ("text", "auto") and literals else None
        found[name] = Typing("text", YES_NO) if chosen == "options" else Typing(chosen, None, spellings)
        for node, _, _ in uses:
            _set_kind(node, chosen)
    return found


def _merged(tree: exp.Expr, program: Program) -> dict[str, str]:
    """Makes one call of those that ask the same question about the same columns; each call -> the first of its equals."""
    first: dict[tuple[object, ...], str] = {}
    same: dict[str, str] = {}
    for node in placeholders(tree):  # inner ones first: they are part of what the outer ones ask about
        call = program.call(node.name)
        if call is not None:
            kinds = (kind(column) for column in nodes(node) if isinstance(column, exp.Column))
            same[call.name] = first.setdefault(
                (call.kind, call.question, *(sql_of(part) for part in node.expressions), *kinds), call.name
            )
            node.set("this", same[call.name])
    return same


def _set_kind(node: exp.Expr, chosen: str) -> None:
    """Says of a node that shows a call what it yields."""
    node.meta["kind"] = KINDS[chosen]
    if isinstance(node, exp.Column):
        node.meta["field"] = replace(node.meta["field"], kind=KINDS[chosen])
    if chosen in ("boolean", "options"):
        _compare_truth(node, chosen)


def shown_call(node: exp.Expr, program: Program) -> Call | None:
    """The call whose value a node shows: a placeholder, or a column of a sub-select that hands it on."""
    if isinstance(node, exp.Anonymous):
        return program.call(node.name)
    if isinstance(node, exp.Column) and "field" in node.meta and node.meta["field"].call:
        return program.call(node.meta["field"].call)
    return None


def _agree(program: Program, call: Call, wanted: list[str]) -> None:
    strict = [w for w in wanted if w in ("date", "number", "options", "boolean")]
    if len(strict) > 1 and set(strict) != {"options", "boolean"}:
        names = " and ".join("yes or no" if w == "options" else f"a {w}" for w in strict)
        message, hint = f"the answer to {call.question!r} is used as {names}", "cast one use in place: CAST(QA(...) AS VARCHAR)"
        raise CheckFault(message, text=program.text, span=call.span, hint=hint)


def _seen_as(node: exp.Expr) -> exp.Expr:
    """The widest expression that has the same value: parentheses, MIN, MAX and scalar sub-selects hand it on."""
    parent = node.parent
    if isinstance(parent, _HANDED_ON):
        return _seen_as(parent)
    select = parent.parent if isinstance(parent, exp.Alias) else parent
    if not isinstance(select, exp.Select) or len(select.expressions) != 1 or select.expressions[0].unalias() is not node:
        return node
    around = select.parent
    return _seen_as(around) if isinstance(around, exp.Subquery) and not isinstance(around.parent, _TABLES) else node


def _place(node: exp.Expr) -> tuple[str, list[str]]:
    """What the place of a node asks of it, and the text literals it is compared with."""
    node = _seen_as(node)
    parent = node.parent
    if isinstance(parent, (*COMPARISONS, exp.In, exp.Between)):
        return _compared(parent, node)
    if isinstance(parent, exp.If) and node.arg_key == "this" or isinstance(parent, _TRUTHS):
        return "boolean", []
    if isinstance(parent, exp.Is) and isinstance(parent.expression, exp.Boolean):
        return "boolean", []
    if isinstance(parent, _COMPUTED):
        return ("date", []) if "date" in (kind(parent.this), kind(parent.args.get("expression"))) else ("number", [])
    if isinstance(parent, _DATED):
        return "date", []
    if isinstance(parent, TEXT_READERS):
        return "text", []
    if isinstance(parent, (exp.Cast, exp.TryCast)):
        target = kind(parent)
        return (target, []) if target in ("number", "date", "boolean") else ("auto", [])
    if isinstance(parent, (exp.Coalesce, exp.Case, exp.If)):
        choice = parent.parent if isinstance(parent.parent, exp.Case) and isinstance(parent, exp.If) else parent
        kinds = {kind(sibling) for sibling in branches(choice) if sibling is not node} - {None}
        return (str(kinds.pop()), []) if len(kinds) == 1 else ("auto", [])
    return "auto", []


def _compared(parent: exp.Expr, node: exp.Expr) -> tuple[str, list[str]]:
    """The type of a value compared with others, and the texts among them."""
    if isinstance(parent, exp.In):
        if parent.args.get("query") is not None:
            other = parent.args["query"].unnest() if parent.this is node else parent.this
            return kind(other) or "auto", []
        others = parent.expressions if parent.this is node else [parent.this]
    elif isinstance(parent, exp.Between):
        others = [part for part in (parent.this, parent.args["low"], parent.args["high"]) if part is not node]
    else:
        others = [parent.expression if parent.this is node else parent.this]
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
    """What is compared with a boolean is TRUE or FALSE, with an option that option as it is sent, however it is written."""
    parent = node.parent
    others = (
        [parent.this, parent.args.get("expression"), *parent.expressions] if isinstance(parent, (*COMPARISONS, exp.In)) else []
    )
    for other in others:
        if isinstance(other, exp.Literal) and other.is_string and (truth := read_boolean(other.this)) is not None:
            other.replace(exp.Boolean(this=truth) if chosen == "boolean" else exp.Literal.string(YES_NO[not truth]))
