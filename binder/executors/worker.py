"""Tables and queries come in; Arrow tables go out: the parent's end of a worker process that is killed when a limit is reached.

The worker's environment is empty but for the locale: it holds no key. After a kill the next request starts a new one and
loads the tables again.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import selectors
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from binder.errors import LimitExceeded, QueryError, SandboxError, UsageError
from binder.table import Table

_START = "import sys, json; sys.path[:] = json.loads(sys.argv.pop(1)); from binder.executors.duckdb import main; main()"


@dataclass(frozen=True)
class Limits:
    """Limits of the engine's own work: seconds per query, megabytes of memory, rows of a result."""

    seconds: float = 30
    memory_mb: int = 2048
    rows: int = 1_000_000


class Worker:
    """A process with a hardened engine and the tables of one connection."""

    def __init__(self, tables: Sequence[Table], limits: Limits):
        self.tables = tuple(tables)
        self.limits = limits
        self.generation = 0
        self._process: subprocess.Popen[bytes] | None = None
        self._lock = threading.RLock()
        self._loaded = False
        self._closed = False
        self._spawn()

    def run(self, sql: str) -> tuple[pa.Table, list[str]]:
        """The rows of a query, and the names of their types."""
        header, payload = self._ask({"verb": "run", "sql": sql, "rows": self.limits.rows})
        return pa.ipc.open_stream(payload).read_all(), header["types"]

    def describe(self, sql: str) -> tuple[list[str], list[str]]:
        """Columns and types of a query that is only bound."""
        header, _ = self._ask({"verb": "describe", "sql": sql})
        return header["columns"], header["types"]

    def load(self, name: str, table: pa.Table) -> None:
        """Makes a table known to the engine."""
        self._ask({"verb": "load", "name": name}, _stream(table))

    def drop(self, names: Sequence[str]) -> None:
        """Makes the engine forget tables."""
        if names and self._process is not None:
            self._ask({"verb": "drop", "names": list(names)})

    def use(self, tables: Sequence[Table]) -> None:
        """Puts other tables in the place of those that there are."""
        with self._lock:
            if self._loaded:
                self.drop([table.name for table in self.tables])
            self.tables = tuple(tables)
            self._loaded = False

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
            try:
                process.wait(timeout=0.5)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _spawn(self) -> None:
        threads = max(1, min(4, os.cpu_count() or 1))
        command = [sys.executable, "-I", "-c", _START, json.dumps(sys.path), str(self.limits.memory_mb), str(threads)]
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

    def _ask(self, header: dict[str, Any], payload: bytes | pa.Buffer = b"") -> tuple[dict[str, Any], bytes]:
        with self._lock:
            if self._closed:
                raise UsageError("the connection is closed")
            if self._process is None:
                self._spawn()
            if not self._loaded:
                self._loaded = True
                for table in self.tables:
                    self._exchange({"verb": "load", "name": table.name}, _stream(table.data), max(30.0, self.limits.seconds))
            reply, data = self._exchange(header, payload, self.limits.seconds)
        fault = reply.get("fault")
        if fault == "query":
            raise QueryError(_plain(reply["message"]))
        if fault is not None:
            raise LimitExceeded(fault, getattr(self.limits, fault))
        return reply, data

    def _exchange(self, header: dict[str, Any], payload: bytes | pa.Buffer, seconds: float) -> tuple[dict[str, Any], bytes]:
        """One frame there and one back; a worker that takes longer is killed."""
        process = self._process
        assert process is not None and process.stdin is not None and process.stdout is not None
        data = json.dumps(header).encode()
        until = time.monotonic() + seconds
        watchdog = threading.Timer(seconds, process.kill)  # ends a write that the worker does not read
        watchdog.daemon = True
        try:
            if len(payload) > 60_000:
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
                raise LimitExceeded("seconds", seconds) from error
            if not self._started:
                hint = f"does {sys.executable} start, with {self.limits.memory_mb} MB?"
                raise SandboxError("the engine's worker process ended as soon as it was started", hint=hint) from error
            raise LimitExceeded("memory_mb", self.limits.memory_mb, hint="the worker process died") from error
        except BaseException:  # Ctrl-C: the worker may still be busy with this query
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


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process at once and leaves nothing of it behind."""
    process.kill()
    process.wait()
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()


def _stream(table: pa.Table) -> pa.Buffer:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def _plain(message: str) -> str:
    """The first line of an engine's message, which is the sentence."""
    return re.sub(r"^[A-Za-z ]+ Error: ", "", message.strip().split("\n")[0].split("LINE ")[0].strip())
