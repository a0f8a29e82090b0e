"""Column facts for the schema prompt: how cells are read, bounds, texts.

All of it is asked of Arrow, so that no table is read cell by cell."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from binder.prompt.wire import wire

if TYPE_CHECKING:
    from binder.tables.table import Column, Table

PROBE = 1000  # first rows, in which a fact is looked for first
UNREAD = 2  # cells without a value that are shown


def readings(table: Table, column: Column) -> tuple[list[tuple[str, Any]], list[str]]:
    """Of a column that was typed from text: a cell that is not written as its value, with the
    value; and cells without a value."""
    import pyarrow.compute as pc

    if column.raw is None:
        return [], []
    values, texts = table.data.column(column.name), table.data.column(column.raw)
    pairs = zip(texts.slice(0, PROBE).to_pylist(), values.slice(0, PROBE).to_pylist(), strict=True)
    read = [(text, value) for text, value in pairs if _is_written_otherwise(text, value)]
    missing = texts.filter(pc.and_(pc.is_null(values), pc.is_valid(texts)))
    return read[:1], pc.unique(missing).slice(0, UNREAD).to_pylist()


def _is_written_otherwise(text: str | None, value: Any) -> bool:
    """Whether a cell is not written as its value is sent; commas of thousands do not count."""
    if text is None or value is None:
        return False
    return text.replace(",", "") != str(wire(value))


def bounds(table: Table, column: Column) -> tuple[Any, Any] | None:
    """The least and the most value of a column of numbers or dates; None where it has none."""
    import pyarrow as pa
    import pyarrow.compute as pc

    data = table.data.column(column.name)
    has_order = pa.types.is_primitive(data.type) or pa.types.is_decimal(data.type)
    if not has_order or pa.types.is_boolean(data.type):
        return None
    found = pc.min_max(data).as_py()
    return None if found["min"] is None else (found["min"], found["max"])


def texts(table: Table, column: Column, most: int) -> list[str]:
    """All texts of a text column that has no more than so many; else none."""
    import pyarrow.compute as pc

    data = table.data.column(column.name)
    if column.type != "VARCHAR" or len(pc.unique(data.slice(0, PROBE))) > most + 1:
        return []
    found = [text for text in pc.unique(data).to_pylist() if text is not None]
    return found if len(found) <= most else []
