"""Words and functions of other dialects, and what to write instead of each (data/foreign.tsv)."""

from __future__ import annotations

import re
from functools import cache
from typing import NamedTuple

from binder.data import listed
from binder.errors import Span
from binder.language.context import Failure

NEAR = 8  # tokens before and behind a failure that are looked at
LONGEST = 2_000  # signs of these
CALLED = "()"  # behind the name of a function
_LITERAL = frozenset({"STRING", "ESCAPED_STRING", "BACKTICK_NAME", "BRACKET_NAME", "DQ_NAME"})


class Foreign(NamedTuple):
    """A word of another dialect: how it is found, what to write, and a program that shows it."""

    pattern: str
    hint: str
    example: str


@cache
def words() -> tuple[Foreign, ...]:
    """All of them, functions too."""
    return tuple(Foreign(*line.split("\t")) for line in listed("foreign.tsv"))


@cache
def functions() -> dict[str, str]:
    """Functions of other dialects -> what to write instead."""
    named = [word for word in words() if word.pattern.endswith(CALLED)]
    return {word.pattern.removesuffix(CALLED): word.hint for word in named}


@cache
def _patterns() -> tuple[tuple[re.Pattern[str], str], ...]:
    written = [word for word in words() if not word.pattern.endswith(CALLED)]
    return tuple((re.compile(word.pattern, re.IGNORECASE), word.hint) for word in written)


def found(failure: Failure) -> tuple[Span, str] | None:
    """The word of another dialect at which a text is no program any more, and what to write."""
    first, text = _around(failure)
    start, end = failure.token(-1).start - first, failure.token().end - first
    for pattern, hint in _patterns():
        for match in pattern.finditer(text):
            if match.start() <= end and match.end() >= start:
                span = match.span(1 if pattern.groups else 0)
                return Span(first + span[0], first + span[1]), hint
    return None


def _around(failure: Failure) -> tuple[int, str]:
    """Where the text around a failure begins, and that text, with nothing between quotes."""
    near = failure.tokens[max(failure.index - NEAR, 0) : failure.index + NEAR]
    if not near or near[-1].end - near[0].start > LONGEST:
        return 0, ""
    first, last = near[0].start, near[-1].end
    signs = list(failure.text[first:last])
    for token in near:
        if token.kind in _LITERAL:
            inside = slice(token.start + 1 - first, token.end - 1 - first)
            signs[inside] = "'" * len(signs[inside])
    return first, "".join(signs)
