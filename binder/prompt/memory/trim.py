"""Trimming of an exemplar's tables to what is enough to understand its program."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from binder.prompt.memory.exemplars import Grid
from binder.prompt.schema import cut
from binder.prompt.schema_linking import relevant
from binder.tables.cells import fold
from binder.tables.table import Column, Table

ROWS, COLUMNS = 5, 2  # rows that are kept, and columns beside those that the program names
WIDTH = 80  # characters of a cell

_TEXT = re.compile(r"'((?:[^']|'')*)'|\"((?:[^\"\\]|\\.)*)\"")


def abstract(
    question: str, tables: Sequence[Table], program: str, values: Sequence[Any] = ()
) -> tuple[Grid, ...]:
    """The tables without what does not matter: the columns that the program names and the first
    others, the rows with words of its texts, of the answer and of the question, and the first
    others, all in their order."""
    texts = [one or other for one, other in _TEXT.findall(program)]
    answers = [text for text in texts if not re.match(r"(?:map|ans)@", text)]
    said = " ".join([" ".join(answers), *map(str, values), question])
    folded = fold(program)
    return tuple(_grid(table, said, folded) for table in tables)


def _grid(table: Table, said: str, program: str) -> Grid:
    columns = _columns(table, program)
    best = [*relevant(table, said).rows[: ROWS - 1], *range(min(ROWS, table.num_rows))]
    rows = sorted(list(dict.fromkeys(best))[:ROWS])
    cells = [[cut(cell or "", WIDTH) for cell in table.texts(column, rows)] for column in columns]
    title = " ".join((table.title or "").split())
    names = tuple(column.name for column in columns)
    return Grid(table.name, title, names, tuple(zip(*cells, strict=True)))


def _columns(table: Table, program: str) -> list[Column]:
    """The columns that a program names and the first others; all where it names none."""
    named = [column for column in table.columns if _names(program, column)]
    if not named:
        return list(table.columns)
    others = [column for column in table.columns if column not in named][:COLUMNS]
    return [column for column in table.columns if column in named or column in others]


def _names(program: str, column: Column) -> bool:
    """Whether a program has a column's name in it, as a word."""
    name = fold(column.name)
    return re.search(rf"(?<!\w){re.escape(name)}(?!\w)", program) is not None
