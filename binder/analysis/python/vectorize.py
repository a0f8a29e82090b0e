"""Batching of calls made row by row in Python loops.

`for r in table: ... qa_map([r], "question", ["header"])` asks about every row that reaches the
call. Where it is certain which rows these are, they are asked about together before the loop
begins, and the call in the loop finds its answer known: the same questions, in fewer requests. Else
the program is told so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from typing import NamedTuple

from binder.analysis.python.dataflow import LISTING, Flow
from binder.language.call_kinds import MAP
from binder.language.python import Text, argument, called, is_call

# methods that change a list or a dict
CHANGING = frozenset(
    [
        "append", "pop", "remove", "insert", "clear", "extend", "sort", "reverse", "update",
        "setdefault", "popitem",
    ]
)  # fmt: skip
# nodes that evaluate all that stands inside them, whenever they are evaluated
_ALWAYS = (
    ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Call, ast.Subscript, ast.Attribute,
    ast.BinOp, ast.UnaryOp, ast.Tuple, ast.List, ast.keyword, ast.JoinedStr, ast.FormattedValue,
    ast.Starred,
)  # fmt: skip
_LEAVING = (ast.Break, ast.Continue, ast.Return, ast.Raise, ast.Assert)
# what a condition may consist of that can be evaluated ahead of its time
PURE = ("str", "int", "float", "len", "abs", "round", "isinstance")
_SIMPLE = (
    ast.Name, ast.Constant, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Subscript,
    ast.Attribute, ast.Call, ast.Tuple, ast.List, ast.Set, ast.Load, ast.expr_context, ast.cmpop,
    ast.boolop, ast.unaryop, ast.operator, ast.Slice,
)  # fmt: skip
_STRING = frozenset(name for name in dir(str) if not name.startswith("_")) | {"get"}

Loop = ast.For | ast.comprehension


@dataclass(frozen=True)
class Ahead:
    """A loop whose rows are asked about before it begins: what it goes over, and the call about all
    of its rows."""

    over: ast.expr
    call: str


class _Reach(NamedTuple):
    """The loop around a call, and the conditions under which a row reaches the call."""

    loop: Loop
    conditions: list[str]


def row_calls(flow: Flow) -> Iterator[tuple[ast.Call, str]]:
    """The map calls about one row, with the name of the row."""
    for node in flow.nodes:
        if isinstance(node, ast.Call) and called(node) == MAP.function:
            match argument(node, 0, "rows"):
                case ast.List(elts=[ast.Name(id=row)]):
                    yield node, row


def ahead(source: Text, flow: Flow, node: ast.Call, row: str, name: str) -> Ahead | None:
    """The loop around a call about one row, asked about at once; None where it is not certain which
    rows reach the call."""
    asked, columns = argument(node, 1, "question"), argument(node, 2, "columns")
    # what is computed in the loop may differ from row to row
    if not isinstance(asked, ast.Constant) or not isinstance(columns, ast.List):
        return None
    if not all(isinstance(item, ast.Constant) for item in columns.elts):
        return None
    reach = _reach(source, flow, node, row)
    if reach is None or not _goes_over(flow, reach.loop, row):
        return None
    over = source.of(reach.loop.iter)
    ifs = "".join(f" if ({condition})" for condition in reach.conditions)
    rows = f"[{row} for {row} in {over}{ifs}]"
    return Ahead(reach.loop.iter, f"{name}({rows}, {source.of(asked)}, {source.of(columns)})")


def _reach(source: Text, flow: Flow, node: ast.Call, row: str) -> _Reach | None:
    """How rows reach a call; None where that depends on more than the row."""
    guards: list[str] = []
    child: ast.AST = node
    parent = flow.parents.get(id(child))
    while parent is not None and not _is_loop(parent, child):
        if not _reached(parent, child, row, source, guards):
            return None
        child, parent = parent, flow.parents.get(id(parent))
    found = _loop(flow, parent, child)
    if found is None:
        return None
    loop, conditions = found
    if not all(_is_pure(condition, row) for condition in conditions):
        return None
    return _Reach(loop, [*map(source.of, conditions), *guards])


def _is_loop(parent: ast.AST, child: ast.AST) -> bool:
    """Whether a node evaluates another one row after row."""
    if isinstance(parent, LISTING):
        return child is parent.elt
    return isinstance(parent, (ast.For, ast.comprehension))


def _loop(flow: Flow, parent: ast.AST | None, child: ast.AST) -> tuple[Loop, list[ast.expr]] | None:
    """The loop of a node, and the conditions that its rows meet; None for one that may leave out
    rows or take them from several lists."""
    if isinstance(parent, LISTING) and len(parent.generators) == 1:
        loop = parent.generators[0]
        return loop, loop.ifs
    if isinstance(parent, ast.comprehension) and child in parent.ifs:
        if not _alone(flow.parents[id(parent)]):
            return None
        # a condition is evaluated for the rows that meet those before it
        return parent, list(takewhile(lambda condition: condition is not child, parent.ifs))
    if isinstance(parent, ast.For) and child in parent.body and not _leaves(parent):
        return parent, []
    return None


def _reached(parent: ast.AST, child: ast.AST, row: str, source: Text, guards: list[str]) -> bool:
    """Whether what stands inside a node is evaluated whenever the node is, or under conditions that
    are added to the guards."""
    match parent:
        case ast.BoolOp(values=[first, *_]):  # the others only where the first does not decide
            return child is first
        case ast.IfExp(test=test):  # each branch only where the test says so
            return child is test
        case ast.Compare(left=left, comparators=[right, *_]):  # a < b < c: c only where a < b
            return child is left or child is right
        case ast.If(test=test) if child is test:
            return True
        case ast.If(test=test):
            condition = source.of(test)
            guards.insert(0, condition if child in parent.body else f"not ({condition})")
            return _is_pure(test, row)
    return isinstance(parent, _ALWAYS)


def _leaves(loop: ast.For) -> bool:
    """Whether a loop can end, or go on to its next row, before its body does."""
    return any(isinstance(node, _LEAVING) for node in ast.walk(loop))


def _goes_over(flow: Flow, loop: Loop, row: str) -> bool:
    """Whether a loop gives a row its only values, from rows that stay what they are."""
    if not isinstance(loop.target, ast.Name) or loop.target.id != row:
        return False
    # a name that is also given another value may be that in the call
    if any(how != "of" for how, _ in flow.given[row]):
        return False
    return _is_steady(flow, loop.iter)


def _is_steady(flow: Flow, over: ast.expr) -> bool:
    """Whether what a loop goes over is a list of rows that nothing changes, neither list nor
    rows."""
    base = over
    if isinstance(over, ast.Subscript) and isinstance(over.slice, ast.Slice):
        base = over.value
    if not isinstance(base, ast.Name) or flow.table_of(over) is None:
        return False
    return _is_list(flow, base.id) and not any(_disturbs(flow, node) for node in flow.nodes)


def _is_list(flow: Flow, name: str) -> bool:
    """Whether a name holds a list: an iterator could be gone through only once."""
    if name in flow.parameters:
        return True
    value = flow.value(name)
    return isinstance(value, (ast.ListComp, ast.Subscript)) or called(value) in ("sorted", "list")


def _disturbs(flow: Flow, node: ast.AST) -> bool:
    """Whether a node can change rows of a table or lists of them, or catch what is raised ahead of
    its time."""
    match node:
        case ast.Try():
            return True
        case ast.Attribute(value=ast.Name() as changed, attr=method) if method in CHANGING:
            pass
        case ast.Subscript(value=ast.Name() as changed, ctx=ast.Store() | ast.Del()):
            pass
        case _:
            return False
    return flow.table_of(changed) is not None or flow.row_of(changed) is not None


def _is_pure(node: ast.expr, row: str) -> bool:
    """Whether an expression depends on the row alone and changes nothing."""
    for part in ast.walk(node):
        if not isinstance(part, _SIMPLE) or is_call(part) or called(part) == row:
            return False
        if isinstance(part, ast.Name) and part.id != row and part.id not in PURE:
            return False
        if isinstance(part, ast.Attribute) and part.attr not in _STRING:
            return False
    return True


def _alone(node: ast.AST) -> bool:
    """Whether a comprehension has one loop."""
    return isinstance(node, LISTING) and len(node.generators) == 1
