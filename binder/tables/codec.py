"""Values come in, with dates and decimals; JSON text that keeps all types apart goes out, and the
values come back from it. The digest of such a text is what an answer is kept under."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

# The types that JSON has not: the name that marks their text, how this is written and read.
_MARKED: dict[type, tuple[str, Callable[[Any], str], Callable[[str], Any]]] = {
    datetime: ("$datetime", datetime.isoformat, datetime.fromisoformat),
    date: ("$date", date.isoformat, date.fromisoformat),
    time: ("$time", time.isoformat, time.fromisoformat),
    Decimal: ("$decimal", str, Decimal),
    bytes: ("$bytes", bytes.hex, bytes.fromhex),
}
_READ = {name: read for name, _, read in _MARKED.values()}

_PLACE = secrets.token_hex()  # stands for an input: in no other text


def value_key(**parts: Any) -> str:
    """The digest of all that can change a value: 1, 1.0, true, "1" and a date are different, the
    order of the parts is not."""
    return hashlib.sha256(_sorted(parts).encode("ascii")).hexdigest()


def value_keys(inputs: Iterable[Any], **parts: Any) -> list[str]:
    """The value_key(input=..., **parts) of each of many inputs: what they share is written once."""
    before, after = _sorted({**parts, "input": _PLACE}).split(_sorted(_PLACE))
    shared = hashlib.sha256(before.encode("ascii"))
    keys = []
    for value in inputs:
        digest = shared.copy()
        digest.update((_sorted(value) + after).encode("ascii"))
        keys.append(digest.hexdigest())
    return keys


def dump(value: Any) -> str:
    """A value as JSON text, as readable as it can be."""
    return storable(json.dumps(value, ensure_ascii=False, default=_mark))


def load(text: str) -> Any:
    """The value that `dump` was given; tuples come back as lists."""
    return _loaded(text)


def storable(text: str) -> str:
    r"""A text that can be written to a file: a lone surrogate becomes \udxxx, which in JSON means
    the same."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def _mark(value: Any) -> Any:
    """What stands for a value that JSON has not."""
    if isinstance(value, set | frozenset):
        return {"$set": sorted(map(dump, value))}
    other = f"${type(value).__name__}", str, str
    name, write, _ = next((_MARKED[kind] for kind in type(value).__mro__ if kind in _MARKED), other)
    return {name: write(value)}


def _unmark(data: dict[str, Any]) -> Any:
    """The value that a mark stands for."""
    if len(data) == 1:
        ((name, text),) = data.items()
        if name in _READ and isinstance(text, str):
            return _READ[name](text)
    return data


# Made once: they are used for each of thousands of values.
_sorted = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_mark).encode
_loaded = json.JSONDecoder(object_hook=_unmark).decode
