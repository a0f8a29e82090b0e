"""What a user says of columns: "text", "number:,", "date:%d/%m/%Y", "duration", or a DuckDB type."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping, Sequence
from typing import Any

from binder.errors import DataError, UsageError, nearest
from binder.tables.readings.dates import ORDERS
from binder.tables.readings.evidence import Said

_KINDS = ("text", "number", "date", "time", "duration", "truth")
_TYPES = {
    **dict.fromkeys(("varchar", "string", "str", "identifier"), "text"),
    **dict.fromkeys(("bigint", "integer", "int", "double", "float", "decimal"), "number"),
    **dict.fromkeys(("timestamp", "datetime"), "date"),
    **dict.fromkeys(("boolean", "bool"), "truth"),
}
_HINT = (
    'text, number, "number:," (a decimal comma), date, "date:%d/%m/%Y", "date:dmy", time, duration '
    "or boolean"
)


def parse(text: str) -> Said:
    """What the words for one column say."""
    if not isinstance(text, str):
        raise UsageError(f"a type is a text, not {text!r:.40}", hint=_HINT)
    name, _, detail = text.strip().partition(":")
    kind = _TYPES.get(name.strip().casefold(), name.strip().casefold())
    fits = {
        "number": detail in ("", ",", "."),
        "date": not detail or "%" in detail or detail.casefold() in ORDERS,
    }
    if kind not in _KINDS or not fits.get(kind, not detail):
        raise UsageError(f"{text!r} is no type of a column", hint=f"a type is {_HINT}")
    return Said(kind, detail if "%" in detail else detail.casefold())


def words(given: Sequence[str]) -> dict[str, str]:
    """What `types` is, of words such as COLUMN=TYPE or TABLE.COLUMN=TYPE."""
    found: dict[str, str] = {}
    for entry in given:
        name, equals, text = entry.rpartition("=")
        if not equals or not name:
            raise UsageError(
                f"{entry!r} does not say which column", hint="--type 'born=date:%d/%m/%Y'"
            )
        found[name] = text
    return found


def of_columns(
    types: Mapping[str, Any] | None, table: str, names: Sequence[str]
) -> list[Said | None]:
    """What `types` says of each column of a table."""
    folded = {name.casefold(): position for position, name in enumerate(names)}
    found: list[Said | None] = [None] * len(names)
    for owner, column, text in _entries(types):
        position = folded.get(_column(owner, column, table, folded) or "")
        if position is not None:
            found[position] = parse(text)
    return found


def check(types: Mapping[str, Any] | None, tables: Mapping[str, Sequence[str]]) -> None:
    """An error where an entry of `types` names no column of the tables."""
    known = {table: {name.casefold() for name in names} for table, names in tables.items()}
    for owner, column, _ in _entries(types):
        if any(_column(owner, column, table, names) for table, names in known.items()):
            continue
        listed = [name for names in tables.values() for name in names]
        near = nearest(column, listed)
        where = f"table {owner!r}" if owner else "any table"
        hint = f"did you mean {' or '.join(near)}?" if near else f"there are {', '.join(listed)}"
        raise DataError(f"types: there is no column {column!r} in {where}", hint=hint)


def _entries(types: Mapping[str, Any] | None) -> Iterator[tuple[str | None, str, Any]]:
    """Table (None: any), column, type."""
    for key, value in (types or {}).items():
        if isinstance(value, Mapping):
            yield from ((str(key), str(column), text) for column, text in value.items())
        else:
            yield None, str(key), value


def _column(owner: str | None, column: str, table: str, known: Container[str]) -> str | None:
    """The folded name of the column that an entry means in a table, where it has one."""
    folded = column.casefold()
    if owner is not None and owner.casefold() != table.casefold():
        return None
    if folded in known:
        return folded
    prefix = f"{table.casefold()}."
    inner = folded.removeprefix(prefix)
    return inner if owner is None and inner != folded and inner in known else None
