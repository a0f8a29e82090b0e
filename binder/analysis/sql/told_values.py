"""Told values: the texts of the columns that a call is compared with, sent along as spellings.

`JOIN b ON b.name = QA("map@which company?"; a.name)` tells the names of b, so that two lists of
names match with one question for each name of a."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlglot import exp

from binder.analysis.sql.types import values
from binder.language.annotations import notes
from binder.tables.table import Column, Table

Stored = tuple[Table, Column]
MOST, LONGEST = 200, 8000  # texts of a column, and characters: about 2,000 tokens in each request


def stored_columns(nodes: Iterable[exp.Expr]) -> list[Stored]:
    """The stored columns whose values expressions show unchanged."""
    found: list[Stored] = []
    for node in nodes:
        for value in values(node):
            held = notes(value).field
            if held is not None and held.origin is not None:
                found.append(held.origin)
    return found


def told(compared: Iterable[Stored], sent: Sequence[Stored]) -> tuple[list[str], list[str]]:
    """The texts of columns that a call is compared with, where they are few, and the names of the
    columns where they are not. sent: the columns that the call is asked about.

    A call that is compared with what it is asked about corrects or spells it: to be told the cells
    as they are would undo that."""
    found: list[str] = []
    too_many: list[str] = []
    for table, column in compared:
        if any(table is other and column is own for other, own in sent):
            continue
        texts = table.few_texts(column, MOST, LONGEST)
        if texts is None:
            too_many.append(f"{table.name}.{column.name}")
        found += texts or ()
    return found, too_many
