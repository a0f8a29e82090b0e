"""Frames, a JSON header and a payload each: the child's end of the pipes, and the limits of its
process."""

from __future__ import annotations

import contextlib
import errno
import json
import os
import resource
import struct
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

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


class Session(Protocol):
    """What answers the frames of a SQL engine: a method for each verb."""

    connection: Any

    def is_full(self, error: Exception) -> bool:
        """Whether an error says that there is no memory left."""


def answer(
    session: Session, header: dict[str, Any], payload: memoryview
) -> tuple[dict[str, Any], bytes]:
    """The reply to a frame, and to those that go ahead of it."""
    try:
        for first in header.pop("before", ()):
            getattr(session, first["verb"])(first, payload[: first["size"]])
            payload = payload[first["size"] :]
        reply: tuple[dict[str, Any], bytes] = getattr(session, header["verb"])(header, payload)
        return reply
    except Exception as error:  # noqa: BLE001  the frame carries it to the parent, which raises it there
        fault = "memory_mb" if session.is_full(error) else "query"
        return {"fault": fault, "message": str(error), "kind": type(error).__name__}, b""


def serve(session: Session, requests: BinaryIO, replies: BinaryIO) -> None:
    """Answers frames until the input ends."""
    while (frame := read_frame(requests)) is not None:
        header, payload = frame
        write_frame(replies, *answer(session, header, memoryview(payload)))
    session.connection.close()


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
