"""A table goes in, the text that shows it to the author of a program comes out. No name and no cell of it can pass for a line."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable
from itertools import accumulate
from typing import TYPE_CHECKING

from binder.prompt.wire import wire
from binder.result import count
from binder.table import ROW_ID

if TYPE_CHECKING:
    from binder.table import Column, Table

MOST_ROWS = 50  # of a table that are shown at most, where there is room


def table_text(table: Table, room: int = 2400) -> str:
    """A table as a program's author is shown it: name, title, typed columns, and as many first rows as room has characters."""
    names = [f"{_named(c.name)} {c.type}{f' ({c.unit})' if c.unit else ''}" for c in table.columns]
    columns = [table.head(c, MOST_ROWS) for c in table.columns]
    if table.column(ROW_ID) is None:
        names, columns = [ROW_ID, *names], [[str(i) for i in range(len(columns[0]))], *columns]
    lines = [_row(cells) for cells in zip(*columns, strict=True)]
    shown = lines[: max(3, bisect_right(list(accumulate(map(len, lines))), room))]
    whole = len(shown) == table.num_rows
    size = count(table.num_rows, "row") if whole else f"the first {len(shown)} of {count(table.num_rows, 'row')}"
    head = f"Table {_named(table.name)}{f', {_line(table.title)}' if table.title else ''} ({size})"
    few = [] if whole else [note for c in table.columns if (note := _few_texts(table, c))]
    return "\n".join([head, _row(names), *shown, *_readings(table), *few])


def _readings(table: Table) -> list[str]:
    """What the first typed cell of each column is read as, where it is written in another way."""
    pairs = []
    for column in table.columns:
        if column.raw is not None:
            values = table.data.column(column.name).slice(0, MOST_ROWS).to_pylist()
            cells = zip(table.head(column, MOST_ROWS), values, strict=True)
            pairs += [(cell, value) for cell, value in cells if value is not None and str(cell) != str(value)][:1]
    read = [f"{_line(str(cell))} is {_line(str(wire(value)))}" for cell, value in pairs]
    return ["As values: " + "; ".join(read)] if read else []


def _few_texts(table: Table, column: Column, most: int = 8) -> str | None:
    """All texts of a column that has but a few, for not all of them need be in the rows that are shown."""
    spellings = (table.spellings(column.name) or {}) if column.type == "VARCHAR" else {}
    texts = [text for alike in spellings.values() for text in alike]
    if not 0 < len(texts) <= most or any(len(text) > 40 for text in texts):
        return None
    return f"All of {_named(column.name)}: {', '.join(_line(repr(text)) for text in texts)}"


def _named(name: str) -> str:
    return "`" + "\\n".join(name.replace("`", "``").splitlines()) + "`"


def _row(cells: Iterable[str | None]) -> str:
    return "| " + " | ".join(_line(cell or "").replace("|", "/") for cell in cells) + " |"


def _line(text: str, width: int = 160) -> str:
    """A text on one line, cut where it is long."""
    line = "\\n".join(text.splitlines())  # of all kinds: a cell cannot pass for a line of the prompt
    return line if len(line) <= width else line[: width - 1] + "…"
