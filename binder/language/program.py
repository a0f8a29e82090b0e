"""The text of a program comes in; a Program with its calls and a skeleton in which calls are
placeholders goes out.

The grammar's tree is the one parse of record: the skeleton is re-emitted from it, every name
quoted, every call `call_<n>(...)`."""

from __future__ import annotations

import bisect
import functools
import re
import sys
from dataclasses import dataclass, field
from typing import Any

import sqlglot
from sqlglot import exp

from binder.errors import Span, SyntaxFault
from binder.language import grammar
from binder.language.annotations import annotate
from binder.language.call_kinds import CALL_KINDS
from binder.language.sqltree import Dialect, nodes

PREFIX = "call_"  # of the names of placeholders
DEEPEST = 160  # levels of a tree
KEYWORDS = frozenset(
    (
        "SELECT",
        "DISTINCT",
        "WHERE",
        "AND",
        "OR",
        "NOT",
        "ON",
        "BY",
        "HAVING",
        "WHEN",
        "THEN",
        "ELSE",
        "CASE",
        "BETWEEN",
        "IN",
    )
)


@dataclass(frozen=True)
class Call:
    """One embedded question to the language model: `map` once per distinct input, `ans` once."""

    name: str
    kind: str
    question: str
    span: Span

    @property
    def per_input(self) -> bool:
        """Whether each distinct input has a value of its own; see CallKind."""
        return CALL_KINDS[self.kind].per_input


@dataclass(frozen=True)
class Program:
    """A program in one language; text is what runs, repairs say how it came from what was given."""

    text: str
    language: str
    calls: tuple[Call, ...]
    skeleton: str
    functions: tuple[tuple[str, Span], ...] = ()
    places: tuple[tuple[int, Span], ...] = field(repr=False, default=())
    repairs: tuple[str, ...] = ()

    def tree(self) -> exp.Expr:
        """A fresh tree of the skeleton."""
        try:
            tree = sqlglot.parse_one(self.skeleton, read=Dialect)
        except (sqlglot.errors.SqlglotError, RecursionError) as error:
            detail = getattr(error, "errors", None) or [{"description": "nested too deeply"}]
            raise SyntaxFault(
                f"the program is not valid SQL: {detail[0]['description']}".rstrip("."),
                text=self.text,
                span=self.place(_offset(self.skeleton, detail[0])),
            ) from error
        self._mark_calls(tree)
        level: list[exp.Expr] = [tree]
        for _ in range(DEEPEST):
            level = [child for node in level for child in node.iter_expressions()]
            if not level:
                return tree
        raise SyntaxFault(
            f"the program is nested deeper than {DEEPEST}, or is a chain of more operators than that",
            text=self.text,
            span=self.span(level[0]),
            hint="use IN for a chain of OR, and WITH to name the parts of a program",
        )

    def _mark_calls(self, tree: exp.Expr) -> None:
        """Notes at every placeholder which call it stands for."""
        for node in nodes(tree) if self.calls else ():
            call = self._named.get(node.name.lower()) if isinstance(node, exp.Anonymous) else None
            if call is not None:
                annotate(node, call=call)

    def place(self, offset: int) -> Span:
        """Where in the text the token stands that covers an offset of the skeleton."""
        index = bisect.bisect_right(self.places, (offset, Span(len(self.text) + 1, 0))) - 1
        return self.places[max(index, 0)][1] if self.places else Span(0, len(self.text))

    def span(self, node: exp.Expr) -> Span:
        """Where in the text a node of the tree begins; the whole program where it cannot be
        told."""
        starts = [part.meta["start"] for part in nodes(node) if "start" in part.meta]
        return self.place(min(starts)) if starts else Span(0, len(self.text))

    def call(self, name: str) -> Call | None:
        """The call of a placeholder."""
        return self._named.get(name.lower())

    @functools.cached_property
    def _named(self) -> dict[str, Call]:
        return {call.name: call for call in self.calls}


def parse(text: str, repairs: tuple[str, ...] = ()) -> Program:
    """The Program of a text in SQL; a SyntaxFault with the place marked where it is not SQL."""
    writer = _SkeletonWriter(text)
    tree = grammar.parse(text, "sql")
    whole = tree.children[0]
    if getattr(whole, "data", None) == "call":
        writer.write("SELECT", Span(0, 0))
        writer.node(whole)
        writer.write("AS answer", Span(0, 0))
    else:
        writer.node(whole)
    calls, functions, places = tuple(writer.calls), tuple(writer.functions), tuple(writer.places)
    return Program(
        text, "sql", calls, "".join(writer.out), functions, places, (*repairs, *writer.repairs)
    )


class _SkeletonWriter:
    """Emits the skeleton of a tree token by token and remembers where each token came from."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.out: list[str] = []
        self.length = 0
        self.places: list[tuple[int, Span]] = []
        self.calls: list[Call] = []
        self.functions: list[tuple[str, Span]] = []
        self.repairs: list[str] = []

    def write(self, text: str, span: Span) -> None:
        self.places.append((self.length, span))
        self.out.append(text + " ")
        self.length += len(text) + 1

    def node(self, node: Any) -> None:
        children = getattr(node, "children", None)
        if children is None:
            text = _requote(node) if node.type in _REQUOTED else str(node)
            self.write(self.matching(node) if text == "~" else text, _span(node))
        elif node.data == "call":
            self.call(node)
        elif node.data in ("function", "table_function"):
            self.function(node)
        else:
            for child in children:
                self.node(child)

    def matching(self, token: Any) -> str:
        """`~` between operands matches a whole text in DuckDB; the parser of the skeleton takes it
        for a match of a part."""
        before = self.out[-1].strip() if self.out else ""
        operand = bool(before) and (
            before[-1] in "\"')]}"
            or before[-1].isdigit()
            or before.isidentifier()
            and before.upper() not in KEYWORDS
        )
        return "SIMILAR TO" if operand else str(token)

    def function(self, node: Any) -> None:
        """A function keeps its name unquoted; names that mean another thing to the parser of the
        skeleton are changed."""
        first = node.children[0]
        token = next(first.scan_values(lambda _: True)) if hasattr(first, "scan_values") else first
        name = _requote(token).strip('"').lower()
        self.functions.append((name, _span(token)))
        if any(str(child) == "," for child in node.children):
            name = _OF_ROWS.get(name, name)
        self.write(
            _FOREIGN.get(name, name if name.isidentifier() else _requote(token)), _span(token)
        )
        for child in node.children[1:]:
            self.node(child)

    def call(self, node: Any) -> None:
        span = Span(node.meta.start_pos, node.meta.end_pos)
        question = next(
            child for child in node.children if getattr(child, "type", None) == "QUESTION"
        )
        arguments = [child for child in node.children if _rule(child) == "argument"]
        kind, asked, written = self.question(question, arguments)
        if not written:
            self.repairs.append(f"QA({asked!r}) is taken for {kind}@")
        call = Call(f"{PREFIX}{len(self.calls)}", kind, asked, span)
        self.calls.append(call)
        self.write(f"{call.name}(", span)
        for index, argument in enumerate(arguments):
            if index:
                self.write(",", span)
            bare = _rule(argument.children[0]) == "query"
            if bare:
                self.write("(", span)
            for child in argument.children:
                self.node(child)
            if bare:
                self.write(")", span)
        self.write(")", span)

    def question(self, token: Any, arguments: list[Any]) -> tuple[str, str, bool]:
        """The kind and the question of a call, see _kind; a SyntaxFault where either is missing."""
        said = _unquote(str(token))
        kind, asked, written = _kind(said, arguments)
        mode = _MODE.match(said)
        if not written and mode is not None:
            fault, hint = (
                f"there is no mode {mode[1]!r}",
                f'write QA("map@{said[mode.end() :].strip() or "question"}"; column)',
            )
            hint += ", or ans@ for one question about all rows"
        elif not asked:
            fault, hint = "the question is empty", f'write what to ask: QA("{kind}@question"; ...)'
        else:
            return kind, asked, written
        raise SyntaxFault(fault, text=self.text, span=_span(token), hint=hint)


_FOREIGN = {"datediff": "day_difference"}  # two arguments or three
_OF_ROWS = {"max": "greatest", "min": "least"}  # of several arguments, as SQLite has them


def _span(token: Any) -> Span:
    return Span(token.start_pos or 0, token.end_pos or 0)


def _rule(node: object) -> str | None:
    data = getattr(node, "data", None)
    return str(data) if data is not None else None


def _requote(token: Any) -> str:
    """A token as DuckDB's SQL writes it."""
    text = str(token)
    if token.type == "BACKTICK_NAME":
        return _quoted(text[1:-1].replace("``", "`"))
    if token.type == "BRACKET_NAME":
        return _quoted(text[1:-1])
    if token.type == "ESCAPED_STRING":
        plain = _ESCAPE.sub(_unescaped, text[2:-1].replace("''", "'"))
        return "'" + plain.replace("'", "''") + "'"
    return text


_REQUOTED = frozenset({"BACKTICK_NAME", "BRACKET_NAME", "ESCAPED_STRING"})
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_SIGNS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}


def _unescaped(match: re.Match[str]) -> str:
    """The character that an escape in E'...' stands for."""
    hexadecimal, octal, sign = match[1] or match[3] or match[4], match[2], match[5]
    if sign is not None:
        return _SIGNS.get(sign, sign)
    number = int(hexadecimal, 16) if hexadecimal else int(octal, 8)
    return chr(number) if number <= sys.maxunicode and not 0xD800 <= number < 0xE000 else "\ufffd"


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _unquote(text: str) -> str:
    quote, inner = text[0], text[1:-1]
    return inner.replace(quote * 2, quote).replace("\\" + quote, quote)


_MODE = re.compile(
    r"\s*([^\W\d]\w*)\s*@(?!\w[\w-]*\.\w)"
)  # a word before an @, unless an e-mail address begins so


def _kind(question: str, arguments: list[Any]) -> tuple[str, str, bool]:
    """The kind, the question, and whether the kind is written before an `@`; without one the
    arguments decide."""
    kind, at, asked = question.partition("@")
    if at and kind.strip().lower() in CALL_KINDS:
        return kind.strip().lower(), asked.strip(), True
    selects = any(_rule(argument.children[0]) in ("query", "subquery") for argument in arguments)
    return ("ans" if selects else "map"), question.strip(), False


def _offset(text: str, detail: dict[str, object]) -> int:
    """Where in a text an error of sqlglot stands, which counts lines and columns from 1."""
    line, column = detail.get("line"), detail.get("col")
    if not isinstance(line, int) or not isinstance(column, int):
        return 0
    return sum(len(part) + 1 for part in text.split("\n")[: line - 1]) + max(column - 1, 0)
