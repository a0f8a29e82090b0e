"""Sources of tables: frames, Arrow data, dicts, files, databases.

Each is read as headers and Arrow columns, with a word on which columns are text that has no type
yet, and notes on what was left out. No value is interpreted here."""

from __future__ import annotations

import io
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from binder.errors import DataError
from binder.tables import csv, databases, excel, frames, json
from binder.tables.arrow import array
from binder.tables.csv import Csv
from binder.tables.encoding import decode
from binder.tables.files import STANDARD_INPUT, ending, existing, matching, must_be_text, read_bytes
from binder.tables.frames import FrameColumns
from binder.tables.sqlite import SqliteTable, StoredTable, read_sqlite

if TYPE_CHECKING:
    import pyarrow

TEXTS = (".csv", ".tsv", ".tab", ".txt", ".json", ".jsonl", ".ndjson")
DATABASES = (".sqlite", ".sqlite3", ".db")
ENDINGS = (*TEXTS, ".parquet", ".feather", ".arrow", *excel.ENDINGS, *DATABASES)
_JSON = (".json", ".jsonl", ".ndjson")
_TABS = (".tsv", ".tab")


class RawColumns(NamedTuple):
    """Headers and columns as found. untyped: which are text because their source knows nothing
    else; notes: what was left out; delimiter: what stands between the cells of a text file;
    stored: where SQLite keeps the values."""

    headers: list[str]
    columns: list[pyarrow.ChunkedArray]
    untyped: list[bool]
    notes: tuple[str, ...] = ()
    delimiter: str | None = None
    stored: StoredTable | None = None


def read(source: Any) -> RawColumns:
    """The headers and columns of anything that holds one table."""
    if isinstance(source, (str, os.PathLike)):
        return _read_path(os.fspath(source), Csv(source))
    if isinstance(source, Csv):
        return _read_text(source)
    if isinstance(source, RawColumns):
        return source
    if frames.is_pandas(source):
        return _typed(frames.read_pandas(source))
    if isinstance(source, tuple) and len(source) == 2 and databases.is_database(source[0]):
        return _read_database(*source)
    if frames.yields_arrow(source):
        return _typed(frames.read_arrow(source))
    if databases.is_database(source):
        return _only_one(read_all(source), "the database")
    if (found := _of_python(source)) is not None:
        return found
    raise DataError(
        f"cannot make a table from {type(source).__name__}",
        hint="pass a DataFrame, an Arrow table, a DuckDB relation, a list of dicts, or the path of"
        f" a file {' '.join(ENDINGS)}; a dict gives each of its tables a name",
    )


def _of_python(source: Any) -> RawColumns | None:
    """A dict of columns, or dicts in any order of their own; None for anything else."""
    if isinstance(source, Mapping) and frames.holds_columns(source):
        return _loosely(frames.of_columns(dict(source)))
    if isinstance(source, Iterable) and not isinstance(source, (Mapping, bytes)):
        source = source if isinstance(source, Sequence) else list(source)
    if isinstance(source, Sequence) and all(isinstance(row, dict) for row in source):
        return _read_dicts(source)
    return None


def read_all(source: Any) -> list[tuple[str, RawColumns]] | None:
    """The tables of a source that holds several under names of its own; None for any other."""
    if isinstance(source, (str, os.PathLike)):
        kind = ending(os.fspath(source))
        if kind in DATABASES:
            found = read_sqlite(Path(source))
            return [(name, _of_sqlite(table, Path(source), name)) for name, table in found]
        if kind in excel.ENDINGS:
            sheets = excel.read_sheets(existing(Path(source)))
            return [(sheet.name, _of_sheet(sheet)) for sheet in sheets]
    elif not frames.yields_arrow(source) and databases.is_database(source):
        names = databases.table_names(source)
        return [(name, _read_database(source, query)) for name, query in names]
    return None


# ---- files


def _read_path(path: str, options: Csv) -> RawColumns:
    """A file by its ending, or all files of a pattern, one below the other."""
    if path == STANDARD_INPUT:
        return _of_unknown(read_bytes(path), "standard input", options)
    paths = matching(path)
    if len(paths) == 1:
        return _read_file(paths[0], options)
    return _stacked([(str(each), _read_file(each, options)) for each in paths])


def _read_file(path: Path, options: Csv) -> RawColumns:
    """A file, by its ending."""
    existing(path)
    kind = ending(path)
    if kind not in ENDINGS:
        raise DataError(
            f"cannot read {path}: unsupported file type",
            path=str(path),
            hint=f"supported: {' '.join(ENDINGS)}; binder.csv(path) reads any other as text",
        )
    if kind in DATABASES or kind in excel.ENDINGS:
        return _only_one(read_all(path), str(path))
    if kind in (".parquet", ".feather", ".arrow"):
        return _read_columnar(path, kind)
    data = read_bytes(path)
    if kind in _JSON:
        return _of_json(data, str(path))
    options = replace(options, delimiter=options.delimiter or _tab_of(kind))
    return _of_csv(data, str(path), options)


def _tab_of(kind: str) -> str | None:
    return "\t" if kind in _TABS else None


def _read_columnar(path: Path, kind: str) -> RawColumns:
    """A Parquet or an Arrow file."""
    import pyarrow as pa
    import pyarrow.feather
    import pyarrow.parquet as pq

    read_table = pq.read_table if kind == ".parquet" else pa.feather.read_table
    try:
        table = read_table(path)
    except (OSError, EOFError, pa.ArrowException) as error:
        raise DataError(f"cannot read {path}: {error}", path=str(path)) from error
    return _typed(frames.read_arrow(table))


def _read_text(options: Csv) -> RawColumns:
    """A text file with what its user says of it, whatever its ending; or an open file."""
    path = options.path
    if hasattr(path, "read"):
        data = path.read()
        name = str(getattr(path, "name", "the text"))
        return _of_csv(data.encode() if isinstance(data, str) else data, name, options)
    name = os.fspath(path)
    if name == STANDARD_INPUT:
        return _of_csv(read_bytes(name), "standard input", options)
    options = replace(options, delimiter=options.delimiter or _tab_of(ending(name)))
    found = []
    for each in matching(name):
        existing(each)
        found.append((str(each), _of_csv(read_bytes(each), str(each), options)))
    return found[0][1] if len(found) == 1 else _stacked(found)


def _of_unknown(data: bytes, path: str, options: Csv) -> RawColumns:
    """Bytes without a name: Parquet, JSON or separated values, as they begin."""
    if data.startswith(b"PAR1"):
        import pyarrow.parquet as pq

        return _typed(frames.read_arrow(pq.read_table(io.BytesIO(data))))
    if data.lstrip()[:1] in (b"[", b"{"):
        return _of_json(data, path)
    return _of_csv(data, path, options)


def _of_csv(data: bytes, path: str, options: Csv) -> RawColumns:
    """Separated values."""
    must_be_text(data, path)
    text, notes, is_utf8 = decode(data, path, options.encoding)
    sheet = csv.parse(text, path, options, data if is_utf8 else None)
    columns = list(sheet.columns)
    untyped = [True] * len(columns)
    if options.decimal == ",":
        for place, column in enumerate(columns):
            numbers = csv.with_decimal_comma(column)
            if numbers is not None:
                columns[place], untyped[place] = numbers, False
    told = (*notes, *sheet.notes)
    return RawColumns(sheet.headers, columns, untyped, told, sheet.dialect.delimiter)


def _of_json(data: bytes, path: str) -> RawColumns:
    """JSON, whose strings are meant as strings."""
    must_be_text(data, path)
    text, notes, _ = decode(data, path)
    rows, left = json.read_rows(text, path)
    found = _read_dicts(rows)
    return found._replace(untyped=[False] * len(found.headers), notes=(*notes, *left))


def _stacked(found: Sequence[tuple[str, RawColumns]]) -> RawColumns:
    """The rows of several files that have the same columns, one file below the other."""
    import pyarrow as pa

    (_, first), *others = found
    names = [header.strip() for header in first.headers]
    parts: list[list[Any]] = [list(column.chunks) for column in first.columns]
    notes = [f"{found[0][0]}: {note}" for note in first.notes]
    for path, raw in others:
        own = [header.strip() for header in raw.headers]
        if sorted(own) != sorted(names) or len(set(own)) < len(own):
            raise DataError(
                f"{path} has the columns {', '.join(own)}; {found[0][0]} has {', '.join(names)}",
                path=path,
                hint="give each its own name, or make their headers the same",
            )
        for place, name in enumerate(names):
            column = raw.columns[own.index(name)]
            if column.type != first.columns[place].type:
                column = _like(column, first.columns[place].type, path, name)
            parts[place].extend(column.chunks)
        notes += [f"{path}: {note}" for note in raw.notes]
    kinds = [column.type for column in first.columns]
    columns = [pa.chunked_array(chunks, kind) for chunks, kind in zip(parts, kinds, strict=True)]
    return first._replace(columns=columns, notes=tuple(notes))


def _like(
    column: pyarrow.ChunkedArray, kind: pyarrow.DataType, path: str, name: str
) -> pyarrow.ChunkedArray:
    """A column in the type that it has in another file."""
    import pyarrow as pa

    try:
        return column.cast(kind)
    except pa.ArrowException as error:
        raise DataError(
            f"column {name!r} of {path} is {column.type}, and {kind} in the first file", path=path
        ) from error


# ---- what holds several tables


def _only_one(tables: list[tuple[str, RawColumns]] | None, path: str) -> RawColumns:
    """The table of a source that has one."""
    tables = tables or []
    if len(tables) == 1:
        return tables[0][1]
    names = ", ".join(name for name, _ in tables) or "none"
    raise DataError(
        f"{path} has {len(tables)} tables ({names})",
        path=path,
        hint="connect to the file itself to load all of them",
    )


def _of_sqlite(table: SqliteTable, path: Path, name: str) -> RawColumns:
    stored = StoredTable(path, name, table.declared, (*table.notes, *table.strays))
    notes = (*table.notes, *table.changed)
    return RawColumns(table.headers, table.columns, table.untyped, notes, stored=stored)


def _of_sheet(sheet: excel.SheetCells) -> RawColumns:
    """A sheet: its text is untyped, as that of a text file is."""
    columns = [array(column) for column in sheet.columns]
    return RawColumns(sheet.headers, columns, _texts(columns), tuple(sheet.notes))


def _read_database(source: Any, wanted: str) -> RawColumns:
    """A table, or a query, of an open database; its types are those of the database."""
    found = databases.read_query(source, wanted)
    if found.arrow is not None:
        return _typed(frames.read_arrow(found.arrow))
    columns = []
    notes: list[str] = []
    for header, values in zip(found.headers, found.columns, strict=True):
        column, note = frames.native(array(values), header)
        columns.append(column)
        notes += [note] if note else []
    return _typed(FrameColumns(found.headers, columns, notes))


# ---- rows and columns


def _typed(found: FrameColumns) -> RawColumns:
    """Columns whose types are those of the source."""
    untyped = [False] * len(found.headers)
    return RawColumns(found.headers, found.columns, untyped, tuple(found.notes))


def _loosely(found: FrameColumns) -> RawColumns:
    """Columns of Python values, whose text may be meant as anything."""
    return RawColumns(found.headers, found.columns, _texts(found.columns), tuple(found.notes))


def _texts(columns: Sequence[pyarrow.ChunkedArray]) -> list[bool]:
    """Which columns are text, or a mixture that became text."""
    import pyarrow as pa

    return [pa.types.is_string(column.type) for column in columns]


def _read_dicts(rows: Sequence[dict[Any, Any]]) -> RawColumns:
    """A list of dicts: the keys in the order they turn up, a missing key is no value."""
    keys: dict[Any, None] = {}
    for row in rows:
        keys.update(dict.fromkeys(row))

    def cells(key: Any) -> list[Any]:
        return [row.get(key) for row in rows]

    columns = []
    notes: list[str] = []
    for key in keys:
        column, note = frames.native(array(cells(key)), str(key))
        columns.append(column)
        notes += [note] if note else []
    return _loosely(FrameColumns([str(key) for key in keys], columns, notes))
