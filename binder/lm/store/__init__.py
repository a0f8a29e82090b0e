"""The store of what the language model was asked and said, so that later processes do not pay
twice. Tables: answers, a value an input, however inputs were packed into requests; replies, the
ledger of the requests; refusals."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import threading
import time
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from binder.data import cache_folder
from binder.errors import DataError, UsageError
from binder.language.call_kinds import MAP
from binder.lm import Reply
from binder.lm.store.single_flight import SingleFlight
from binder.lm.store.sqlite import File, Safety
from binder.lm.store.stats import Stats, moment
from binder.tables.codec import dump, load, storable

DAY = 86_400.0  # seconds
MOST = 500  # parameters of one query
TABLES = ("answers", "replies", "refusals")
PACKED = ("value", "input", "reply")  # columns that hold JSON
STALE = 30 * DAY  # then an endpoint may have learnt to take what it refused


def _first(connection: sqlite3.Connection) -> None:
    """Version 1."""
    connection.execute(
        "CREATE TABLE answers (key TEXT PRIMARY KEY, value TEXT NOT NULL, fault TEXT, message TEXT,"
        " attempts INTEGER, kind TEXT, model TEXT, endpoint TEXT, question TEXT, input TEXT,"
        " request TEXT, created REAL NOT NULL)"
    )
    connection.execute(
        "CREATE TABLE replies (key TEXT PRIMARY KEY, state TEXT NOT NULL, model TEXT,"
        " endpoint TEXT, attempt INTEGER, inputs TEXT, reply TEXT, prompt_tokens INTEGER,"
        " completion_tokens INTEGER, cost REAL, created REAL NOT NULL)"
    )
    connection.execute(
        "CREATE INDEX unread ON replies (created) WHERE inputs IS NOT NULL AND state = 'received'"
    )


def _second(connection: sqlite3.Connection) -> None:
    """Version 2: what endpoints refuse."""
    columns = "key TEXT PRIMARY KEY, endpoint TEXT, model TEXT, name TEXT, created REAL NOT NULL"
    connection.execute(f"CREATE TABLE refusals ({columns})")


# Each makes a version from the one before; processes of the older version may have the file open,
# so only add.
MIGRATIONS = (_first, _second)


@dataclass(frozen=True)
class Stored:
    """An answer: its value, or the fault that stands for one. The rest says where it comes from,
    for people and for pruning."""

    value: Any = None
    fault: str | None = None
    message: str = ""
    attempts: int = 1
    kind: str = MAP.name
    model: str = ""
    endpoint: str = ""
    question: str = ""
    input: Any = None
    request: str = ""
    created: float = 0.0

    def row(self, key: str, request: str, now: float) -> tuple[Any, ...]:
        """Its row in the table of answers, as what was read from a reply just now."""
        told = vars(self) | {"request": request, "created": now}
        for name in ("value", "input"):
            told[name] = dump(told[name])
        for name in ("message", "question"):
            told[name] = storable(told[name])
        return (key, *told.values())

    def data(self) -> dict[str, Any]:
        """What a trace tells of it."""
        told = ("value", "fault", "message", "attempts", "input", "request")
        return {name: getattr(self, name) for name in told}


@dataclass(frozen=True)
class PackedRequest:
    """The inputs of one request, in their order: keys of answers. attempt: the number of the
    request for them."""

    inputs: tuple[str, ...]
    attempt: int = 1


_ANSWER = ("key", *(field.name for field in fields(Stored)))


class Store:
    """A handle on the store of a file, which all handles of a process share; path None: one of its
    own, in memory.

    The futures of what is put say when it is durable; it is kept in the order in which it was put.
    Trouble with the file ends no run: then memory takes its place, and `problem` says why."""

    def __init__(self, path: str | os.PathLike[str] | None):
        self.path = None if path is None else Path(os.path.realpath(os.path.expanduser(path)))
        self._shared: Shared | None = _share(self.path)
        self._file, self.flights = self._shared.file, self._shared.flights
        self._packs: dict[str, PackedRequest] = {}

    @property
    def problem(self) -> str | None:
        """Why nothing more is kept in the file, where that is so."""
        return self._file.problem

    def get_answers(self, keys: Iterable[str]) -> dict[str, Stored]:
        """The answers that there are."""
        found = {}
        left = list(keys)
        for start in range(0, len(left), MOST):
            some = left[start : start + MOST]
            query = f"SELECT {', '.join(_ANSWER)} FROM answers WHERE key IN ({_marks(some)})"
            for row in self._file.read(query, some):
                told = dict(zip(_ANSWER, row, strict=True))
                for name in ("value", "input"):
                    told[name] = load(told[name])
                key = told.pop("key")
                found[key] = Stored(**told)
        return found

    def put_answers(self, request: str, answers: Mapping[str, Stored]) -> Future[None]:
        """Keeps what was read from the reply to a request; with no answers, only that it has been
        read."""
        self._packs.pop(request, None)  # where the reply was there already, nothing was sent
        now = time.time()
        rows = [answer.row(key, request, now) for key, answer in answers.items()]
        insert = f"INSERT OR REPLACE INTO answers VALUES ({_marks(_ANSWER)})"

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(insert, rows)
            connection.execute("UPDATE replies SET inputs = NULL WHERE key = ?", [request])

        # what outlives the power is the reply: it would be read again
        return self._file.write(work, "NORMAL")

    def pack(self, request: str, pack: PackedRequest) -> None:
        """Tells which inputs a request is about: kept once it is sent, so that a reply nobody read
        is read later."""
        self._packs[request] = pack

    def unread(self, wanted: Collection[str]) -> list[PackedRequest]:
        """Packs of wanted inputs whose reply is here and was not read, no input twice: the same
        requests again cost nothing."""
        left, packs = set(wanted), []
        query = (
            "SELECT inputs, attempt FROM replies WHERE inputs IS NOT NULL AND state = 'received'"
            " ORDER BY created DESC, key"
        )
        for text, attempt in self._file.read(query):
            inputs = tuple(text.split())
            if inputs and left.issuperset(inputs):
                left.difference_update(inputs)
                packs.append(PackedRequest(inputs, attempt))
        return packs

    def get_reply(self, request: str) -> Reply | None:
        """The reply to a request, where it has come."""
        rows = self._file.read(
            "SELECT reply FROM replies WHERE key = ? AND state = 'received'", [request]
        )
        return Reply.read(json.loads(rows[-1][0])) if rows else None

    def mark_sent(self, request: str, model: str = "", endpoint: str = "") -> Future[None]:
        """Keeps that a request is about to be sent, and may be paid."""
        pack = self._packs.pop(request, None)
        about = (pack.attempt, " ".join(pack.inputs)) if pack else (None, None)
        return self._execute(
            "INSERT INTO replies (key, state, model, endpoint, attempt, inputs, created)"
            " VALUES (?, 'sent', ?, ?, ?, ?, ?)"
            " ON CONFLICT (key) DO UPDATE SET state = 'sent', model = excluded.model,"
            " endpoint = excluded.endpoint, attempt = excluded.attempt, inputs = excluded.inputs"
            " WHERE state <> 'received'",
            [(request, model, endpoint, *about, time.time())],
        )

    def put_reply(
        self, request: str, reply: Reply, model: str = "", endpoint: str = ""
    ) -> Future[None]:
        """Keeps a reply."""
        used = reply.usage
        row = {
            "model": model,
            "endpoint": endpoint,
            "reply": dump(reply.data()),
            "prompt_tokens": used.prompt_tokens,
            "completion_tokens": used.completion_tokens,
            "cost": used.cost,
            "created": time.time(),
        }
        update = ", ".join(f"{name} = excluded.{name}" for name in row)
        return self._execute(
            f"INSERT INTO replies (key, state, {', '.join(row)})"
            f" VALUES (?, 'received', {_marks(row)})"
            f" ON CONFLICT (key) DO UPDATE SET state = 'received', {update}",
            [(request, *row.values())],
            "FULL",
        )

    def get_refused(self, endpoint: str, model: str) -> list[str]:
        """What an endpoint does not take for a model: names of parameters and of forms of a
        request."""
        query = "SELECT name FROM refusals WHERE endpoint = ? AND model = ? AND created > ?"
        return [name for (name,) in self._file.read(query, [endpoint, model, time.time() - STALE])]

    def put_refused(self, endpoint: str, model: str, names: Iterable[str]) -> Future[None]:
        """Keeps what an endpoint refused."""
        rows = [
            (f"{endpoint} {model} {name}", endpoint, model, name, time.time()) for name in names
        ]
        return self._execute("INSERT OR REPLACE INTO refusals VALUES (?, ?, ?, ?, ?)", rows)

    def forget(self, requests: Iterable[str]) -> Future[None]:
        """Drops replies that turned out to be of no use, so that they are asked for again."""
        rows = [(request,) for request in requests]
        for (request,) in rows:
            self._packs.pop(request, None)
        return self._execute("DELETE FROM replies WHERE key = ?", rows)

    def stats(self) -> Stats:
        """What there is."""
        totals = self._file.read(
            "SELECT"
            " count(*) FILTER (WHERE state = 'received'), count(*) FILTER (WHERE state = 'sent'),"
            " coalesce(sum(prompt_tokens), 0), coalesce(sum(completion_tokens), 0),"
            " coalesce(sum(cost), 0.0) FROM replies"
        )
        replies, unanswered, prompt, completion, cost = (
            sum(column) for column in zip(*totals, strict=True)
        )
        models = self._file.read(
            "SELECT model, endpoint, count(*) FROM answers GROUP BY 1, 2 ORDER BY 3 DESC, 1, 2"
        )
        ends = (
            "SELECT min(created), max(created)"
            " FROM (SELECT created FROM answers UNION ALL SELECT created FROM replies)"
        )
        times = [moment for row in self._file.read(ends) for moment in row if moment is not None]
        return Stats(
            path=str(self.path) if self.path else None,
            bytes=self._size(),
            answers=sum(count for *_, count in models),
            replies=replies,
            unanswered=unanswered,
            prompt_tokens=prompt,
            completion_tokens=completion,
            cost=cost,
            models=tuple(models),
            oldest=min(times, default=None),
            newest=max(times, default=None),
            problem=self.problem,
        )

    def prune(self, older_than_days: float | None = None, model: str | None = None) -> int:
        """Deletes what is older, what is of a model, or what is both; how many answers and replies
        that were."""
        if older_than_days is None and model is None:
            raise UsageError(
                "nothing selected to delete", hint="give older_than_days= (0: all) or model="
            )
        before = None if older_than_days is None else time.time() - older_than_days * DAY
        where = "created <= coalesce(?, created) AND coalesce(model, '') = coalesce(?, model, '')"

        def work(connection: sqlite3.Connection) -> int:
            return sum(
                connection.execute(f"DELETE FROM {table} WHERE {where}", (before, model)).rowcount
                for table in TABLES
            )

        deleted: int = self._file.write(work).result()
        # else what was deleted stays on the disk, to be read with other tools
        self._file.alone("VACUUM")
        self._file.alone("PRAGMA wal_checkpoint(TRUNCATE)")
        return deleted

    def export(self, path: str | os.PathLike[str]) -> int:
        """Writes all answers and replies as lines of JSON, the oldest first; how many lines that
        are."""
        count = 0
        try:
            with open(path, "w", encoding="utf-8") as file:
                for line in self._lines():
                    file.write(line + "\n")
                    count += 1
        except OSError as error:
            raise DataError(f"cannot write the export: {error.strerror}", path=str(path)) from error
        return count

    def close(self) -> None:
        """Gives the handle back; the last one waits for what there is to write, and closes the
        file."""
        shared, self._shared = self._shared, None
        if shared is not None:
            _give_back(shared)

    def _execute(
        self, statement: str, rows: Sequence[Sequence[Any]], safety: Safety = "NORMAL"
    ) -> Future[None]:
        """Executes a statement for each of some rows."""

        def work(connection: sqlite3.Connection) -> None:
            connection.executemany(statement, rows)

        return self._file.write(work, safety)

    def _lines(self) -> Iterator[str]:
        """Each row of each table as readable JSON, without the columns that hold nothing."""
        for table in TABLES:
            columns = self._file.read(f"SELECT name FROM pragma_table_info('{table}')")
            # both the file and memory name them, where one has taken the place of the other
            names = dict.fromkeys(name for (name,) in columns)
            for row in self._file.read(f"SELECT * FROM {table} ORDER BY created, key"):
                told: dict[str, Any] = {"table": table}
                for name, value in zip(names, row, strict=True):
                    if name == "created":
                        told[name] = moment(value)
                    elif value not in (None, ""):
                        told[name] = json.loads(value) if name in PACKED else value
                yield storable(json.dumps(told, ensure_ascii=False))

    def _size(self) -> int:
        """The bytes on the disk."""
        sizes = 0
        for suffix in ("", "-wal") if self.path else ():
            with contextlib.suppress(OSError):
                sizes += os.path.getsize(f"{self.path}{suffix}")
        return sizes


def default_path() -> Path | None:
    """The file that is used where nobody names one; None where the platform has no place for it."""
    folder = cache_folder()
    return None if folder is None else folder / "answers.sqlite"


@dataclass
class Shared:
    """What all handles of one file share."""

    file: File
    flights: SingleFlight
    handles: int = 0


_registry: dict[Path, Shared] = {}
_registering = threading.Lock()


def _share(path: Path | None) -> Shared:
    """The one Shared of a path in this process."""
    with _registering:
        shared = _registry.get(path) if path else None
        if shared is None:
            shared = Shared(File(path, MIGRATIONS), SingleFlight())
            if path:
                _registry[path] = shared
        shared.handles += 1
        return shared


def _give_back(shared: Shared) -> None:
    """Closes what nobody uses any more."""
    with _registering:
        shared.handles -= 1
        if shared.handles:
            return
        if shared.file.path:
            del _registry[shared.file.path]
    shared.file.close()


def _in_child() -> None:
    """Gives a forked child a lock that no lost thread holds."""
    global _registering
    _registering = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)


def _marks(items: Collection[Any]) -> str:
    return ", ".join("?" * len(items))
