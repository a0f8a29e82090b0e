"""The types of cells that JSON lacks, with all their forms: a new type has its home here.

Text, numbers, truths and NULL need no entry; lists and dicts are walked by binder.tables.codec."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

from binder.errors import UsageError


@dataclass(frozen=True)
class CellType:
    """One type and its forms, each made of a value.

    write and read: an exact text and back, for the cache, traces and worker processes. sent: JSON
    for the language model. data: JSON of results. shown: what a person reads. stored: the text in a
    column of text. framed: JSON for worker processes. What is not given is the exact text."""

    type: type
    name: str
    write: Callable[[Any], str]
    read: Callable[[str], Any] | None = None
    sent: Callable[[Any], Any] | None = None
    data: Callable[[Any], Any] | None = None
    shown: Callable[[Any], str] | None = None
    stored: Callable[[Any], str] | None = None
    framed: Callable[[Any], Any] | None = None

    def to_prompt(self, value: Any) -> Any:
        """A value as the language model is sent it."""
        return (self.sent or self.write)(value)

    def to_data(self, value: Any) -> Any:
        """A value in the JSON of a result."""
        return (self.data or self.write)(value)

    def to_text(self, value: Any) -> str:
        """A value as displayed."""
        return (self.shown or self.write)(value)

    def to_column(self, value: Any) -> str:
        """A value in a column of text."""
        return (self.stored or self.to_text)(value)

    def to_frame(self, value: Any) -> Any:
        """A value as a worker process is sent it."""
        return [self.name, self.write(value)] if self.framed is None else self.framed(value)


CELL_TYPES: dict[type, CellType] = {}
BY_NAME: dict[str, CellType] = {}


def register(cell_type: CellType) -> None:
    """Makes a type of cell known, for this process."""
    if cell_type.name in BY_NAME:
        raise UsageError(f"duplicate cell type {cell_type.name!r}", hint="choose another name")
    CELL_TYPES[cell_type.type] = BY_NAME[cell_type.name] = cell_type


def cell_type_of(value: Any) -> CellType | None:
    """The entry of a value's type, or of the nearest type that it extends."""
    for kind in type(value).__mro__:
        if kind in CELL_TYPES:
            return CELL_TYPES[kind]
    return None


def _iso(value: Any) -> str:
    return str(value.isoformat())


def _sent_date(value: Any) -> str | None:
    # pandas' NaT is a datetime that equals nothing.
    return _iso(value) if value == value else None


def _shown_datetime(value: datetime) -> str:
    return value.isoformat(sep=" ").removesuffix(" 00:00:00")


def _sent_decimal(value: Decimal) -> int | float | str | None:
    """A number that reads back as the same decimal, else its text."""
    if not value.is_finite():
        return None if value.is_nan() else str(float(value))
    if value == value.to_integral_value() and value.adjusted() < 40:
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)


def _size(value: Any) -> str:
    # No call sends bytes: this stands for them where a table is shown.
    size = memoryview(value).nbytes
    return f"<{size:,} byte{'' if size == 1 else 's'}>"


def _no_frame(_: object) -> None:
    raise TypeError(
        "a cell holds bytes, which can be neither sent nor returned: leave its column out"
    )


def _days(value: timedelta) -> float:
    return value.total_seconds() / 86400


for _type in (
    CellType(
        datetime,
        "datetime",
        _iso,
        datetime.fromisoformat,
        sent=_sent_date,
        shown=_shown_datetime,
        stored=str,
    ),
    CellType(date, "date", _iso, date.fromisoformat, sent=_sent_date),
    CellType(time, "time", _iso, time.fromisoformat, sent=_sent_date),
    CellType(timedelta, "timedelta", str, framed=_days),
    CellType(Decimal, "decimal", str, Decimal, sent=_sent_decimal, data=float),
    CellType(
        bytes,
        "bytes",
        bytes.hex,
        bytes.fromhex,
        sent=_size,
        data=str,
        shown=_size,
        stored=_size,
        framed=_no_frame,
    ),
    CellType(bytearray, "bytearray", str, sent=_size, framed=_no_frame),
    CellType(memoryview, "memoryview", str, sent=_size, framed=_no_frame),
):
    register(_type)
