"""A Python program, its rows and a typed column of a web table come in; whether the program reads
it as text goes out.

Such a column has a value and the text it was read from. A program that splits it, searches it or
compares it with a text means the text; one that adds, orders or compares it with a number means the
value, and so does one that does both."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from binder.analysis.python.dataflow import KEEPING, LISTING, ONE, Flow, is_none
from binder.language.python import called
from binder.tables.table import Column, Table

TEXT, VALUE = "text", "value"
_STR = frozenset(name for name in dir(str) if not name.startswith("_"))
_DATE = frozenset(
    {
        "year",
        "month",
        "day",
        "weekday",
        "isoformat",
        "strftime",
        "days",
        "hour",
        "minute",
        "total_seconds",
        "date",
    }
)
_VALUES = ("sum", "min", "max", "abs", "round", "sorted", "range", "divmod", "pow")
_INNER = (ast.FunctionDef, ast.Lambda)
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)


class Readings:
    """How the columns of the tables are read. texts: the headers that a program reads as text, by
    table."""

    def __init__(self, flow: Flow, tables: tuple[Table, ...]):
        self.parents = flow.parents
        self.functions = {
            node.name: node for node in flow.nodes if isinstance(node, ast.FunctionDef)
        }
        self.loads: dict[str, list[ast.Name]] = {}
        for node in flow.nodes:
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self.loads.setdefault(node.id, []).append(node)
        certain = {id(node): table for node, table in flow.reads}
        read = [
            (node, header)
            for node in flow.nodes
            if isinstance(node, ast.expr) and (header := _header(node)) is not None
        ]
        self.texts: dict[str, frozenset[str]] = {}
        for table in tables:
            raw = {column.name for column in table.columns if column.raw is not None} - flow.stored
            found: dict[str, set[str]] = {}
            for node, header in read:
                if header in raw and certain.get(id(node), table) is table:
                    found.setdefault(header, set()).update(self.uses(node, 0))
            self.texts[table.name] = frozenset(
                header for header, uses in found.items() if TEXT in uses and VALUE not in uses
            )

    def uses(self, node: ast.AST, depth: int, lists: int = 0) -> Iterator[str]:
        """What an expression is used as, as far as that is told. lists: how deep in lists the cell
        is that it holds."""
        parent = self.parents.get(id(node))
        if depth > 20 or parent is None:
            return
        if isinstance(parent, (ast.BoolOp, ast.IfExp, ast.NamedExpr, ast.Starred)):
            yield from self.uses(parent, depth + 1, lists)
        elif isinstance(parent, LISTING):
            yield from self.uses(parent, depth + 1, lists + 1)
        elif isinstance(parent, ast.Assign) and all(
            isinstance(target, ast.Name) for target in parent.targets
        ):
            for target in parent.targets:
                assert isinstance(target, ast.Name)
                yield from self._named(target.id, depth, lists)
        elif isinstance(parent, ast.Call):
            yield from self._passed(parent, node, depth, lists)
        elif isinstance(parent, ast.Compare):
            yield from self._compared(parent, node, lists)
        elif lists:
            yield from self._taken(parent, node, depth, lists)
        elif isinstance(parent, ast.Attribute):
            yield from (TEXT,) if parent.attr in _STR else (VALUE,) if parent.attr in _DATE else ()
        elif isinstance(parent, ast.Subscript) and parent.value is node:
            yield TEXT
        elif isinstance(parent, ast.BinOp):
            other = parent.right if parent.left is node else parent.left
            yield (
                TEXT
                if _is_text(other) or (isinstance(parent.op, ast.Mod) and parent.left is node)
                else VALUE
            )
        elif isinstance(parent, ast.AugAssign) or (
            isinstance(parent, ast.UnaryOp) and not isinstance(parent.op, ast.Not)
        ):
            yield VALUE
        elif isinstance(parent, ast.Lambda) or (
            isinstance(parent, ast.Tuple) and isinstance(self.parents.get(id(parent)), ast.Lambda)
        ):
            yield VALUE  # a key to sort by

    def _taken(self, parent: ast.AST, node: ast.AST, depth: int, lists: int) -> Iterator[str]:
        """What is taken out of a list."""
        if isinstance(parent, ast.Subscript) and parent.value is node:
            yield from self.uses(
                parent, depth + 1, lists - (not isinstance(parent.slice, ast.Slice))
            )
        elif (
            isinstance(parent, (ast.For, ast.comprehension))
            and parent.iter is node
            and isinstance(parent.target, ast.Name)
        ):
            yield from self._named(parent.target.id, depth, lists - 1)

    def _named(self, name: str, depth: int, lists: int) -> Iterator[str]:
        for load in self.loads.get(name, []):
            yield from self.uses(load, depth + 1, lists)

    def _compared(self, parent: ast.Compare, node: ast.AST, lists: int) -> Iterator[str]:
        sides = [parent.left, *parent.comparators]
        for left, sign, right in zip(sides, parent.ops, sides[1:], strict=False):
            if node not in (left, right):
                continue
            other = right if left is node else left
            within = isinstance(sign, (ast.In, ast.NotIn)) and right is node
            if lists and not within:
                continue
            if _is_text(other) or (
                isinstance(other, (ast.Tuple, ast.List, ast.Set)) and any(map(_is_text, other.elts))
            ):
                yield TEXT
            elif not within and (isinstance(sign, _ORDER) or _is_number(other)):
                yield VALUE

    def _passed(self, call: ast.Call, node: ast.AST, depth: int, lists: int) -> Iterator[str]:
        name = called(call)
        if name in self.functions and node in call.args:
            given = self.functions[name].args.args
            position = call.args.index(node)
            if position < len(given):
                yield from self._named(given[position].arg, depth, lists)
        elif name == "str" and not lists:
            yield TEXT
        elif name in ("list", "tuple", "set", "sorted", "reversed", "iter", "filter") and lists:
            yield from self.uses(call, depth + 1, lists)
        elif name == "next" and lists:
            yield from self.uses(call, depth + 1, lists - 1)
        elif name in _VALUES:
            yield VALUE
        elif isinstance(call.func, ast.Attribute) and isinstance(call.func.value, ast.Name):
            yield from (
                (TEXT,)
                if call.func.value.id == "re"
                else (VALUE,)
                if call.func.value.id in ("math", "statistics")
                else ()
            )


def _header(node: ast.AST) -> str | None:
    """The header that `row["header"]` or `row.get("header")` reads."""
    match node:
        case ast.Subscript(slice=ast.Constant(value=str(header)), ctx=ast.Load()):
            return header
        case ast.Call(func=ast.Attribute(attr="get"), args=[ast.Constant(value=str(header)), *_]):
            return header
    return None


def _is_text(node: ast.AST) -> bool:
    return isinstance(node, ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _is_number(node: ast.AST) -> bool:
    number = node.operand if isinstance(node, ast.UnaryOp) else node
    return isinstance(number, ast.Constant) and isinstance(number.value, (int, float))


def answer(solve: ast.FunctionDef, flow: Flow) -> tuple[Table, Column] | None:
    """The stored column of which all that solve returns are cells as they are, one or a list; None
    where that is not certain."""
    inner = {
        id(node)
        for part in ast.walk(solve)
        if part is not solve and isinstance(part, _INNER)
        for node in ast.walk(part)
    }
    returned = [
        node.value
        for node in ast.walk(solve)
        if isinstance(node, ast.Return) and id(node) not in inner
    ]
    cells = {
        _cells(value, flow, 0) for value in returned if value is not None and not is_none(value)
    }
    found = cells.pop() if len(cells) == 1 else None
    if (
        found is None
        or found[1] in flow.stored
        or any(flow.row_of(ast.Name(name)) for name in flow.added)
    ):
        return None
    column = found[0].column(found[1])
    return (found[0], column) if column is not None and found[2] <= 1 else None


def _cells(node: ast.expr, flow: Flow, depth: int) -> tuple[Table, str, int] | None:
    """The table and the header of the cells that an expression is, and how deep in lists they
    are."""
    kept: ast.expr | None = None
    lists = 0
    if isinstance(node, ast.Name):
        kept, added = flow.value(node.id), flow.added.get(node.id, [])
        if isinstance(kept, ast.List) and not kept.elts and len(added) == 1:
            kept, lists = added[0], 1
        elif added:
            kept = None
    elif isinstance(node, ast.Subscript) and (header := _header(node)) is not None:
        table = flow.row_of(node.value)
        return (table, header, 0) if table is not None else None
    elif isinstance(node, ast.Subscript):
        kept, lists = node.value, 0 if isinstance(node.slice, ast.Slice) else -1
    elif isinstance(node, LISTING):
        kept, lists = node.elt, 1
    elif isinstance(node, ast.List) and len(node.elts) == 1:
        kept, lists = node.elts[0], 1
    elif (
        isinstance(node, ast.Call)
        and len(node.args) == 1
        and called(node) in (*KEEPING, *ONE, "set")
    ):
        kept, lists = node.args[0], -1 if called(node) in ONE else 0
    found = _cells(kept, flow, depth + 1) if kept is not None and depth < 20 else None
    return (
        (found[0], found[1], found[2] + lists)
        if found is not None and found[2] + lists >= 0
        else None
    )
