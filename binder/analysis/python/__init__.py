"""Semantic analysis of Binder Python: all that a program names is its own or allowed.

Nothing here asks a language model or runs the program; a name that is not allowed, a header that no
table has and a module that is not there are refused with the nearest that is."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cache

from binder.analysis.python.call_types import call_types_of
from binder.analysis.python.column_usage import ColumnUsage, answer
from binder.analysis.python.dataflow import Flow, strings
from binder.analysis.python.names import bound, given, imported
from binder.analysis.python.vectorize import ahead, row_calls
from binder.analysis.sql.call_types import CallType
from binder.analysis.sql.types import holds_bytes
from binder.data import shipped
from binder.errors import CheckFault, Span, nearest
from binder.language.diagnose_python import tree
from binder.language.program import PREFIX, Program
from binder.language.python import KINDS, Text, allowed, argument, called, is_call, parse, write
from binder.tables.spelling import alike
from binder.tables.table import Column, Table

MODULES = sorted(allowed().keys() - {"builtins", "methods", "attributes"})
ONLY_CALLED = ("type", "iter", "slice")  # builtins that are no values of their own
ROW_BY_ROW = (
    "this loop calls the model row by row; call qa_map(rows, ...) before the loop to batch it"
)


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
        self.bound = set(bound(self.module))
        self.functions = {function.name: function for function in program.given.functions}
        self.imported = dict(imported(self.module))  # name -> the module that it stands for

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
            elif called(node) in self.functions:
                self.applied(node)
        self.headers(flow)
        # a header that is spelt anew moves what stands behind it: all places are taken again
        if self.misspelt:
            return check(self.mended(), self.tables)
        self.names = {call.span: call.name for call in self.program.calls}
        taken = {self.placeholder(node): call_type for node, call_type in call_types_of(flow)}
        self.batch_loops(flow)
        texts = ColumnUsage(flow, tuple(dict.fromkeys(table for _, table in parameters))).texts
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

    def placeholder(self, node: ast.AST) -> str:
        """The name of a call in the skeleton."""
        return self.names[self.source.span(node)]

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
                node, "yield and await are not supported", "build a list and return it"
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, (bytes, complex)):
            kind = type(node.value).__name__
            raise self.fault(node, f"literals of type {kind} are not supported")

    def name(self, node: ast.Name, parent: ast.AST | None) -> None:
        """Refuses a name that is neither the program's own nor allowed."""
        if isinstance(node.ctx, ast.Store):
            self.own(node, node.id)
        elif node.id in KINDS:
            if not (isinstance(parent, ast.Call) and parent.func is node):
                raise self.fault(
                    node,
                    f"{node.id} can only be called, not used as a value",
                    f"write {node.id}(rows, question, columns)",
                )
        elif node.id in self.functions:
            if not (isinstance(parent, ast.Call) and parent.func is node):
                hint = f"call it on a list: {node.id}([...]) returns a list"
                raise self.fault(node, f"{node.id} can only be called, not used as a value", hint)
        elif node.id in self.bound:
            return
        elif node.id in MODULES:
            raise self.fault(node, f"module {node.id} is not imported", f"add `import {node.id}`")
        elif node.id not in allowed()["builtins"]:
            known = [*self.bound, *self.functions, *allowed()["builtins"], *KINDS]
            raise self.fault(node, f"undefined name {node.id!r}", _known(node.id, known))
        elif node.id in ONLY_CALLED and not _is_harmless(node, parent):
            raise self.fault(node, f"{node.id} takes exactly one argument")

    def own(self, node: ast.AST, name: str) -> None:
        """Refuses a name that the program gives, if it is one of binder's."""
        made = re.fullmatch(rf"__.*|_table_\d+|{PREFIX}\d+", name)
        if made or name in KINDS or name in self.functions or name in reserved():
            raise self.fault(node, f"{name} is reserved", "choose another name")

    def binding(
        self, node: ast.FunctionDef | ast.arg | ast.ExceptHandler | ast.alias | ast.keyword
    ) -> None:
        """Refuses a name that a definition, a parameter or an import gives."""
        match node:
            case ast.alias(asname=name) | ast.arg(arg=name) | ast.keyword(arg=name):
                self.own(node, name or "")
            case _:
                self.own(node, node.name or "")

    def attribute(self, node: ast.Attribute, parent: ast.AST | None) -> None:
        """Refuses an attribute that is not allowed."""
        if isinstance(node.ctx, ast.Store):
            raise self.fault(node, "attributes cannot be assigned", "use a variable or a dict")
        owner = self.imported.get(node.value.id) if isinstance(node.value, ast.Name) else None
        if owner is not None:
            if node.attr not in allowed()[owner]:
                hint = _known(node.attr, allowed()[owner])
                raise self.fault(node, f"module {owner} has no attribute {node.attr!r} here", hint)
            return
        members = allowed()["methods"] | allowed()["attributes"]
        if node.attr not in members:
            hint = _known(node.attr, members)
            raise self.fault(node, f"attribute {node.attr!r} is not allowed", hint)
        if node.attr == "format" and isinstance(parent, ast.Call) and parent.func is node:
            self.format(node)

    def format(self, node: ast.Attribute) -> None:
        """A format reaches values, never what they are made of."""
        written = node.value.value if isinstance(node.value, ast.Constant) else None
        if not isinstance(written, str):
            raise self.fault(node, "format() needs a literal format string", "use an f-string")
        if "._" in written or "[_" in written or "__" in written:
            raise self.fault(
                node, "a format string cannot access attributes or items", "use an f-string"
            )

    def imports(self, node: ast.Import | ast.ImportFrom) -> None:
        """Refuses modules, and members of modules, that are not there."""
        if isinstance(node, ast.Import):
            for alias in node.names:
                self.module_named(node, alias.name)
            return
        module = node.module or ""
        self.module_named(node, module, relative=bool(node.level))
        for alias in node.names:
            if alias.name not in allowed()[module]:
                hint = _known(alias.name, allowed()[module])
                raise self.fault(node, f"cannot import {alias.name!r} from {module}", hint)

    def module_named(self, node: ast.AST, name: str, relative: bool = False) -> None:
        """Refuses a module that is not there; beside the program there are none."""
        if relative or name not in MODULES:
            hint = _known(name, MODULES, "available modules")
            raise self.fault(node, f"module {name!r} is not available", hint)

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
                    "only imports, constants and functions are allowed outside solve",
                    "move it into solve",
                )
            for part in ast.walk(node) if not isinstance(node, ast.FunctionDef) else ():
                if is_call(part):
                    raise self.fault(part, "qa_map and qa_ans can only be called inside solve")
            if taken := {*given(node)} & allowed()["builtins"]:
                raise self.fault(
                    node, f"{min(taken)} shadows a Python built-in", "choose another name"
                )

    def entry(self) -> ast.FunctionDef:
        """The function solve: the last one, as Python has it."""
        functions = [node for node in self.module.body if isinstance(node, ast.FunctionDef)]
        found = [node for node in functions if node.name == "solve"]
        if not found:
            where = functions[-1] if len(functions) == 1 else self.module
            raise self.fault(
                where, "the program defines no function solve", "def solve(table): ..."
            )
        for node in self.module.body:
            for part in ast.walk(node) if not isinstance(node, ast.FunctionDef) else ():
                if isinstance(part, ast.Name) and part.id == "solve":
                    raise self.fault(part, "do not call solve: binder calls it")
        return found[-1]

    def parameters(self, solve: ast.FunctionDef) -> tuple[tuple[str, Table], ...]:
        """The parameters of solve with their tables, by name; a single one is the single table,
        whatever its name."""
        arguments = solve.args
        names = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        if arguments.vararg or arguments.kwarg or arguments.kwonlyargs:
            raise self.fault(solve, "solve takes one plain parameter per table", self.tables_hint())
        required = names[: len(names) - len(arguments.defaults)] or names[:1]
        known = {table.name.casefold(): table for table in self.tables}
        if len(required) == 1 and len(self.tables) == 1:
            return ((required[0].arg, self.tables[0]),)
        found = []
        for name in required:
            spelt = alike(name.arg, [table.name for table in self.tables])
            if spelt is None:
                raise self.fault(
                    name,
                    f"unknown table {name.arg!r}: a parameter of solve is named after a table",
                    self.tables_hint(),
                )
            found.append((name.arg, known[spelt.casefold()]))
        if not found:
            raise self.fault(solve, "solve has no parameter", self.tables_hint())
        return tuple(found)

    def tables_hint(self) -> str:
        named = "table" if len(self.tables) == 1 else ", ".join(table.name for table in self.tables)
        return f"def solve({named})"

    # ---- calls and headers

    def call(self, node: ast.AST, flow: Flow) -> None:
        """Refuses a call of the language model whose arguments are not what it takes."""
        assert isinstance(node, ast.Call)
        self.arguments(node)
        self.question(node)
        rows, columns = argument(node, 0, "rows"), argument(node, 2, "columns")
        if rows is None or columns is None or flow.is_values(rows):
            return
        table = flow.table_of(rows)
        for item, header in strings(columns, flow):
            self.header(item, header, table, flow)
            column = table.column(header) if table is not None else None
            if column is not None and holds_bytes(column.type):
                message = f"{header!r} holds bytes, which cannot be sent to the language model"
                raise self.fault(item, message, "leave it out of the columns")

    def applied(self, node: ast.AST) -> None:
        """Refuses arguments that an own function does not take, or lacks."""
        assert isinstance(node, ast.Call)
        function = self.functions[called(node)]
        if any(isinstance(part, ast.Starred) for part in node.args):
            return  # only the run tells how many there are
        named = [keyword.arg or "**" for keyword in node.keywords]
        if not function.accepts(len(node.args), named):
            message = f"{function.name} does not take these arguments"
            raise self.fault(node, message, f"write {function.signature}")

    def arguments(self, node: ast.Call) -> None:
        """Refuses arguments that a call does not take, or lacks."""
        name, given = called(node), {keyword.arg or "**" for keyword in node.keywords}
        if unknown := given - {"rows", "question", "columns"}:
            wrong = min(unknown)
            raise self.fault(
                node, f"{name} has no parameter {wrong!r}: it takes rows, question and columns"
            )
        if any(isinstance(part, ast.Starred) for part in node.args):
            return  # only the run tells how many there are
        number = len(node.args) + len(given)
        if number < 2 or len(node.args) > 3 or argument(node, 1, "question") is None:
            raise self.fault(
                node,
                f"{name} is missing rows or question",
                f"write {name}(rows, question, columns)",
            )

    def question(self, node: ast.Call) -> None:
        """Refuses a question that is written and says nothing."""
        asked = argument(node, 1, "question")
        if not isinstance(asked, ast.Constant):
            return
        text = asked.value
        if isinstance(text, str) and text.strip():
            return
        message = "the question is empty" if isinstance(text, str) else "question must be a string"
        hint = f'write what to ask: {called(node)}(rows, "question", columns)'
        raise self.fault(asked, message, hint)

    def batch_loops(self, flow: Flow) -> None:
        """Asks loops about all their rows at once, where it is certain which these are; says so
        where it is not."""
        repairs = list(self.program.repairs)
        calls: dict[Span, list[str]] = {}
        for node, row in row_calls(flow):
            found = ahead(self.source, flow, node, row, self.placeholder(node))
            if found is not None:
                calls.setdefault(self.source.span(found.over), []).append(found.call)
                repairs.append(f"batched the calls of the loop over {self.source.of(found.over)}")
            elif row in flow.given:
                repairs.append(ROW_BY_ROW)
        # before a loop goes over its rows, they are asked about
        instead = {}
        for over, made in calls.items():
            instead[over] = f"({', '.join(made)}, {self.program.text[slice(*over)]})[-1]"
        skeleton = self.program.skeleton
        if instead:
            skeleton = write(self.source, self.module, self.program.calls, instead)
        unique = tuple(dict.fromkeys(repairs))
        self.program = replace(self.program, skeleton=skeleton, repairs=unique)

    def headers(self, flow: Flow) -> None:
        """A header that is read from a row of a table must be one of its headers."""
        for node, table in flow.reads:
            assert isinstance(node.slice, ast.Constant)
            self.header(node.slice, str(node.slice.value), table, flow)

    def header(self, node: ast.expr, header: str, table: Table | None, flow: Flow) -> None:
        """Refuses a header that is in no table; a near one is a misspelling."""
        known: list[str] = []
        for one in [table] if table else self.tables:
            known += [column.name for column in one.columns]
        if header in known or header in flow.stored:
            return
        spelt = alike(header, known)
        if spelt is not None:
            self.misspelt.append((self.source.span(node), header, spelt))
            return
        where = f"table {table.name!r}" if table else "any table"
        raise self.fault(node, f"unknown column {header!r} in {where}", _known(header, known))

    def mended(self) -> Program:
        """The program with its headers spelt as the tables have them."""
        text, repairs = self.program.text, list(self.program.repairs)
        for span, header, spelt in sorted(set(self.misspelt), reverse=True):
            text = text[: span.start] + repr(spelt) + text[span.end :]
            repairs.append(f"column {header!r} -> {spelt!r}")
        mended = parse(text, self.program.given)
        return replace(mended, repairs=tuple(dict.fromkeys(repairs)))


def _doubts(flow: Flow, texts: dict[str, frozenset[str]]) -> Iterable[str]:
    """What must be told of the columns whose values a program reads."""
    for node, table in flow.reads:
        assert isinstance(node.slice, ast.Constant)
        column = table.column(str(node.slice.value))
        if column is None or column.reading is None or column.type == "VARCHAR":
            continue
        if column.name not in texts.get(table.name, ()):
            yield from column.reading.troubles(column.name)


def _known(name: str, names: Iterable[str], what: str = "available") -> str | None:
    """The nearest of the names, or all of a few."""
    listed = sorted(set(names))
    if close := nearest(name, listed):
        return f"did you mean {', '.join(close)}?"
    return f"{what}: {', '.join(listed)}" if len(listed) <= 20 else None


def _is_harmless(node: ast.Name, parent: ast.AST | None) -> bool:
    """Whether a builtin that makes values is called or compared. type(name, bases, members) makes a
    class."""
    if isinstance(parent, ast.Call):
        return parent.func is not node or len(parent.args) == 1 or node.id != "type"
    return isinstance(parent, (ast.Compare, ast.Tuple))
