"""A program goes in, the names of the constructs it is made of come out: what two programs share that do a thing alike."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from binder.tokens import Token, tokens

WORDS = {  # of SQL -> the construct that they make
    "COUNT": "count",
    "SUM": "sum",
    "AVG": "sum",
    "MAX": "extreme",
    "MIN": "extreme",
    "LIMIT": "first",
    "GROUP": "group",
    "HAVING": "having",
    "DISTINCT": "distinct",
    "JOIN": "join",
    "OR": "or",
    "NOT": "not",
    "EXCEPT": "not",
    "EXISTS": "exists",
    "OVER": "window",
    "WITH": "with",
    "CASE": "case",
    "IN": "in",
    "ROW_ID": "neighbour",
    "LAG": "neighbour",
    "LEAD": "neighbour",
}
TEXT = re.compile(
    r"LIKE|ILIKE|REGEXP\w*|SPLIT\w*|STR_SPLIT\w*|STRING_SPLIT|SUBSTR\w*|REPLACE|TRIM|LENGTH|CONTAINS|STARTS_WITH|INSTR|STRPOS"
)
DATE = re.compile(
    r"YEAR|MONTH|DAY|WEEK\w*|QUARTER|DATE\w*|EXTRACT|STRFTIME|STRPTIME|AGE|EPOCH|DAY(?:NAME|OF\w+)|MONTHNAME|INTERVAL"
)
SIGNS = {
    "+": "arithmetic",
    "-": "arithmetic",
    "/": "arithmetic",
    "//": "arithmetic",
    "%": "arithmetic",
    "<": "compare",
    ">": "compare",
    "<=": "compare",
    ">=": "compare",
    "=": "equal",
    "==": "equal",
    "<>": "unequal",
    "!=": "unequal",
}
CALLS = {  # of Python
    "sum": "sum",
    "max": "extreme",
    "min": "extreme",
    "sorted": "order",
    "set": "distinct",
    "len": "count",
    "count": "count",
    "qa_map": "map",
    "qa_ans": "ans",
    "zip": "zip",
    "index": "neighbour",
    "enumerate": "neighbour",
    "date": "date",
    **dict.fromkeys(("split", "startswith", "endswith", "replace", "strip", "lower", "search", "match", "findall"), "text"),
}
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


def constructs(program: str, language: str = "sql") -> frozenset[str]:
    """What a program is made of: count, extreme, order, group, join, map, ans, sub-select, compare, arithmetic, ..."""
    return frozenset(_python(program) if language == "python" else _sql([*tokens(program)]))


def _sql(read: list[Token]) -> Iterator[str]:
    selects = 0
    for token, after in zip(read, [*read[1:], None], strict=True):
        word = token.text.upper()
        if token.kind == "QUESTION" or token.text[1:5] in ("map@", "ans@"):
            yield token.text[1:4]
        elif token.kind == "NAME" or word in WORDS:
            selects += word == "SELECT"
            if word in WORDS:
                yield WORDS[word]
            elif word == "ORDER":
                yield "order"
            elif word == "BETWEEN":
                yield "compare"
            elif TEXT.fullmatch(word):
                yield "text"
            elif DATE.fullmatch(word) and after is not None and after.text == "(":
                yield "date"
        elif token.text in SIGNS:
            yield SIGNS[token.text]
    if selects > 1:
        yield "sub-select"


def _python(program: str) -> Iterator[str]:
    try:
        tree = ast.parse(program)
    except (SyntaxError, ValueError, RecursionError):
        return
    for node in ast.walk(tree):
        if type(node) in NODES:
            yield NODES[type(node)]
        elif isinstance(node, ast.FunctionDef) and node.name == "solve" and len(node.args.args) > 1:
            yield "join"
        elif isinstance(node, ast.Call):
            name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
            if name in CALLS:
                yield CALLS[name]
        elif isinstance(node, ast.Attribute) and node.attr in ("year", "month", "day", "days", "weekday"):
            yield "date"
