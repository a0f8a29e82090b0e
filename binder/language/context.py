"""The place where the grammar said no to a text, and answers to questions about that place.

The table of diagnoses asks these questions to name the cause.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

from binder.errors import Span
from binder.language.lexer import OPENERS, Token, tokens

CLAUSES = frozenset(
    "FROM WHERE GROUP HAVING QUALIFY WINDOW ORDER LIMIT OFFSET UNION INTERSECT EXCEPT".split()
)
WORDS = (
    OPENERS | CLAUSES | frozenset("AND ASC DESC ELSE END EXISTS IS NULL OVER USING WITH".split())
)
KINDS = {
    "NAME": "a name",
    "BACKTICK_NAME": "a name",
    "BRACKET_NAME": "a name",
    "DQ_NAME": "a name",
    "NUMBER": "a number",
    "PARAMETER": "a parameter",
    "STRING": "a quoted string",
    "ESCAPED_STRING": "a quoted string",
    "QUESTION": "a quoted question",
    "COMPARISON": "a comparison",
    "OPERATOR": "an operator",
    "$END": "the end",
}


LISTED = 12  # kinds of tokens in a hint
OPERAND = (
    "expected an expression: a column, a value, a function, a call or a sub-select in parentheses"
)


@dataclass(frozen=True)
class Failure:
    """Where the grammar said no, to what kind of token, what it expected there, and the words that
    are never names."""

    text: str
    start: int = 0
    kind: str = ""
    expected: frozenset[str] = frozenset()
    reserved: tuple[str, ...] = ()

    @functools.cached_property
    def tokens(self) -> tuple[Token, ...]:
        """The tokens of the text."""
        return tokens(self.text)

    @functools.cached_property
    def index(self) -> int:
        """The index of the token at which the grammar failed; the number of tokens at the end of
        the text."""
        return next(
            (i for i, token in enumerate(self.tokens) if token.end > self.start), len(self.tokens)
        )

    @property
    def span(self) -> Span:
        """The place of that token."""
        return self.at(self.index)

    def at(self, index: int) -> Span:
        """The place of a token, or the end of the text."""
        if 0 <= index < len(self.tokens):
            return Span(self.tokens[index].start, self.tokens[index].end)
        end = self.tokens[-1].end if self.tokens else 0
        return Span(end, end)

    def token(self, offset: int = 0) -> Token:
        """The token at an offset from the failing one; an empty one outside the text."""
        index = self.index + offset
        if 0 <= index < len(self.tokens):
            return self.tokens[index]
        return Token("END", "", *self.at(index))

    @property
    def before(self) -> str:
        """The text before the place."""
        return self.token(-1).text or "the beginning"

    @property
    def after(self) -> str:
        """The text at the place."""
        return self.token().text or "the end"

    @property
    def wanted(self) -> str:
        """What was expected, for a hint; empty where nothing is known."""
        if {"NUMBER", "NAME"} <= self.expected:  # an operand: its keywords need not be listed
            return OPERAND
        kinds = {KINDS[kind] for kind in self.expected if kind in KINDS}
        others = self.expected - KINDS.keys()
        words = {word.upper() if word.isalpha() else f"'{word}'" for word in others}
        shown = sorted(kinds) + sorted(words)
        if not shown:
            return ""
        if len(shown) > LISTED:
            return "expected " + ", ".join(shown[:LISTED]) + ", ..."
        *first, last = shown
        return "expected " + (f"{', '.join(first)} or {last}" if first else last)

    def is_part(self, index: int) -> bool:
        """Whether a token may be a part of one name of several words."""
        token, before = self.tokens[index], self.tokens[index - 1].word if index else ""
        if token.word == "BY":
            return before not in ("", "GROUP", "ORDER", "PARTITION")
        return token.kind in ("NAME", "NUMBER") and token.word not in WORDS

    def words_back(self, index: int) -> int:
        """The index of the first of the words that end before an index."""
        return next((i + 1 for i in range(index - 1, -1, -1) if not self.is_part(i)), 0)

    @functools.cached_property
    def open(self) -> list[int]:
        """The indices of the parentheses that are open at the failing token."""
        stack: list[int] = []
        for index, token in enumerate(self.tokens[: self.index]):
            if token.text == "(":
                stack.append(index)
            elif token.text == ")" and stack:
                stack.pop()
        return stack

    @property
    def in_call(self) -> bool:
        """Whether the innermost open parenthesis is that of a call."""
        return bool(self.open) and self.tokens[self.open[-1] - 1].word == "QA" and self.open[-1] > 0
