"""The tree of a Python program and the tables of its parameters come in; which expressions are rows
of which table goes out.

Only what is certain is said: a name counts when every place that gives it a value gives it such a
value."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from binder.language.python import called
from binder.tables.table import Table

KEEPING = (
    "sorted",
    "list",
    "reversed",
    "iter",
    "tuple",
)  # builtins whose result has the rows of their argument
ONE = ("min", "max", "next")  # builtins whose result is one of the rows of their argument


LISTING = (ast.ListComp, ast.GeneratorExp, ast.SetComp)
ADDING = (
    "append",
    "insert",
    "extend",
    "update",
    "setdefault",
    "add",
)  # methods that put something into what is there


class Flow:
    """What is known about the names of a program. reads: `row["header"]` of certain rows; stored:
    keys that it makes itself."""

    def __init__(self, module: ast.Module, parameters: dict[str, Table]):
        self.parameters = parameters
        self.given: dict[
            str, list[tuple[str, ast.expr]]
        ] = {}  # name -> how it comes by its value: ("is" | "of", expression)
        self._keys: set[int] = set()
        self._seen: set[tuple[str, str]] = set()
        self._known: dict[tuple[str, str], Table | None] = {}
        self.nodes = list(ast.walk(module))
        self.parents = {
            id(child): node for node in self.nodes for child in ast.iter_child_nodes(node)
        }
        for node in self.nodes:
            self._gives(node)
        self.stored = set(_stored(module))
        self.added: dict[
            str, list[ast.expr | None]
        ] = {}  # name -> what is put into its value: one item, or None for else
        for node in self.nodes:
            self._adds(node)
        self.reads = [
            (node, table)
            for node in self.nodes
            if isinstance(node, ast.Subscript) and isinstance(node.slice, ast.Constant) and isinstance(node.slice.value, str)
            and (table := self.row_of(node.value)) is not None
        ]  # fmt: skip

    def table_of(self, node: ast.expr) -> Table | None:
        """The table whose rows an expression lists, where that is certain."""
        match node:
            case ast.Name(id=name):
                return self._name(name, "table")
            case (
                ast.Subscript(value=rows, slice=ast.Slice())
                | ast.Call(func=ast.Name("filter"), args=[_, rows])
            ):
                return self.table_of(rows)
            case ast.Call(func=ast.Name(id=name), args=[rows, *_]) if name in KEEPING:
                return self.table_of(rows)
            case ast.ListComp(elt=row) | ast.GeneratorExp(elt=row):
                return self.row_of(row)
            case ast.List(elts=[first, *others]) | ast.Tuple(elts=[first, *others]):
                table = self.row_of(first)
                return table if all(self.row_of(item) is table for item in others) else None
        return None

    def row_of(self, node: ast.expr) -> Table | None:
        """The table of which an expression is one row, where that is certain."""
        match node:
            case ast.Name(id=name):
                return self._name(name, "row")
            case ast.Subscript(value=rows, slice=place) if not isinstance(place, ast.Slice):
                return self.table_of(rows)
            case ast.Call(func=ast.Name(id=name), args=[rows, *_]) if name in ONE:
                return self.table_of(rows)
        return None

    def is_values(self, node: ast.expr) -> bool:
        """Whether an expression lists values of its own making, not rows."""
        if (
            isinstance(node, ast.Name)
            and (value := self.value(node.id)) is not None
            and not isinstance(value, ast.Name)
        ):
            return self.is_values(value)
        return isinstance(node, (ast.ListComp, ast.GeneratorExp)) and not isinstance(
            node.elt, (ast.Name, ast.Dict)
        )

    def value(self, name: str) -> ast.expr | None:
        """What a name stands for, where it is given a value once."""
        given = self.given.get(name, [])
        return given[0][1] if len(given) == 1 and given[0][0] == "is" else None

    def _name(self, name: str, wanted: str) -> Table | None:
        if (name, wanted) in self._seen:  # it depends on itself
            return None
        if (name, wanted) in self._known:
            return self._known[name, wanted]
        given = self.given.get(name, [])
        if wanted == "table" and name in self.parameters:
            return self.parameters[name] if all(how == "parameter" for how, _ in given) else None
        self._seen.add((name, wanted))
        try:
            tables = [
                self._source(how, value, wanted) for how, value in given if not is_none(value)
            ]
        finally:
            self._seen.discard((name, wanted))
        found = tables[0] if tables and all(table is tables[0] for table in tables) else None
        if not self._seen:  # else it may only be unknown because it is still being looked at
            self._known[name, wanted] = found
        return found

    def _source(self, how: str, value: ast.expr, wanted: str) -> Table | None:
        if how == "is":
            return self.row_of(value) if wanted == "row" else self.table_of(value)
        return self.table_of(value) if how == "of" and wanted == "row" else None

    def _gives(self, node: ast.AST) -> None:
        """Notes what a node gives values to."""
        if isinstance(node, ast.Assign):
            for target in node.targets:
                self._target(target, "is", node.value)
        elif isinstance(node, (ast.AnnAssign, ast.NamedExpr)) and node.value is not None:
            self._target(node.target, "is", node.value)
        elif isinstance(node, ast.AugAssign):
            self._target(node.target, "else", node.value)
        elif isinstance(node, (ast.For, ast.comprehension)):
            self._loop(node.target, node.iter)
        elif isinstance(node, (ast.FunctionDef, ast.Lambda)) and id(node) not in self._keys:
            for given in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]:
                solve = (
                    isinstance(node, ast.FunctionDef)
                    and node.name == "solve"
                    and given.arg in self.parameters
                )
                self.given.setdefault(given.arg, []).append(
                    ("parameter" if solve else "else", ast.Constant(0))
                )
        elif isinstance(node, ast.Call):
            self._key(node)

    def _adds(self, node: ast.AST) -> None:
        """Notes what a node puts into the value of a name."""
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id=name), attr="append"), args=[item, *_]
            ):
                self.added.setdefault(name, []).append(item)
            case ast.Call(func=ast.Attribute(value=ast.Name(id=name), attr=method)) if (
                method in ADDING
            ):
                self.added.setdefault(name, []).append(None)
            case ast.Subscript(value=ast.Name(id=name), ctx=ast.Store() | ast.Del()):
                self.added.setdefault(name, []).append(None)

    def _loop(self, target: ast.expr, source: ast.expr) -> None:
        """A loop's target holds the rows of what it goes over; with enumerate and zip, part by
        part."""
        if (
            isinstance(target, ast.Tuple)
            and isinstance(source, ast.Call)
            and called(source) in ("enumerate", "zip")
        ):
            parts = [None, *source.args[:1]] if called(source) == "enumerate" else list(source.args)
            for item, part in zip(target.elts, parts, strict=False):
                self._target(
                    item,
                    "of" if part is not None else "else",
                    part if part is not None else ast.Constant(0),
                )
            return
        self._target(target, "of", source)

    def _key(self, node: ast.Call) -> None:
        """The parameter of key=lambda r: ... is a row of what is sorted."""
        key = next((k.value for k in node.keywords if k.arg == "key"), None)
        rows: ast.expr | None = (
            node.args[0] if node.args and called(node) in ("sorted", "min", "max") else None
        )
        if isinstance(node.func, ast.Attribute) and node.func.attr == "sort":
            rows = node.func.value
        if called(node) == "filter" and len(node.args) == 2:
            key, rows = node.args
        if isinstance(key, ast.Lambda) and rows is not None and len(key.args.args) == 1:
            self.given.setdefault(key.args.args[0].arg, []).append(("of", rows))
            self._keys.add(id(key))

    def _target(self, target: ast.expr, how: str, value: ast.expr) -> None:
        if isinstance(target, ast.Name):
            self.given.setdefault(target.id, []).append((how, value))
        elif isinstance(target, (ast.Tuple, ast.List)):
            for item in target.elts:
                self._target(item, "else", value)
        elif isinstance(target, ast.Starred):
            self._target(target.value, "else", value)


def strings(node: ast.expr, flow: Flow) -> Iterator[tuple[ast.expr, str]]:
    """The literal texts of a list of headers, or of the name of one."""
    if (
        isinstance(node, ast.Name)
        and (value := flow.value(node.id)) is not None
        and not isinstance(value, ast.Name)
    ):
        yield from strings(value, flow)
    elif isinstance(node, (ast.List, ast.Tuple)):
        for item in node.elts:
            if isinstance(item, ast.Constant):
                yield from strings(item, flow)
    elif isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node, node.value


def is_none(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is None


def _stored(module: ast.Module) -> Iterator[str]:
    """Keys of dicts that a program makes itself."""
    for node in ast.walk(module):
        if isinstance(node, ast.Dict):
            yield from (
                key.value
                for key in node.keys
                if isinstance(key, ast.Constant) and isinstance(key.value, str)
            )
        elif (
            isinstance(node, ast.Subscript)
            and not isinstance(node.ctx, ast.Load)
            and isinstance(node.slice, ast.Constant)
        ):
            yield str(node.slice.value)
        elif isinstance(node, ast.Call) and called(node) == "dict":
            yield from (keyword.arg for keyword in node.keywords if keyword.arg)
