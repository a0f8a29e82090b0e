"""The constructs of a program, for similarity: what two programs share that do a thing alike."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from binder.language.lexer import Token, tokens


def _made(constructs: dict[str, str]) -> dict[str, str]:
    """Construct -> the words that make it, the other way round."""
    return {word: construct for construct, words in constructs.items() for word in words.split()}


WORDS = _made(  # of SQL
    {
        "count": "COUNT",
        "sum": "SUM AVG",
        "extreme": "MAX MIN",
        "order": "ORDER",
        "first": "LIMIT",
        "group": "GROUP",
        "having": "HAVING",
        "distinct": "DISTINCT",
        "join": "JOIN",
        "or": "OR",
        "not": "NOT EXCEPT",
        "exists": "EXISTS",
        "window": "OVER",
        "with": "WITH",
        "case": "CASE",
        "in": "IN",
        "compare": "BETWEEN",
        "neighbour": "ROW_ID LAG LEAD",
    }
)
TEXT = re.compile(
    r"LIKE|ILIKE|REGEXP\w*|SPLIT\w*|STR_SPLIT\w*|STRING_SPLIT|SUBSTR\w*|REPLACE|TRIM|LENGTH"
    r"|CONTAINS|STARTS_WITH|INSTR|STRPOS"
)
DATE = re.compile(
    r"YEAR|MONTH|DAY|WEEK\w*|QUARTER|DATE\w*|EXTRACT|STRFTIME|STRPTIME|AGE|EPOCH"
    r"|DAY(?:NAME|OF\w+)|MONTHNAME|INTERVAL"
)
SIGNS = _made(
    {"arithmetic": "+ - / // %", "compare": "< > <= >=", "equal": "= ==", "unequal": "<> !="}
)
CALLS = _made(  # of Python
    {
        "count": "len count",
        "sum": "sum",
        "extreme": "max min",
        "order": "sorted",
        "distinct": "set",
        "map": "qa_map",
        "ans": "qa_ans",
        "zip": "zip",
        "neighbour": "index enumerate",
        "date": "date",
        "text": "split startswith endswith replace strip lower search match findall",
    }
)
NODES: dict[type[ast.AST], str] = {
    ast.Not: "not",
    ast.Or: "or",
    ast.In: "in",
    ast.NotIn: "not",
    ast.Eq: "equal",
    ast.NotEq: "unequal",
    **dict.fromkeys((ast.Lt, ast.Gt, ast.LtE, ast.GtE), "compare"),
    **dict.fromkeys((ast.Add, ast.Sub, ast.Div, ast.FloorDiv, ast.Mod), "arithmetic"),
    ast.SetComp: "distinct",
    ast.DictComp: "group",
    ast.For: "loop",
    ast.While: "loop",
}


DATE_PARTS = ("year", "month", "day", "days", "weekday")  # attributes of Python


def constructs(program: str, language: str = "sql") -> frozenset[str]:
    """What a program is made of: count, extreme, order, group, join, map, ans, sub-select, compare,
    arithmetic, ..."""
    return frozenset(_CONSTRUCTS[language](program))


def _sql(program: str) -> Iterator[str]:
    """The constructs of SQL, token by token."""
    read: list[Token] = [*tokens(program)]
    selects = 0
    for token, after in zip(read, [*read[1:], None], strict=True):
        word = token.text.upper()
        if token.kind == "QUESTION" or token.text[1:5] in ("map@", "ans@"):
            yield token.text[1:4]
        elif token.kind == "NAME" or word in WORDS:
            selects += word == "SELECT"
            yield from _of_word(word, is_call=after is not None and after.text == "(")
        elif token.text in SIGNS:
            yield SIGNS[token.text]
    if selects > 1:
        yield "sub-select"


def _of_word(word: str, is_call: bool) -> Iterator[str]:
    """The construct of a word of SQL."""
    if word in WORDS:
        yield WORDS[word]
    elif TEXT.fullmatch(word):
        yield "text"
    elif is_call and DATE.fullmatch(word):
        yield "date"


def _python(program: str) -> Iterator[str]:
    """The constructs of Python, node by node."""
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if type(node) in NODES:
            yield NODES[type(node)]
        elif isinstance(node, ast.Call):
            yield from _of_call(node)
        elif isinstance(node, ast.FunctionDef) and node.name == "solve" and len(node.args.args) > 1:
            yield "join"
        elif isinstance(node, ast.Attribute) and node.attr in DATE_PARTS:
            yield "date"


_CONSTRUCTS = {"sql": _sql, "python": _python}


def _of_call(node: ast.Call) -> Iterator[str]:
    """The construct of a call of Python, by the name of the function or method."""
    called = node.func
    name = called.id if isinstance(called, ast.Name) else getattr(called, "attr", "")
    if name in CALLS:
        yield CALLS[name]
