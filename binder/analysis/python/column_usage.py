"""Whether a Python program reads a typed column as text or as a value.

Such a column of a web table has a value and the text it was read from. A program that splits it,
searches it or compares it with a text means the text; one that adds, orders or compares it with a
number means the value, and so does one that does both."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

from binder.analysis.python.dataflow import KEEPING, LISTING, ONE, Flow, is_none
from binder.language.python import called
from binder.tables.table import Column, Table

TEXT, VALUE = "text", "value"
_DEEPEST = 20  # steps that a use is followed: a name may be given its own value
_STR = frozenset(name for name in dir(str) if not name.startswith("_"))
_DATE = frozenset(
    [
        "year", "month", "day", "weekday", "isoformat", "strftime", "days", "hour", "minute",
        "total_seconds", "date",
    ]
)  # fmt: skip
_COMPUTING = ("sum", "min", "max", "abs", "round", "sorted", "range", "divmod", "pow")
# builtins whose result holds the items of a list
_LISTS = ("list", "tuple", "set", "sorted", "reversed", "iter", "filter")
_MODULES = {"re": TEXT, "math": VALUE, "statistics": VALUE}  # what their functions take
_INNER = (ast.FunctionDef, ast.Lambda)
_ORDER = (ast.Lt, ast.LtE, ast.Gt, ast.GtE)
# nodes whose value is, or can be, what stands inside them
_SAME = (ast.BoolOp, ast.IfExp, ast.NamedExpr, ast.Starred)


class ColumnUsage:
    """How a program uses the columns of its tables. texts: by table, the headers that it reads as
    text."""

    def __init__(self, flow: Flow, tables: tuple[Table, ...]):
        self.flow = flow
        self.parents = flow.parents
        self.functions: dict[str, ast.FunctionDef] = {}
        self.loads: dict[str, list[ast.Name]] = {}
        for node in flow.nodes:
            if isinstance(node, ast.FunctionDef):
                self.functions[node.name] = node
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
                self.loads.setdefault(node.id, []).append(node)
        self.texts = {table.name: self._texts(table) for table in tables}

    def _texts(self, table: Table) -> frozenset[str]:
        """The headers of a table that the program reads as text and never as a value."""
        # a key that the program stores itself is no longer the column
        raw = {column.name for column in table.columns if column.raw is not None} - self.flow.stored
        certain = {id(node): read for node, read in self.flow.reads}
        uses: dict[str, set[str]] = {}
        for node in self.flow.nodes:
            header = _header(node)
            # a row that may be of any table may be of this one
            if header in raw and certain.get(id(node), table) is table:
                uses.setdefault(header, set()).update(self.uses(node, 0))
        return frozenset(header for header, found in uses.items() if found == {TEXT})

    def uses(self, node: ast.AST, depth: int, lists: int = 0) -> Iterator[str]:
        """What an expression is used as, as far as that is told. lists: how deep in lists the cell
        is that it holds."""
        parent = self.parents.get(id(node))
        if depth > _DEEPEST or parent is None:
            return
        # the nodes that hand a cell on come first: what it is used as, the nodes around them say
        if isinstance(parent, _SAME):
            yield from self.uses(parent, depth + 1, lists)
        elif isinstance(parent, LISTING):
            yield from self.uses(parent, depth + 1, lists + 1)
        elif isinstance(parent, ast.Assign):
            yield from self._assigned(parent, depth, lists)
        elif isinstance(parent, ast.Call):
            yield from self._passed(parent, node, depth, lists)
        elif isinstance(parent, ast.Compare):
            yield from self._compared(parent, node, lists)
        elif lists:  # a list of cells is not used as a cell is
            yield from self._taken(parent, node, depth, lists)
        else:
            yield from self._cell(parent, node)

    def _cell(self, parent: ast.AST, node: ast.AST) -> Iterator[str]:
        """What a cell is used as by the node around it."""
        match parent:
            case ast.Attribute(attr=method) if method in _STR:
                yield TEXT
            case ast.Attribute(attr=part) if part in _DATE:
                yield VALUE
            case ast.Subscript(value=cell) if cell is node:
                yield TEXT  # a number has no characters
            case ast.BinOp(left=left, right=right, op=sign):
                formats = isinstance(sign, ast.Mod) and left is node  # "%d" % ...
                other = right if left is node else left
                yield TEXT if formats or _is_text(other) else VALUE
            case ast.UnaryOp(op=ast.Not()):
                return
            case ast.AugAssign() | ast.UnaryOp() | ast.Lambda():
                yield VALUE  # a lambda returns it: a key to sort by
            case ast.Tuple() if isinstance(self.parents.get(id(parent)), ast.Lambda):
                yield VALUE  # a part of such a key

    def _taken(self, parent: ast.AST, node: ast.AST, depth: int, lists: int) -> Iterator[str]:
        """What is taken out of a list."""
        match parent:
            case ast.Subscript(value=value, slice=place) if value is node:
                inner = lists if isinstance(place, ast.Slice) else lists - 1
                yield from self.uses(parent, depth + 1, inner)
            case (
                ast.For(target=ast.Name(id=name), iter=over)
                | ast.comprehension(target=ast.Name(id=name), iter=over)
            ) if over is node:
                yield from self._named(name, depth, lists - 1)

    def _assigned(self, parent: ast.Assign, depth: int, lists: int) -> Iterator[str]:
        names = [target.id for target in parent.targets if isinstance(target, ast.Name)]
        if len(names) < len(parent.targets):  # a cell that is unpacked, or stored
            return
        for name in names:
            yield from self._named(name, depth, lists)

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
            if lists and not within:  # lists are compared, not cells
                continue
            listed = other.elts if isinstance(other, (ast.Tuple, ast.List, ast.Set)) else [other]
            if any(map(_is_text, listed)):
                yield TEXT
            # `cell == other` alone does not tell: either may be text
            elif not within and (isinstance(sign, _ORDER) or _is_number(other)):
                yield VALUE

    def _passed(self, call: ast.Call, node: ast.AST, depth: int, lists: int) -> Iterator[str]:
        """What an argument of a call is used as."""
        name = called(call)
        if name in self.functions and node in call.args:
            # a function of the program's own uses its parameter
            parameters = self.functions[name].args.args
            given = dict(zip(map(id, call.args), parameters, strict=False)).get(id(node))
            if given is not None:
                yield from self._named(given.arg, depth, lists)
        elif name == "str" and not lists:
            yield TEXT
        elif lists and name in _LISTS:
            yield from self.uses(call, depth + 1, lists)
        elif lists and name == "next":
            yield from self.uses(call, depth + 1, lists - 1)
        elif name in _COMPUTING:
            yield VALUE
        else:
            yield from _taken_by_module(call)


def _taken_by_module(call: ast.Call) -> Iterator[str]:
    """What the function of a module takes its arguments for."""
    match call.func:
        case ast.Attribute(value=ast.Name(id=module)) if module in _MODULES:
            yield _MODULES[module]


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


class _Cells(NamedTuple):
    """Cells of a column, as they are; lists: how deep in lists they are."""

    table: Table
    header: str
    lists: int


def answer(solve: ast.FunctionDef, flow: Flow) -> tuple[Table, Column] | None:
    """The stored column of which all that solve returns are cells as they are, one or a list; None
    where that is not certain."""
    found = {_cells(value, flow, 0) for value in _returned(solve) if not is_none(value)}
    cells = found.pop() if len(found) == 1 else None
    if cells is None or cells.lists > 1:
        return None
    # neither the column nor a row may be changed by the program
    if cells.header in flow.stored or any(flow.row_of(ast.Name(name)) for name in flow.added):
        return None
    column = cells.table.column(cells.header)
    return (cells.table, column) if column is not None else None


def _returned(solve: ast.FunctionDef) -> Iterator[ast.expr]:
    """What solve returns; not what functions inside of it return."""
    waiting: list[ast.AST] = [*solve.body]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Return) and node.value is not None:
            yield node.value
        if not isinstance(node, _INNER):
            waiting += ast.iter_child_nodes(node)


def _cells(node: ast.expr, flow: Flow, depth: int) -> _Cells | None:
    """The cells that an expression is."""
    match node:
        case ast.Subscript(value=row) if (header := _header(node)) is not None:
            table = flow.row_of(row)
            return _Cells(table, header, 0) if table is not None else None
    inner, lists = _holds(node, flow)
    cells = _cells(inner, flow, depth + 1) if inner is not None and depth < _DEEPEST else None
    if cells is None or cells.lists + lists < 0:
        return None
    return cells._replace(lists=cells.lists + lists)


def _holds(node: ast.expr, flow: Flow) -> tuple[ast.expr | None, int]:
    """The expression whose cells another one holds, and how much deeper in lists they are there."""
    match node:
        case ast.Name(id=name):
            return _value_of(name, flow)
        case ast.Subscript(value=listed, slice=ast.Slice()):
            return listed, 0
        case ast.Subscript(value=listed):
            return listed, -1
        case ast.ListComp(elt=item) | ast.GeneratorExp(elt=item) | ast.SetComp(elt=item):
            return item, 1
        case ast.List(elts=[item]):
            return item, 1
        case ast.Call(args=[listed]) if called(node) in ONE:
            return listed, -1
        case ast.Call(args=[listed]) if called(node) in (*KEEPING, "set"):
            return listed, 0
    return None, 0


def _value_of(name: str, flow: Flow) -> tuple[ast.expr | None, int]:
    """What a name holds: its value, or, of an empty list to which one kind of item is added, that
    item."""
    value, added = flow.value(name), flow.added.get(name, [])
    if not added:
        return value, 0
    match value:
        case ast.List(elts=[]) if len(added) == 1:
            return added[0], 1
    return None, 0
