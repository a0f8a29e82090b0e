"""Frames: pandas and polars, Arrow tables, and what else yields Arrow data.

Each column arrives in a type that the engine has. A column whose values would not come back equal
is refused by its name, or becomes text and a note says so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from binder.errors import DataError
from binder.tables.arrow import array

if TYPE_CHECKING:
    import pyarrow

_WIDEST = 38  # digits of a DECIMAL


class FrameColumns(NamedTuple):
    """Headers, columns, and what a user should know of them."""

    headers: list[str]
    columns: list[pyarrow.ChunkedArray]
    notes: list[str]


def is_pandas(source: Any) -> bool:
    """Whether this is a DataFrame or a Series of pandas, or of a library that mimics it."""
    return _library(source) == "pandas" and hasattr(source, "iloc")


def yields_arrow(source: Any) -> bool:
    """Whether Arrow data can be had of this."""
    if _library(source) == "polars" and hasattr(source, "collect"):
        return True
    return hasattr(source, "__arrow_c_stream__") or hasattr(source, "__arrow_c_array__")


def _library(source: Any) -> str:
    return type(source).__module__.partition(".")[0]


def read_pandas(frame: Any) -> FrameColumns:
    """A pandas DataFrame by position, for its column names may repeat; the levels of its index
    that have a name come first."""
    if not hasattr(frame, "columns"):
        frame = frame.to_frame("value" if frame.name is None else frame.name)
    notes: list[str] = []
    series = _named_levels(frame.index)
    if not series and _says_something(frame.index):
        notes.append("the index has no name and is left out: df.rename_axis('name') keeps it")
    for position, label in enumerate(frame.columns):
        parts = label if isinstance(label, tuple) else (label,)
        series.append((" ".join(map(str, parts)), frame.iloc[:, position]))
    columns = []
    for header, values in series:
        column, note = native(_of_series(values, header), header)
        if getattr(getattr(values, "dtype", None), "ordered", False):
            note = f"{header} is an ordered category, and is compared as text here"
        columns.append(column)
        notes += [note] if note else []
    return FrameColumns([header for header, _ in series], columns, notes)


def _named_levels(index: Any) -> list[tuple[str, Any]]:
    """The levels of an index that have a name, as series."""
    found = []
    for level, name in enumerate(index.names):
        if name is not None:
            found.append((str(name), index.get_level_values(level).to_series()))
    return found


def _says_something(index: Any) -> bool:
    """Whether an index is more than the numbers of rows that a filter left."""
    if type(index).__name__ == "RangeIndex":
        return False
    return bool(index.nlevels > 1 or not hasattr(index, "dtype") or index.dtype.kind not in "iu")


def _of_series(series: Any, header: str) -> pyarrow.ChunkedArray:
    """A pandas Series as an Arrow column."""
    import pyarrow as pa

    name = type(series.dtype).__name__
    if series.dtype.kind == "c":
        raise _refused(header, "complex numbers")
    if name in ("PeriodDtype", "IntervalDtype"):
        missing = series.isna().tolist()
        texts = series.astype(str).tolist()
        cells = [None if gone else text for text, gone in zip(texts, missing, strict=True)]
        return pa.chunked_array([pa.array(cells, pa.string())])
    if name == "SparseDtype":
        series = series.sparse.to_dense()
    try:
        column = pa.array(series, from_pandas=True)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError, TypeError, ValueError):
        return array(series.tolist())
    return column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])


def read_arrow(source: Any) -> FrameColumns:
    """Arrow data; an index that pandas left in it without a name is left out."""
    import pyarrow as pa

    if hasattr(source, "collect") and not hasattr(source, "__arrow_c_stream__"):
        source = source.collect()
    if hasattr(source, "to_frame") and _library(source) == "polars":
        source = source.to_frame()
    try:
        table = pa.table(source)
    except (pa.ArrowException, TypeError, ValueError, NotImplementedError) as error:
        raise DataError(
            f"a table cannot be made of a {type(source).__name__}: {error}",
            hint="give a table of columns, not one array",
        ) from error
    except BaseException as error:  # polars raises its panics so
        if not type(error).__module__.startswith(("polars", "pyo3")):
            raise
        raise DataError(f"a table cannot be made of this frame: {error}") from error
    headers, columns, notes = [], [], []
    for field, column in zip(table.schema, table.columns, strict=True):
        if field.name.startswith("__index_level_"):
            continue
        if (field.metadata or {}).get(b"ARROW:extension:name", b"").startswith(b"pandas."):
            raise _refused(field.name, "pandas periods or intervals")
        column, note = native(column, field.name)
        headers.append(field.name)
        columns.append(column)
        notes += [note] if note else []
    return FrameColumns(headers, columns, notes)


def native(column: pyarrow.ChunkedArray, header: str) -> tuple[pyarrow.ChunkedArray, str | None]:
    """A column in a type that the engine has, with a note where that is text instead."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return _of_extension(column, header)
    if pa.types.is_run_end_encoded(kind):
        chunks = [pc.run_end_decode(chunk) for chunk in column.chunks]
        return native(pa.chunked_array(chunks, kind.value_type), header)
    if pa.types.is_dictionary(kind):
        return native(_decoded(column), header)
    if pa.types.is_decimal(kind) and (kind.precision > _WIDEST or kind.scale < 0):
        return _narrowed(column, header)
    if any(_is_dense(part) or _is_wide(part) for part in _parts(kind)):
        raise _refused(header, str(kind))
    return column, None


def _decoded(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """A dictionary as its values; Arrow takes none from a view of strings."""
    import pyarrow as pa

    inner = column.type.value_type
    inner = pa.string() if pa.types.is_string_view(inner) else inner
    chunks = [chunk.dictionary.cast(inner).take(chunk.indices) for chunk in column.chunks]
    return pa.chunked_array(chunks, inner)


def _of_extension(
    column: pyarrow.ChunkedArray, header: str
) -> tuple[pyarrow.ChunkedArray, str | None]:
    """A column of an extension type: by its storage, where that is its value."""
    import pyarrow as pa

    kind = column.type
    if kind.extension_name.startswith("pandas."):
        return _of_series(column.to_pandas(), header), None
    if kind.extension_name == "arrow.uuid":
        cells = [None if value is None else str(value) for value in column.to_pylist()]
        return pa.chunked_array([pa.array(cells, pa.string())]), None
    chunks = [chunk.storage for chunk in column.chunks]
    storage = pa.chunked_array(chunks, kind.storage_type)
    if kind.extension_name == "arrow.bool8":
        return storage.cast(pa.bool_()), None
    return native(storage, header)


def _narrowed(column: pyarrow.ChunkedArray, header: str) -> tuple[pyarrow.ChunkedArray, str | None]:
    """Decimals that are wider than the engine's, as its own where their values are not."""
    import pyarrow as pa

    scale = max(column.type.scale, 0)
    try:
        return column.cast(pa.decimal128(_WIDEST, scale)), None
    except pa.ArrowInvalid:
        cells = [None if value is None else f"{value:f}" for value in column.to_pylist()]
        note = f"{header} has numbers of more than {_WIDEST} digits, and is text here"
        return pa.chunked_array([pa.array(cells, pa.string())]), note


def _parts(kind: pyarrow.DataType) -> list[pyarrow.DataType]:
    """A type and the types inside it."""
    inner = [kind.field(place).type for place in range(kind.num_fields)]
    return [kind, *(part for one in inner for part in _parts(one))]


def _is_dense(kind: pyarrow.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_union(kind) and kind.mode == "dense")


def _is_wide(kind: pyarrow.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_decimal(kind) and (kind.precision > _WIDEST or kind.scale < 0))


def _refused(header: str, what: str) -> DataError:
    return DataError(
        f"column {header!r} holds {what}, which the engine does not have",
        hint="leave the column out, or make it text or numbers first",
    )


def of_columns(found: dict[Any, Sequence[Any]]) -> FrameColumns:
    """A dict of columns, as pandas takes it."""
    if len({len(column) for column in found.values()}) > 1:
        lengths = ", ".join(f"{name}: {len(column)}" for name, column in found.items())
        raise DataError(f"the columns differ in length: {lengths}")
    columns = [array(list(column)) for column in found.values()]
    return FrameColumns([str(name) for name in found], columns, [])


def holds_columns(found: Any) -> bool:
    """Whether a dict has columns of values, not tables."""
    values = list(found.values())
    if not values or not any(len(value) for value in values if isinstance(value, (list, tuple))):
        return False
    return all(
        isinstance(value, (list, tuple))
        and not any(isinstance(item, dict) or hasattr(item, "columns") for item in value)
        and not _names_a_database(value)
        for value in values
    )


def _names_a_database(value: Sequence[Any]) -> bool:
    """Whether this is a pair of a connection and the name of a table."""
    return isinstance(value, tuple) and len(value) == 2 and not isinstance(value[0], (str, int))
