"""A question and its tables go in, the words that it is found by come out.

What the table is about is masked: a word that names a column becomes the kind of the column, one that stands in a cell becomes
<cell>, digits <digits>. So "which ferry carries the most people?" is near to "which lake is the deepest?" (masked questions: Gao
et al., Text-to-SQL Empowered by Large Language Models, VLDB 2024, section 4.2)."""

from __future__ import annotations

import re
from collections.abc import Sequence

from binder.prompt.relevance import relevant, stem, words
from binder.table import Column, Table
from binder.values import fold

KINDS = {"VARCHAR": "<text>", "DATE": "<date>", "TIMESTAMP": "<date>", "BOOLEAN": "<boolean>"}


def features(question: str, tables: Sequence[Table]) -> list[str]:
    """The masked words of a question and their neighbours in pairs, with what stands at its ends."""
    named = {word: _kind(column) for table in tables for column in table.columns for word in words(column.name)}
    celled = {word for table in tables for word in relevant(table, question).words}
    masked = [named.get(word) or ("<cell>" if word in celled else word) for word in _spelled(question)]
    return [*masked, *map(" ".join, zip(masked, masked[1:], strict=False)), "<tables>" if len(tables) > 1 else "<table>"]


def _spelled(question: str) -> list[str]:
    """The words of a question, endings of plurals and of comparison kept apart; digits are one word."""
    marked = re.sub(r"\d[\d.,]*", " <digits> ", fold(question))
    return [word if word.startswith("<") else stem(word) for word in re.findall(r"<digits>|\w+|\?", marked)]


def _kind(column: Column) -> str:
    return KINDS.get(column.type, "<number>")
