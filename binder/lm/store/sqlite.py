"""A SQLite file that any thread works on: work is done in groups, one transaction each, and futures
say when it is durable. Several processes may share a file. One that cannot be used costs no run:
its place is taken by memory, and `problem` says why."""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import queue
import sqlite3
import threading
import time
import weakref
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from binder.errors import DataError

Work = Callable[[sqlite3.Connection], Any]
# Whether work outlives the power (FULL waits for the disk) or only the process (NORMAL, a hundredth
# of the time).
Safety = Literal["NORMAL", "FULL"]

APPLICATION = 0x62696E64  # marks the files that are ours
GROUP = 500  # pieces of work in one transaction
SLICE = 1.0  # seconds of one wait for other processes that keep the file
PATIENCE = 60.0  # of all waits


@dataclass
class Job:
    """A piece of work and the future of its result."""

    work: Work
    safety: Safety
    future: Future[Any] = field(default_factory=Future)

    def __post_init__(self) -> None:
        self.future.set_running_or_notify_cancel()  # from here on nobody can cancel it


class File:
    """One SQLite file of one process, or with path None its memory. migrations: what makes each
    version from the one before."""

    def __init__(self, path: Path | None, migrations: Sequence[Work]):
        self.path = path
        self.migrations = migrations
        self.problem: str | None = None
        self._memory: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None
        self._writer: sqlite3.Connection | None = None
        self._unreadable = False
        self._reading, self._writing, self._starting = (
            threading.Lock(),
            threading.Lock(),
            threading.Lock(),
        )
        self._thread: threading.Thread | None = None
        self._jobs: queue.SimpleQueue[Job | None] = queue.SimpleQueue()
        if path is None:
            self._remember()
        with _registering:
            _files.add(self)

    def read(self, query: str, parameters: Sequence[Any] = ()) -> list[tuple[Any, ...]]:
        """The rows of a query; where memory has taken the place of the file, those of both, the
        file's first."""
        rows: list[tuple[Any, ...]] = []
        if self.path is not None and not self._unreadable:
            try:
                rows = self._patiently(lambda: self._read_file(query, parameters))
            except (sqlite3.Error, OSError, DataError) as error:
                self._unreadable = True
                self._give_up(error)
        if self._memory is not None:
            with self._reading:
                rows += self._memory.execute(query, parameters).fetchall()
        return rows

    def write(self, work: Work, safety: Safety = "FULL") -> Future[Any]:
        """The result of work, once it is safe; work is done in the order in which it comes."""
        job = Job(work, safety)
        if self._memory is not None:
            self._run_in_memory([job])
            return job.future
        with self._starting:
            if self._thread is None:
                self._thread = threading.Thread(
                    target=self._serve, args=(self._jobs,), name="binder-store", daemon=True
                )
                self._thread.start()
            self._jobs.put(job)
        return job.future

    def alone(self, statement: str) -> None:
        """Executes a statement that stands in no transaction, unless other processes are in the
        way."""
        with self._writing, contextlib.suppress(sqlite3.OperationalError):
            if self._memory is None:
                self._open_writer().execute(statement)

    def close(self) -> None:
        """Waits for what there is to write, and closes the file."""
        with self._starting:
            thread, self._thread = self._thread, None
            self._jobs.put(None)
            self._jobs = queue.SimpleQueue()
        if thread is not None:
            thread.join(PATIENCE)
        with self._writing, self._reading:
            self._close_connections()

    def _serve(self, jobs: queue.SimpleQueue[Job | None]) -> None:
        """The writing thread: takes all jobs that wait, and does them in one transaction."""
        while (job := jobs.get()) is not None:
            group: list[Job] = [job]
            while job is not None and len(group) < GROUP:
                try:
                    job = jobs.get_nowait()
                except queue.Empty:
                    break
                if job is not None:
                    group.append(job)
            self._commit(group)
            if job is None:
                return

    def _commit(self, group: list[Job]) -> None:
        """Does a group of jobs, in the file or else in memory."""
        try:
            if self._memory is None:
                results = self._patiently(lambda: self._transact(group))
                for job, result in zip(group, results, strict=True):
                    job.future.set_result(result)
                return
        except (sqlite3.Error, OSError, DataError) as error:
            self._give_up(error)
        except Exception as error:  # a fault of ours in a job: nobody may wait for it forever
            for job in group:
                job.future.set_exception(error)
            return
        self._run_in_memory(group)

    def _transact(self, group: list[Job]) -> list[Any]:
        """One transaction; of a group, the most careful decides."""
        with self._writing:
            connection = self._open_writer()
            safety = "FULL" if any(job.safety == "FULL" for job in group) else "NORMAL"
            connection.execute(f"PRAGMA synchronous={safety}")
            with _transaction(connection):
                return [job.work(connection) for job in group]

    def _run_in_memory(self, group: list[Job]) -> None:
        """Does jobs in memory."""
        assert self._memory is not None
        for job in group:
            try:
                with self._reading, _transaction(self._memory):
                    result = job.work(self._memory)
            except Exception as error:  # as above
                job.future.set_exception(error)
            else:
                job.future.set_result(result)

    def _read_file(self, query: str, parameters: Sequence[Any]) -> list[tuple[Any, ...]]:
        with self._reading:
            if self._reader is None:
                self._reader = self._open()
            return self._reader.execute(query, parameters).fetchall()

    def _open_writer(self) -> sqlite3.Connection:
        if self._writer is None:
            self._writer = self._open()
        return self._writer

    def _open(self) -> sqlite3.Connection:
        """A connection to the file, which is made where it is missing and brought to our version
        where it is older."""
        assert self.path is not None
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # what is in it is for its owner's eyes
            os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
        connection = _connect(str(self.path))
        try:
            # another process may be making it: all that is checked is of one moment
            with _transaction(connection, "DEFERRED"):
                version = self._check(connection)
            if connection.execute("PRAGMA journal_mode").fetchone() != ("wal",):
                # where it is not possible, the mode stays: slower, and as safe
                connection.execute("PRAGMA journal_mode=WAL")
            if version < len(self.migrations):
                self._migrate(connection)
        except BaseException:
            connection.close()
            raise
        return connection

    def _migrate(self, connection: sqlite3.Connection) -> None:
        """Brings a file to our version, in one transaction."""
        with _transaction(connection):
            for migration in self.migrations[self._check(connection) :]:
                migration(connection)
            connection.execute(f"PRAGMA application_id={APPLICATION}")
            connection.execute(f"PRAGMA user_version={len(self.migrations)}")

    def _check(self, connection: sqlite3.Connection) -> int:
        """The version of a database, 0 for an empty one; a DataError where it is not ours to
        use."""
        (application,) = connection.execute("PRAGMA application_id").fetchone()
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
        if application != APPLICATION and (application or version or tables):
            raise DataError("not a binder cache", path=str(self.path))
        if version > len(self.migrations):
            raise DataError("written by a newer version of binder", path=str(self.path))
        return int(version)

    def _remember(self) -> None:
        """Lets memory take the place of the file for all that is written from now on."""
        memory = _connect(":memory:")
        self._migrate(memory)
        weakref.finalize(self, memory.close)
        self._memory = memory

    def _give_up(self, error: Exception) -> None:
        """Goes on in memory, and says so once."""
        with self._starting:
            if self._memory is None:
                reason = error.message if isinstance(error, DataError) else str(error)
                self.problem = (
                    f"cannot use the cache {self.path}: {reason};"
                    " answers of this run are kept in memory only"
                )
                self._remember()
                logging.getLogger("binder").warning("%s", self.problem)

    def _patiently(self, work: Callable[[], Any]) -> Any:
        """Work that is tried again while another process keeps the file; the locks are free in
        between."""
        until = time.monotonic() + PATIENCE
        while True:
            try:
                return work()
            except sqlite3.OperationalError as error:
                code = getattr(error, "sqlite_errorcode", 0) & 0xFF
                if (
                    code not in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
                    or time.monotonic() > until
                ):
                    raise
            time.sleep(0.005)

    def _close_connections(self) -> None:
        for connection in (self._reader, self._writer):
            if connection is not None:
                connection.close()
        self._reader = self._writer = None

    def _about_to_fork(self) -> None:
        """Closes the file: SQLite must not carry one into a child, not even unused."""
        self._starting.acquire()
        self._writing.acquire()
        self._reading.acquire()
        self._close_connections()

    def _has_forked(self) -> None:
        self._reading.release()
        self._writing.release()
        self._starting.release()

    def _forked(self) -> None:
        """Begins without the thread of the parent, and without the work that it will do."""
        self._thread = None
        self._jobs = queue.SimpleQueue()


def _connect(place: str) -> sqlite3.Connection:
    return sqlite3.connect(place, timeout=SLICE, isolation_level=None, check_same_thread=False)


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, kind: str = "IMMEDIATE") -> Iterator[None]:
    """All or nothing."""
    connection.execute(f"BEGIN {kind}")
    try:
        yield
        connection.execute("COMMIT")
    finally:
        if connection.in_transaction:
            connection.execute("ROLLBACK")


_registering = threading.Lock()
_files: weakref.WeakSet[File] = weakref.WeakSet()
_forking: list[File] = []


def _before_fork() -> None:
    _registering.acquire()
    _forking.extend(_files)
    for file in _forking:
        file._about_to_fork()


def _in_parent() -> None:
    for file in _forking:
        file._has_forked()
    _forking.clear()
    _registering.release()


def _in_child() -> None:
    for file in _forking:
        file._forked()
    _in_parent()


def _at_exit() -> None:
    for file in list(_files):
        file.close()


atexit.register(_at_exit)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before_fork, after_in_parent=_in_parent, after_in_child=_in_child)
