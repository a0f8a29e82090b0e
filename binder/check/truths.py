"""A Python program comes in; the calls whose answers it takes for true or false go out: these are asked as booleans.

`if answer:` over an answer of auto would be true of the text "no".
"""

from __future__ import annotations

import ast

from binder.check.flow import Flow
from binder.python import is_call


def truths(flow: Flow) -> list[ast.Call]:
    """The map calls an answer of which is tested bare, and none of which is compared or read as a text."""
    tested: dict[int, ast.Call] = {}
    other: set[int] = set()
    parents = {id(child): node for node in flow.nodes for child in ast.iter_child_nodes(node)}
    for node in flow.nodes:
        calls = _answer(node, flow) if isinstance(node, (ast.Name, ast.Subscript)) and isinstance(node.ctx, ast.Load) else []
        if not calls:
            continue
        child: ast.AST = node
        parent: ast.AST | None = parents.get(id(node))
        while isinstance(parent, ast.BoolOp) or (isinstance(parent, ast.UnaryOp) and isinstance(parent.op, ast.Not)):
            child, parent = parent, parents.get(id(parent))
        bare = isinstance(parent, (ast.If, ast.While, ast.IfExp)) and child is parent.test
        if bare or (isinstance(parent, ast.comprehension) and child in parent.ifs):
            tested |= {id(call): call for call in calls}
        elif isinstance(parent, (ast.Compare, ast.Call, ast.Attribute, ast.BinOp)):
            other |= {id(call) for call in calls}
    return [call for number, call in tested.items() if number not in other]


def _answer(node: ast.expr, flow: Flow) -> list[ast.Call]:
    """The calls of which an expression can be one answer."""
    if isinstance(node, ast.Subscript):
        sources = [] if isinstance(node.slice, ast.Slice) else [node.value]
    else:
        sources = [value for how, value in flow.given.get(node.id, []) if how == "of"] if isinstance(node, ast.Name) else []
    return [call for source in sources if (call := _answers(source, flow)) is not None]


def _answers(node: ast.expr, flow: Flow) -> ast.Call | None:
    """The call whose answers an expression lists."""
    if isinstance(node, ast.Name):
        value = flow.value(node.id)
        return _answers(value, flow) if value is not None and not isinstance(value, ast.Name) else None
    mapped = isinstance(node, ast.Call) and is_call(node) and isinstance(node.func, ast.Name) and node.func.id == "qa_map"
    return node if mapped and isinstance(node, ast.Call) else None
