"""Anything that holds a table: a DataFrame, an Arrow table, a list of dicts, a file.

A source comes in; its headers and its columns as Arrow arrays come out, with a word on which of
them are text that has no type yet. No value is interpreted here."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from binder.errors import DataError, nearest
from binder.tables.arrow import array

if TYPE_CHECKING:
    import pyarrow

ENDINGS = (".csv", ".tsv", ".json", ".jsonl", ".parquet", ".sqlite", ".sqlite3", ".db")
DATABASES = (".sqlite", ".sqlite3", ".db")


class RawColumns(NamedTuple):
    """Headers and columns as found; untyped says which columns are text because their source knows
    nothing else. delimiter: what stands between the cells of a file of separated values."""

    headers: list[str]
    columns: list[pyarrow.ChunkedArray]
    untyped: list[bool]
    delimiter: str | None = None


def read(source: Any) -> RawColumns:
    """The headers and columns of anything that holds one table."""
    if isinstance(source, (str, Path)):
        return _read_file(Path(source))
    if (
        type(source).__module__.partition(".")[0] == "pandas"
        and hasattr(source, "iloc")
        and hasattr(source, "columns")
    ):
        return _read_frame(source)
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__"):
        import pyarrow as pa

        return _read_arrow(pa.table(source))
    if isinstance(source, Sequence) and all(isinstance(row, dict) for row in source):
        return _read_dicts(source)
    raise DataError(
        f"a table cannot be made of a {type(source).__name__}",
        hint="give a DataFrame, an Arrow table, a DuckDB relation, a list of dicts, or the path of a file "
        + " ".join(ENDINGS),
    )


def ending(path: Path) -> str:
    """The ending of a file name in lower case, without .gz."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def existing(path: Path) -> Path:
    """The path of a file that is there."""
    if path.is_file():
        return path
    folder = path.parent
    others = sorted(p.name for p in folder.iterdir() if p.is_file()) if folder.is_dir() else []
    near = nearest(path.name, others)
    known = f"the folder {folder} {'has no such file' if others else 'is not there'}"
    hint = f"did you mean {' or '.join(near)}?" if near else known
    raise DataError(f"no file {path}", path=str(path), hint=hint)


def _read_file(path: Path) -> RawColumns:
    """A file, by its ending."""
    import pyarrow as pa

    kind = ending(path)
    if kind not in ENDINGS or (path.name.lower().endswith(".gz") and kind not in ENDINGS[:4]):
        raise DataError(
            f"cannot read {path}: its ending is not one of {' '.join(ENDINGS)}", path=str(path)
        )
    existing(path)
    if kind in DATABASES:
        tables = dict(read_sqlite(path))
        if len(tables) != 1:
            names = ", ".join(tables) or "none"
            raise DataError(
                f"{path} holds {len(tables)} tables ({names}), not one",
                path=str(path),
                hint="load them all",
            )
        return next(iter(tables.values()))
    try:
        if kind == ".parquet":
            import pyarrow.parquet as pq

            return _read_arrow(pq.read_table(path))
        data = (
            gzip.decompress(path.read_bytes())
            if path.name.lower().endswith(".gz")
            else path.read_bytes()
        )
    except (OSError, EOFError, pa.ArrowException) as error:
        raise DataError(f"cannot read {path}: {error}", path=str(path)) from error
    text = _decode(data, path)
    return (
        _read_json(text, path)
        if kind in (".json", ".jsonl")
        else _read_csv(text, path, "\t" if kind == ".tsv" else None)
    )


def _decode(data: bytes, path: Path) -> str:
    """The text of a file, which must be UTF-8: another encoding is not guessed, for a wrong guess
    is silent."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path} is not UTF-8: byte {error.start} (line {line}) is 0x{data[error.start]:02x}",
            path=str(path),
            row=line,
            hint=f"write it as UTF-8, e.g. iconv -f WINDOWS-1252 -t UTF-8 {path.name}, with the encoding it really has",
        ) from error


def _read_csv(text: str, path: Path, delimiter: str | None) -> RawColumns:
    """Separated values with a header line; quotes are doubled inside quotes; every row is as long
    as the header."""
    import pyarrow as pa
    import pyarrow.csv as pc

    delimiter = delimiter or _delimiter(text)
    _, headers = next(_records(text, delimiter), (0, []))
    if not headers:
        raise DataError(
            f"{path} is empty", path=str(path), hint="a table has at least a header line"
        )
    data = text.encode()
    names = [str(i) for i in range(len(headers))]
    blanks = len(headers) > 1  # in a table of one column an empty line is a missing value
    try:
        table = pc.read_csv(
            pa.BufferReader(data),
            pc.ReadOptions(
                column_names=names, block_size=min(max(len(data) // 4, 1 << 24), 1 << 30)
            ),
            pc.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=blanks
            ),
            pc.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid as error:
        for line, cells in _records(text, delimiter):
            if len(cells) != len(headers) and (cells or not blanks):
                message = (
                    f"{path}, line {line}: {len(cells)} cells where the header has {len(headers)}"
                )
                raise DataError(
                    message, path=str(path), row=line, hint="is a quote or a delimiter missing?"
                ) from error
        raise DataError(f"cannot read {path}: {error}", path=str(path)) from error
    return RawColumns(headers, table.slice(1).columns, [True] * len(headers), delimiter)


def _records(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """The rows of a CSV text, each with the number of its last line; empty lines in front are left
    out."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    try:
        for cells in reader:
            if cells or reader.line_num > 1:
                yield reader.line_num, cells
    except csv.Error:  # a cell beyond the reader's limit: whoever asks has its own error
        return


def _delimiter(text: str) -> str:
    """The delimiter under which the first rows are as long as the header, and the header
    longest."""
    sample = text[: 1 << 16]

    def fit(delimiter: str) -> tuple[float, int]:
        rows = [
            cells for _, (_, cells) in zip(range(21), _records(sample, delimiter), strict=False)
        ]
        rows = rows[:-1] if len(rows) > 1 and len(sample) < len(text) else rows
        width = len(rows[0]) if rows else 0
        return (sum(len(r) == width for r in rows) / len(rows), width) if width > 1 else (0, 0)

    return max(",;\t|", key=fit)


def _read_json(text: str, path: Path) -> RawColumns:
    """A list of objects, one object a line, or an object of columns; strings are meant as
    strings."""
    try:
        lines = (
            [line for line in text.split("\n") if line.strip()]
            if ending(path) == ".jsonl"
            else None
        )
        rows = json.loads(text) if lines is None else [json.loads(line) for line in lines]
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}", path=str(path)) from error
    except RecursionError as error:
        raise DataError(f"{path} is nested too deep", path=str(path)) from error
    if (
        isinstance(rows, dict)
        and rows
        and all(isinstance(column, list) for column in rows.values())
    ):
        if len({len(column) for column in rows.values()}) > 1:
            raise DataError(f"the columns of {path} differ in length", path=str(path))
        rows = [dict(zip(rows, cells, strict=True)) for cells in zip(*rows.values(), strict=True)]
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(
            f"{path} is not a list of objects",
            path=str(path),
            hint='write [{"name": "x", "count": 1}, ...]',
        )
    found = _read_dicts(rows)
    return found._replace(untyped=[False] * len(found.headers))


def _read_dicts(rows: Sequence[dict[Any, Any]]) -> RawColumns:
    """A list of dicts: the keys in the order they turn up, a missing key is no value."""
    keys = list(dict.fromkeys(key for row in rows for key in row))
    return _of_lists([str(key) for key in keys], [[row.get(key) for row in rows] for key in keys])


def _of_lists(headers: list[str], lists: list[list[Any]]) -> RawColumns:
    """Columns of Python values; a column of text, or of a mixture, is untyped text."""
    import pyarrow as pa

    columns = [array(values) for values in lists]
    return RawColumns(headers, columns, [pa.types.is_string(column.type) for column in columns])


def _read_frame(frame: Any) -> RawColumns:
    """A pandas DataFrame by position, for its column names may repeat; its index is left out."""
    import pyarrow as pa

    labels = [label if isinstance(label, tuple) else (label,) for label in frame.columns]
    headers = [" ".join(str(part) for part in label) for label in labels]
    columns = []
    for position in range(len(headers)):
        series = frame.iloc[:, position]
        try:
            column = pa.array(series, from_pandas=True)
            columns.append(
                column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
            )
        except (pa.ArrowException, OverflowError, UnicodeEncodeError, TypeError, ValueError):
            columns.append(array(series.tolist()))
    return RawColumns(headers, columns, [False] * len(headers))


def _read_arrow(table: pyarrow.Table) -> RawColumns:
    """An Arrow table; an index that pandas left in it is left out."""
    kept = [i for i, name in enumerate(table.column_names) if not name.startswith("__index_level_")]
    return RawColumns(
        [table.column_names[i] for i in kept], [table.column(i) for i in kept], [False] * len(kept)
    )


def read_sqlite(path: Path) -> list[tuple[str, RawColumns]]:
    """All tables and views of a SQLite file; declared types hold where the values fit them."""
    existing(path)
    try:
        connection = sqlite3.connect(path.resolve().as_uri() + "?mode=ro", uri=True)
        try:
            listing = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\'"
            return [
                (name, _read_sqlite_table(connection, name))
                for (name,) in connection.execute(listing + " ORDER BY rowid")
            ]
        finally:
            connection.close()
    except sqlite3.Error as error:
        raise DataError(f"cannot read {path} as SQLite: {error}", path=str(path)) from error


def _read_sqlite_table(connection: sqlite3.Connection, name: str) -> RawColumns:
    """One table or view of an open SQLite file."""
    quoted = '"' + name.replace('"', '""') + '"'
    declared = {
        row[1]: row[2].upper() for row in connection.execute(f"PRAGMA table_info({quoted})")
    }
    cursor = connection.execute(f"SELECT * FROM {quoted}")
    headers = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    lists = [list(cells) for cells in zip(*rows, strict=True)] if rows else [[] for _ in headers]
    columns = [
        _declared(values, declared.get(header, ""))
        for header, values in zip(headers, lists, strict=True)
    ]
    return RawColumns(headers, columns, [False] * len(headers))


def _declared(values: list[Any], declared: str) -> pyarrow.ChunkedArray:
    """A SQLite column under its declared type, by SQLite's own rules of affinity, dates and
    booleans added."""
    import pyarrow as pa

    kinds = [
        ("BOOL", pa.bool_()),
        ("INT", pa.int64()),
        ("CHAR", pa.string()),
        ("CLOB", pa.string()),
        ("TEXT", pa.string()),
    ]
    kinds += [
        ("BLOB", pa.binary()),
        ("REAL", pa.float64()),
        ("FLOA", pa.float64()),
        ("DOUB", pa.float64()),
    ]
    kinds += [
        ("TIMESTAMP", pa.timestamp("us")),
        ("DATETIME", pa.timestamp("us")),
        ("DATE", pa.date32()),
    ]
    kind = next((kind for word, kind in kinds if word in declared), None)
    if kind == pa.bool_() and all(value in (0, 1, None) for value in values):
        values = [None if value is None else bool(value) for value in values]
    column = array(values, None if kind is None or pa.types.is_temporal(kind) else kind)
    if kind is not None and (
        pa.types.is_temporal(kind)
        and pa.types.is_string(column.type)
        or pa.types.is_null(column.type)
    ):
        try:
            return column.cast(kind)
        except pa.ArrowException:  # a date column that holds other text
            return column
    return column
