"""The parent's end of a worker, which it does not trust and kills when a limit is reached.

The next request starts a new one and loads the tables again."""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import pyarrow as pa

from binder.errors import BinderError, DataError, LimitExceeded, SandboxError, UsageError
from binder.executors.workers.transport import Header, Payload, Pipes, Transport
from binder.tables.table import Table

_NAMELESS = hasattr(os, "memfd_create") and os.access(f"/proc/{os.getpid()}/fd", os.R_OK)
CHUNK = 122_880  # rows that one thread of an engine reads at a time
Start = Callable[[Sequence[str]], Transport]  # the arguments of main() -> a worker


@dataclass(frozen=True)
class Limits:
    """Limits per query or program: seconds, memory in MB, rows and bytes of a result."""

    seconds: float = 30
    memory_mb: int = 2048
    rows: int = 1_000_000
    bytes: int = 256_000_000


class Process:
    """A worker with the tables of one connection. start: how it is started, in a process of its own
    unless said; generation: how many there were so far."""

    module: str  # whose main() the process runs
    grace = 0.0  # seconds that it has to stop by itself

    def __init__(self, tables: Sequence[Table], limits: Limits, start: Start | None = None):
        self.tables = tuple(tables)
        self.limits = limits
        self.generation = 0
        self._start = start or partial(Pipes, self.module)
        self._process: Transport | None = None
        self._lock = threading.RLock()
        self._loaded = self._started = False
        self._closed = False

    def arguments(self) -> list[str]:
        """The arguments of main()."""
        return [str(self.limits.memory_mb)]

    def sent(self, table: Table) -> pa.Table:
        """A table as the process is given it."""
        return table.data

    def said(self, table: Table) -> Header:
        """What goes beside the data of a table."""
        return {}

    def failed(self, reply: Header) -> BinderError:
        """The error that a reply with a fault stands for."""
        return LimitExceeded(reply["fault"], getattr(self.limits, reply["fault"]))

    def use(self, tables: Sequence[Table]) -> None:
        """Replaces the tables."""
        with self._lock:
            if self._loaded:
                self.drop([table.name for table in self.tables])
            self.tables = tuple(tables)
            self._loaded = False

    def drop(self, names: Sequence[str]) -> None:
        """Makes the process forget tables."""
        if names and self._process is not None:
            self._ask({"verb": "drop", "names": list(names)})

    def close(self) -> None:
        """Ends the process at once: it keeps nothing that it would have to finish."""
        with self._lock:
            self._closed = True
            self._kill()

    def _spawn(self) -> Transport:
        self._process = self._start(self.arguments())
        self._loaded = self._started = False
        self.generation += 1
        return self._process

    def _ask(self, header: Header, payload: Payload = b"") -> tuple[Header, Payload]:
        """The reply to a frame, of a process that has the tables."""
        with self._lock:
            if self._closed:
                raise UsageError("the connection is closed")
            if self._process is not None and self._process.poll() is not None:
                self._kill()  # it died between two requests
            if self._process is None:
                self._spawn()
            if not self._loaded:
                self._load()
            reply, data = self._exchange(header, payload, self.limits.seconds + self.grace)
        if "fault" in reply:
            raise self.failed(reply)
        return reply, data

    def _load(self) -> None:
        """Gives the process its tables. One that does not take them all is not used."""
        for table in self.tables:
            data = self.sent(table)
            with shared(data) as path:
                header = {"verb": "load", "name": table.name, "file": path, **self.said(table)}
                reply, _ = self._exchange(header, b"", max(30.0, self.limits.seconds))
            if "fault" in reply:
                self._kill()
                raise self._unloaded(table, data.nbytes, reply)
        self._loaded = True

    def _unloaded(self, table: Table, size: int, reply: Header) -> BinderError:
        """The error of a table that the process did not take."""
        if reply["fault"] != "memory_mb":
            return DataError(f"the table {table.name!r} cannot be loaded: {reply['message']}")
        hint = (
            f"the table {table.name!r} ({size / 1e6:,.0f} MB) does not fit:"
            " connect with limits=Limits(memory_mb=...)"
        )
        return LimitExceeded("memory_mb", self.limits.memory_mb, hint=hint)

    def _exchange(self, header: Header, payload: Payload, seconds: float) -> tuple[Header, Payload]:
        """One frame there and one back; a process that takes longer is killed."""
        assert self._process is not None
        until = time.monotonic() + seconds
        try:
            reply = self._process.exchange(header, payload, seconds)
        except (OSError, EOFError) as error:
            self._kill()
            raise self._died(time.monotonic() >= until) from error
        except BaseException:  # Ctrl-C: the process may still be busy
            self._kill()
            raise
        self._started = True
        return reply

    def _died(self, late: bool) -> BinderError:
        """The error of a process that ended before it answered."""
        if late:
            return LimitExceeded("seconds", self.limits.seconds)
        memory_mb = self.limits.memory_mb
        if not self._started:
            return SandboxError(
                "the worker process exited at start-up",
                hint=f"check that {sys.executable} starts within memory_mb={memory_mb}",
            )
        hint = "the worker process died unexpectedly; the next run starts a new one"
        return LimitExceeded("memory_mb", memory_mb, hint=hint)

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()


@contextlib.contextmanager
def shared(table: pa.Table) -> Iterator[str]:
    """The path of a file that holds a table until a process has opened it: in memory and without a
    name, where Linux has such."""
    nameless = os.fdopen(os.memfd_create("table"), "wb") if _NAMELESS else None
    with nameless or tempfile.NamedTemporaryFile() as file:
        with pa.ipc.new_stream(file, table.schema) as writer:
            writer.write_table(table, max_chunksize=CHUNK)
        file.flush()
        yield f"/proc/{os.getpid()}/fd/{file.fileno()}" if _NAMELESS else file.name


def stream(table: pa.Table) -> pa.Buffer:
    """A table as the bytes that a frame carries."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()
