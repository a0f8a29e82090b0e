"""Results as columns: one Arrow table, which every library of frames takes.

Each column has the type that the engine gave it, so that what a frame holds is what the program
computed: a BIGINT is no float, a missing truth is no False."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from binder.errors import UsageError
from binder.tables.arrow import array

if TYPE_CHECKING:
    import pandas
    import pyarrow


def to_arrow(
    columns: Sequence[str], rows: Sequence[tuple[Any, ...]], types: Sequence[pyarrow.DataType]
) -> pyarrow.Table:
    """Rows as an Arrow table. types: those of the engine; where there are none, what the values
    say."""
    import pyarrow as pa

    known = list(types) if len(types) == len(columns) else [None] * len(columns)
    arrays = []
    for place, kind in enumerate(known):
        values = [row[place] for row in rows]
        arrays.append(array(values, _meant(kind, values)))
    return pa.Table.from_arrays(arrays, names=list(columns))


def _meant(kind: pyarrow.DataType | None, values: Sequence[Any]) -> pyarrow.DataType | None:
    """The type of a column: sums of integers, which the engine widens, are integers again where
    they fit."""
    import pyarrow as pa

    if kind is None or pa.types.is_union(kind):  # of SQLite's values of several classes
        return None
    if kind == pa.month_day_nano_interval() and _are_durations(values):
        return pa.duration("us")
    if pa.types.is_integer(kind):
        return None if any(isinstance(value, float) for value in values) else kind
    return _whole(kind, values) if pa.types.is_decimal(kind) and not kind.scale else kind


def _whole(kind: pyarrow.DataType, values: Sequence[Any]) -> pyarrow.DataType:
    """The type of whole decimals: integers, where all values are and fit."""
    import pyarrow as pa

    if any(isinstance(value, Decimal) for value in values):
        return kind
    fits = all(value is None or -(2**63) <= value < 2**63 for value in values)
    return pa.int64() if fits else kind


def _are_durations(values: Sequence[Any]) -> bool:
    """Whether no interval counts months, which have no length: then they are durations."""
    return all(value is None or isinstance(value, timedelta) for value in values)


def to_pandas(table: pyarrow.Table) -> pandas.DataFrame:
    """A DataFrame whose integers and truths may be missing and stay what they are."""
    import pandas as pd
    import pyarrow as pa

    nullable: dict[Any, Any] = {
        pa.bool_(): pd.BooleanDtype(),
        pa.int8(): pd.Int8Dtype(),
        pa.int16(): pd.Int16Dtype(),
        pa.int32(): pd.Int32Dtype(),
        pa.int64(): pd.Int64Dtype(),
        pa.uint8(): pd.UInt8Dtype(),
        pa.uint16(): pd.UInt16Dtype(),
        pa.uint32(): pd.UInt32Dtype(),
        pa.uint64(): pd.UInt64Dtype(),
    }
    frame: pandas.DataFrame = table.to_pandas(types_mapper=nullable.get)
    return frame


def to_polars(table: pyarrow.Table) -> Any:
    """A frame of polars, which wants each name once."""
    try:
        import polars
    except ImportError as error:
        raise UsageError("polars is not installed", hint="pip install polars") from error
    return polars.from_arrow(table.rename_columns(distinct(table.column_names)))


def distinct(names: Sequence[str]) -> list[str]:
    """Names of which no two are the same: a later one gets a number."""
    taken = set(names)
    seen: Counter[str] = Counter()
    found = []
    for name in names:
        seen[name] += 1
        unique = name
        while seen[name] > 1 and unique in taken:
            unique = f"{name}_{seen[name]}"
            seen[name] += unique in taken
        taken.add(unique)
        found.append(unique)
    return found
