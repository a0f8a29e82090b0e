"""The forms of a value, whatever its type; what differs between types stands in cell_types.

| form | functions | for |
| --- | --- | --- |
| exact JSON, `{"$date": ...}` | dump, load; value_key, its digest | the cache and traces |
| JSON | wire | the language model |
| JSON | plain | results |
| JSON, `["date", ...]` | encode, decode | worker processes |
| text | text, answer_text | people, and answers in a column |
| text | spell | cells in a column of mixed types |
"""

from __future__ import annotations

import hashlib
import json
import math
import secrets
from collections.abc import Iterable, Mapping
from typing import Any

from binder.tables.cell_types import BY_NAME, cell_type_of

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


def wire(value: object) -> object:
    """A value as JSON for the language model: a number as a number where JSON can hold it exactly,
    a date as ISO text, a missing value as null."""
    if value is None or isinstance(value, (bool, int)):
        return value
    if isinstance(value, str):  # a lone surrogate cannot be sent
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, float):
        return _finite(value)
    cell_type = cell_type_of(value)
    if cell_type is not None:
        return cell_type.to_prompt(value)
    if isinstance(value, Mapping):
        return {str(key): wire(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [wire(item) for item in value]
    if getattr(getattr(value, "dtype", None), "kind", "") in {*"biuf"}:  # a number of numpy
        return wire(value.item())  # type: ignore[attr-defined]
    written = str(value)
    return None if written in ("<NA>", "NaT") else wire(written)


def _finite(value: float) -> float | str | None:
    """A float as JSON, which has neither infinity nor NaN."""
    if math.isfinite(value):
        return value
    return None if math.isnan(value) else str(value)


def plain(value: Any) -> Any:
    """A value as JSON of a result: dates as ISO text, decimals as numbers."""
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    cell_type = cell_type_of(value)
    return str(value) if cell_type is None else cell_type.to_data(value)


def text(value: Any) -> str:
    """A value as displayed."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    if isinstance(value, (list, tuple)):
        return ", ".join(text(item) for item in value)
    cell_type = cell_type_of(value)
    return str(value) if cell_type is None else cell_type.to_text(value)


def answer_text(value: Any) -> str:
    """An answer in a column of text: a whole number has no point, however large it is."""
    if isinstance(value, float) and value.is_integer():
        return repr(int(value))
    return text(value)


def spell(value: Any) -> str | None:
    """A cell in a column of mixed types as text; what UTF-8 cannot say is replaced."""
    if value is None or value != value or type(value).__name__ in ("NAType", "NaTType"):
        return None
    cell_type = cell_type_of(value)
    if cell_type is not None:
        written = cell_type.to_column(value)
    elif isinstance(value, (dict, list, tuple)):
        written = json.dumps(value, ensure_ascii=False, default=spell)
    else:
        written = str(value)
    return written.encode("utf-8", "replace").decode()


def encode(value: Any) -> Any:
    """A value as JSON for a worker process: what JSON lacks is a list that begins with its kind."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else ["float", str(value)]
    if isinstance(value, dict):
        return ["dict", [[encode(key), encode(item)] for key, item in value.items()]]
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=repr)
    if isinstance(value, (list, tuple)):
        kind = "tuple" if isinstance(value, tuple) else "list"
        return [kind, [encode(item) for item in value]]
    cell_type = cell_type_of(value)
    if cell_type is None:
        name = type(value).__name__
        raise TypeError(f"values of type {name} cannot be stored in a table")
    return cell_type.to_frame(value)


def decode(value: Any) -> Any:
    """The value that `encode` was given; sets come back as lists."""
    if not isinstance(value, list):
        return value
    kind, inner = value
    if kind == "float":
        return float(inner)
    if kind == "dict":
        return {_hashable(decode(key)): decode(item) for key, item in inner}
    if kind in ("list", "tuple"):
        items = [decode(item) for item in inner]
        return tuple(items) if kind == "tuple" else items
    return _read(kind, inner)


def _hashable(key: Any) -> Any:
    return tuple(key) if isinstance(key, list) else key


def _read(name: str, written: str) -> Any:
    """The value of an exact text."""
    read = BY_NAME[name].read
    return written if read is None else read(written)


def _mark(value: Any) -> Any:
    """What stands for a value that JSON has not."""
    if isinstance(value, set | frozenset):
        return {"$set": sorted(map(dump, value))}
    cell_type = cell_type_of(value)
    if cell_type is None or cell_type.read is None:  # kept apart by its type, but not read back
        return {f"${type(value).__name__}": str(value)}
    return {f"${cell_type.name}": cell_type.write(value)}


def _unmark(data: dict[str, Any]) -> Any:
    """The value that a mark stands for."""
    if len(data) != 1:
        return data
    ((mark, written),) = data.items()
    cell_type = BY_NAME.get(mark[1:]) if mark.startswith("$") else None
    if cell_type is None or cell_type.read is None or not isinstance(written, str):
        return data
    return cell_type.read(written)


# Made once: they are used for each of thousands of values.
_sorted = json.JSONEncoder(sort_keys=True, separators=(",", ":"), default=_mark).encode
_loaded = json.JSONDecoder(object_hook=_unmark).decode
