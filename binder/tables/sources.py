"""Sources of tables: a DataFrame, an Arrow table, a list of dicts, a file.

Each is read as headers and Arrow columns, with a word on which columns are text that has no type
yet. No value is interpreted here."""

from __future__ import annotations

import csv
import gzip
import io
import json
import sqlite3
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from binder.errors import DataError, nearest
from binder.tables.arrow import array, converted

if TYPE_CHECKING:
    import pyarrow

TEXTS = (".csv", ".tsv", ".json", ".jsonl")  # which may be compressed
DATABASES = (".sqlite", ".sqlite3", ".db")
ENDINGS = (*TEXTS, ".parquet", *DATABASES)
_SAMPLE = 1 << 16  # characters in which the delimiter is looked for
_LINES = 21  # of the sample that are compared
_BLOCK = 1 << 24, 1 << 30  # bytes of a block of CSV, which must hold a whole row


class RawColumns(NamedTuple):
    """Headers and columns as found; untyped says which columns are text because their source knows
    nothing else. delimiter: what stands between the cells of a file of separated values."""

    headers: list[str]
    columns: list[pyarrow.ChunkedArray]
    untyped: list[bool]
    delimiter: str | None = None


def _typed(headers: list[str], columns: list[pyarrow.ChunkedArray]) -> RawColumns:
    """Columns whose types are those of the source."""
    return RawColumns(headers, columns, [False] * len(headers))


def read(source: Any) -> RawColumns:
    """The headers and columns of anything that holds one table."""
    if isinstance(source, (str, Path)):
        return _read_file(Path(source))
    if _is_frame(source):
        return _read_frame(source)
    if hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__"):
        import pyarrow as pa

        return _read_arrow(pa.table(source))
    if isinstance(source, Sequence) and all(isinstance(row, dict) for row in source):
        return _read_dicts(source)
    raise DataError(
        f"cannot make a table from {type(source).__name__}",
        hint="pass a DataFrame, an Arrow table, a DuckDB relation, a list of dicts, or the path of"
        f" a file {' '.join(ENDINGS)}",
    )


def _is_frame(source: Any) -> bool:
    """Whether a source is a DataFrame of pandas, which need not be imported to tell."""
    from_pandas = type(source).__module__.partition(".")[0] == "pandas"
    return from_pandas and hasattr(source, "iloc") and hasattr(source, "columns")


# ---- files


def ending(path: Path) -> str:
    """The ending of a file name in lower case, without .gz."""
    name = path.name.lower().removesuffix(".gz")
    return Path(name).suffix


def existing(path: Path) -> Path:
    """The path of a file that is there."""
    if path.is_file():
        return path
    raise DataError(f"no such file: {path}", path=str(path), hint=_no_file(path))


def _no_file(path: Path) -> str:
    """A hint for a path without a file: files with such a name, or where it was looked for."""
    folder = path.parent
    if not folder.is_dir():
        return f"folder {folder} does not exist"
    others = sorted(p.name for p in folder.iterdir() if p.is_file())
    near = nearest(path.name, others)
    if near:
        return f"did you mean {' or '.join(near)}?"
    place = "the current folder" if folder == Path() else str(folder)
    return f"no such file in {place}"


def _read_file(path: Path) -> RawColumns:
    """A file, by its ending."""
    kind = ending(path)
    packed = path.name.lower().endswith(".gz")
    if kind not in (TEXTS if packed else ENDINGS):
        raise DataError(
            f"cannot read {path}: unsupported file type",
            path=str(path),
            hint=f"supported: {' '.join(ENDINGS)}",
        )
    existing(path)
    if kind in DATABASES:
        return _only_table(path)
    if kind == ".parquet":
        return _read_parquet(path)
    try:
        data = path.read_bytes()
        text = _decode(gzip.decompress(data) if packed else data, path)
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"cannot read {path}: {error}", path=str(path)) from error
    if kind in (".json", ".jsonl"):
        return _read_json(text, path)
    return _read_csv(text, path, "\t" if kind == ".tsv" else _delimiter(text))


def _only_table(path: Path) -> RawColumns:
    """The table of a database that has one."""
    tables = dict(read_sqlite(path))
    if len(tables) == 1:
        return next(iter(tables.values()))
    names = ", ".join(tables) or "none"
    raise DataError(
        f"{path} has {len(tables)} tables ({names})",
        path=str(path),
        hint="connect to the file itself to load all of them",
    )


def _read_parquet(path: Path) -> RawColumns:
    """A Parquet file."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        return _read_arrow(pq.read_table(path))
    except (OSError, EOFError, pa.ArrowException) as error:
        raise DataError(f"cannot read {path}: {error}", path=str(path)) from error


def _decode(data: bytes, path: Path) -> str:
    """The text of a file, which must be UTF-8: another encoding is not guessed, for a wrong guess
    is silent."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        convert = f"iconv -f WINDOWS-1252 -t UTF-8 {path.name} > utf8{ending(path)}"
        raise DataError(
            f"{path} is not UTF-8: byte {error.start} (line {line}) is 0x{data[error.start]:02x}",
            path=str(path),
            row=line,
            hint=f"convert it, for example: {convert}",
        ) from error


# ---- separated values


def _read_csv(text: str, path: Path, delimiter: str) -> RawColumns:
    """Separated values with a header line; quotes are doubled inside quotes; every row is as long
    as the header."""
    import pyarrow as pa
    import pyarrow.csv as pc

    _, headers = next(_records(text, delimiter), (0, []))
    if not headers:
        hint = "a CSV file needs at least a header line"
        raise DataError(f"{path} is empty", path=str(path), hint=hint)
    data = text.encode()
    names = [str(i) for i in range(len(headers))]
    least, most = _BLOCK
    block = min(max(len(data) // 4, least), most)
    # In a table of one column an empty line is a missing value.
    skips_blanks = len(headers) > 1
    try:
        table = pc.read_csv(
            pa.BufferReader(data),
            pc.ReadOptions(column_names=names, block_size=block),
            pc.ParseOptions(
                delimiter=delimiter, newlines_in_values=True, ignore_empty_lines=skips_blanks
            ),
            pc.ConvertOptions(
                column_types=dict.fromkeys(names, pa.string()),
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid as error:
        _check_lengths(text, path, delimiter, len(headers))
        raise DataError(f"cannot read {path}: {error}", path=str(path)) from error
    return RawColumns(headers, table.slice(1).columns, [True] * len(headers), delimiter)


def _check_lengths(text: str, path: Path, delimiter: str, width: int) -> None:
    """Raises a DataError at the first row that is not as long as the header."""
    for line, cells in _records(text, delimiter):
        if len(cells) == width or (not cells and width > 1):
            continue
        raise DataError(
            f"{path}, line {line}: {len(cells)} cells, expected {width}",
            path=str(path),
            row=line,
            hint="check for a missing quote or delimiter",
        )


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
    sample = text[:_SAMPLE]
    is_cut = len(sample) < len(text)

    def fit(delimiter: str) -> tuple[float, int]:
        rows = [cells for _, cells in islice(_records(sample, delimiter), _LINES)]
        if is_cut and len(rows) > 1:
            rows.pop()  # it may end in the middle
        width = len(rows[0]) if rows else 0
        if width <= 1:
            return 0, 0
        return sum(len(row) == width for row in rows) / len(rows), width

    return max(",;\t|", key=fit)


# ---- JSON and dicts


def _read_json(text: str, path: Path) -> RawColumns:
    """A list of objects, one object a line, or an object of columns; strings are meant as
    strings."""
    data = _parsed(text, path)
    if isinstance(data, dict) and data and all(isinstance(c, list) for c in data.values()):
        data = _rows_of(data, path)
    if not isinstance(data, list) or not all(isinstance(row, dict) for row in data):
        raise DataError(
            f"{path} is not a list of objects",
            path=str(path),
            hint='expected [{"name": "x", "count": 1}, ...]',
        )
    found = _read_dicts(data)
    return _typed(found.headers, found.columns)


def _parsed(text: str, path: Path) -> Any:
    """The value that a JSON text holds, or the list of those of JSON lines."""
    try:
        if ending(path) != ".jsonl":
            return json.loads(text)
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    except ValueError as error:
        raise DataError(f"{path} is not JSON: {error}", path=str(path)) from error
    except RecursionError as error:
        raise DataError(f"{path} is nested too deeply", path=str(path)) from error


def _rows_of(columns: dict[str, list[Any]], path: Path) -> list[dict[str, Any]]:
    """The rows of an object of columns."""
    if len({len(column) for column in columns.values()}) > 1:
        raise DataError(f"the columns of {path} differ in length", path=str(path))
    rows = zip(*columns.values(), strict=True)
    return [dict(zip(columns, cells, strict=True)) for cells in rows]


def _read_dicts(rows: Sequence[dict[Any, Any]]) -> RawColumns:
    """A list of dicts: the keys in the order they turn up, a missing key is no value. A column of
    text, or of a mixture, is untyped."""
    import pyarrow as pa

    keys: dict[Any, None] = {}
    for row in rows:
        keys.update(dict.fromkeys(row))

    def cells(key: Any) -> list[Any]:
        return [row.get(key) for row in rows]

    columns = [array(cells(key)) for key in keys]
    untyped = [pa.types.is_string(column.type) for column in columns]
    return RawColumns([str(key) for key in keys], columns, untyped)


# ---- frames


def _read_frame(frame: Any) -> RawColumns:
    """A pandas DataFrame by position, for its column names may repeat; its index is left out."""
    headers = []
    columns = []
    for position, label in enumerate(frame.columns):
        parts = label if isinstance(label, tuple) else (label,)
        headers.append(" ".join(map(str, parts)))
        series = frame.iloc[:, position]
        column = converted(series)
        columns.append(array(series.tolist()) if column is None else column)
    return _typed(headers, columns)


def _read_arrow(table: pyarrow.Table) -> RawColumns:
    """An Arrow table; an index that pandas left in it is left out."""
    headers = []
    columns = []
    for name, column in zip(table.column_names, table.columns, strict=True):
        if not name.startswith("__index_level_"):
            headers.append(name)
            columns.append(column)
    return _typed(headers, columns)


# ---- SQLite

_TABLES = r"""
SELECT name FROM sqlite_master
WHERE type IN ('table', 'view') AND name NOT LIKE 'sqlite\_%' ESCAPE '\'
ORDER BY rowid
"""


def read_sqlite(path: Path) -> list[tuple[str, RawColumns]]:
    """All tables and views of a SQLite file; declared types hold where the values fit them."""
    address = existing(path).resolve().as_uri() + "?mode=ro"
    try:
        with closing(sqlite3.connect(address, uri=True)) as connection:
            names = [name for (name,) in connection.execute(_TABLES)]
            return [(name, _read_sqlite_table(connection, name)) for name in names]
    except sqlite3.Error as error:
        raise DataError(f"cannot read {path} as SQLite: {error}", path=str(path)) from error


def _read_sqlite_table(connection: sqlite3.Connection, name: str) -> RawColumns:
    """One table or view of an open SQLite file."""
    quoted = '"' + name.replace('"', '""') + '"'
    declared = {}
    for row in connection.execute(f"PRAGMA table_info({quoted})"):
        declared[row[1]] = row[2].upper()
    cursor = connection.execute(f"SELECT * FROM {quoted}")
    headers = [column[0] for column in cursor.description]
    rows = cursor.fetchall()
    cells = [list(cells) for cells in zip(*rows, strict=True)] if rows else [[] for _ in headers]
    kinds = [declared.get(header, "") for header in headers]
    return _typed(headers, list(map(_declared, cells, kinds)))


def _declared(values: list[Any], declared: str) -> pyarrow.ChunkedArray:
    """A SQLite column under its declared type, where the values fit it."""
    import pyarrow as pa

    kind = _declared_type(declared)
    if kind is None:
        return array(values)
    if kind == pa.bool_() and all(value in (0, 1, None) for value in values):
        values = [None if value is None else bool(value) for value in values]
    # SQLite keeps dates as text, which Arrow casts.
    of_dates = pa.types.is_temporal(kind)
    column = array(values, None if of_dates else kind)
    if not pa.types.is_null(column.type) and not (of_dates and pa.types.is_string(column.type)):
        return column
    try:
        return column.cast(kind)
    except pa.ArrowException:  # a date column that holds other text
        return column


def _declared_type(declared: str) -> pyarrow.DataType | None:
    """The type that a declaration means, by SQLite's own rules of affinity, dates and booleans
    added; the first word found decides."""
    import pyarrow as pa

    kinds = {
        "BOOL": pa.bool_(),
        "INT": pa.int64(),
        "CHAR": pa.string(),
        "CLOB": pa.string(),
        "TEXT": pa.string(),
        "BLOB": pa.binary(),
        "REAL": pa.float64(),
        "FLOA": pa.float64(),
        "DOUB": pa.float64(),
        "TIMESTAMP": pa.timestamp("us"),
        "DATETIME": pa.timestamp("us"),
        "DATE": pa.date32(),
    }
    return next((kind for word, kind in kinds.items() if word in declared), None)
