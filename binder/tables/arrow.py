"""Columns as Arrow arrays: how they are made of Python values, which DuckDB type they have, and how
a column of text gets its type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from binder.tables.codec import spell

if TYPE_CHECKING:
    import pyarrow


def array(values: list[Any], kind: pyarrow.DataType | None = None) -> pyarrow.ChunkedArray:
    """Python values as an Arrow column, of this type if all fit; a mixture of types becomes
    text."""
    import pyarrow as pa

    for attempt in (kind, None) if kind is not None else (None,):
        column = converted(values, attempt)
        if column is None:
            continue
        if pa.types.is_struct(column.type) and column.type.num_fields == 0:
            break  # of empty dicts: DuckDB has no such type
        return column
    return pa.chunked_array([pa.array([spell(value) for value in values], pa.string())])


def converted(values: Any, kind: pyarrow.DataType | None = None) -> pyarrow.ChunkedArray | None:
    """Values, or a pandas series, as Arrow converts them; None where it cannot."""
    import pyarrow as pa

    try:
        column = pa.array(values, type=kind, from_pandas=True)
    except (pa.ArrowException, OverflowError, UnicodeEncodeError, TypeError, ValueError):
        return None
    return column if isinstance(column, pa.ChunkedArray) else pa.chunked_array([column])


def plain(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """A column in the type that DuckDB knows best: no dictionaries, one kind of string,
    microseconds where nothing is lost."""
    import pyarrow as pa

    kind = column.type
    if isinstance(kind, pa.BaseExtensionType):
        chunks = [chunk.storage for chunk in column.chunks]
        return plain(pa.chunked_array(chunks, kind.storage_type))
    if pa.types.is_dictionary(kind) or pa.types.is_run_end_encoded(kind):
        return plain(column.cast(kind.value_type))
    if pa.types.is_timestamp(kind):
        return _microseconds(column)
    if pa.types.is_large_string(kind) or pa.types.is_string_view(kind) or pa.types.is_null(kind):
        return column.cast(pa.string())
    if pa.types.is_date64(kind):
        return column.cast(pa.date32())
    if pa.types.is_float16(kind):
        return column.cast(pa.float32())
    return column


def _microseconds(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray:
    """Timestamps in microseconds, where these hold them all."""
    import pyarrow as pa

    if column.type.unit == "us":
        return column
    try:
        return column.cast(pa.timestamp("us", column.type.tz))
    except pa.ArrowInvalid:  # nanoseconds that count, or a year out of reach
        return column


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

    if pa.types.is_nested(kind):
        return _nested_type(kind)
    if pa.types.is_decimal(kind):
        return f"DECIMAL({kind.precision},{kind.scale})"
    if pa.types.is_dictionary(kind):
        return duckdb_type(kind.value_type)
    if pa.types.is_timestamp(kind) and kind.tz:
        return "TIMESTAMP WITH TIME ZONE"
    if pa.types.is_time(kind):
        return "TIME"
    if pa.types.is_duration(kind):
        return "INTERVAL"
    if pa.types.is_fixed_size_binary(kind):
        return "BLOB"
    return _NAMES.get(str(kind), str(kind).upper())


def _nested_type(kind: pyarrow.DataType) -> str:
    """The DuckDB type of lists, maps and structs."""
    import pyarrow as pa

    if pa.types.is_fixed_size_list(kind):
        return f"{duckdb_type(kind.value_type)}[{kind.list_size}]"
    if pa.types.is_list(kind) or pa.types.is_large_list(kind):
        return f"{duckdb_type(kind.value_type)}[]"
    if pa.types.is_map(kind):
        return f"MAP({duckdb_type(kind.key_type)}, {duckdb_type(kind.item_type)})"
    if not pa.types.is_struct(kind):
        return str(kind).upper()
    fields = []
    for field in kind:
        name = field.name.replace('"', '""')
        fields.append(f'"{name}" {duckdb_type(field.type)}')
    return f"STRUCT({', '.join(fields)})"


def in_one_piece(cells: pyarrow.ChunkedArray) -> pyarrow.Array:
    """A column in one piece; one of more than two gigabytes has larger offsets."""
    import pyarrow as pa

    if cells.num_chunks == 1:
        return cells.chunk(0)
    if cells.nbytes >= 2**31:
        cells = cells.cast(pa.large_string())
    return pa.concat_arrays(cells.chunks) if cells.num_chunks else pa.array([], cells.type)


def spelled(values: Any) -> Any:
    """An array as text, each value spelled as DuckDB would print it."""
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


def spells(values: Any, texts: Any) -> bool:
    """Whether each value is spelled as its text is, where there is a text."""
    import pyarrow.compute as pc

    same = pc.fill_null(pc.equal(spelled(values), texts), False)
    return pc.all(pc.or_(same, pc.is_null(texts))).as_py() is not False  # None for no cells at all


def cast_spells(values: pyarrow.ChunkedArray, texts: pyarrow.ChunkedArray) -> bool:
    """Whether each value is spelled as the text is that Arrow has cast to it."""
    start = 0
    for piece in texts.chunks:
        cast = in_one_piece(values.slice(start, len(piece)))
        start += len(piece)
        found = None if piece.null_count else _spells_by_length(cast, piece)
        if not (spells(cast, piece) if found is None else found):
            return False
    return True


def _spells_by_length(values: Any, texts: Any) -> bool | None:
    """What the lengths and the characters of texts say of the spelling of the values that Arrow
    has cast them to, which costs much less than to spell each value once more; None where they
    leave it open.

    A whole number has one spelling of as few characters (007 and 0x1F are longer than 7 and 31).
    A cell of at most ten digits around one point, none of them a needless zero, is the shortest
    spelling of its number. A day has one spelling, and a second has two, of which one has a T."""
    import numpy as np
    import pyarrow as pa

    if not pa.types.is_string(texts.type) or not len(texts):
        return None
    kind = values.type
    if pa.types.is_date32(kind):
        return True
    offsets, marks = _bytes_of(texts)
    lengths = np.diff(offsets)
    if kind == pa.timestamp("s"):
        return bool((lengths == 19).all()) and not (marks == ord("T")).any()
    if pa.types.is_int64(kind):
        return bool((lengths == _digits(values.to_numpy())).all())
    points = np.count_nonzero(marks == ord("."))
    if not pa.types.is_float64(kind) or points < len(texts) or lengths.min() < 3:
        return None
    if (marks[offsets[1:] - 1] == ord("0")).any():
        return False  # 12.50
    first, second = marks[offsets[:-1]], marks[offsets[:-1] + 1]
    plain = (marks >= ord(".")) & (marks <= ord("9")) & (marks != ord("/"))
    leading = (first == ord("0")) & (second != ord("."))
    if lengths.max() > 11 or not plain.all() or leading.any() or (first == ord(".")).any():
        return None
    return not (marks[offsets[1:] - 1] == ord(".")).any()


def _bytes_of(texts: pyarrow.StringArray) -> tuple[Any, Any]:
    """The bytes of an array of text without NULL, and where each cell begins among them."""
    import numpy as np

    _, offsets, marks = texts.buffers()
    places = np.frombuffer(offsets, np.int32)[texts.offset : texts.offset + len(texts) + 1]
    found = np.frombuffer(marks, np.uint8) if marks is not None else np.empty(0, np.uint8)
    return places - places[0], found[places[0] : places[-1]]


def _digits(numbers: Any) -> Any:
    """How many characters each whole number is spelled with."""
    import numpy as np

    size = np.abs(numbers).view(np.uint64)  # the least integer has no absolute value
    count = 1 + (numbers < 0).astype(np.int32)
    power = 10
    while power <= size.max():
        count += size >= power
        power *= 10
    return count


def text_type(name: str) -> pyarrow.DataType:
    """The Arrow type of a type that text can be given."""
    import pyarrow as pa

    kinds = {
        "BIGINT": pa.int64(),
        "DOUBLE": pa.float64(),
        "BOOLEAN": pa.bool_(),
        "DATE": pa.date32(),
        "TIME": pa.time64("us"),
        "VARCHAR": pa.string(),
    }
    return kinds.get(name, pa.timestamp("us"))
