"""Columns as Arrow arrays: how they are made of Python values, which DuckDB type they have, and how
a column of text gets its type."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

from binder.tables import readings
from binder.tables.cells import MISSING
from binder.tables.codec import spell
from binder.tables.readings import Reading
from binder.tables.readings.evidence import SHARE, Evidence, FileEvidence, Said

if TYPE_CHECKING:
    import pyarrow

_LARGE = 1000  # distinct cells: below, Python reads them all; above, whole arrays are cast first
_NUMBER = r"^-?(?:(?:0|[1-9]\d{0,17})(?:\.\d+(?:[eE][+-]?\d{1,2})?)?|\.\d+)$"
_DIGITS = r"^\s*\d{1,2}[-/.]\s?\d{1,2}[-/.]"
_DATE = r"^\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)?$"
# What Arrow casts by itself: its spelling, a mark of the wider type, and this type.
_PLAIN = ((_NUMBER, r"[.eE]", "DOUBLE"), (_DATE, ":", "TIMESTAMP"))
_CAST = ("BIGINT", "DOUBLE", "DATE", "TIMESTAMP")


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


class Texts(NamedTuple):
    """A text column by its distinct cells. indices: the one of each row; rows: how many rows each
    has; last: the cell of the last row."""

    distinct: pyarrow.Array
    indices: pyarrow.ChunkedArray
    rows: pyarrow.Array
    last: str | None


def texts_of(column: pyarrow.ChunkedArray) -> Texts:
    """The distinct cells of a text column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = column.dictionary_encode().unify_dictionaries()
    distinct = (
        encoded.chunk(0).dictionary.drop_null() if encoded.num_chunks else pa.array([], pa.string())
    )
    indices = pa.chunked_array([chunk.indices for chunk in encoded.chunks], pa.int32())
    counted = pc.value_counts(indices.drop_null())
    rows = counted.field(1).take(pc.sort_indices(counted.field(0)))
    return Texts(distinct, indices, rows, column[-1].as_py() if len(column) else None)


def telling(texts: Texts) -> list[str]:
    """The cells that may tell how the columns of a file are written: of very many the first ones,
    and all dates in digits."""
    import pyarrow.compute as pc

    if len(texts.distinct) <= _LARGE:
        return list(texts.distinct.to_pylist())
    dated = texts.distinct.filter(pc.match_substring_regex(texts.distinct, _DIGITS))
    return [*texts.distinct[:_LARGE].to_pylist(), *dated.to_pylist()]


def read_text(
    texts: Texts, header: str, file: FileEvidence, said: Said | None
) -> tuple[Any, Any, Reading]:
    """A text column as values, raw text (None where the values spell it) and reading; each distinct
    cell is read once."""
    import pyarrow.compute as pc

    large = len(texts.distinct) > _LARGE and said is None
    values, raw, reading = (_cast(texts, header, file) if large else None) or _read(
        texts, header, file, said
    )
    same = pc.fill_null(pc.equal(spelled(values), raw), False)
    spoken = pc.all(pc.or_(same, pc.is_null(raw))).as_py()  # None for no cells at all
    return (
        values.take(texts.indices),
        None if spoken is not False else raw.take(texts.indices),
        reading,
    )


def _read(
    texts: Texts, header: str, file: FileEvidence, said: Said | None
) -> tuple[Any, Any, Reading]:
    """Values, texts and reading of distinct cells, all of them read by Python."""
    import pyarrow as pa

    counts = dict(zip(texts.distinct.to_pylist(), texts.rows.to_pylist(), strict=True))
    found = readings.read(Evidence(header, counts, texts.last, file, said))
    kind = _arrow_type(found.reading.type)
    return pa.array(found.values, kind), pa.array(found.texts, pa.string()), found.reading


def _cast(texts: Texts, header: str, file: FileEvidence) -> tuple[Any, Any, Reading] | None:
    """The same, where nearly all cells are numbers or dates in plain spelling: only the rest is
    read by Python."""
    import pyarrow as pa
    import pyarrow.compute as pc

    distinct = texts.distinct
    missing = pc.is_in(pc.utf8_lower(pc.utf8_trim_whitespace(distinct)), pa.array(sorted(MISSING)))
    told = len(distinct) - pc.sum(missing).as_py()
    for pattern, mark, wider in _PLAIN:
        matched = pc.match_substring_regex(distinct, pattern)
        if pc.sum(matched).as_py() < SHARE * told:
            continue
        sure, odd = distinct.filter(matched), pc.invert(pc.or_(matched, missing))
        rest = distinct.filter(odd).to_pylist()
        # so many that the rest stays as small a share as it is
        some = sure[: _LARGE + 9 * len(rest)].to_pylist()
        counts = _counted(texts, some, rest, matched)
        found = readings.read(Evidence(header, counts, texts.last, file))
        if found.reading.type not in _CAST:
            return None
        if file.decimal == "," and found.reading.decimal == ",":
            return None
        kind = wider if pc.any(pc.match_substring_regex(sure, mark)).as_py() else found.reading.type
        nothing = pa.scalar(None, pa.string())
        values, raw = (
            pc.if_else(
                missing, nothing, pc.replace_with_mask(distinct, odd, pa.array(cells, pa.string()))
            )
            for cells in ([spell(v) for v in found.values[len(some) :]], found.texts[len(some) :])
        )
        try:
            return pc.cast(values, _arrow_type(kind)), raw, replace(found.reading, type=kind)
        except pa.ArrowInvalid:  # 2001-02-30
            return None
    return None


def _counted(
    texts: Texts, some: list[str], rest: list[str], matched: pyarrow.Array
) -> dict[str, int]:
    """The rows of some cells and of the rest; the first one stands for the sure cells that are not
    among them."""
    import pyarrow as pa
    import pyarrow.compute as pc

    rows = texts.rows
    positions = pc.index_in(pa.array([*some, *rest], pa.string()), texts.distinct)
    counts = dict(zip([*some, *rest], rows.take(positions).to_pylist(), strict=True))
    sure = pc.sum(rows.filter(matched)).as_py()
    counts[some[0]] += sure - sum(counts[cell] for cell in some)
    return counts


def _arrow_type(name: str) -> pyarrow.DataType:
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
