"""Frames go in and frames come out: the parent's end of a process that does not trust what it runs
and is killed when a limit is reached.

The process's environment is empty but for the locale: it holds no key. After a kill the next
request starts a new one and loads the tables again."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import tempfile
import threading
import time
import weakref
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from binder.errors import BinderError, DataError, LimitExceeded, SandboxError, UsageError
from binder.tables.table import Table

_START = """
import json, sys
sys.modules["numpy"] = None
sys.path[:] = json.loads(sys.argv.pop(1))
from binder.executors.workers.protocol import take_pipes
pipes = take_pipes()
from {} import main
main(*pipes)
"""
_NAMELESS = hasattr(os, "memfd_create") and os.access(f"/proc/{os.getpid()}/fd", os.R_OK)
CHUNK = 122_880  # rows that one thread of an engine reads at a time


@dataclass(frozen=True)
class Limits:
    """Limits of the engine's own work: seconds per query or program, megabytes of memory, rows of a
    result."""

    seconds: float = 30
    memory_mb: int = 2048
    rows: int = 1_000_000
    bytes: int = 256_000_000


class Process:
    """A process that answers frames about the tables of one connection. generation: how many there
    were so far."""

    module: str  # whose main() the process runs
    grace = 0.0  # seconds that it has to stop by itself

    def __init__(self, tables: Sequence[Table], limits: Limits):
        self.tables = tuple(tables)
        self.limits = limits
        self.generation = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()
        self._loaded = False
        self._closed = False

    def arguments(self) -> list[str]:
        """What main() is told."""
        return [str(self.limits.memory_mb)]

    def sent(self, table: Table) -> pa.Table:
        """A table as the process is given it."""
        return table.data

    def failed(self, reply: dict[str, Any]) -> BinderError:
        """The error that a reply with a fault stands for."""
        return LimitExceeded(reply["fault"], getattr(self.limits, reply["fault"]))

    def use(self, tables: Sequence[Table]) -> None:
        """Puts other tables in the place of those that there are."""
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
        """Ends the process."""
        with self._lock:
            self._closed = True
            process, self._process = self._process, None
            if process is None:
                return
            self._finalizer.detach()
            for stream in (process.stdin, process.stdout):
                with contextlib.suppress(OSError):
                    if stream is not None:
                        stream.close()
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.wait(timeout=0.5)
            _end(process)

    def _spawn(self) -> None:
        command = [
            sys.executable,
            "-I",
            "-c",
            _START.format(self.module),
            json.dumps(sys.path),
            *self.arguments(),
        ]
        environment = {"LANG": "C.UTF-8", "PATH": os.defpath}
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=environment,
            start_new_session=True,
        )
        self._finalizer = weakref.finalize(self, _end, self._process)
        self._loaded = self._started = False
        self.generation += 1

    def _ask(
        self, header: dict[str, Any], payload: bytes | pa.Buffer = b""
    ) -> tuple[dict[str, Any], bytes]:
        with self._lock:
            if self._closed:
                raise UsageError("the connection is closed")
            if (
                self._process is not None and self._process.poll() is not None
            ):  # it died between two requests
                self._kill()
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
                header = {"verb": "load", "name": table.name, "file": path}
                reply, _ = self._exchange(header, b"", max(30.0, self.limits.seconds))
            if "fault" in reply:
                self._kill()
                raise self._unloaded(table, data.nbytes, reply)
        self._loaded = True

    def _unloaded(self, table: Table, size: int, reply: dict[str, Any]) -> BinderError:
        """The error of a table that the process did not take."""
        if reply["fault"] != "memory_mb":
            return DataError(f"the table {table.name!r} cannot be loaded: {reply['message']}")
        hint = f"the table {table.name!r} ({size / 1e6:,.0f} MB) does not fit: connect with limits=Limits(memory_mb=...)"
        return LimitExceeded("memory_mb", self.limits.memory_mb, hint=hint)

    def _exchange(
        self, header: dict[str, Any], payload: bytes | pa.Buffer, seconds: float
    ) -> tuple[dict[str, Any], bytes]:
        """One frame there and one back; a process that takes longer is killed."""
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        data = json.dumps(header).encode()
        until = time.monotonic() + seconds
        watchdog = threading.Timer(
            seconds, kill, [process]
        )  # ends a write that the process does not read
        watchdog.daemon = True
        try:
            if len(payload) + len(data) > 60_000:
                watchdog.start()
            process.stdin.write(struct.pack("<IQ", len(data), len(payload)) + data)
            process.stdin.write(payload)
            process.stdin.flush()
            sizes = self._read(process, 12, until)
            first, second = struct.unpack("<IQ", sizes)
            self._started = True
            return json.loads(self._read(process, first, until)), self._read(process, second, until)
        except (OSError, EOFError) as error:
            self._kill()
            if time.monotonic() >= until:
                raise LimitExceeded("seconds", self.limits.seconds) from error
            if not self._started:
                hint = f"does {sys.executable} start, with {self.limits.memory_mb} MB?"
                raise SandboxError(
                    "the engine's worker process ended as soon as it was started", hint=hint
                ) from error
            raise LimitExceeded(
                "memory_mb", self.limits.memory_mb, hint="the worker process died"
            ) from error
        except BaseException:  # Ctrl-C: the process may still be busy
            self._kill()
            raise
        finally:
            watchdog.cancel()

    def _read(self, process: subprocess.Popen[bytes], size: int, until: float) -> bytes:
        """Exactly size bytes before the deadline."""
        assert process.stdout is not None
        descriptor = process.stdout.fileno()
        parts: list[bytes] = []
        with selectors.DefaultSelector() as selector:
            selector.register(descriptor, selectors.EVENT_READ)
            while size:
                if not selector.select(max(0.0, until - time.monotonic())):
                    raise TimeoutError
                part = os.read(descriptor, min(size, 1 << 20))
                if not part:
                    raise EOFError
                parts.append(part)
                size -= len(part)
        return b"".join(parts)

    def _kill(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            self._finalizer.detach()
            _end(process)


def kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and all that it started, at once."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process at once and leaves nothing of it behind."""
    kill(process)
    process.wait()
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()


@contextlib.contextmanager
def shared(table: pa.Table) -> Iterator[str]:
    """The path of a file that holds a table until a process has opened it: in memory and without a
    name, where Linux has such."""
    with (
        os.fdopen(os.memfd_create("table"), "wb")
        if _NAMELESS
        else tempfile.NamedTemporaryFile() as file
    ):
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
