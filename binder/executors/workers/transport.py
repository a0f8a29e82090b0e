"""Ways to a worker: one process behind pipes, or, for tests, a session in this process.

A transport carries frames, a JSON header and a payload each; it knows nothing of their meaning."""

from __future__ import annotations

import contextlib
import json
import os
import selectors
import signal
import struct
import subprocess
import sys
import threading
import time
import weakref
from collections.abc import Sequence
from typing import Any, Protocol, TypeAlias

import pyarrow as pa

Header: TypeAlias = dict[str, Any]
Payload: TypeAlias = "bytes | pa.Buffer"
_START = """
import json, sys
sys.modules["numpy"] = None
sys.path[:] = json.loads(sys.argv.pop(1))
from binder.executors.workers.protocol import take_pipes
pipes = take_pipes()
from {} import main
main(*pipes)
"""
_SMALL = 60_000  # bytes that a pipe takes though nobody reads them


class Transport(Protocol):
    """One worker that was started. pid: of the process that it runs in."""

    pid: int

    def poll(self) -> int | None:
        """None while it lives."""

    def exchange(self, header: Header, payload: Payload, seconds: float) -> tuple[Header, Payload]:
        """One frame there and one back; an OSError or EOFError when it died or took longer."""

    def kill(self) -> None:
        """Ends it at once, and leaves nothing of it behind."""


class Pipes:
    """A process whose environment is empty but for the locale: it holds no key."""

    def __init__(self, module: str, arguments: Sequence[str]):
        """Starts a process that runs main() of a module."""
        start = _START.format(module)
        command = [sys.executable, "-I", "-c", start, json.dumps(sys.path), *arguments]
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={"LANG": "C.UTF-8", "PATH": os.defpath},
            start_new_session=True,
        )
        self.pid = self._process.pid
        self._finalizer = weakref.finalize(self, _end, self._process)

    def poll(self) -> int | None:
        """None while it lives."""
        return self._process.poll()

    def exchange(self, header: Header, payload: Payload, seconds: float) -> tuple[Header, Payload]:
        """One frame there and one back before the time is up."""
        process = self._process
        assert process.stdin is not None
        data = json.dumps(header).encode()
        until = time.monotonic() + seconds
        # Ends a write that the process does not read.
        watchdog = threading.Timer(seconds, _kill, [process])
        watchdog.daemon = True
        try:
            if len(payload) + len(data) > _SMALL:
                watchdog.start()
            process.stdin.write(struct.pack("<IQ", len(data), len(payload)) + data)
            process.stdin.write(payload)
            process.stdin.flush()
            first, second = struct.unpack("<IQ", self._read(12, until))
            return json.loads(self._read(first, until)), self._read(second, until)
        finally:
            watchdog.cancel()

    def kill(self) -> None:
        """Ends the process at once."""
        self._finalizer()

    def _read(self, size: int, until: float) -> bytes:
        """Exactly size bytes before the deadline."""
        assert self._process.stdout is not None
        descriptor = self._process.stdout.fileno()
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


def _kill(process: subprocess.Popen[bytes]) -> None:
    """Ends a process and all that it started, at once."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    """Ends a process at once and leaves nothing of it behind."""
    _kill(process)
    process.wait()
    _close_streams(process)


def _close_streams(process: subprocess.Popen[bytes]) -> None:
    for stream in (process.stdin, process.stdout):
        with contextlib.suppress(OSError):
            if stream is not None:
                stream.close()
