"""Skeletons: the SQL of a program in which every name is quoted and every call is a placeholder,
`call_<n>(...)`.

The grammar's tree is the one parse of record: sqlglot reads what is written here from that tree,
never the text of the program itself.
"""

from __future__ import annotations

import re
import sys
from typing import Any

from binder.errors import CheckFault, Span, SyntaxFault
from binder.language import grammar
from binder.language.call_kinds import ANS, CALL_KINDS, MAP
from binder.language.calls import APPLY, Call
from binder.language.functions.own import Function
from binder.language.parameters import Binding
from binder.language.program import PLAIN, PREFIX, Given, Program

# after these words an operand begins, and `~` is a sign of its own
KEYWORDS = frozenset(
    "SELECT DISTINCT WHERE AND OR NOT ON BY HAVING WHEN THEN ELSE CASE BETWEEN IN".split()
)
# functions whose names mean another thing to the parser of the skeleton
_FOREIGN = {"datediff": "day_difference"}  # of two arguments or three
_OF_SEVERAL = {"max": "greatest", "min": "least", "isnull": "coalesce"}  # arguments
# SQLite's date functions: from how many arguments on they are more than a cast; see sqlite_dates
_MODIFIED = {"date": 2, "datetime": 2, "time": 1, "julianday": 2, "strftime": 3, "unixepoch": 0}
_DIFFERENT = _OF_SEVERAL.keys() | _MODIFIED.keys()
_UNKNOWN_FORMAT = re.compile("'[^']*%[Jsf]")  # what DuckDB's STRFTIME does not write
_OF_PLACES = frozenset({"sort", "grouping"})  # rules in which a number is that of a column
_REQUOTED = frozenset({"BACKTICK_NAME", "BRACKET_NAME", "ESCAPED_STRING"})
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{1,2})|([0-7]{1,3})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL
)
_SIGNS = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
# a word before an @, unless an e-mail address begins so
_MODE = re.compile(r"\s*([^\W\d]\w*)\s*@(?!\w[\w-]*\.\w)")


def parse(text: str, repairs: tuple[str, ...] = (), given: Given = PLAIN) -> Program:
    """The Program of a text in SQL; a SyntaxFault with the place marked where it is not SQL, a
    CheckFault where a parameter has no value."""
    writer = _SkeletonWriter(text, given)
    whole = grammar.parse(text, "sql").children[0]
    if _rule(whole) == "call":
        # QA(...) alone is a program, too
        writer.write("SELECT", Span(0, 0))
        writer.node(whole)
        writer.write("AS answer", Span(0, 0))
    else:
        writer.node(whole)
    writer.binding.close()
    return Program(
        text,
        "sql",
        tuple(writer.calls),
        "".join(writer.out),
        tuple(writer.functions),
        tuple(writer.places),
        (*repairs, *writer.repairs),
        given,
        tuple(writer.binding.values),
    )


class _SkeletonWriter:
    """Emits the skeleton of a tree token by token and remembers where each token came from."""

    def __init__(self, text: str, given: Given) -> None:
        self.text, self.given = text, given
        self.binding = Binding(text, given.params, given.dialect)
        self.own = {function.name: function for function in given.functions}
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
        elif node.data == "parameter":
            (token,) = node.children
            self.binding.bind(str(token), _span(token))
            self.write("?", _span(token))
        elif node.data in ("function", "table_function"):
            self.function(node)
        else:
            if node.data in _OF_PLACES and _rule(children[0]) == "parameter":
                raise self.positional(children[0])
            if node.data == "type" and self.given.dialect == "sqlite" and "[" in children:
                span = Span(node.meta.start_pos, node.meta.end_pos)
                hint = 'all answers of QA("ans@...") stand in IN (...); dialect="duckdb" has lists'
                raise SyntaxFault("SQLite has no lists", text=self.text, span=span, hint=hint)
            for child in children:
                self.node(child)

    def positional(self, node: Any) -> CheckFault:
        """A number would be read as that of a column, a text as a value that is the same for every
        row."""
        span = Span(node.meta.start_pos, node.meta.end_pos)
        message = "a parameter is a value, never a column to sort or to group by"
        return CheckFault(message, text=self.text, span=span, hint="write the name of the column")

    def matching(self, token: Any) -> str:
        """`~` between operands matches a whole text in DuckDB; the parser of the skeleton takes it
        for a match of a part."""
        before = self.out[-1].strip() if self.out else ""
        if not before:
            return str(token)
        word = before.isidentifier() and before.upper() not in KEYWORDS
        operand = word or before[-1] in "\"')]}" or before[-1].isdigit()
        return "SIMILAR TO" if operand else str(token)

    def function(self, node: Any) -> None:
        """A function keeps its name unquoted; names that mean another thing to the parser of the
        skeleton are changed."""
        first = node.children[0]
        token = next(first.scan_values(lambda _: True)) if hasattr(first, "scan_values") else first
        name = _requote(token).strip('"').lower()
        if name in self.own and node.data == "function":
            self.apply(node, self.own[name])
            return
        self.functions.append((name, _span(token)))
        if self.given.dialect == "duckdb" and name in _DIFFERENT:
            name = _as_sqlite_has_it(name, list(map(_text, _parts(node))))
        written = name if name.isidentifier() else _requote(token)
        self.write(_FOREIGN.get(name, written), _span(token))
        for child in node.children[1:]:
            self.node(child)

    def apply(self, node: Any, function: Function) -> None:
        """The call of an own function is a placeholder with the same arguments."""
        span = Span(node.meta.start_pos, node.meta.end_pos)
        call = Call(f"{PREFIX}{len(self.calls)}", APPLY, function.name, span, function)
        self.calls.append(call)
        self.write(call.name, span)
        for child in node.children[1:]:
            self.node(child)

    def call(self, node: Any) -> None:
        span = Span(node.meta.start_pos, node.meta.end_pos)
        arguments = [child for child in node.children if _rule(child) == "argument"]
        question = next(c for c in node.children if getattr(c, "type", None) == "QUESTION")
        kind, asked, written = self.question(question, arguments)
        if not written:
            self.repairs.append(f"QA({asked!r}) has no kind; read as {kind}@")
        # what a language model asks stands as it is: its dollar signs are those of money
        if self.given.origin == "person" or self.given.params.passed:
            asked = self.binding.question(asked, _span(question))
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
        mode = None if written else _MODE.match(said)
        if mode is not None:
            fault = f"unknown kind of call {mode[1]!r}"
            question = said[mode.end() :].strip() or "question"
            hint = f'QA("map@{question}"; column), or ans@ for one question about all rows'
        elif not asked:
            fault, hint = "the question is empty", f'write what to ask: QA("{kind}@question"; ...)'
        else:
            return kind, asked, written
        raise SyntaxFault(fault, text=self.text, span=_span(token), hint=hint)


def _parts(node: Any) -> list[Any]:
    """The tokens and trees between the parentheses of a function."""
    return [child for child in node.children[1:] if str(child) not in ("(", ")")]


def _text(part: Any) -> str:
    """A token or a tree as text."""
    if not hasattr(part, "scan_values"):
        return str(part)
    return " ".join(map(str, part.scan_values(lambda _: True)))


def _as_sqlite_has_it(name: str, parts: list[str]) -> str:
    """The name of a function that means another thing with these arguments."""
    count = parts.count(",") + 1 if parts else 0
    if name in _MODIFIED:
        now = not parts or any("'now'" in part.lower() for part in parts)
        odd = name == "strftime" and _UNKNOWN_FORMAT.match(parts[0])
        return f"{name}_of" if count >= _MODIFIED[name] or now or odd else name
    return _OF_SEVERAL.get(name, name) if count > 1 else name


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


def _kind(question: str, arguments: list[Any]) -> tuple[str, str, bool]:
    """The kind, the question, and whether the kind is written before an `@`; without one the
    arguments decide."""
    kind, at, asked = question.partition("@")
    if at and kind.strip().lower() in CALL_KINDS:
        return kind.strip().lower(), asked.strip(), True
    selects = any(_rule(argument.children[0]) in ("query", "subquery") for argument in arguments)
    return (ANS if selects or not arguments else MAP).name, question.strip(), False
