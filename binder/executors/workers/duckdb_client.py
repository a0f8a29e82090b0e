"""Tables and queries come in; Arrow tables go out: the parent's end of the process that runs
DuckDB."""

from __future__ import annotations

import itertools
import os
import re
import weakref
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from binder.errors import BinderError, QueryError
from binder.executors import Input
from binder.executors.workers.subprocess import Limits, Process, stream
from binder.plan import Plan
from binder.tables.table import Table
from binder.tables.zones import zone_of

__all__ = ["Limits", "Worker"]
SOME = 10_000  # rows


@dataclass
class Prepared:
    """What is kept of a plan for its next run. bound: the engine took it; sent: its query, by tag;
    inputs: what its collects yield before anything is known, by site and reach."""

    bound: bool = False
    sent: dict[str, tuple[str, dict[str, Any]]] = field(default_factory=dict)
    inputs: dict[tuple[int, int | None], list[Input]] = field(default_factory=dict)


class Worker(Process):
    """A process with a hardened engine and the tables of one connection."""

    module = "binder.executors.workers.duckdb_worker"

    def __init__(self, tables: Sequence[Table], limits: Limits):
        super().__init__(tables, limits)
        self.prepared: weakref.WeakKeyDictionary[Plan, Prepared] = weakref.WeakKeyDictionary()
        self.tags: list[str] = []  # that no execution has now
        self._tags = itertools.count(1)
        self._zone = _zone(tables)
        self._before: deque[tuple[dict[str, Any], pa.Buffer | bytes]] = (
            deque()
        )  # goes ahead of the next frame, in the same trip
        self._spawn()

    def arguments(self) -> list[str]:
        """Its memory, its threads and its time zone."""
        return [*super().arguments(), str(max(1, min(4, os.cpu_count() or 1))), self._zone]

    def sent(self, table: Table) -> pa.Table:
        """Text that repeats itself goes as a dictionary: it takes less memory, and the engine looks
        at each text once."""
        data = pa.table(list(map(_packed, table.data.columns)), names=table.data.column_names)
        pa.default_memory_pool().release_unused()
        return data

    def failed(self, reply: dict[str, Any]) -> BinderError:
        """The error that a reply with a fault stands for."""
        return (
            QueryError(_plain(reply["message"]))
            if reply["fault"] == "query"
            else super().failed(reply)
        )

    def run(self, sql: str, says: dict[str, Any] | None = None) -> tuple[pa.Table, list[str]]:
        """The rows of a query, and the names of their types."""
        most = {"rows": self.limits.rows, "bytes": self.limits.bytes}
        header, payload = self._ask({"verb": "run", "sql": sql, "says": says, "most": most})
        return pa.ipc.open_stream(payload).read_all(), header["types"]

    def describe(self, sql: str, says: dict[str, Any] | None = None) -> tuple[list[str], list[str]]:
        """Columns and types of a query that is only bound."""
        header, _ = self._ask({"verb": "describe", "sql": sql, "says": says})
        return header["columns"], header["types"]

    def tag(self) -> str:
        """One that no other execution has."""
        try:
            return self.tags.pop()
        except IndexError:
            return f"#{next(self._tags)}"

    def load(self, name: str, table: pa.Table) -> None:
        """Makes a table known to the engine before the next query."""
        self._before.append(({"verb": "load", "name": name}, stream(table)))

    def forget(self, names: Sequence[str]) -> None:
        """Makes the engine forget tables, some time before the next query."""
        self._before.append(({"verb": "drop", "names": list(names)}, b""))

    def use(self, tables: Sequence[Table]) -> None:
        """Puts other tables in the place of those that there are."""
        super().use(tables)
        self.prepared.clear()
        if (zone := _zone(tables)) != self._zone:  # which a process keeps: the next has the other
            self._zone = zone
            self._kill()

    def _ask(
        self, header: dict[str, Any], payload: bytes | pa.Buffer = b""
    ) -> tuple[dict[str, Any], bytes]:
        with self._lock:
            before = [
                self._before.popleft() for _ in range(len(self._before))
            ]  # executions in other threads add to it
            first = [{**said, "size": len(data)} for said, data in before]
            return super()._ask(
                {**header, "before": first}, b"".join([*(data for _, data in before), payload])
            )


def _zone(tables: Sequence[Table]) -> str:
    """The time zone in which the engine reads these tables."""
    return zone_of([table.data for table in tables])[0]


def _packed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """A column, as a dictionary where its first texts repeat themselves."""
    some = column.slice(0, SOME)
    if not pa.types.is_string(column.type) or len(some) < SOME or len(some.unique()) > SOME / 4:
        return column
    return column.dictionary_encode().unify_dictionaries()


def _plain(message: str) -> str:
    """The first line of an engine's message, which is the sentence."""
    return re.sub(
        r"^[A-Za-z ]+ Error: ", "", message.strip().split("\n")[0].split("LINE ")[0].strip()
    )
