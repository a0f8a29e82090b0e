"""Yes/no and true/false answers in Python programs: true or false where a program tests them bare,
the two options yes and no where it compares them with nothing else.

`if answer:` over an answer of auto would be true of the text "no".
"""

from __future__ import annotations

import ast
from typing import TypeGuard

from binder.analysis.python.dataflow import Flow
from binder.analysis.sql.call_types import YES_NO, CallType
from binder.language.call_kinds import MAP
from binder.language.python import called

_OPTIONS = {"yes": YES_NO, "Yes": ("Yes", "No"), "YES": ("YES", "NO")}  # as the program writes them
_TRUTHS = frozenset(
    ["true", "True", "TRUE", "y", True, "false", "False", "FALSE", "n", False]
)  # other ways to write a yes or a no
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
    # An answer that is only handed on ("") says nothing about its type.
    typed = [(call, _type_of(uses[number] - {""})) for number, call in calls.items()]
    return [(call, call_type) for call, call_type in typed if call_type is not None]


def _type_of(uses: set[str]) -> CallType | None:
    """The type of answers that are used in one way alone."""
    if uses == {"bare"}:
        return CallType("boolean")
    use = uses.pop() if len(uses) == 1 else ""
    return CallType("text", _OPTIONS[use]) if use in _OPTIONS else None


def _use(node: ast.expr, parents: dict[int, ast.AST]) -> str:
    """How a program uses an answer: `bare`, as the yes that it is compared with, not at all (handed
    on), or `other`."""
    child: ast.AST = node
    parent = parents.get(id(child))
    # str(answer).strip().lower() == "yes" asks the answer, not the text made of it
    while (above := _passed(child, parent, parents)) is not None:
        child, parent = above, parents.get(id(above))
    if isinstance(parent, ast.Compare):
        return _compared([part for part in (parent.left, *parent.comparators) if part is not child])
    # `not answer` and `answer and ...` test it as bare as `answer` does
    while _is_logical(parent):
        child, parent = parent, parents.get(id(parent))
    if _is_tested(child, parent):
        return "bare"
    computed = isinstance(parent, (ast.Compare, ast.Call, ast.Attribute, ast.BinOp))
    return "other" if computed else ""


def _is_logical(node: ast.AST | None) -> TypeGuard[ast.BoolOp | ast.UnaryOp]:
    """Whether a node is `and`, `or` or `not`."""
    if isinstance(node, ast.UnaryOp):
        return isinstance(node.op, ast.Not)
    return isinstance(node, ast.BoolOp)


def _is_tested(child: ast.AST, parent: ast.AST | None) -> bool:
    """Whether a node is the condition of another."""
    if isinstance(parent, (ast.If, ast.While, ast.IfExp)):
        return child is parent.test
    return isinstance(parent, ast.comprehension) and child in parent.ifs


def _passed(child: ast.AST, parent: ast.AST | None, parents: dict[int, ast.AST]) -> ast.AST | None:
    """What an answer becomes and is still yes or no: `str(answer).strip().lower()`, `answer or
    ""`."""
    match parent:
        case ast.Attribute(attr=method) if method in _CASED:
            call = parents.get(id(parent))
            plain = isinstance(call, ast.Call) and call.func is parent and not call.args
            return call if plain else None
        case ast.Call(args=arguments) if called(parent) == "str" and child in arguments:
            return parent
        case ast.BoolOp(op=ast.Or(), values=[first, ast.Constant(value="" | "no")]):
            return parent if child is first else None
    return None


def _compared(nodes: list[ast.expr]) -> str:
    """How the yes is written that an answer is compared with, perhaps in a list with no, true or
    false."""
    parts: list[ast.expr] = []
    for node in nodes:
        parts += node.elts if isinstance(node, (ast.List, ast.Tuple, ast.Set)) else [node]
    said = {part.value if isinstance(part, ast.Constant) else None for part in parts}
    # answer in ("yes", "true") is one of the options; answer == "maybe" is none
    for yes, (_, no) in _OPTIONS.items():
        if said & {yes, no} and said <= {yes, no, *_TRUTHS}:
            return yes
    return "bare" if said and said <= {True, False} else "other"


def _answer(node: ast.expr, flow: Flow) -> list[ast.Call]:
    """The calls of which an expression can be one answer."""
    sources: list[ast.expr] = []
    if isinstance(node, ast.Subscript) and not isinstance(node.slice, ast.Slice):
        sources = [node.value]
    elif isinstance(node, ast.Name):
        sources = [value for how, value in flow.given.get(node.id, []) if how == "of"]
    calls = [_answers(source, flow) for source in sources]
    return [call for call in calls if call is not None]


def _answers(node: ast.expr, flow: Flow) -> ast.Call | None:
    """The call whose answers an expression lists."""
    listed = flow.meaning(node)
    return listed if isinstance(listed, ast.Call) and called(listed) == MAP.function else None
