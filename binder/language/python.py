"""Parsing of Binder Python and its skeleton, in which calls are placeholders.

The skeleton is the text with small insertions, line by line the same: where the sandbox differs
from Python, it says what Python means. A generator is an iterator, a method can be a value, `del`
works, and modules the sandbox lacks come from the prelude."""

from __future__ import annotations

import ast
import re
from functools import cache
from itertools import accumulate
from typing import NamedTuple

from binder.data import listed
from binder.errors import Span
from binder.language import grammar
from binder.language.call_kinds import FUNCTIONS
from binder.language.calls import Call
from binder.language.diagnose_python import tree
from binder.language.program import PLAIN, PREFIX, Given, Program

KINDS = FUNCTIONS  # the functions that ask the language model
# modules whose member x the prelude calls _module_x
PRELUDE = ("statistics", "operator", "string", "heapq", "calendar")
# builtins that return an iterator in Python, and a list in the sandbox
LISTS = ("map", "filter", "zip", "enumerate", "reversed")
TYPES = ("str", "list", "dict", "set", "int", "float", "tuple", "frozenset")
STATIC = ("fromkeys",)  # methods of types that the sandbox has
_FENCE = re.compile(r"\A\s*```[\w+-]*[ \t]*\n(.*?)\n?[ \t]*```\s*\Z", re.DOTALL)


@cache
def allowed() -> dict[str, frozenset[str]]:
    """What a program may name: builtins, methods, attributes, and the members of each module."""
    found = re.findall(r"(\w+):((?: +\w+(?!\w*:))+)", " ".join(listed("python.txt")))
    return {name: frozenset(words.split()) for name, words in found}


class Text:
    """A program's text, and where the nodes of its tree stand in it."""

    def __init__(self, text: str):
        self.text = text
        self.lines = text.split("\n")
        self.starts = [0, *accumulate(len(line) + 1 for line in self.lines)]

    def offset(self, line: int, column: int) -> int:
        """The place of a line, counted from 1, and a column in bytes."""
        written = self.lines[line - 1]
        if not written.isascii():
            column = len(written.encode()[:column].decode(errors="ignore"))
        return self.starts[line - 1] + column

    def span(self, node: ast.AST) -> Span:
        """Where a node stands; the whole text for a node that has no place."""
        if not isinstance(
            node, (ast.expr, ast.stmt, ast.arg, ast.excepthandler, ast.keyword, ast.alias)
        ):
            return Span(0, len(self.text))
        assert node.end_lineno is not None and node.end_col_offset is not None
        return Span(
            self.offset(node.lineno, node.col_offset),
            self.offset(node.end_lineno, node.end_col_offset),
        )

    def of(self, node: ast.AST) -> str:
        """The text of a node."""
        return self.text[slice(*self.span(node))]


def parse(text: str, given: Given = PLAIN) -> Program:
    """The Program of a text; a SyntaxFault with the place marked where it is not in the language.
    The sandbox has the own functions under their names."""
    repairs: list[str] = []
    text = _mended(text.replace("\r\n", "\n").replace("\r", "\n"), repairs)
    grammar.parse(text, "python")
    module, source = tree(text), Text(text)
    calls: list[Call] = []
    for node in sorted(filter(is_call, ast.walk(module)), key=source.span):
        name, kind = f"{PREFIX}{len(calls)}", KINDS[called(node)].name
        calls.append(Call(name, kind, question(node) or "", source.span(node)))
    skeleton = write(source, module, tuple(calls), {})
    return Program(text, "python", tuple(calls), skeleton, repairs=tuple(repairs), given=given)


def write(
    source: Text, module: ast.Module, calls: tuple[Call, ...], instead: dict[Span, str]
) -> str:
    """The skeleton of a program. instead: what stands at some places in place of what is written
    there."""
    names = {call.span: call.name for call in calls}
    placeholders = filter(is_call, ast.walk(module))
    writer = _PythonWriter(source, {id(node): names[source.span(node)] for node in placeholders})
    for span, text in instead.items():
        writer.replace(span, text)
    return writer.write(module)


def called(node: ast.AST | None) -> str:
    """The name that a call calls; empty for anything else."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def is_call(node: ast.AST) -> bool:
    """Whether a node is a call of the language model."""
    return called(node) in KINDS


def argument(node: ast.AST, position: int, name: str) -> ast.expr | None:
    """An argument of a call, by position or by name."""
    assert isinstance(node, ast.Call)
    if position < len(node.args):
        return node.args[position]
    return next((keyword.value for keyword in node.keywords if keyword.arg == name), None)


def question(node: ast.AST) -> str | None:
    """The question of a call, where it is written there."""
    match argument(node, 1, "question"):
        case ast.Constant(value=str(written)):
            return written
    return None


def _mended(text: str, repairs: list[str]) -> str:
    """The program of a reply: without a code fence, in a function where it is bare statements that
    return."""
    if match := _FENCE.match(text):
        repairs.append("a code fence around the program is left out")
        text = match.group(1)
    has_solve = re.search(r"^[ \t]*def[ \t]+solve\b", text, re.MULTILINE)
    if not has_solve and re.search(r"^return\b", text, re.MULTILINE):
        repairs.append("the statements are put in def solve(table)")
        lines = ["    " + line if line.strip() else line for line in text.split("\n")]
        text = "\n".join(["def solve(table):", *lines])
    return text


class _Edit(NamedTuple):
    """A text that stands in place of what is from start to end. Edits sort as they apply: at one
    place what closes comes before what opens (opens), and the outer node opens first and closes
    last (order)."""

    start: int
    opens: bool
    order: int
    end: int
    text: str


class _PythonWriter:
    """Collects insertions and replacements of a text."""

    def __init__(self, source: Text, names: dict[int, str]):
        self.source = source
        self.names = names  # of calls, by the id of their node
        self.edits: list[_Edit] = []
        self.modules: dict[str, str] = {}  # name in the program -> module of the prelude

    def write(self, module: ast.Module) -> str:
        """The skeleton."""
        self.imported: set[str] = set()
        # imports first: they say which names are modules
        for node in ast.walk(module):
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                self.imported.update(alias.asname or alias.name for alias in node.names)
                self._import(node)
        self._node(module, None)
        for parent in ast.walk(module):
            for child in ast.iter_child_nodes(parent):
                self._node(child, parent)
        out, place = [], 0
        for edit in sorted(self.edits):
            if edit.start < place:  # inside of what was replaced
                continue
            out += [self.source.text[place : edit.start], edit.text]
            place = edit.end
        return "".join([*out, self.source.text[place:]])

    def _node(self, node: ast.AST, parent: ast.AST | None) -> None:
        """Writes a node as the sandbox needs it, where it differs from Python."""
        if isinstance(node, ast.Call) and id(node) in self.names:
            self._replace(node.func, self.names[id(node)])
        elif called(node) in LISTS:
            self._wrap(node, "iter(", ")")
        elif isinstance(node, ast.GeneratorExp):
            # the only argument of a call shares the parentheses of the call
            ends = self.source.span(node).end
            if isinstance(parent, ast.Call) and self.source.span(parent).end == ends:
                self._wrap(node, "(iter", ")")
            else:
                self._wrap(node, "iter", "")
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            self._attribute(node, isinstance(parent, ast.Call) and parent.func is node)
        elif isinstance(node, ast.Delete):
            self._delete(node)

    def _attribute(self, node: ast.Attribute, is_called: bool) -> None:
        """A member of a prelude module by the name that the prelude gives it; a method that is a
        value as a function that calls it."""
        owner = node.value.id if isinstance(node.value, ast.Name) else ""
        if owner in self.modules:
            self._replace(node, f"_{self.modules[owner]}_{node.attr}")
        elif owner in TYPES and node.attr not in STATIC:
            self._replace(node, f"(lambda _s, *_a: _s.{node.attr}(*_a))")
        elif owner not in self.imported and not is_called and node.attr in allowed()["methods"]:
            self._wrap(node, "(lambda *_a: ", "(*_a))")

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        """An import without what comes from the prelude."""
        if isinstance(node, ast.Import):
            self._import_modules(node)
        elif node.module in PRELUDE:
            names = [(alias.asname or alias.name, alias.name) for alias in node.names]
            bound = [f"{own} = _{node.module}_{name}" for own, name in names]
            self._replace(node, "; ".join(bound), lines=True)
        elif node.module == "collections":
            self._import_collections(node)

    def _import_modules(self, node: ast.Import) -> None:
        kept = []
        for alias in node.names:
            if alias.name in PRELUDE:
                self.modules[alias.asname or alias.name] = alias.name
            else:
                kept.append(self.source.of(alias))
        if len(kept) < len(node.names):
            self._replace(node, "import " + ", ".join(kept) if kept else "pass")

    def _import_collections(self, node: ast.ImportFrom) -> None:
        """OrderedDict is dict, whose keys have an order too."""
        ordered = [alias for alias in node.names if alias.name == "OrderedDict"]
        kept = [self.source.of(alias) for alias in node.names if alias not in ordered]
        if ordered:
            first = f"from collections import {', '.join(kept)}; " if kept else ""
            name = ordered[0].asname or ordered[0].name
            self._replace(node, f"{first}{name} = dict", lines=True)

    def _delete(self, node: ast.Delete) -> None:
        """The sandbox has no del: an item is popped, a slice emptied, a name forgotten."""
        done = []
        for target in node.targets:
            if isinstance(target, ast.Subscript) and not isinstance(target.slice, ast.Slice):
                done.append(f"{self.source.of(target.value)}.pop({self.source.of(target.slice)})")
            elif isinstance(target, ast.Subscript):
                done.append(f"{self.source.of(target)} = []")
            else:
                done.append(f"{self.source.of(target)} = None")
        self._replace(node, "; ".join(done), lines=True)

    def _replace(self, node: ast.AST, text: str, lines: bool = False) -> None:
        """Writes a text in place of a node. lines: over as many lines as the node has, so that an
        error names the line of the program."""
        if lines and (breaks := self.source.of(node).count("\n")):
            text += "; (" + "\n" * breaks + ")"
        self.replace(self.source.span(node), text)

    def replace(self, span: Span, text: str) -> None:
        """Writes a text in place of another one."""
        self.edits.append(_Edit(span.start, True, span.start - span.end, span.end, text))

    def _wrap(self, node: ast.AST, before: str, after: str) -> None:
        start, end = self.source.span(node)
        self.edits.append(_Edit(start, True, start - end, start, before))
        self.edits.append(_Edit(end, False, end - start, end, after))
