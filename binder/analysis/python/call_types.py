"""A Python program comes in; the types that it takes answers for go out: true or false where it
tests them bare, the two options yes and no where it compares them with nothing else.

`if answer:` over an answer of auto would be true of the text "no".
"""

from __future__ import annotations

import ast

from binder.analysis.python.dataflow import Flow
from binder.analysis.sql.call_types import YES_NO, CallType
from binder.language.python import called

_OPTIONS = {"yes": YES_NO, "Yes": ("Yes", "No"), "YES": ("YES", "NO")}  # as the program writes them
_CASED = ("lower", "upper", "casefold", "strip", "capitalize", "title")  # a text stays yes or no


def call_types_of(flow: Flow) -> list[tuple[ast.Call, CallType]]:
    """The map calls whose answers are used in one of these ways alone."""
    uses: dict[int, set[str]] = {}
    calls: dict[int, ast.Call] = {}
    for node in flow.nodes:
        if isinstance(node, (ast.Name, ast.Subscript)) and isinstance(node.ctx, ast.Load):
            for call in _answer(node, flow):
                calls[id(call)] = call
                uses.setdefault(id(call), set()).add(_use(node, flow.parents))
    return [
        (call, call_type)
        for number, call in calls.items()
        if (call_type := _typing(uses[number] - {""})) is not None
    ]


def _typing(uses: set[str]) -> CallType | None:
    """The type of answers that are used in one way alone."""
    use = uses.pop() if len(uses) == 1 else ""
    return (
        CallType("boolean")
        if use == "bare"
        else CallType("text", _OPTIONS[use])
        if use in _OPTIONS
        else None
    )


def _use(node: ast.expr, parents: dict[int, ast.AST]) -> str:
    """How a program uses an answer: `bare`, as the yes that it is compared with, not at all (handed
    on), or `other`."""
    child: ast.AST = node
    parent = parents.get(id(child))
    while (above := _passed(child, parent, parents)) is not None:
        child, parent = above, parents.get(id(above))
    if isinstance(parent, ast.Compare):
        return _compared([part for part in (parent.left, *parent.comparators) if part is not child])
    while isinstance(parent, ast.BoolOp) or (
        isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)
    ):
        child, parent = parent, parents.get(id(parent))
    bare = isinstance(parent, (ast.If, ast.While, ast.IfExp)) and child is parent.test
    if bare or (isinstance(parent, ast.comprehension) and child in parent.ifs):
        return "bare" if isinstance(node, (ast.Name, ast.Subscript)) else "other"
    return (
        "other"
        if isinstance(parent, (ast.Compare, ast.Call, ast.Attribute, ast.BinOp, ast.BoolOp))
        else ""
    )


def _passed(child: ast.AST, parent: ast.AST | None, parents: dict[int, ast.AST]) -> ast.AST | None:
    """What an answer becomes and is still yes or no: `str(answer).strip().lower()`, `answer or
    ""`."""
    if isinstance(parent, ast.Attribute) and parent.attr in _CASED:
        call = parents.get(id(parent))
        return (
            call if isinstance(call, ast.Call) and call.func is parent and not call.args else None
        )
    if isinstance(parent, ast.Call) and called(parent) == "str":
        return parent if child in parent.args else None
    if (
        isinstance(parent, ast.BoolOp)
        and isinstance(parent.op, ast.Or)
        and child is parent.values[0]
    ):
        other = parent.values[1]
        return (
            parent
            if len(parent.values) == 2
            and isinstance(other, ast.Constant)
            and other.value in ("", "no")
            else None
        )
    return None


def _compared(nodes: list[ast.expr]) -> str:
    """How the yes is written that an answer is compared with, perhaps in a list with no, true or
    false."""
    parts = [
        part
        for node in nodes
        for part in (node.elts if isinstance(node, (ast.List, ast.Tuple, ast.Set)) else [node])
    ]
    said = {part.value if isinstance(part, ast.Constant) else None for part in parts}
    for yes, (_, no) in _OPTIONS.items():
        if said & {yes, no} and said <= {
            yes,
            no,
            "true",
            "True",
            "TRUE",
            "y",
            True,
            "false",
            "False",
            "FALSE",
            "n",
            False,
        }:
            return yes
    return "bare" if said and said <= {True, False} else "other"


def _answer(node: ast.expr, flow: Flow) -> list[ast.Call]:
    """The calls of which an expression can be one answer."""
    if isinstance(node, ast.Subscript):
        sources = [] if isinstance(node.slice, ast.Slice) else [node.value]
    else:
        sources = (
            [value for how, value in flow.given.get(node.id, []) if how == "of"]
            if isinstance(node, ast.Name)
            else []
        )
    return [call for source in sources if (call := _answers(source, flow)) is not None]


def _answers(node: ast.expr, flow: Flow) -> ast.Call | None:
    """The call whose answers an expression lists."""
    if isinstance(node, ast.Name):
        value = flow.value(node.id)
        return (
            _answers(value, flow) if value is not None and not isinstance(value, ast.Name) else None
        )
    return node if isinstance(node, ast.Call) and called(node) == "qa_map" else None
