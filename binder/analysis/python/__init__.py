"""A Python Program and the tables come in; a CheckedPython goes out: all that the program names is
its own or allowed.

Nothing here asks a language model or runs the program; a name that is not allowed, a header that no
table has and a module that is not there are refused with the nearest that is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

from binder.analysis.python.call_types import call_types_of
from binder.analysis.python.column_usage import Readings, answer
from binder.analysis.python.dataflow import Flow, strings
from binder.analysis.python.vectorize import ahead, row_calls
from binder.analysis.sql.call_types import CallType
from binder.analysis.sql.types import holds_bytes
from binder.data import shipped
from binder.errors import CheckFault, Span, nearest
from binder.language.diagnose_python import tree
from binder.language.program import PREFIX, Program
from binder.language.python import KINDS, Text, allowed, argument, is_call, parse, write
from binder.tables.spelling import alike
from binder.tables.table import Column, Table

MODULES = sorted(allowed().keys() - {"builtins", "methods", "attributes"})
ONLY_CALLED = ("type", "iter", "slice")  # builtins that are no values of their own


@dataclass(frozen=True)
class CheckedPython:
    """A Python program that fits its tables. parameters: those of solve with their tables; flow:
    which of its names hold rows; texts: by table, the typed columns that it reads as text;
    call_types: of the calls whose answers it takes for true or false; answer: the column of which
    it returns cells as they are; warnings: what must be told of the columns whose values it
    reads."""

    program: Program
    tables: tuple[Table, ...]
    parameters: tuple[tuple[str, Table], ...]
    flow: Flow
    texts: dict[str, frozenset[str]]
    call_types: dict[str, CallType]
    answer: tuple[Table, Column] | None
    warnings: tuple[str, ...] = ()


def check(program: Program, tables: tuple[Table, ...]) -> CheckedPython:
    """Checks a program against the tables; a CheckFault marks what does not fit."""
    return _Check(program, tables).run()


@cache
def reserved() -> frozenset[str]:
    """The names of the prelude."""
    return frozenset(
        ["_map", "_ans", *re.findall(r"^(?:def )?(_\w+)", shipped("prelude.txt"), re.MULTILINE)]
    )


class _Check:
    """The program, its tree, and the names that it binds."""

    def __init__(self, program: Program, tables: tuple[Table, ...]):
        self.program, self.tables = program, tables
        self.source, self.module = Text(program.text), tree(program.text)
        self.misspelt: list[tuple[Span, str, str]] = []
        self.bound = set(_bound(self.module))
        self.imported = dict(
            _imported(self.module)
        )  # name -> module, for those that stand for modules

    def run(self) -> CheckedPython:
        for node in ast.walk(self.module):
            for child in ast.iter_child_nodes(node):
                self.node(child, node)
        self.top()
        solve = self.entry()
        parameters = self.parameters(solve)
        flow = Flow(self.module, dict(parameters))
        for node in flow.nodes:
            if is_call(node):
                self.call(node, flow)
        self.headers(flow)
        if self.misspelt:
            return check(self.mended(), self.tables)
        self.names = {call.span: call.name for call in self.program.calls}
        taken = {
            self.names[self.source.span(node)]: call_type for node, call_type in call_types_of(flow)
        }
        self.gather(flow)
        texts = Readings(flow, tuple(dict.fromkeys(table for _, table in parameters))).texts
        return CheckedPython(
            self.program,
            self.tables,
            parameters,
            flow,
            texts,
            taken,
            answer(solve, flow),
            tuple(dict.fromkeys(_doubts(flow, texts))),
        )

    def fault(self, node: ast.AST, message: str, hint: str | None = None) -> CheckFault:
        return CheckFault(message, text=self.program.text, span=self.source.span(node), hint=hint)

    # ---- names

    def node(self, node: ast.AST, parent: ast.AST | None) -> None:
        """Refuses what is not allowed at one node."""
        if isinstance(node, ast.Name):
            self.name(node, parent)
        elif isinstance(node, ast.Attribute):
            self.attribute(node, parent)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self.imports(node)
        elif isinstance(
            node, (ast.FunctionDef, ast.arg, ast.ExceptHandler, ast.alias, ast.keyword)
        ):
            self.binding(node)
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            for name in node.names:
                self.own(node, name)
        elif isinstance(node, (ast.Yield, ast.YieldFrom, ast.Await)):
            raise self.fault(
                node, "yield and await are not in the language", "build a list and return it"
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, (bytes, complex)):
            raise self.fault(
                node, f"a value of type {type(node.value).__name__} is not in the language"
            )

    def name(self, node: ast.Name, parent: ast.AST | None) -> None:
        if isinstance(node.ctx, ast.Store):
            self.own(node, node.id)
        elif node.id in KINDS:
            if not (isinstance(parent, ast.Call) and parent.func is node):
                raise self.fault(
                    node,
                    f"{node.id} can only be called",
                    f"write {node.id}(rows, question, columns)",
                )
        elif node.id not in self.bound and node.id not in allowed()["builtins"]:
            known = [*self.bound, *allowed()["builtins"], *KINDS]
            if node.id in MODULES:
                raise self.fault(
                    node, f"the module {node.id} is not imported", f"begin with import {node.id}"
                )
            raise self.fault(node, f"there is no name {node.id!r}", _known(node.id, known))
        elif node.id in ONLY_CALLED and node.id not in self.bound:
            once = isinstance(parent, ast.Call) and (
                parent.func is not node or len(parent.args) == 1 or node.id != "type"
            )
            compared = isinstance(parent, (ast.Compare, ast.Tuple))
            if not once and not compared:
                raise self.fault(node, f"{node.id} can only be called with one value")

    def own(self, node: ast.AST, name: str) -> None:
        """A name that the program gives."""
        if (
            name in KINDS
            or name in reserved()
            or re.fullmatch(rf"__.*|_table_\d+|{PREFIX}\d+", name)
        ):
            raise self.fault(
                node, f"{name} cannot be a name of the program's own", "call it something else"
            )

    def binding(
        self, node: ast.FunctionDef | ast.arg | ast.ExceptHandler | ast.alias | ast.keyword
    ) -> None:
        name = (
            node.asname
            if isinstance(node, ast.alias)
            else node.arg
            if isinstance(node, (ast.arg, ast.keyword))
            else node.name
        )
        self.own(node, name or "")

    def attribute(self, node: ast.Attribute, parent: ast.AST | None) -> None:
        called = isinstance(parent, ast.Call) and parent.func is node
        if isinstance(node.ctx, ast.Store):
            raise self.fault(
                node, "nothing can be stored in an attribute", "keep it in a name or in a dict"
            )
        owner = self.imported.get(node.value.id) if isinstance(node.value, ast.Name) else None
        if node.attr not in allowed()[owner or "methods"] and (
            owner or node.attr not in allowed()["attributes"]
        ):
            members = allowed()[owner] if owner else allowed()["methods"] | allowed()["attributes"]
            where = f"the module {owner}" if owner else "a value"
            raise self.fault(node, f"{where} has no {node.attr!r} here", _known(node.attr, members))
        if node.attr == "format" and not owner and called:
            self.format(node)

    def format(self, node: ast.Attribute) -> None:
        """A format reaches values, never what they are made of."""
        written = node.value.value if isinstance(node.value, ast.Constant) else None
        if not isinstance(written, str):
            raise self.fault(
                node, "only a text that is written there can be a format", "write an f-string"
            )
        if "._" in written or "[_" in written or "__" in written:
            raise self.fault(node, "a format cannot reach into a value", "write an f-string")

    def imports(self, node: ast.Import | ast.ImportFrom) -> None:
        names = (
            [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else [alias.name for alias in node.names]
        )
        for name in names:
            if name not in MODULES or isinstance(node, ast.ImportFrom) and node.level:
                raise self.fault(node, f"there is no module {name!r} here", _known(name, MODULES))
        for alias in node.names if isinstance(node, ast.ImportFrom) else []:
            if alias.name not in allowed()[names[0]]:
                hint = _known(alias.name, allowed()[names[0]])
                raise self.fault(node, f"the module {names[0]} has no {alias.name!r} here", hint)

    # ---- the function solve

    def top(self) -> None:
        """Outside of functions there are only definitions."""
        for node in self.module.body:
            plain = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
            if not plain and not isinstance(
                node, (ast.FunctionDef, ast.Import, ast.ImportFrom, ast.Assign, ast.AnnAssign)
            ):
                raise self.fault(
                    node,
                    "only functions, imports and constants stand outside of solve",
                    "put it inside of solve",
                )
            for part in ast.walk(node) if not isinstance(node, ast.FunctionDef) else ():
                if is_call(part):
                    raise self.fault(part, "the language model is only asked inside of solve")
            if taken := {*_given(node)} & allowed()["builtins"]:
                raise self.fault(
                    node, f"{min(taken)} is a name of Python's own", "call it something else"
                )

    def entry(self) -> ast.FunctionDef:
        functions = [node for node in self.module.body if isinstance(node, ast.FunctionDef)]
        found = [node for node in functions if node.name == "solve"]
        if not found:
            where = functions[-1] if len(functions) == 1 else self.module
            raise self.fault(where, "there is no function solve", "write def solve(table): ...")
        for node in self.module.body:
            for part in ast.walk(node) if not isinstance(node, ast.FunctionDef) else ():
                if isinstance(part, ast.Name) and part.id == "solve":
                    raise self.fault(part, "solve is called by itself: leave this out")
        return found[-1]

    def parameters(self, solve: ast.FunctionDef) -> tuple[tuple[str, Table], ...]:
        arguments = solve.args
        names = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
            raise self.fault(
                solve, "solve takes one parameter per table, by name", self.tables_hint()
            )
        required = names[: len(names) - len(arguments.defaults)] or names[:1]
        known = {table.name.casefold(): table for table in self.tables}
        if len(required) == 1 and len(self.tables) == 1:
            return ((required[0].arg, self.tables[0]),)
        found = []
        for name in required:
            spelt = alike(name.arg, [table.name for table in self.tables])
            if spelt is None:
                raise self.fault(name, f"there is no table {name.arg!r}", self.tables_hint())
            found.append((name.arg, known[spelt.casefold()]))
        if not found:
            raise self.fault(solve, "solve takes no table", self.tables_hint())
        return tuple(found)

    def tables_hint(self) -> str:
        named = "table" if len(self.tables) == 1 else ", ".join(table.name for table in self.tables)
        return f"write def solve({named})"

    # ---- calls and headers

    def call(self, node: ast.AST, flow: Flow) -> None:
        assert isinstance(node, ast.Call) and isinstance(node.func, ast.Name)
        name, given = node.func.id, {keyword.arg for keyword in node.keywords}
        if unknown := given - {"rows", "question", "columns"}:
            raise self.fault(
                node, f"{name} takes rows, question and columns, not {next(iter(unknown))!r}"
            )
        starred = any(isinstance(part, ast.Starred) for part in node.args) or None in given
        if not starred and (
            len(node.args) + len(given) < 2
            or len(node.args) > 3
            or argument(node, 1, "question") is None
        ):
            raise self.fault(
                node, f"{name} needs rows and a question", f"write {name}(rows, question, columns)"
            )
        asked = argument(node, 1, "question")
        if isinstance(asked, ast.Constant) and not (
            isinstance(asked.value, str) and asked.value.strip()
        ):
            fault = (
                "the question is empty"
                if isinstance(asked.value, str)
                else "the question is a text"
            )
            raise self.fault(asked, fault, f'write what to ask: {name}(rows, "question", columns)')
        columns = argument(node, 2, "columns")
        rows = argument(node, 0, "rows")
        if columns is not None and rows is not None and not flow.is_values(rows):
            for item, header in strings(columns, flow):
                table = flow.table_of(rows)
                self.header(item, header, table, flow)
                column = table.column(header) if table is not None else None
                if column is not None and holds_bytes(column.type):
                    message = f"{header!r} holds bytes, which cannot be sent to the language model"
                    raise self.fault(item, message, "leave it out of the columns")

    def gather(self, flow: Flow) -> None:
        """Asks loops about all their rows at once, where it is certain which these are; says so
        where it is not."""
        repairs = list(self.program.repairs)
        calls: dict[Span, list[str]] = {}
        for node, row in row_calls(flow):
            found = ahead(self.source, flow, node, row, self.names[self.source.span(node)])
            if found is not None:
                calls.setdefault(self.source.span(found.over), []).append(found.call)
                repairs.append(
                    f"the rows of the loop over {self.source.of(found.over)} are asked about together"
                )
            elif row in flow.given:
                repairs.append(
                    "asked one row after the other: qa_map(rows, ...) before the loop asks about all rows at once"
                )
        instead = {
            over: f"({', '.join(made)}, {self.program.text[slice(*over)]})[-1]"
            for over, made in calls.items()
        }
        skeleton = (
            write(self.source, self.module, self.program.calls, instead)
            if instead
            else self.program.skeleton
        )
        self.program = replace(
            self.program, skeleton=skeleton, repairs=tuple(dict.fromkeys(repairs))
        )

    def headers(self, flow: Flow) -> None:
        """A header that is read from a row of a table must be one of its headers."""
        for node, table in flow.reads:
            assert isinstance(node.slice, ast.Constant)
            self.header(node.slice, str(node.slice.value), table, flow)

    def header(self, node: ast.expr, header: str, table: Table | None, flow: Flow) -> None:
        known = [c.name for t in ([table] if table else self.tables) for c in t.columns]
        if header in known or header in flow.stored:
            return
        spelt = alike(header, known)
        if spelt is not None:
            self.misspelt.append((self.source.span(node), header, spelt))
            return
        where = f"table {table.name!r}" if table else "any table"
        raise self.fault(node, f"there is no column {header!r} in {where}", _known(header, known))

    def mended(self) -> Program:
        """The program with its headers spelt as the tables have them."""
        text, repairs = self.program.text, list(self.program.repairs)
        for span, header, spelt in sorted(set(self.misspelt), reverse=True):
            text = text[: span.start] + repr(spelt) + text[span.end :]
            repairs.append(f"column {header!r} -> {spelt!r}")
        return replace(parse(text), repairs=tuple(dict.fromkeys(repairs)))


def _doubts(flow: Flow, texts: dict[str, frozenset[str]]) -> Iterable[str]:
    """What must be told of the columns whose values a program reads."""
    for node, table in flow.reads:
        assert isinstance(node.slice, ast.Constant)
        column = table.column(str(node.slice.value))
        if column is None or column.reading is None or column.type == "VARCHAR":
            continue
        if column.name not in texts.get(table.name, ()):
            yield from column.reading.troubles(column.name)


def _known(name: str, names: Iterable[str]) -> str | None:
    """The nearest of the names, or all of a few."""
    listed = sorted(set(names))
    if close := nearest(name, listed):
        return f"did you mean {', '.join(close)}?"
    return "there are " + ", ".join(listed) if len(listed) <= 20 else None


def _bound(module: ast.Module) -> Iterable[str]:
    """Every name that a program gives to something, wherever it does."""
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]


def _given(node: ast.stmt) -> Iterable[str]:
    """The names that a statement outside of functions gives, and those that a function declares
    global."""
    for part in ast.walk(node):
        if isinstance(part, ast.Global):
            yield from part.names
    yield from [node.name] if isinstance(node, ast.FunctionDef) else _bound(ast.Module([node], []))


def _imported(module: ast.Module) -> Iterable[tuple[str, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((alias.asname or alias.name, alias.name) for alias in node.names)
