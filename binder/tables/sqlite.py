"""SQLite files: their tables and views as columns, under the types that they declare.

SQLite lets any value into any column. What does not fit a declared type leaves its column text
without a type, which is read as that of a text file is; one broken view or byte closes no file."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from binder.errors import DataError
from binder.tables.arrow import array
from binder.tables.files import existing

if TYPE_CHECKING:
    import pyarrow

_SHOWN = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY rowid"
_HIDDEN = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'shadow'"


_AFFINITIES = (
    ("INT", "INTEGER"),
    ("CHAR", "TEXT"),
    ("CLOB", "TEXT"),
    ("TEXT", "TEXT"),
    ("BLOB", ""),
    ("REAL", "REAL"),
    ("FLOA", "REAL"),
    ("DOUB", "REAL"),
)


class StoredTable(NamedTuple):
    """Where SQLite keeps the values of a table: a file, the name there, and how each header is
    declared. notes: what is left out there, too."""

    path: Path
    table: str
    declared: dict[str, str]
    notes: tuple[str, ...]

    def data(self, columns: Iterable[tuple[str, str]]) -> dict[str, Any]:
        """The same as JSON data. columns: what programs call each, and its header."""
        named = {name: [header, self.declared.get(header, "")] for name, header in columns}
        return {"address": _address(self.path), "table": self.table, "columns": named}


class SqliteTable(NamedTuple):
    """One table: headers, columns, which of them are text of any kind, what was left out, what is
    read as something else, which texts SQLite puts above all numbers, and how each column is
    declared."""

    headers: list[str]
    columns: list[pyarrow.ChunkedArray]
    untyped: list[bool]
    notes: list[str]
    changed: list[str]
    strays: list[str]
    declared: dict[str, str]


def read_sqlite(path: Path) -> list[tuple[str, SqliteTable]]:
    """The tables and views of a SQLite file that can be read."""
    existing(path)
    try:
        with closing(sqlite3.connect(_address(path), uri=True)) as connection:
            return read_tables(connection, str(path))
    except sqlite3.Error as error:
        raise DataError(f"cannot read {path} as SQLite: {error}", path=str(path)) from error


def _address(path: Path) -> str:
    """What SQLite opens a file by, for reading only."""
    return path.resolve().as_uri() + "?mode=ro"


def read_tables(connection: sqlite3.Connection, path: str) -> list[tuple[str, SqliteTable]]:
    """The tables and views of an open SQLite database."""
    hidden = _hidden(connection)
    found: list[tuple[str, SqliteTable]] = []
    faults: list[str] = []
    names = [name for (name,) in connection.execute(_SHOWN)]
    for name in names:
        if name.startswith("sqlite_") or name in hidden:
            continue
        try:
            found.append((name, read_table(connection, name)))
        except sqlite3.DatabaseError as error:
            faults.append(f"{name} cannot be read and is left out: {error}")
    if faults and not found:
        raise DataError(f"cannot read {path} as SQLite: {faults[0]}", path=path)
    for _, table in found[:1]:
        table.notes.extend(faults)
    return found


def _hidden(connection: sqlite3.Connection) -> set[str]:
    """The tables in which a virtual table keeps its index."""
    try:
        return {name for (name,) in connection.execute(_HIDDEN)}
    except sqlite3.Error:  # before SQLite 3.37 they cannot be told apart
        return set()


def read_table(connection: sqlite3.Connection, name: str) -> SqliteTable:
    """One table or view."""
    quoted = '"' + name.replace('"', '""') + '"'
    broken = 0

    def text(data: bytes) -> str:
        nonlocal broken
        try:
            return data.decode()
        except UnicodeDecodeError:
            broken += 1
            return data.decode("utf-8", "replace")

    declared = {
        row[1]: row[2].upper() for row in connection.execute(f"PRAGMA table_info({quoted})")
    }
    before, connection.text_factory = connection.text_factory, text
    try:
        cursor = connection.execute(f"SELECT * FROM {quoted}")
        headers = [column[0] for column in cursor.description]
        rows = cursor.fetchall()
    finally:
        connection.text_factory = before
    lists = [list(cells) for cells in zip(*rows, strict=True)] if rows else [[] for _ in headers]
    notes: list[str] = []
    if broken:
        notes.append(f"{broken:,} texts are not UTF-8; what is wrong in them reads as \ufffd")
    # of values that SQLite has as they are, and that are read here as something else
    changed: list[str] = []
    strays: list[str] = []
    columns: list[pyarrow.ChunkedArray] = []
    untyped: list[bool] = []
    for header, values in zip(headers, lists, strict=True):
        kind = _declared(declared.get(header, ""))
        column, loose = _column(values, kind)
        if loose:
            changed += _empty_texts(header, values)
            strays += _texts_among_numbers(header, values, kind)
        columns.append(column)
        untyped.append(loose)
    stored = {header: _stored(connection, name, header, kind) for header, kind in declared.items()}
    return SqliteTable(headers, columns, untyped, notes, changed, strays, stored)


def _empty_texts(header: str, values: list[Any]) -> list[str]:
    """What must be told where empty texts are taken for missing values."""
    empty = sum(value == "" for value in values)
    return [f"{empty:,} cells of {header} are empty texts, and read as NULL"] if empty else []


def _texts_among_numbers(header: str, values: list[Any], kind: Any) -> list[str]:
    """What must be told where SQLite has texts in a column of numbers."""
    import pyarrow as pa

    texts = sum(isinstance(value, str) for value in values)
    if not texts or kind is None or pa.types.is_temporal(kind):
        return []
    return [f"{texts:,} cells of {header}, a column of numbers, are texts, above all numbers"]


def _stored(connection: sqlite3.Connection, table: str, header: str, declared: str) -> str:
    """The affinity of a column by SQLite's own rules, and its collation, for a copy of it."""
    affinity = "" if not declared else "NUMERIC"
    affinity = next((found for word, found in _AFFINITIES if word in declared), affinity)
    query = "SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?"
    (made,) = connection.execute(query, [table]).fetchone() or ("",)
    collated = rf"""["`\[\s(,]{re.escape(header)}["`\]\s][^,]*?COLLATE\s+["`\[]?(NOCASE|RTRIM)"""
    found = re.search(collated, made or "", re.IGNORECASE)
    return f"{affinity} COLLATE {found[1]}" if found else affinity


def _declared(words: str) -> pyarrow.DataType | None:
    """The type that a declaration names, by SQLite's own rules of affinity, dates and booleans
    added; None for one that lets numbers of any kind in."""
    import pyarrow as pa

    kinds = (
        ("BOOL", pa.bool_()),
        ("INT", pa.int64()),
        ("CHAR", pa.string()),
        ("CLOB", pa.string()),
        ("TEXT", pa.string()),
        ("BLOB", pa.binary()),
        ("REAL", pa.float64()),
        ("FLOA", pa.float64()),
        ("DOUB", pa.float64()),
        ("TIMESTAMP", pa.timestamp("us")),
        ("DATETIME", pa.timestamp("us")),
        ("DATE", pa.date32()),
    )
    return next((kind for word, kind in kinds if word in words), None)


def _column(values: list[Any], kind: pyarrow.DataType | None) -> tuple[pyarrow.ChunkedArray, bool]:
    """A column under its declared type, and whether it is text that has to be read."""
    import pyarrow as pa

    if kind is None:
        return _mixed(values)
    if pa.types.is_temporal(kind):
        return _moments(values, kind)
    if kind == pa.bool_() and all(value in (0, 1, None) for value in values):
        values = [None if value is None else bool(value) for value in values]
    if pa.types.is_string(kind) or pa.types.is_binary(kind):
        return _filled(array(values, kind), kind), False
    kinds = set(map(type, values))
    if str in kinds:
        return array(values), True
    if float in kinds and pa.types.is_integer(kind):
        kind = pa.float64()  # Arrow would cut them off
    return _filled(array(values, kind), kind), False


def _mixed(values: list[Any]) -> tuple[pyarrow.ChunkedArray, bool]:
    """A column of no declared type, or of NUMERIC: numbers with stray texts are read as text is."""
    kinds = {type(value) for value in values if value is not None}
    column = array(values)
    return column, str in kinds and bool(kinds & {int, float})


def _moments(values: list[Any], kind: pyarrow.DataType) -> tuple[pyarrow.ChunkedArray, bool]:
    """A column of dates or timestamps, which SQLite keeps as text or as numbers."""
    import pyarrow as pa

    column = _filled(array(values), kind)
    if not pa.types.is_string(column.type):
        return column, False
    try:
        return column.cast(kind), False
    except pa.ArrowException:  # one that holds other text
        return column, True


def _filled(column: pyarrow.ChunkedArray, kind: pyarrow.DataType) -> pyarrow.ChunkedArray:
    """A column without any value has its declared type."""
    import pyarrow as pa

    return column.cast(kind) if pa.types.is_null(column.type) else column
