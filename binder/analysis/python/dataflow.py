"""Data flow of a Python program: which expressions are rows of which table.

Only what is certain is said: a name counts when every place that gives it a value gives it such a
value."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from binder.language.python import called
from binder.tables.table import Table

# builtins whose result has the rows of their argument
KEEPING = ("sorted", "list", "reversed", "iter", "tuple")
# builtins whose result is one of the rows of their argument
ONE = ("min", "max", "next")
LISTING = (ast.ListComp, ast.GeneratorExp, ast.SetComp)
# methods that put something into what is there
ADDING = ("append", "insert", "extend", "update", "setdefault", "add")


class Flow:
    """What is known about the names of a program.

    given: how a name comes by its values: `is` an expression, one `of` its items, a `parameter` of
    solve, or anything `else`; added: what is put into the value of a name, one item, or None for
    anything else; reads: `row["header"]` of certain rows; stored: keys that the program makes
    itself."""

    def __init__(self, module: ast.Module, parameters: dict[str, Table]):
        self.parameters = parameters
        self.nodes = list(ast.walk(module))
        self.parents: dict[int, ast.AST] = {}
        for node in self.nodes:
            self.parents |= {id(child): node for child in ast.iter_child_nodes(node)}
        self.given: dict[str, list[tuple[str, ast.expr]]] = {}
        self._keys: set[int] = set()  # the lambdas whose parameter is a row
        for node in self.nodes:
            self._gives(node)
        # row["new"] = ... makes a header that no table has, and that a later row["new"] may read
        self.stored = set(_stored(module))
        self.added: dict[str, list[ast.expr | None]] = {}
        for node in self.nodes:
            self._adds(node)
        self._seen: set[tuple[str, str]] = set()  # names that are being looked at
        self._known: dict[tuple[str, str], Table | None] = {}
        self.reads = list(self._reads())

    def _reads(self) -> Iterator[tuple[ast.Subscript, Table]]:
        """The headers that are read from rows that are certain."""
        for node in self.nodes:
            match node:
                case ast.Subscript(value=row, slice=ast.Constant(value=str())):
                    table = self.row_of(row)
                    if table is not None:
                        yield node, table

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
        listed = self.meaning(node)
        if not isinstance(listed, (ast.ListComp, ast.GeneratorExp)):
            return False
        return not isinstance(listed.elt, (ast.Name, ast.Dict))

    def meaning(self, node: ast.expr) -> ast.expr:
        """The expression that a name stands for; any other expression itself. A name that stands
        for another name is not followed: the two could stand for each other."""
        if not isinstance(node, ast.Name):
            return node
        value = self.value(node.id)
        return node if value is None or isinstance(value, ast.Name) else value

    def value(self, name: str) -> ast.expr | None:
        """What a name stands for, where it is given a value once."""
        # of two values nobody knows which one a place sees: that would need the order of execution
        given = self.given.get(name, [])
        return given[0][1] if len(given) == 1 and given[0][0] == "is" else None

    def _name(self, name: str, wanted: str) -> Table | None:
        """The table of a name that is wanted as a `table` or as a `row`."""
        if (name, wanted) in self._seen:  # it depends on itself
            return None
        if (name, wanted) in self._known:
            return self._known[name, wanted]
        given = self.given.get(name, [])
        if wanted == "table" and name in self.parameters:
            return self.parameters[name] if all(how == "parameter" for how, _ in given) else None
        self._seen.add((name, wanted))
        try:
            # None before a loop does not make a row less certain: reading from it raises
            sources = [(how, value) for how, value in given if not is_none(value)]
            tables = [self._source(how, value, wanted) for how, value in sources]
        finally:
            self._seen.discard((name, wanted))
        found = tables[0] if tables and all(table is tables[0] for table in tables) else None
        if not self._seen:  # else it may only be unknown because it is still being looked at
            self._known[name, wanted] = found
        return found

    def _source(self, how: str, value: ast.expr, wanted: str) -> Table | None:
        """The table of one of the values that a name is given."""
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
            # rows += others: the rows may be those of another table
            self._target(node.target, "else", node.value)
        elif isinstance(node, (ast.For, ast.comprehension)):
            self._loop(node.target, node.iter)
        elif isinstance(node, (ast.FunctionDef, ast.Lambda)) and id(node) not in self._keys:
            # who calls a function gives its parameters their values: that is not followed
            for given in [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]:
                solve = getattr(node, "name", "") == "solve" and given.arg in self.parameters
                self._give(given.arg, "parameter" if solve else "else", ast.Constant(0))
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
        match target, source:
            case ast.Tuple(elts=items), ast.Call(func=ast.Name("zip"), args=lists):
                for item, listed in zip(items, lists, strict=False):
                    self._target(item, "of", listed)
            case ast.Tuple(elts=[number, *items]), ast.Call(func=ast.Name("enumerate"), args=lists):
                self._target(number, "else", ast.Constant(0))
                for item, listed in zip(items, lists[:1], strict=False):
                    self._target(item, "of", listed)
            case _:
                self._target(target, "of", source)

    def _key(self, node: ast.Call) -> None:
        """The parameter of key=lambda r: ... is a row of what is sorted."""
        key = next((k.value for k in node.keywords if k.arg == "key"), None)
        rows: ast.expr | None = None
        if node.args and called(node) in ("sorted", "min", "max"):
            rows = node.args[0]
        if isinstance(node.func, ast.Attribute) and node.func.attr == "sort":
            rows = node.func.value
        if called(node) == "filter" and len(node.args) == 2:
            key, rows = node.args
        if isinstance(key, ast.Lambda) and rows is not None and len(key.args.args) == 1:
            self._give(key.args.args[0].arg, "of", rows)
            self._keys.add(id(key))  # its parameter is known, unlike that of other lambdas

    def _target(self, target: ast.expr, how: str, value: ast.expr) -> None:
        """Notes what the target of an assignment is given."""
        if isinstance(target, ast.Name):
            self._give(target.id, how, value)
        elif isinstance(target, (ast.Tuple, ast.List)):
            # the parts of a row are not rows
            for item in target.elts:
                self._target(item, "else", value)
        elif isinstance(target, ast.Starred):
            self._target(target.value, "else", value)

    def _give(self, name: str, how: str, value: ast.expr) -> None:
        self.given.setdefault(name, []).append((how, value))


def strings(node: ast.expr, flow: Flow) -> Iterator[tuple[ast.expr, str]]:
    """The literal texts of a list of headers, or of the name of one."""
    written = flow.meaning(node)
    items = written.elts if isinstance(written, (ast.List, ast.Tuple)) else [written]
    for item in items:
        if isinstance(item, ast.Constant) and isinstance(item.value, str):
            yield item, item.value


def is_none(node: ast.expr) -> bool:
    """Whether an expression is written None."""
    return isinstance(node, ast.Constant) and node.value is None


def _stored(module: ast.Module) -> Iterator[str]:
    """Keys of dicts that a program makes itself."""
    for node in ast.walk(module):
        match node:
            case ast.Dict(keys=keys):
                for key in keys:
                    if isinstance(key, ast.Constant) and isinstance(key.value, str):
                        yield key.value
            case ast.Subscript(slice=ast.Constant(value=key), ctx=ast.Store() | ast.Del()):
                yield str(key)
            case ast.Call(func=ast.Name("dict"), keywords=keywords):
                yield from (keyword.arg for keyword in keywords if keyword.arg)
