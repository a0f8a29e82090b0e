"""CREATE TABLE text for prompts, within so many tokens.

Each table has a remark on each column, and rows below it: all of them, or the first, the last and
those with words of the question. No name and no cell of it can pass for a line."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple

from binder.lm.tokens import estimate
from binder.prompt import column_profile
from binder.prompt.schema_linking import Relevance, joins, relevant
from binder.prompt.wire import wire
from binder.results.result import count
from binder.tables.table import ROW_ID

if TYPE_CHECKING:
    from binder.tables.table import Column, Table

ALL = 100  # rows: a longer table is not shown whole
FEW = 8  # texts of a column that are all told
LEAST = 60  # tokens that a table must have to be shown
NAME = 40  # characters of a unit, a bound or a listed text


class Detail(NamedTuple):
    """How much of a table is shown: rows from the top and rows that match, characters of a cell,
    and columns."""

    first: int
    matching: int
    width: int
    columns: int | None = None  # all


# From the most to the least: the first that fits is taken.
SHORT = (Detail(ALL, 0, 160), Detail(40, 20, 120))  # of a table with no more rows than ALL
DETAILS = (
    Detail(12, 12, 160),
    Detail(8, 8, 80),
    Detail(5, 5, 50),
    Detail(3, 3, 30),
    Detail(3, 2, 16),
    *(Detail(3, 1, 30, columns) for columns in (200, 100, 50, 25, 12)),
    Detail(0, 0, 30, 12),
    Detail(0, 0, 20, 4),
)


def tables_text(tables: Sequence[Table], question: str, room: int) -> str:
    """All tables within so many tokens; what one leaves over is the next one's. Those that the
    question speaks of come last in line for room, and so get the most; the text has them in their
    own order."""
    found = {table.name: relevant(table, question) for table in tables}
    joined = joins(tables)

    def claim(table: Table) -> tuple[int, int]:
        size = min(table.num_rows, ALL) * len(table.columns)
        return len(found[table.name].words), size

    shown: dict[str, str] = {}
    for position, table in enumerate(sorted(tables, key=claim)):
        left = len(tables) - position
        if room // left < LEAST and left > 1:
            continue
        shown[table.name] = table_text(table, found[table.name], joined, room // left)
        room -= estimate(shown[table.name])
    texts = [shown[table.name] for table in tables if table.name in shown]
    hidden = [_named(table.name) for table in tables if table.name not in shown]
    if hidden:
        texts.append(f"-- further tables, not shown: {_line(', '.join(hidden))}")
    return "\n\n".join(texts)


def table_text(
    table: Table,
    found: Relevance | None = None,
    joined: Mapping[tuple[str, str], str] | None = None,
    room: int = 4000,
) -> str:
    """One table within so many tokens, or as little as is ever shown of one."""
    text = ""
    for detail in (*SHORT, *DETAILS) if table.num_rows <= ALL else DETAILS:
        text = _drawn(table, found or Relevance(), joined or {}, detail)
        if estimate(text) <= room:
            break
    return text


def _drawn(
    table: Table, found: Relevance, joined: Mapping[tuple[str, str], str], detail: Detail
) -> str:
    """A table in some detail."""
    columns = _columns(table, found, detail)
    rows = _rows(table, found, detail)
    whole = len(rows) == table.num_rows
    title = f", {_line(table.title)}" if table.title else ""
    lines = [f"CREATE TABLE {_named(table.name)} ( -- {count(table.num_rows, 'row')}{title}"]
    if table.column(ROW_ID) is None:
        remark = " -- 0 for the first row" if table.num_rows else ""
        lines.append(f"  {ROW_ID} BIGINT,{remark}")
    for column in columns:
        remarks = _remarks(table, column, whole, detail.width)
        target = joined.get((table.name, column.name))
        if target:
            remarks.insert(0, f"refers to {target}")
        remark = f" -- {'; '.join(remarks)}" if remarks else ""
        lines.append(f"  {_named(column.name)} {column.type},{remark}")
    hidden = len(table.columns) - len(columns)
    if hidden:
        lines.append(f"  -- and {count(hidden, 'further column')}")
    return "\n".join([*lines, ")", *_sample(table, columns, rows, detail.width)])


def _columns(table: Table, found: Relevance, detail: Detail) -> list[Column]:
    """The columns to show: where not all, those of the question and the first others."""
    if detail.columns is None or len(table.columns) <= detail.columns:
        return list(table.columns)
    ranked = sorted(table.columns, key=lambda column: column.name not in found.columns)
    chosen = ranked[: detail.columns]
    return [column for column in table.columns if column in chosen]


def _rows(table: Table, found: Relevance, detail: Detail) -> list[int]:
    """The numbers of the rows to show: the first ones, those of the question and, for it may be a
    total, the last one."""
    if detail.first == 0:
        return []
    first = range(min(detail.first, table.num_rows))
    last = range(max(0, table.num_rows - 1), table.num_rows)
    matching = [row for row in found.rows if row not in first][: detail.matching]
    return sorted({*first, *matching, *last})


def _sample(table: Table, columns: Sequence[Column], rows: Sequence[int], width: int) -> list[str]:
    """Rows below their heading."""
    if not rows:
        return []
    names = [column.name for column in columns]
    cells = [[cut(cell or "", width) for cell in table.texts(column, rows)] for column in columns]
    if table.column(ROW_ID) is None:
        names.insert(0, ROW_ID)
        cells.insert(0, [str(row) for row in rows])
    return [_row(names), *map(_row, zip(*cells, strict=True))]


def _remarks(table: Table, column: Column, whole: bool, width: int) -> list[str]:
    """What must be known of a column to compare with it, and is not seen in the rows."""
    remarks = []
    if column.unit:
        remarks.append(f"in {_line(column.unit, NAME)}")
    if column.type == "VARCHAR":
        return remarks if whole else remarks + _listed(table, column)
    read, unread = column_profile.readings(table, column)
    for cell, value in read:
        remarks.append(f"{_quoted(cell, width)} is {_line(str(wire(value)), width)}")
    remarks += [f"{_quoted(cell, width)} is NULL" for cell in unread]
    return remarks if whole else remarks + _bounded(table, column)


def _listed(table: Table, column: Column) -> list[str]:
    """The texts of a column that has few, and short ones."""
    texts = column_profile.texts(table, column, FEW)
    if not texts or any(len(text) > NAME for text in texts):
        return []
    return [f"one of {', '.join(_quoted(text, NAME) for text in texts)}"]


def _bounded(table: Table, column: Column) -> list[str]:
    """From where to where the values of a column go."""
    bounds = column_profile.bounds(table, column)
    if bounds is None:
        return []
    return ["from " + " to ".join(_line(str(wire(value)), NAME) for value in bounds)]


def _named(name: str) -> str:
    return "`" + "\\n".join(name.replace("`", "``").splitlines()) + "`"


def _quoted(text: str, width: int) -> str:
    return f"'{_line(text, width)}'"


def _row(cells: Iterable[str]) -> str:
    return "| " + " | ".join(_line(cell).replace("|", "/") for cell in cells) + " |"


def cut(text: str, width: int) -> str:
    """A text that is cut where it is long."""
    return text if len(text) <= width else text[: width - 1] + "…"


def _line(text: str, width: int = 160) -> str:
    """A text on one line, cut where it is long."""
    # Line breaks of all kinds: a cell cannot pass for a line of the prompt.
    return cut("\\n".join(text.splitlines()), width)
