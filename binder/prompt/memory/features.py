"""Retrieval features of a question: masked words and cues.

What the question is about is masked: a word that names a column becomes the kind of the column, one
that stands in a cell <cell>, digits <digits> (Gao et al., Text-to-SQL Empowered by Large Language
Models, VLDB 2024, section 4.2, on masked questions). What it asks for is stressed: words such as
"oldest", "how many more" and "right after" are cues, which count twice."""

from __future__ import annotations

import re
from collections.abc import Sequence

from binder.prompt.schema_linking import relevant, stem, words
from binder.tables.cells import fold
from binder.tables.table import Column, Table

STRESS = 2

KINDS = {"VARCHAR": "<text>", "DATE": "<date>", "TIMESTAMP": "<date>", "BOOLEAN": "<boolean>"}
_CUES = {
    "<superlative>": r"\w{2,}est|most|least|top|maximum|minimum|worst|first|last",
    "<comparative>": r"than|over|above|below|under|exceed\w*|at (?:least|most)|fewer"
    r"|(?:old|young|long|short|tall|high|low|earli|lat|larg|small|bigg)er",
    "<count>": r"how many|number of|times",
    "<sum>": r"total|altogether|sum|combined|in all|together|overall",
    "<average>": r"average|mean",
    "<difference>": r"difference|how (?:many|much) (?:more|less|fewer)|change|between",
    "<duration>": r"how long|how (?:many|much) (?:years?|days?|months?|weeks?|time)"
    r"|passed|lasted",
    "<neighbour>": r"next|previous|before|after|follow\w*|preced\w*|consecutive|in a row"
    r"|immediately|directly|prior",
    "<or>": r"or|either",
    "<not>": r"not|never|no|none|without|except|neither|else|other",
    "<same>": r"same|both|as well as",
    "<each>": r"each|every|per|all",
    "<statement>": r"^(?:did|was|were|is|are|does|do|has|have|had|can)(?!\w).*"
    r"|^true or false.*|.*[^?]$",
    "<which>": r"^(?:which|who|what|whom|where)",
    "<when>": r"when|year|date|month|day",
    "<percent>": r"percent\w*|share|rate|ratio",
    "<list>": r"list|name all|what are",
}
CUES = {name: re.compile(rf"(?<!\w)(?:{pattern})(?!\w)") for name, pattern in _CUES.items()}


def features(question: str, tables: Sequence[Table]) -> list[str]:
    """The masked words of a question, and its cues."""
    named: dict[str, str] = {}
    celled: set[str] = set()
    for table in tables:
        celled |= relevant(table, question).words
        for column in table.columns:
            named.update(dict.fromkeys(words(column.name), _kind(column)))

    def masked(word: str) -> str:
        return named.get(word) or ("<cell>" if word in celled else word)

    found = [masked(word) for word in _spelled(question)]
    return [*found, *cues(question) * STRESS, "<tables>" if len(tables) > 1 else "<table>"]


def cues(question: str) -> list[str]:
    """What a question asks for, by its words."""
    folded = fold(question)
    return [name for name, pattern in CUES.items() if pattern.search(folded)]


def _spelled(question: str) -> list[str]:
    """The words of a question without the ending of a plural; digits are one word."""
    marked = re.sub(r"\d[\d.,]*", " <digits> ", fold(question))
    found = re.findall(r"<digits>|\w+|\?", marked)
    return [word if word == "<digits>" else stem(word) for word in found]


def _kind(column: Column) -> str:
    return KINDS.get(column.type, "<number>")
