"""A seed and numbers come in; as many texts that are nearly programs go through parse and check,
and what is wrong goes out.

Wrong is an exception that is not one of the project's own; a skeleton of Python that is not Python;
a parse that takes longer than 50 ms per 10 kB (50 ms are everybody's), free repairs and the search
for the cause of an error included; a check of what the grammar let through that takes longer than
0.05 ms a token (50 ms are everybody's). It is the processor's time that counts, the least of four.
Every third text is Python, the others are SQL."""

from __future__ import annotations

import ast
import random
import time
import traceback
import warnings
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NamedTuple

from binder.analysis.python import check as check_python
from binder.analysis.sql import check
from binder.errors import BinderError
from binder.language import python
from binder.language.lexer import tokens
from binder.language.repair import parsed
from binder.tables.table import Table, tidy
from tests.fuzz.texts import HEADERS, LANGUAGES, LONG, PYTHON, SQL, Language, drawn

LIMIT = 0.050  # seconds of parse for so many bytes as a long text has
TOKEN = 0.000_05  # seconds of check for a token of a text that the grammar has let through
TABLES: tuple[tuple[Table, ...], ...] = (
    (
        tidy(
            list(HEADERS),
            [["1", "Alejandro Valverde (ESP)", "Caisse d'Epargne", "home", "1,200 m", "3", "May 5, 2008", "a"],
             ["2", "Alexandr Kolobnev (RUS)", "CSC", "away", "", "4", "2009-01-02", "b"]],
            "w", "2008 Clásica de San Sebastián",
        ),
    ),
    (tidy(["a", "b"], [["1", "x"], ["2", "y"]], "w"), tidy(["b", "c", "row_id"], [["x", "1", "2"]], "v")),
)  # fmt: skip


class Slow(NamedTuple):
    """A text, its number, and how many times as long as it may it took."""

    excess: float
    text: str
    number: int


@dataclass
class Found:
    """What became of texts. fates: how often what, by language and kind of text; broken: a text for
    each place where something broke; slow: the texts that took too long; slowest: of each language,
    the one that was next to it or went furthest."""

    fates: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    broken: dict[str, str] = field(default_factory=dict)
    slow: list[Slow] = field(default_factory=list)
    slowest: dict[str, Slow] = field(default_factory=dict)

    def add(self, other: Found) -> None:
        """Adds what became of other texts."""
        self.fates += other.fates
        self.slow += other.slow
        for place, text in other.broken.items():
            self.broken[place] = min(self.broken.get(place, text), text, key=len)
        for language, slow in other.slowest.items():
            self.slowest[language] = max(self.slowest.get(language, slow), slow)


def attempt(
    text: str, tables: tuple[Table, ...], language: Language = SQL
) -> tuple[str, float, float]:
    """What became of a text (checked, or the name of the fault), and the seconds that parse and
    check took."""
    start = middle = time.thread_time()
    try:
        if language is PYTHON:
            program = python.parse(text)
            middle = time.thread_time()
            skeleton = check_python(program, tables).program.skeleton
        else:
            program = parsed(text, tables)
            middle = time.thread_time()
            check(program, tables)
    except BinderError as error:
        str(error)
        end = time.thread_time()
        parse = (end if middle == start else middle) - start
        return type(error).__name__, parse, end - start - parse
    end = time.thread_time()
    if language is PYTHON:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a backslash that means nothing
            ast.parse(skeleton)
    return "checked", middle - start, end - middle


def timed(text: str, tables: tuple[Table, ...], language: Language) -> tuple[str, float]:
    """What became of a text, and the share of its time that it took; the least of four, since
    machines are busy."""
    found, parse, checked = attempt(text, tables, language)
    for _ in range(3):
        if excess(text, parse, checked) <= 1:
            break
        _, again, once_more = attempt(text, tables, language)
        parse, checked = min(parse, again), min(checked, once_more)
    return found, excess(text, parse, checked)


def excess(text: str, parse: float, checked: float) -> float:
    """The share of what a text may take that it took, of parse or of check, whichever is more."""
    size = len(text.encode("utf-8", "replace"))
    return max(
        parse / (LIMIT * max(1.0, size / LONG)),
        checked / (LIMIT + TOKEN * len(tokens(text))) if checked > LIMIT else 0.0,
    )


def fuzz(numbers: Iterable[int], seed: int) -> Found:
    """What became of the texts of these numbers."""
    found = Found()
    for language in LANGUAGES:  # the first text of all builds the parser
        attempt("x", TABLES[0], language)
    for number in numbers:
        draw, language = random.Random(f"{seed} {number}"), PYTHON if number % 3 == 2 else SQL
        kind, text = drawn(draw, language)
        tables = draw.choice(TABLES)
        try:
            fate, share = timed(text, tables, language)
        except Exception as error:  # noqa: BLE001  what is looked for
            place = traceback.extract_tb(error.__traceback__)[-1]
            key = f"{type(error).__name__} at {place.filename}:{place.lineno}, {error!s:.100}"
            found.add(Found(Counter({(language.name, kind, "broken"): 1}), {key: text}))
            continue
        slow = Slow(share, text, number)
        found.add(
            Found(
                Counter({(language.name, kind, fate): 1}),
                {},
                [slow] if share > 1 else [],
                {language.name: slow},
            )
        )
    return found
