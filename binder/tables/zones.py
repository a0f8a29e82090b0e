"""The time zone of tables: that in which programs read hours and days off their moments.

The engine has one zone for all. Where the columns have one, it is theirs, so that a day is the day
that the source shows; where they have several, it is UTC, and a note says so."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pyarrow

UTC = "UTC"
_OFFSET = re.compile(r"([+-])(\d{2}):?(00)")


def zone_of(tables: Iterable[pyarrow.Table]) -> tuple[str, str | None]:
    """The zone for these tables, with a note where it is not that of each column."""
    found: dict[str, str] = {}
    for table in tables:
        for field in table.schema:
            for zone in _zones(field.type):
                found.setdefault(zone, field.name)
    if len(found) == 1 and (known := _known(next(iter(found)))) is not None:
        return known, None
    others = {zone: name for zone, name in found.items() if zone != UTC}
    if not others:
        return UTC, None
    told = ", ".join(f"{name} ({zone})" for zone, name in others.items())
    return UTC, f"days and hours of {told} are those of UTC, for times have several zones here"


def _zones(kind: pyarrow.DataType) -> set[str]:
    """The zones in a type."""
    import pyarrow as pa

    found = {str(kind.tz)} if pa.types.is_timestamp(kind) and kind.tz else set()
    for place in range(kind.num_fields):
        found |= _zones(kind.field(place).type)
    return found


def _known(zone: str) -> str | None:
    """The zone as the engine calls it; None for one that it does not know."""
    from zoneinfo import available_timezones

    if found := _OFFSET.fullmatch(zone):
        hours = int(found[2])
        if not hours:
            return UTC
        return f"Etc/GMT{'-' if found[1] == '+' else '+'}{hours}"  # which counts the other way
    return zone if zone in available_timezones() else None
