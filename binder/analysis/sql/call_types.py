"""Types of calls, taken from the places where their values are used (DESIGN section 3).

boolean: a bare predicate; options: compared with yes or no; labels: cast to an ENUM; number, date:
compared with one or computed with; text: read as text; auto: read off the replies. Calls whose
values meet, in a comparison or as branches of one CASE, form a class: all of a class have one type,
the strictest that any of their places asks for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace

from sqlglot import exp

from binder.analysis.sql.comparisons import compared_with
from binder.analysis.sql.labels import labels_of
from binder.analysis.sql.told_values import Stored, stored_columns, told
from binder.analysis.sql.types import COMPUTED, TEXT_READERS, column_kind, handed_on, kind, values
from binder.errors import CheckFault
from binder.language.annotations import annotate, field_of, notes
from binder.language.calls import Call
from binder.language.functions.own import Function
from binder.language.program import Program
from binder.language.sqltree import call_of, is_placeholder, nodes, placeholders, sql_of
from binder.tables.cells import read_boolean
from binder.tables.dates import read_date
from binder.tables.numbers import read_number

YES_NO = ("yes", "no")
STRICTNESS = ("auto", "text", "date", "number", "options", "labels", "boolean")
EXCLUSIVE = ("date", "number", "options", "labels", "boolean")
KINDS = {
    "number": "number",
    "date": "date",
    "boolean": "boolean",
    "text": "text",
    "options": "text",
    "labels": "text",
    "auto": None,
}
_COMPUTED = (
    *COMPUTED, exp.Pow, exp.Ln, exp.Log, exp.Exp, exp.Sign, exp.StddevPop, exp.StddevSamp,
    exp.Quantile,
)  # fmt: skip
_DATED = (exp.Year, exp.Month, exp.Day, exp.TimeToStr, exp.DateTrunc, exp.DateDiff, exp.Extract)
_CONDITIONS = (exp.Where, exp.And, exp.Or, exp.Not, exp.Having, exp.Qualify)


@dataclass(frozen=True)
class CallType:
    """What a call may answer: type is boolean, number, date, text or auto; options close the list;
    spellings only advise; untold: columns it is compared with whose values are too many to tell."""

    type: str = "auto"
    options: tuple[str, ...] | None = None
    spellings: tuple[str, ...] | None = None
    untold: tuple[str, ...] = ()


@dataclass
class _Use:
    """What a place asks of a value: its type, the texts and the stored columns it is compared with,
    the calls whose values it meets there."""

    type: str = "auto"
    texts: list[str] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    columns: list[Stored] = field(default_factory=list)
    untold: list[str] = field(default_factory=list)


class _Classes:
    """Calls whose values meet, as a union-find: each call points to another of its class, and one
    of them to itself."""

    def __init__(self) -> None:
        self.above: dict[Call, Call] = {}

    def of(self, call: Call) -> Call:
        """The call that stands for the class of one."""
        above = self.above.setdefault(call, call)
        while above != self.above[above]:
            above = self.above[call] = self.above[above]
        return above

    def join(self, one: Call, other: Call) -> None:
        self.above[self.of(other)] = self.of(one)


def call_types_of(tree: exp.Expr, program: Program) -> dict[str, CallType]:
    """The type of each call of the tree, and `kind` set on every node that stands for one."""
    same = _merged(tree)
    if not same:
        return {}
    # what an own function returns is said: no place asks for another type
    types: dict[Call, CallType] = {
        call: CallType(call.type) for call in same.values() if call.function is not None
    }
    places: dict[Call, list[exp.Expr]] = {}
    for node in nodes(tree):
        for call in _calls_of(node):
            places.setdefault(same[call], []).append(node)

    uses, classes = _met_uses(tree, places, same)
    members: dict[Call, list[Call]] = {}
    for call in uses:
        members.setdefault(classes.of(call), []).append(call)
    for alike in members.values():
        types |= _types_of_class(program, {call: uses[call] for call in alike})
    for call, shown in places.items():
        _apply(types[call], shown)
        types[call] = replace(types[call], untold=_untold(types[call], uses.get(call, [])))
    return {call.name: call_type for call, call_type in types.items()}


def _untold(call_type: CallType, uses: list[_Use]) -> tuple[str, ...]:
    """The columns that an open answer is compared with, and that are not told."""
    names: list[str] = []
    for use in uses if call_type.options is None else ():
        names += use.untold
    return tuple(dict.fromkeys(names))


def _met_uses(
    tree: exp.Expr, places: dict[Call, list[exp.Expr]], same: dict[Call, Call]
) -> tuple[dict[Call, list[_Use]], _Classes]:
    """How each call is used, and which calls meet there."""
    uses: dict[Call, list[_Use]] = {}
    classes = _Classes()
    sent = {call_of(node): stored_columns(node.expressions) for node in placeholders(tree)}
    for call, shown in places.items():
        uses[call] = []
        for node in shown:
            uses[call] += _uses(node)
        for use in uses[call]:
            texts, use.untold = told(use.columns, sent[call])
            use.texts += texts
            for other in use.calls:
                classes.join(call, same[other])
    return uses, classes


def _apply(call_type: CallType, shown: list[exp.Expr]) -> None:
    """Notes at the nodes that show a call what it yields, and spells what they are compared
    with."""
    chosen = "options" if call_type.options else call_type.type
    for node in shown:
        _set_kind(node, chosen)
    truth = chosen == "boolean" or call_type.options == YES_NO
    for node in shown if truth else ():
        _compare_truth(node, chosen)


def _merged(tree: exp.Expr) -> dict[Call, Call]:
    """Makes one call of those that ask the same question about the same columns; each call -> the
    first of its equals."""
    first: dict[tuple[object, ...], Call] = {}
    same: dict[Call, Call] = {}
    # inner ones first: they are part of what the outer ones ask about
    for node in placeholders(tree):
        call = call_of(node)
        # the same text of arguments may read columns of different types in different scopes
        kinds = [kind(part) for part in nodes(node) if isinstance(part, exp.Column)]
        asked = (call.kind, call.question, *map(sql_of, node.expressions), *kinds)
        same[call] = first.setdefault(asked, call)
        node.set("this", same[call].name)
        annotate(node, call=same[call])
    return same


def _calls_of(node: exp.Expr) -> tuple[Call, ...]:
    """The calls of the language model whose value a node may show: a placeholder, or a column of a
    sub-select that hands some on."""
    held = notes(node).field
    calls = held.calls if held is not None else ()
    if held is None and is_placeholder(node):
        calls = (call_of(node),)
    return tuple(call for call in calls if call.function is None)


def _set_kind(node: exp.Expr, chosen: str) -> None:
    """Notes at a node that shows a call, and nothing else, what it yields."""
    held = notes(node).field
    if held is None:
        annotate(node, family=KINDS[chosen])
    elif held.call is not None:
        annotate(node, family=KINDS[chosen], field=replace(field_of(node), kind=KINDS[chosen]))


# the type of a class


def _types_of_class(program: Program, uses: dict[Call, list[_Use]]) -> dict[Call, CallType]:
    """The types of the calls of one class: all of the strictest type."""
    wanted = {call: {call.type, *(use.type for use in own)} for call, own in uses.items()}
    chosen = max(set().union(*wanted.values()), key=STRICTNESS.index)
    _agree(program, wanted)
    texts: dict[Call, list[str]] = {}
    for call, own in uses.items():
        texts[call] = []
        for use in own:
            texts[call] += [text for text in use.texts if text not in texts[call]]
    # yes, no, or something else: nothing is closed
    opened = chosen == "options" and any(texts.values())
    types: dict[Call, CallType] = {}
    for call, spelt in texts.items():
        if labels := _labels(program, call, uses[call]):
            types[call] = CallType("text", labels)
            continue
        if opened and "options" in wanted[call]:
            spelt = [*YES_NO, *spelt]
        types[call] = _call_type("text" if opened else chosen, spelt)
    return types


def _labels(program: Program, call: Call, uses: list[_Use]) -> tuple[str, ...]:
    """The one list of labels that the uses of a call name."""
    lists = list(dict.fromkeys(tuple(use.texts) for use in uses if use.type == "labels"))
    if len(lists) > 1:
        told = " and to ".join(f"ENUM{labels}" for labels in lists)
        message = f"the answer to {call.question!r} is cast to {told}"
        raise CheckFault(message, text=program.text, span=call.span, hint="use one list of labels")
    return lists[0] if lists else ()


def _call_type(chosen: str, texts: list[str]) -> CallType:
    if chosen == "options":
        return CallType("text", YES_NO)
    chosen = "text" if chosen == "labels" else chosen  # the list is that of another call
    advised = chosen in ("text", "auto") and bool(texts)
    return CallType(chosen, None, tuple(texts) if advised else None)


def _agree(program: Program, wanted: dict[Call, set[str]]) -> None:
    """Refuses a class of which some place asks for a number, say, and another for a date."""
    first: dict[str, Call] = {}
    for call, types in wanted.items():
        for type_ in types:
            first.setdefault(type_, call)
    # yes or no can be told as true or false: these two never contradict each other
    strict = [type_ for type_ in EXCLUSIVE if type_ in first]
    if len(strict) < 2 or strict in (["options", "boolean"], ["options", "labels"]):
        return
    names = [{"options": "yes or no", "labels": "a label"}.get(t, f"a {t}") for t in strict]
    call = next((c for c, types in wanted.items() if types.issuperset(strict)), first[strict[0]])
    if wanted[call].issuperset(strict):
        message = f"the answer to {call.question!r} is used both as " + " and as ".join(names)
    else:
        used = [f"{first[type_].question!r} as {n}" for type_, n in zip(strict, names, strict=True)]
        message = "answers that are compared are used differently: " + ", ".join(used)
    hint = "cast one of the uses: CAST(QA(...) AS VARCHAR)"
    raise CheckFault(message, text=program.text, span=call.span, hint=hint)


# what a place asks


def _uses(node: exp.Expr) -> Iterator[_Use]:
    """The uses of the value of a node: where it stands, and where an expression around it stands
    that hands the value on."""
    around: exp.Expr | None = node
    while around is not None:
        use = _use(around)
        yield use
        alternatives = _alternatives(around)
        if alternatives and use.type != "auto":
            return  # what stands beside it says more than what becomes of both
        around = _outward(around)


def _use(node: exp.Expr) -> _Use:
    """What the very place of a node asks."""
    if compared := compared_with(node):
        return _met(compared, _compared)
    if alternatives := _alternatives(node):
        return _met(alternatives, _alike)
    if labels := labels_of(node.parent):
        return _Use("labels", labels)
    return _Use(_wanted(node))


def _met(others: list[exp.Expr], read: Callable[[list[exp.Expr]], _Use]) -> _Use:
    """What others ask of a value that meets theirs: those that show calls are of its class, the
    rest tells the type."""
    calls: list[Call] = []
    rest: list[exp.Expr] = []
    for other in others:
        shown = values(other)
        plain = [value for value in shown if not _calls_of(value)]
        rest += [other] if plain == shown else plain
        for value in shown:
            calls += _calls_of(value)
    use = read(rest)
    return _Use(use.type, use.texts, calls, use.columns)


def _compared(others: list[exp.Expr]) -> _Use:
    """What the values ask that a value is compared with."""
    # QA(...) = 'Spain': 'Spain' is how the answer would be spelt
    texts = [other.this for other in others if isinstance(other, exp.Literal) and other.is_string]
    if any(isinstance(other, exp.Boolean) for other in others):
        return _Use("boolean")
    if texts and len(texts) == len(others):
        return _written(texts)
    found = _alike(others).type
    return _Use(found, texts, columns=stored_columns(others) if found == "text" else [])


def _written(texts: list[str]) -> _Use:
    """What texts ask that a value is compared with: what they all can be read as."""
    if all(read_boolean(text) is not None for text in texts):
        truths = all(text.strip().casefold().rstrip(".") in ("true", "false") for text in texts)
        return _Use("boolean" if truths else "options")
    if all(read_number(text) is not None for text in texts):
        return _Use("number")
    if all(read_date(text) is not None for text in texts):
        return _Use("date")
    return _Use("text", texts)


def _alike(others: list[exp.Expr]) -> _Use:
    """The kind that values have, where it is one."""
    # unknown kinds do not speak against one that is known
    kinds = {kind(other) for other in others} - {None}
    return _Use(kinds.pop() or "auto") if len(kinds) == 1 else _Use()


def _wanted(node: exp.Expr) -> str:
    """The type that the expression around a node reads it as."""
    parent = node.parent
    if parent is None:
        return "auto"
    if is_placeholder(parent) and (function := call_of(parent).function) is not None:
        return _taken(node, function)
    if _is_condition(node, parent):
        return "boolean"
    if isinstance(parent, _COMPUTED):
        sides = (parent.this, parent.args.get("expression"))
        dated = any(isinstance(side, exp.Interval) or kind(side) == "date" for side in sides)
        return "date" if dated else "number"
    if isinstance(parent, _DATED):
        return "date"
    if isinstance(parent, TEXT_READERS):
        return "text"
    return _cast_type(parent) if isinstance(parent, (exp.Cast, exp.TryCast)) else "auto"


def _cast_type(cast: exp.Cast | exp.TryCast) -> str:
    """The type that a cast asks for; under a cast to a list each answer has the type inside."""
    if cast.to.this == exp.DType.ARRAY:
        inside = column_kind(sql_of(cast.to.expressions[0]))
        return inside if inside in STRICTNESS else "auto"
    target = kind(cast)
    return target if target in ("number", "date", "boolean") else "auto"


def _taken(node: exp.Expr, function: Function) -> str:
    """The type of the parameter that an argument of an own function is given to."""
    assert node.index is not None
    parameters = function.parameters[node.index : node.index + 1]
    return next((one.type for one in parameters if one.type in STRICTNESS), "auto")


def _is_condition(node: exp.Expr, parent: exp.Expr) -> bool:
    """Whether a node is true or false where it stands."""
    # CASE x WHEN y THEN: y stands in the same slot as a condition, and is compared with x
    if isinstance(parent, exp.If):
        return node.arg_key == "this" and not compared_with(node)
    if isinstance(parent, exp.Join):
        return node.arg_key == "on"
    if isinstance(parent, exp.Is):
        return isinstance(parent.expression, exp.Boolean)
    return isinstance(parent, _CONDITIONS)


def _outward(node: exp.Expr) -> exp.Expr | None:
    """The expression around a node that hands its value on."""
    parent = node.parent
    # a branch is an If under its Case: the Case hands the value on
    if isinstance(parent, exp.If) and isinstance(parent.parent, exp.Case):
        parent = parent.parent
    if parent is None or not any(part is node for part in handed_on(parent)):
        return None
    return parent


def _alternatives(node: exp.Expr) -> list[exp.Expr]:
    """The expressions whose values stand for that of a node in other rows: branches of one CASE,
    sides of one set operation."""
    if isinstance(node.parent, exp.Select):
        return list(_united(node, node.parent))
    choice = _outward(node)
    if choice is None or isinstance(choice, exp.Query):
        return []
    return [part for part in handed_on(choice) if part is not node]


def _united(projection: exp.Expr, select: exp.Select) -> Iterator[exp.Expr]:
    """What the set operations around a SELECT put into one column with a projection."""
    if projection.arg_key != "expressions":
        return
    index = next(i for i, part in enumerate(select.expressions) if part is projection)
    side: exp.Expr = select
    while isinstance(around := side.parent, (exp.SetOperation, exp.Subquery)):
        if isinstance(around, exp.SetOperation) and not around.args.get("by_name"):
            other = around.expression if side is around.this else around.this
            yield other.selects[index].unalias()
        side = around


def _compare_truth(node: exp.Expr, chosen: str) -> None:
    """What is compared with a boolean is TRUE or FALSE, with an option that option as it is sent,
    however it is written."""
    around: exp.Expr | None = node
    # a branch beside it keeps its spelling, and so what the choice is compared with
    while around is not None and not _alternatives(around):
        for other in compared_with(around):
            truth = read_boolean(other.this) if isinstance(other, exp.Literal) else None
            if truth is not None and other.is_string:
                option = exp.Literal.string(YES_NO[not truth])
                other.replace(exp.Boolean(this=truth) if chosen == "boolean" else option)
        around = _outward(around)
