"""Sheets of Excel and OpenDocument files, read by python-calamine (the extra `excel`).

The layout of a sheet is found as that of a text file is; cells keep the types that the sheet
gives them."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from binder.errors import DataError, UsageError
from binder.tables.dialect import TextRow
from binder.tables.layout import HEAD, footer, is_blank, lay_out

ENDINGS = (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods")
_MIDNIGHT = datetime.time(0)


class SheetCells:
    """One sheet: its name, headers, columns of Python values, and what was left out."""

    def __init__(self, name: str, headers: list[str], columns: list[list[Any]], notes: list[str]):
        self.name = name
        self.headers = headers
        self.columns = columns
        self.notes = notes


def read_sheets(path: Path) -> list[SheetCells]:
    """The sheets of a file that hold anything."""
    try:
        import python_calamine as calamine
    except ImportError as error:
        raise UsageError(
            f"{path} is read by python-calamine, which is not installed",
            hint='pip install "binder-lm[excel]"',
        ) from error
    try:
        book = calamine.CalamineWorkbook.from_path(str(path))
        sheets = [(name, book.get_sheet_by_name(name).to_python()) for name in book.sheet_names]
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise DataError(f"cannot read {path}: {error}", path=str(path)) from error
    read = [_sheet(name, rows) for name, rows in sheets]
    found = [sheet for sheet in read if sheet is not None]
    if not found:
        raise DataError(f"{path} holds no cells", path=str(path))
    return found


def _sheet(name: str, rows: Sequence[Sequence[Any]]) -> SheetCells | None:
    """The table in the cells of a sheet; None where there is none."""
    records = [
        TextRow(number, 0, [_text(value) for value in cells])
        for number, cells in enumerate(rows, 1)
    ]
    layout = lay_out(records[: HEAD + 40])
    if not layout.headers:
        return None
    notes = list(layout.notes)
    below = footer(records[layout.first :], len(layout.headers))
    last = len(records) - below
    if any(not is_blank(record.cells) for record in records[last:]):
        notes.append(f"row {last + 1} and below stand under the table and are left out")
    columns = _columns(rows[layout.first : last], len(layout.headers))
    used = [
        place
        for place, column in enumerate(columns)
        if layout.headers[place].strip() or set(column) != {None}
    ]
    notes = [note.replace("line", "row") for note in notes]
    headers = [layout.headers[place] for place in used]
    return SheetCells(name, headers, [columns[place] for place in used], notes)


def _columns(rows: Sequence[Sequence[Any]], width: int) -> list[list[Any]]:
    """The columns of the rows that hold anything."""
    kept = [cells for cells in rows if not is_blank(list(map(_text, cells)))]
    padded = [[*cells, *[None] * (width - len(cells))] for cells in kept]
    return [_typed([cells[place] for cells in padded]) for place in range(width)]


def _text(value: Any) -> str:
    """A cell as the layout looks at it."""
    if value is None or isinstance(value, str):
        return value or ""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _typed(values: list[Any]) -> list[Any]:
    """Cells as they are meant: a sheet has no integers, no dates without a time, no missing
    values."""
    cells = [None if value == "" else value for value in values]
    told = [value for value in cells if value is not None]
    if not told:
        return cells
    meant: Callable[[Any], Any] | None = None
    if all(map(_is_whole, told)):
        meant = int
    elif all(map(_is_day, told)):
        meant = datetime.datetime.date
    elif str in set(map(type, told)):  # a mixture is text, as the sheet shows it
        meant = _text
    if meant is None:
        return cells
    return [None if value is None else meant(value) for value in cells]


def _is_whole(value: Any) -> bool:
    return type(value) is float and value.is_integer()


def _is_day(value: Any) -> bool:
    return type(value) is datetime.datetime and value.time() == _MIDNIGHT
