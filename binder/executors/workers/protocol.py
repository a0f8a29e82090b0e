"""A byte stream comes in; frames (a JSON header and a payload) go out, and back: the child's end of
a process."""

from __future__ import annotations

import contextlib
import datetime
import errno
import json
import os
import resource
import struct
from collections.abc import Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any, BinaryIO

if TYPE_CHECKING:
    import pyarrow


def read_frame(stream: BinaryIO) -> tuple[dict[str, Any], bytes] | None:
    """A header and its payload; None at the end of the stream."""
    sizes = stream.read(12)
    if len(sizes) < 12:
        return None
    first, second = struct.unpack("<IQ", sizes)
    return json.loads(stream.read(first)), stream.read(second)


def write_frame(stream: BinaryIO, header: dict[str, Any], payload: bytes) -> None:
    """Writes a header and its payload."""
    data = json.dumps(header).encode()
    stream.write(struct.pack("<IQ", len(data), len(payload)) + data)
    stream.write(payload)
    stream.flush()


def take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The pipes that frames come and go through, taken from standard input and output before a
    library is loaded: whatever one reads or prints there afterwards is no frame."""
    requests, replies = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    os.close(nothing)
    return requests, replies


def confine(memory_mb: int) -> None:
    """Sets the limits of this process."""
    with contextlib.suppress(ValueError, OSError):
        roof = memory_mb * 1024 * 1024
        resource.setrlimit(resource.RLIMIT_AS, (roof, roof))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def read_table(path: str) -> pyarrow.Table:
    """The Arrow table that a file holds. It is not copied, but takes addresses: MemoryError where
    there are too few."""
    import pyarrow as pa

    try:
        file = pa.memory_map(path)
    except OSError as error:
        if os.strerror(errno.ENOMEM) in str(error):
            raise MemoryError(str(error)) from error
        raise
    return pa.ipc.open_stream(file).read_all()


def encode(value: Any) -> Any:
    """A value as JSON: what JSON has not is a list that begins with its kind."""
    if value is None or isinstance(value, (bool, int, str)):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else ["float", str(value)]
    if isinstance(value, datetime.datetime):
        return ["datetime", value.isoformat()]
    if isinstance(value, datetime.date):
        return ["date", value.isoformat()]
    if isinstance(value, datetime.time):
        return ["time", value.isoformat()]
    if isinstance(value, Decimal):
        return ["decimal", str(value)]
    if isinstance(value, dict):
        return ["dict", [[encode(key), encode(item)] for key, item in value.items()]]
    if isinstance(value, (set, frozenset)):
        return ["list", [encode(item) for item in sorted(value, key=repr)]]
    if isinstance(value, tuple):
        return ["tuple", [encode(item) for item in value]]
    if isinstance(value, list):
        return ["list", [encode(item) for item in value]]
    if isinstance(value, datetime.timedelta):
        return value.total_seconds() / 86400
    if isinstance(value, bytes):
        raise TypeError(
            "a cell holds bytes, which can be neither sent nor returned: leave its column out"
        )
    raise TypeError(f"a {type(value).__name__} is no value of a table")


def decode(value: Any) -> Any:
    """The value of what `encode` made."""
    if not isinstance(value, list):
        return value
    kind, inner = value
    if kind in ("list", "tuple"):
        items = [decode(item) for item in inner]
        return tuple(items) if kind == "tuple" else items
    if kind == "dict":
        return {_key(decode(key)): decode(item) for key, item in inner}
    return _READ[kind](inner)


def _key(value: Any) -> Any:
    return tuple(value) if isinstance(value, list) else value


_READ: dict[str, Callable[[str], Any]] = {
    "float": float,
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
    "time": datetime.time.fromisoformat,
    "decimal": Decimal,
}
