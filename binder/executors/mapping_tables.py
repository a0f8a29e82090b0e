"""The mapping of a call as an Arrow table: inputs as keys, and answers as one typed column."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pyarrow as pa

from binder.executors import Input, Value
from binder.language.functions.own import LIST
from binder.plan import Ask
from binder.plan.blocks import outer_columns
from binder.plan.collect import key_name
from binder.tables.codec import answer_text
from binder.tables.dates import read_date
from binder.tables.numbers import read_number

Values = Sequence[Value]


def mapping_table(ask: Ask, known: dict[Input, Value]) -> pa.Table:
    """Columns k0, k1, ... and value; where one input has several answers, also their position."""
    node, type = ask.collect.site.node, ask.call_type.type
    if ask.call.per_input:
        keys, values = list(known), list(known.values())
        columns = _key_columns(keys, len(node.expressions))
        return pa.table({**columns, "value": typed(values, type)})
    keys, positions, values = [], [], []
    for key, answers in known.items():
        for position, answer in enumerate(answers):
            keys.append(key)
            positions.append(position)
            values.append(answer)
    columns = _key_columns(keys, len(outer_columns(node)))
    columns["position"] = pa.array(positions, pa.int64())
    return pa.table({**columns, "value": typed(values, type)})


def typed(values: Values, type: str) -> pa.Array:
    """Answers as one column. `auto` is read off them: all numbers, all dates, else text; without
    any answer it goes with any type."""
    if type == "auto":
        present = [value for value in values if value is not None]
        if not present:
            return pa.nulls(len(values))
        type, read = _read_off(present)
        values = _each(read, values)
    if type.endswith(LIST):
        return _lists(values, type.removesuffix(LIST))
    return _COLUMNS[type](values)


def _lists(values: Values, type: str) -> pa.Array:
    """Lists of one type, of which each may be missing."""
    items = _COLUMNS[type]([item for value in values for item in value or ()])
    ends = itertools.accumulate(len(value or ()) for value in values)
    missing = pa.array([value is None for value in values], pa.bool_())
    return pa.ListArray.from_arrays(pa.array([0, *ends], pa.int32()), items, mask=missing)


def _key_columns(keys: Sequence[Input], width: int) -> dict[str, pa.Array]:
    return {key_name(i): _key_column([key[i] for key in keys]) for i in range(width)}


def _key_column(values: Values) -> pa.Array:
    if all(value is None for value in values):
        return pa.array(values, pa.string())
    return pa.array(values)


def _each(read: Callable[[Any], Value], values: Values) -> list[Value]:
    """Values, each read, but for what is missing."""
    return [None if value is None else read(value) for value in values]


def _read_off(present: Values) -> tuple[str, Callable[[Any], Value]]:
    """The type that answers have, and how they are read."""
    for type, read in (("number", _number), ("date", _date)):
        if all(read(value) is not None for value in present):
            return type, read
    return "text", lambda value: value


def _number(value: Value) -> int | float | None:
    """An answer as a number: digits as they are written, and nothing that may be a code."""
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    if not isinstance(value, str):
        return None
    written = value.strip()
    is_code = written.startswith("0") and written.isdigit() and len(written) > 1
    digits = written.replace(",", "").replace(".", "", 1).lstrip("+-−")
    return read_number(value) if digits.isdigit() and not is_code else None


def _date(value: Value) -> datetime.date | None:
    if isinstance(value, datetime.date):
        return value
    return read_date(value) if isinstance(value, str) else None


def _numbers(values: Values) -> pa.Array:
    """Integers, where all are and fit; else floats."""
    for value in values:
        if value is not None and not (isinstance(value, int) and -(2**63) <= value < 2**63):
            return pa.array(_each(float, values), pa.float64())
    return pa.array(values, pa.int64())


def _dates(values: Values) -> pa.Array:
    """Days, where all are; else moments."""
    if any(isinstance(value, datetime.datetime) for value in values):
        return pa.array(_each(_moment, values), pa.timestamp("us"))
    return pa.array(values, pa.date32())


def _moment(value: datetime.date) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        return value
    return datetime.datetime.combine(value, datetime.time())


_COLUMNS: dict[str, Callable[[Values], pa.Array]] = {
    "number": _numbers,
    "date": _dates,
    "boolean": lambda values: pa.array(values, pa.bool_()),
    "text": lambda values: pa.array(_each(answer_text, values), pa.string()),
}
