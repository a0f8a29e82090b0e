"""A Python program that asks about one row at a time in a loop comes in; the loops that can be
asked about at once go out.

`for r in table: ... qa_map([r], "question", ["header"])` asks about every row that reaches the
call. Where it is certain which rows these are, they are asked about together before the loop
begins, and the call in the loop finds its answer known: the same questions, in fewer requests. Else
the program is told so."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile

from binder.analysis.python.dataflow import LISTING, Flow
from binder.language.python import Text, argument, called, is_call

CHANGING = frozenset(
    [
        "append",
        "pop",
        "remove",
        "insert",
        "clear",
        "extend",
        "sort",
        "reverse",
        "update",
        "setdefault",
        "popitem",
    ]
)
_ALWAYS = (
    ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Expr, ast.Call, ast.Subscript, ast.Attribute, ast.BinOp, ast.UnaryOp, ast.Tuple,
    ast.List, ast.keyword, ast.JoinedStr, ast.FormattedValue, ast.Starred,
)  # fmt: skip
PURE = ("str", "int", "float", "len", "abs", "round", "isinstance")
_SIMPLE = (
    ast.Name, ast.Constant, ast.Compare, ast.BoolOp, ast.UnaryOp, ast.BinOp, ast.Subscript, ast.Attribute, ast.Call, ast.Tuple,
    ast.List, ast.Set, ast.Load, ast.expr_context, ast.cmpop, ast.boolop, ast.unaryop, ast.operator, ast.Slice,
)  # fmt: skip
_STRING = frozenset(name for name in dir(str) if not name.startswith("_")) | {"get"}


@dataclass(frozen=True)
class Ahead:
    """A loop whose rows are asked about before it begins: what it goes over, and the call about all
    of its rows."""

    over: ast.expr
    call: str


def row_calls(flow: Flow) -> Iterator[tuple[ast.Call, str]]:
    """The map calls about one row, with the name of the row."""
    for node in flow.nodes:
        if isinstance(node, ast.Call) and called(node) == "qa_map":
            match argument(node, 0, "rows"):
                case ast.List(elts=[ast.Name(id=row)]):
                    yield node, row


def ahead(source: Text, flow: Flow, node: ast.Call, row: str, name: str) -> Ahead | None:
    """The loop around a call about one row, asked about at once; None where it is not certain which
    rows reach the call."""
    asked, columns = argument(node, 1, "question"), argument(node, 2, "columns")
    if not isinstance(asked, ast.Constant) or not isinstance(columns, ast.List):
        return None
    if not all(isinstance(item, ast.Constant) for item in columns.elts):
        return None
    guards: list[str] = []
    child: ast.AST = node
    while (parent := flow.parents.get(id(child))) is not None:
        if isinstance(parent, (ast.For, ast.comprehension)):
            break
        if isinstance(parent, LISTING) and child is parent.elt:
            break
        if not _reached(parent, child, row, source, guards):
            return None
        child = parent
    loop: ast.For | ast.comprehension
    if isinstance(parent, LISTING) and len(parent.generators) == 1:
        loop = parent.generators[0]
        conditions = loop.ifs
    elif (
        isinstance(parent, ast.comprehension)
        and child in parent.ifs
        and _alone(flow.parents[id(parent)])
    ):
        loop = parent
        conditions = list(takewhile(lambda condition: condition is not child, parent.ifs))
    elif isinstance(parent, ast.For) and child in parent.body and not _leaves(parent):
        loop, conditions = parent, []
    else:
        return None
    if not (
        isinstance(loop.target, ast.Name)
        and loop.target.id == row
        and _steady(flow, loop.iter, row)
    ):
        return None
    if not all(_is_pure(condition, row) for condition in conditions):
        return None
    guards = [source.of(condition) for condition in conditions] + guards
    ifs = "".join(f" if ({guard})" for guard in guards)
    over = source.of(loop.iter)
    rows = f"[{row} for {row} in {over}{ifs}]"
    return Ahead(loop.iter, f"{name}({rows}, {source.of(asked)}, {source.of(columns)})")


def _reached(parent: ast.AST, child: ast.AST, row: str, source: Text, guards: list[str]) -> bool:
    """Whether what stands inside a node is evaluated whenever the node is, or under conditions that
    are added to the guards."""
    if isinstance(parent, ast.BoolOp):
        return child is parent.values[0]
    if isinstance(parent, ast.IfExp):
        return child is parent.test
    if isinstance(parent, ast.Compare):
        return child in (parent.left, parent.comparators[0])
    if isinstance(parent, ast.If):
        if child is not parent.test:
            if not _is_pure(parent.test, row):
                return False
            test = source.of(parent.test)
            guards.insert(0, test if child in parent.body else f"not ({test})")
        return True
    return isinstance(parent, _ALWAYS)


def _leaves(loop: ast.For) -> bool:
    """Whether a loop can end, or go on to its next row, before its body does."""
    return any(
        isinstance(node, (ast.Break, ast.Continue, ast.Return, ast.Raise, ast.Assert))
        for node in ast.walk(loop)
    )


def _steady(flow: Flow, over: ast.expr, row: str) -> bool:
    """Whether what a loop goes over is a list of rows that nothing changes, neither list nor
    rows."""
    base = (
        over.value
        if isinstance(over, ast.Subscript) and isinstance(over.slice, ast.Slice)
        else over
    )
    if (
        not isinstance(base, ast.Name)
        or flow.table_of(over) is None
        or any(how != "of" for how, _ in flow.given[row])
    ):
        return False
    value = flow.value(base.id)
    listed = base.id in flow.parameters or isinstance(value, (ast.ListComp, ast.Subscript))
    listed = listed or called(value) in ("sorted", "list")
    for node in flow.nodes:
        if isinstance(node, ast.Try):  # it could catch what is raised ahead of its time
            return False
        if (
            isinstance(node, ast.Attribute)
            and node.attr in CHANGING
            and isinstance(node.value, ast.Name)
        ):
            listed = (
                listed and flow.table_of(node.value) is None and flow.row_of(node.value) is None
            )
        if (
            isinstance(node, ast.Subscript)
            and not isinstance(node.ctx, ast.Load)
            and isinstance(node.value, ast.Name)
        ):
            listed = (
                listed and flow.table_of(node.value) is None and flow.row_of(node.value) is None
            )
    return listed


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
