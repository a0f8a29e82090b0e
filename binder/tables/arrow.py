"""Columns as Arrow arrays: how they are made of Python values, which DuckDB type they have, how
text gets its type.

Python values or a column of text come in; an array of one type comes out, with the raw text where
the values do not spell it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from binder.tables.cells import MISSING
from binder.tables.codec import spell
from binder.tables.infer import SHARE, is_code, read_column

if TYPE_CHECKING:
    import pyarrow

_LARGE = 1000  # distinct cells: below, Python reads them all; above, whole arrays are cast first
_NUMBER = r"^-?(?:(?:0|[1-9]\d{0,17})(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d{1,2})?$"
_DATE = r"^\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)?$"


def array(values: list[Any], kind: pyarrow.DataType | None = None) -> pyarrow.ChunkedArray:
    """Python values as an Arrow column, of this type if all fit; a mixture of types becomes
    text."""
    import pyarrow as pa

    for attempt in (kind, None) if kind is not None else (None,):
        try:
            column = pa.array(values, type=attempt, from_pandas=True)
            if pa.types.is_struct(column.type) and column.type.num_fields == 0:
                break  # of empty dicts: no engine has such a type
            return column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])
        except (pa.ArrowException, OverflowError, UnicodeEncodeError, TypeError, ValueError):
            continue
    return pa.chunked_array([pa.array([spell(value) for value in values], pa.string())])


def plain(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """A column in the type the engine knows best: no dictionaries, one kind of string, microseconds
    where nothing is lost."""
    import pyarrow as pa

    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        return plain(
            pa.chunked_array([chunk.storage for chunk in column.chunks], kind.storage_type)
        )
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return plain(column.cast(kind.value_type))
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_timestamp(kind) and kind.unit != "us":
        try:
            return column.cast(pa.timestamp("us", kind.tz))
        except pa.ArrowInvalid:  # nanoseconds that count, or a year out of reach
            return column
    if pa.types.is_date64(kind):
        return column.cast(pa.date32())
    return column.cast(pa.float32()) if pa.types.is_float16(kind) else column


_NAMES = {  # of those that DuckDB calls otherwise
    **dict.fromkeys(("string", "large_string", "string_view", "null"), "VARCHAR"),
    **dict.fromkeys(("binary", "large_binary", "binary_view"), "BLOB"),
    **dict.fromkeys(("date32[day]", "date64[ms]"), "DATE"),
    "bool": "BOOLEAN",
    "int8": "TINYINT",
    "int16": "SMALLINT",
    "int32": "INTEGER",
    "int64": "BIGINT",
    "uint8": "UTINYINT",
    "uint16": "USMALLINT",
    "uint32": "UINTEGER",
    "uint64": "UBIGINT",
    "halffloat": "FLOAT",
    "timestamp[us]": "TIMESTAMP",
    "timestamp[ns]": "TIMESTAMP_NS",
    "timestamp[ms]": "TIMESTAMP_MS",
    "timestamp[s]": "TIMESTAMP_S",
    "month_day_nano_interval": "INTERVAL",
}


def duckdb_type(kind: pyarrow.DataType) -> str:
    """The DuckDB type under which an Arrow type is read."""
    import pyarrow as pa

    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_fixed_size_list(kind):
        return f"{duckdb_type(kind.value_type)}[{kind.list_size}]"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"{duckdb_type(kind.value_type)}[]"
    if pa.types.is_map(kind):
        return f"MAP({duckdb_type(kind.key_type)}, {duckdb_type(kind.item_type)})"
    if pa.types.is_struct(kind):
        fields = (
            '"' + field.name.replace('"', '""') + '" ' + duckdb_type(field.type) for field in kind
        )
        return f"STRUCT({', '.join(fields)})"
    if pa.types.is_dictionary(kind):
        return duckdb_type(kind.value_type)
    if pa.types.is_timestamp(kind) and kind.tz:
        return "TIMESTAMP WITH TIME ZONE"
    if pa.types.is_time(kind):
        return "TIME"
    if pa.types.is_duration(kind):
        return "INTERVAL"
    return (
        "BLOB" if pa.types.is_fixed_size_binary(kind) else _NAMES.get(str(kind), str(kind).upper())
    )


def spelled(values: Any) -> Any:
    """An array as text, each value spelled as the engine would print it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = values.type
    if pa.types.is_string(kind):
        return values
    if pa.types.is_timestamp(kind) and kind.tz is None:
        return pc.replace_substring_regex(pc.cast(values, pa.string()), r"\.0+$", "")
    if pa.types.is_primitive(kind) and not pa.types.is_temporal(kind) or pa.types.is_date32(kind):
        return pc.cast(values, pa.string())
    return pa.array([spell(value) for value in values.to_pylist()], pa.string())


def read_text(column: pyarrow.ChunkedArray, header: str) -> tuple[Any, Any, str | None]:
    """A text column as values, raw text (None where the values spell it) and unit; each distinct
    cell is read once."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = column.dictionary_encode().unify_dictionaries()
    distinct = (
        encoded.chunk(0).dictionary.drop_null() if encoded.num_chunks else pa.array([], pa.string())
    )
    indices = pa.chunked_array([chunk.indices for chunk in encoded.chunks], pa.int32())
    last = column[-1].as_py() if len(column) else None
    values, texts, unit = (
        _cast(distinct, header, last) if len(distinct) > _LARGE else None
    ) or _read(distinct, header, last)
    same = pc.fill_null(pc.equal(spelled(values), texts), False)
    spoken = pc.all(pc.or_(same, pc.is_null(texts))).as_py()  # None for no cells at all
    return values.take(indices), None if spoken is not False else texts.take(indices), unit


def _read(distinct: pyarrow.Array, header: str, last: str | None) -> tuple[Any, Any, str | None]:
    """Values, texts and unit of distinct cells, all of them read by Python."""
    import pyarrow as pa

    reading = read_column(distinct.to_pylist(), header, last)
    return (
        pa.array(reading.values, _arrow_type(reading.type)),
        pa.array(reading.texts, pa.string()),
        reading.unit,
    )


def _cast(
    distinct: pyarrow.Array, header: str, last: str | None
) -> tuple[Any, Any, str | None] | None:
    """The same, where nearly all cells are numbers or dates in plain spelling: only the rest is
    read by Python."""
    import pyarrow as pa
    import pyarrow.compute as pc

    missing = pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(distinct)), pa.array(sorted(MISSING)))
    told = len(distinct) - pc.sum(missing).as_py()
    for pattern, mark, wider in ((_NUMBER, r"[.eE]", "DOUBLE"), (_DATE, ":", "TIMESTAMP")):
        matched = pc.match_substring_regex(distinct, pattern)
        if is_code(header) or pc.sum(matched).as_py() < SHARE * told:
            continue
        sure, odd = distinct.filter(matched), pc.invert(pc.or_(matched, missing))
        rest = distinct.filter(odd).to_pylist()
        some = sure[
            : _LARGE + 9 * len(rest)
        ].to_pylist()  # so many that the rest stays as small a share as it is
        reading = read_column(some + rest, header, last)
        if reading.type not in ("BIGINT", "DOUBLE", "DATE", "TIMESTAMP"):
            return None
        kind = wider if pc.any(pc.match_substring_regex(sure, mark)).as_py() else reading.type
        nothing = pa.scalar(None, pa.string())
        values, texts = (
            pc.if_else(
                missing, nothing, pc.replace_with_mask(distinct, odd, pa.array(cells, pa.string()))
            )
            for cells in (
                [spell(v) for v in reading.values[len(some) :]],
                reading.texts[len(some) :],
            )
        )
        try:
            return pc.cast(values, _arrow_type(kind)), texts, reading.unit
        except pa.ArrowInvalid:  # 2001-02-30
            return None
    return None


def _arrow_type(name: str) -> pyarrow.DataType:
    """The Arrow type of a type that text can be given."""
    import pyarrow as pa

    kinds = {
        "BIGINT": pa.int64(),
        "DOUBLE": pa.float64(),
        "BOOLEAN": pa.bool_(),
        "DATE": pa.date32(),
        "VARCHAR": pa.string(),
    }
    return kinds.get(name, pa.timestamp("us"))
