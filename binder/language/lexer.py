"""Tokens of any text, whether or not it is a program: what cannot be read is of kind OTHER.

The kinds are the names of the grammar's terminals. It serves where the grammar has said no: free
repairs and error messages."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

OPERANDS = frozenset("NAME BACKTICK_NAME BRACKET_NAME DQ_NAME STRING QUESTION NUMBER".split())
# After one of these words an operand begins: `[` opens a quoted name there, and a subscript after
# any other word.
OPENERS = frozenset(
    "ALL AND AS BETWEEN BY CASE DISTINCT ELSE FROM GLOB HAVING ILIKE IN JOIN LIKE LIMIT NOT ON OR"
    " QUALIFY SELECT THEN WHEN WHERE".split()
)

_TOKEN = re.compile(
    r"""
      (?P<SPACE> \s+ | --[^\n]* | /\*(?:[^*]|\*(?!/))*(?:\*/|\Z) )
    | (?P<ESCAPED_STRING> [eE]'(?:[^'\\]|''|\\.)*' )
    | (?P<NAME> [^\W\d]\w* )
    | (?P<NUMBER> (?:\d[\d_]*(?:\.[\d_]*)?|\.\d[\d_]*)(?:[eE][+-]?\d+)? )
    | (?P<STRING> '(?:[^']|'')*' )
    | (?P<DQ_NAME> "(?:[^"]|"")*" )
    | (?P<BACKTICK_NAME> `(?:[^`]|``)+` )
    | (?P<OPERATOR> ->>|->|\|\||//|\*\*|<<|>>|<=|>=|<>|!=|==|::|:=|[-+*/%^&|~=<>()\[\]{},;.:] )
    | (?P<OTHER> . )
    """,
    re.VERBOSE | re.DOTALL,
)
_QUESTION = re.compile(r""" "(?:[^"\\]|""|\\.)*" | '(?:[^'\\]|''|\\.)*' """, re.VERBOSE | re.DOTALL)
_BRACKET_NAME = re.compile(r"\[[^\[\]]+\]")


class Token(NamedTuple):
    """A piece of a text: kind, text and the offsets of its characters."""

    kind: str
    text: str
    start: int
    end: int

    @property
    def word(self) -> str:
        """The text as a keyword would be written; empty where it is no word."""
        return self.text.upper() if self.kind == "NAME" else ""


@lru_cache(maxsize=4)  # repairs and causes of errors ask for the same text again
def tokens(text: str) -> tuple[Token, ...]:
    """The tokens of a text in order, without white space and comments; never raises."""
    found: list[Token] = []
    place = 0
    while place < len(text):
        token = _special(text, place, found) or _plain(text, place)
        place = token.end
        if token.kind != "SPACE":
            found.append(token)
    return tuple(found)


def _plain(text: str, place: int) -> Token:
    """The token at a place, whatever stands before it."""
    match = _TOKEN.match(text, place)
    assert match is not None and match.lastgroup is not None, "OTHER matches every character"
    return Token(match.lastgroup, match.group(), place, match.end())


def _special(text: str, place: int, before: list[Token]) -> Token | None:
    """The token that only what stands before it makes: the question of a call, a name in
    brackets."""
    called = len(before) > 1 and before[-1].text == "(" and before[-2].word == "QA"
    if called and text[place] in "\"'":
        kind, match = "QUESTION", _QUESTION.match(text, place)
    elif text[place] == "[" and not (before and _ends_operand(before[-1])):
        kind, match = "BRACKET_NAME", _BRACKET_NAME.match(text, place)
    else:
        return None
    return Token(kind, match.group(), place, match.end()) if match else None


def _ends_operand(token: Token) -> bool:
    """Whether an operand can end with a token."""
    return token.text in (")", "]", "}") or (token.kind in OPERANDS and token.word not in OPENERS)
