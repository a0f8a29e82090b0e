"""A value goes in, the JSON data that stands for it in a prompt comes out."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time
from decimal import Decimal


def wire(value: object) -> object:
    """A value as JSON data: a number as a number where JSON can hold it exactly, a date as ISO
    text, a missing value as null."""
    match value:
        case None | bool() | int():
            return value
        case str():
            return value.encode("utf-16", "surrogatepass").decode(
                "utf-16", "replace"
            )  # a lone surrogate cannot be sent
        case float():
            return value if math.isfinite(value) else None if math.isnan(value) else str(value)
        case Decimal():
            return _wire_decimal(value)
        case datetime() | date() | time():
            return (
                value.isoformat() if value == value else None
            )  # pandas' NaT is a datetime that equals nothing
        case bytes() | bytearray() | memoryview():
            # no call sends them: this stands for them where a table is shown
            return f"<{memoryview(value).nbytes:,} bytes>"
        case Mapping():
            return {str(key): wire(item) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [wire(item) for item in value]
    if getattr(getattr(value, "dtype", None), "kind", "") in {*"biuf"}:  # a number of numpy
        return wire(value.item())  # type: ignore[attr-defined]
    text = str(value)
    return None if text in ("<NA>", "NaT") else wire(text)


def _wire_decimal(value: Decimal) -> int | float | str | None:
    """A decimal as a number that reads back as the same decimal, else as its text."""
    if not value.is_finite():
        return None if value.is_nan() else str(float(value))
    if value == value.to_integral_value() and value.adjusted() < 40:
        return int(value)
    return float(value) if Decimal(repr(float(value))) == value else str(value)
