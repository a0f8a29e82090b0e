"""The causes of Python syntax errors, each with its place.

Python's own parser is asked for the cause where the grammar has said no to something that Python
too has not."""

from __future__ import annotations

import ast
import re
import warnings
from collections.abc import Iterator
from functools import lru_cache

from binder.errors import Span, SyntaxFault
from binder.language import diagnose_sql
from binder.language.context import Failure
from binder.language.diagnose_sql import DEEPEST, GLUED, TOO_DEEP

# a kind of token that no grammar accepts: the line begins where no block does
MISPLACED = "MISPLACED"
OUTSIDE = {  # what Python has and the language has not -> what to write instead
    "class": "keep what belongs together in a dict",
    "with": "there are no files: the tables are the parameters of solve",
    "async": "write an ordinary function",
    "await": "call it directly",
    "yield": "build a list and return it",
    "match": "write if and elif",
    "@": "write an ordinary function",
}
DEEPER = 200  # levels of a tree of Python's parser: more than any program that a person can read


def check(text: str) -> None:
    """Refuses, in linear time, a text that need not be shown to the grammar."""
    diagnose_sql.check(text, "write def solve(table): ...")


def explain(failure: Failure) -> SyntaxFault:
    """The fault behind a failure of the grammar."""
    text, start = failure.text, min(failure.start, len(failure.text))
    word = re.compile(r"\w+|\S|$").search(text, start)
    assert word is not None
    span = Span(*word.span())
    if failure.kind == TOO_DEEP:
        return SyntaxFault(
            f"the program is nested deeper than {DEEPEST}",
            text=text,
            span=span,
            hint="give its parts names",
        )
    if failure.kind == GLUED:
        return SyntaxFault(f"a space is missing before {word.group()}", text=text, span=span)
    for outside, place in _suspects(text, start, word):
        if outside in OUTSIDE:
            return SyntaxFault(
                f"{outside} is not in the language", text=text, span=place, hint=OUTSIDE[outside]
            )
    try:
        tree(text)
    except SyntaxFault as fault:
        return fault
    found = word.group() or "the end of the program"
    return SyntaxFault(f"{found} cannot stand here", text=text, span=span)


def _suspects(text: str, start: int, word: re.Match[str]) -> Iterator[tuple[str, Span]]:
    """The words that may say what kind of statement failed: the one at the place of the failure,
    and the first of its line."""
    line = text.rfind("\n", 0, start) + 1
    first = re.compile(r"[ \t]*(@|\w+)").match(text, line)
    if first and first.group(1) == word.group():
        yield first.group(1), Span(*first.span(1))
    yield word.group(), Span(*word.span())
    if first:
        yield first.group(1), Span(*first.span(1))


@lru_cache(maxsize=8)  # reading, checking and planning look at one tree, and none changes it
def tree(text: str) -> ast.Module:
    """The tree of Python's own parser; its complaint as a SyntaxFault."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a backslash that means nothing
            module = ast.parse(text)
    except SyntaxError as error:
        lines = text.split("\n")
        row = min(max((error.lineno or 1) - 1, 0), len(lines) - 1)
        start = sum(len(line) + 1 for line in lines[:row]) + max((error.offset or 1) - 1, 0)
        cause = re.sub(r"\s*\(<unknown>.*", "", error.msg)
        message = "the program is not valid Python" + (
            "" if cause == "invalid syntax" else f": {cause}"
        )
        raise SyntaxFault(
            message, text=text, span=Span(min(start, len(text)), min(start, len(text)) + 1)
        ) from None
    except (RecursionError, MemoryError, ValueError):
        raise SyntaxFault(
            "the program is nested too deeply",
            text=text,
            span=Span(0, 0),
            hint="give its parts names",
        ) from None
    level: list[ast.AST] = [module]
    for _ in range(DEEPER):
        level = [child for node in level for child in ast.iter_child_nodes(node)]
        if not level:
            return module
    raise SyntaxFault(
        "the program is nested too deeply", text=text, span=Span(0, 0), hint="give its parts names"
    )
