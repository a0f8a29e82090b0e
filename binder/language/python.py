"""The text of a Python program comes in; a Program with its calls and a skeleton in which calls are
placeholders goes out.

The skeleton is the text with small insertions, line by line the same: where the sandbox differs
from Python, it says what Python means. A generator is an iterator, a method can be a value, `del`
works, and modules the sandbox lacks come from the prelude."""

from __future__ import annotations

import ast
import re
from functools import cache
from itertools import accumulate

from binder.data import listed
from binder.errors import Span
from binder.language import grammar
from binder.language.call_kinds import FUNCTIONS
from binder.language.diagnose_python import tree
from binder.language.program import PREFIX, Call, Program

KINDS = FUNCTIONS  # that ask the language model
PRELUDE = (
    "statistics",
    "operator",
    "string",
    "heapq",
    "calendar",
)  # modules whose member x the prelude calls _module_x
LISTS = (
    "map",
    "filter",
    "zip",
    "enumerate",
    "reversed",
)  # builtins that the sandbox makes lists of
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
        return self.starts[line - 1] + (
            column if written.isascii() else len(written.encode()[:column].decode(errors="ignore"))
        )

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


def parse(text: str) -> Program:
    """The Program of a text; a SyntaxFault with the place marked where it is not in the
    language."""
    repairs: list[str] = []
    text = _mended(text.replace("\r\n", "\n").replace("\r", "\n"), repairs)
    grammar.parse(text, "python")
    module, source = tree(text), Text(text)
    found = sorted((node for node in ast.walk(module) if is_call(node)), key=source.span)
    calls = tuple(
        Call(f"{PREFIX}{i}", KINDS[called(node)].name, question(node) or "", source.span(node))
        for i, node in enumerate(found)
    )
    return Program(text, "python", calls, write(source, module, calls, {}), repairs=tuple(repairs))


def write(
    source: Text, module: ast.Module, calls: tuple[Call, ...], instead: dict[Span, str]
) -> str:
    """The skeleton of a program. instead: what stands at some places in place of what is written
    there."""
    names = {call.span: call.name for call in calls}
    writer = _PythonWriter(
        source, {id(node): names[source.span(node)] for node in ast.walk(module) if is_call(node)}
    )
    writer.edits += [
        (span.start, 1, span.start - span.end, span.end, text) for span, text in instead.items()
    ]
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
    written = argument(node, 1, "question")
    return (
        written.value
        if isinstance(written, ast.Constant) and isinstance(written.value, str)
        else None
    )


def _mended(text: str, repairs: list[str]) -> str:
    """The program of a reply: without a code fence, in a function where it is bare statements that
    return."""
    if match := _FENCE.match(text):
        repairs.append("a code fence around the program is left out")
        text = match.group(1)
    if not re.search(r"^[ \t]*def[ \t]+solve\b", text, re.MULTILINE) and re.search(
        r"^return\b", text, re.MULTILINE
    ):
        repairs.append("the statements are put in def solve(table)")
        text = "def solve(table):\n" + "\n".join(
            "    " + line if line.strip() else line for line in text.split("\n")
        )
    return text


class _PythonWriter:
    """Collects insertions and replacements of a text; at one place the outer node opens first and
    closes last."""

    def __init__(self, source: Text, names: dict[int, str]):
        self.source = source
        self.names = names
        self.edits: list[
            tuple[int, int, int, int, str]
        ] = []  # place, closing before opening, order, end, text
        self.modules: dict[str, str] = {}  # name in the program -> module of the prelude

    def write(self, module: ast.Module) -> str:
        """The skeleton."""
        parents = {
            id(child): node for node in ast.walk(module) for child in ast.iter_child_nodes(node)
        }
        imports = [
            node for node in ast.walk(module) if isinstance(node, (ast.Import, ast.ImportFrom))
        ]
        self.imported = {alias.asname or alias.name for node in imports for alias in node.names}
        for imported in imports:
            self._import(imported)
        for node in ast.walk(module):
            self._node(node, parents.get(id(node)))
        out, place = [], 0
        for start, _, _, end, text in sorted(self.edits):
            if start < place:  # inside of what was replaced
                continue
            out += [self.source.text[place:start], text]
            place = end
        return "".join([*out, self.source.text[place:]])

    def _node(self, node: ast.AST, parent: ast.AST | None) -> None:
        if isinstance(node, ast.Call) and id(node) in self.names:
            self._replace(node.func, self.names[id(node)])
        elif called(node) in LISTS:
            self._wrap(node, "iter(", ")")
        elif isinstance(node, ast.GeneratorExp):
            alone = (
                isinstance(parent, ast.Call)
                and self.source.span(parent).end == self.source.span(node).end
            )
            self._wrap(node, "(iter" if alone else "iter", ")" if alone else "")
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Load):
            self._attribute(node, isinstance(parent, ast.Call) and parent.func is node)
        elif isinstance(node, ast.Delete):
            self._delete(node)

    def _attribute(self, node: ast.Attribute, is_called: bool) -> None:
        owner = node.value.id if isinstance(node.value, ast.Name) else ""
        if owner in self.modules:
            self._replace(node, f"_{self.modules[owner]}_{node.attr}")
        elif owner in TYPES and node.attr not in STATIC:
            self._replace(node, f"(lambda _s, *_a: _s.{node.attr}(*_a))")
        elif (
            not is_called
            and node.attr in allowed()["methods"]
            and owner not in self.modules
            and owner not in self.imported
        ):
            self._wrap(node, "(lambda *_a: ", "(*_a))")

    def _import(self, node: ast.Import | ast.ImportFrom) -> None:
        if isinstance(node, ast.Import):
            kept = []
            for alias in node.names:
                if alias.name in PRELUDE:
                    self.modules[alias.asname or alias.name] = alias.name
                else:
                    kept.append(self.source.of(alias))
            if len(kept) < len(node.names):
                self._replace(node, "import " + ", ".join(kept) if kept else "pass")
        elif node.module in PRELUDE:
            bound = [
                f"{alias.asname or alias.name} = _{node.module}_{alias.name}"
                for alias in node.names
            ]
            self._replace(node, "; ".join(bound), lines=True)
        elif node.module == "collections" and any(
            alias.name == "OrderedDict" for alias in node.names
        ):
            kept = [self.source.of(alias) for alias in node.names if alias.name != "OrderedDict"]
            ordered = next(
                alias.asname or alias.name for alias in node.names if alias.name == "OrderedDict"
            )
            first = f"from collections import {', '.join(kept)}; " if kept else ""
            self._replace(node, f"{first}{ordered} = dict", lines=True)

    def _delete(self, node: ast.Delete) -> None:
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
        start, end = self.source.span(node)
        if lines:  # as many lines as before
            text += (
                "; (" + "\n" * self.source.text[start:end].count("\n") + ")"
                if "\n" in self.source.text[start:end]
                else ""
            )
        self.edits.append((start, 1, start - end, end, text))

    def _wrap(self, node: ast.AST, before: str, after: str) -> None:
        start, end = self.source.span(node)
        self.edits.append((start, 1, start - end, start, before))
        self.edits.append((end, 0, end - start, end, after))
