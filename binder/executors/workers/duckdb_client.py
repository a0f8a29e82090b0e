"""The parent's end of the process that runs DuckDB."""

from __future__ import annotations

import os
import re
from collections import deque
from collections.abc import Sequence
from typing import Any

import pyarrow as pa

from binder.errors import BinderError, QueryError
from binder.executors.mappings import PlanMemory
from binder.executors.workers.subprocess import Limits, Process, Start, stream
from binder.executors.workers.transport import Header, Payload
from binder.tables.table import Table
from binder.tables.zones import zone_of

__all__ = ["Limits", "Worker"]
SOME = 10_000  # rows


class Worker(Process):
    """A process with a hardened engine and the tables of one connection."""

    module = "binder.executors.workers.duckdb_worker"

    def __init__(self, tables: Sequence[Table], limits: Limits, start: Start | None = None):
        super().__init__(tables, limits, start)
        self.memory = PlanMemory()
        self._zone = _zone(tables)
        # What goes ahead of the next frame, in the same trip.
        self._before: deque[tuple[Header, Payload]] = deque()
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

    def failed(self, reply: Header) -> BinderError:
        """The error that a reply with a fault stands for."""
        if reply["fault"] == "query":
            return QueryError(_plain(reply["message"]))
        return super().failed(reply)

    def run(self, sql: str, says: dict[str, Any] | None = None) -> tuple[pa.Table, list[str]]:
        """The rows of a query, and the names of their types."""
        most = {"rows": self.limits.rows, "bytes": self.limits.bytes}
        header, payload = self._ask({"verb": "run", "sql": sql, "says": says, "most": most})
        return pa.ipc.open_stream(payload).read_all(), header["types"]

    def describe(self, sql: str, says: dict[str, Any] | None = None) -> tuple[list[str], list[str]]:
        """Columns and types of a query that is only bound."""
        header, _ = self._ask({"verb": "describe", "sql": sql, "says": says})
        return header["columns"], header["types"]

    def load(self, name: str, table: pa.Table) -> None:
        """Makes a table known to the engine before the next query."""
        self._before.append(({"verb": "load", "name": name}, stream(table)))

    def forget(self, names: Sequence[str]) -> None:
        """Makes the engine forget tables, some time before the next query."""
        self._before.append(({"verb": "drop", "names": list(names)}, b""))

    def use(self, tables: Sequence[Table]) -> None:
        """Replaces the tables."""
        super().use(tables)
        self.memory.clear()
        if (zone := _zone(tables)) != self._zone:  # a process keeps its zone: the next has this
            self._zone = zone
            self._kill()

    def _ask(self, header: Header, payload: Payload = b"") -> tuple[Header, Payload]:
        with self._lock:
            # Executions in other threads add to it meanwhile.
            before = [self._before.popleft() for _ in range(len(self._before))]
            if not before:
                return super()._ask(header, payload)
            first = [{**said, "size": len(data)} for said, data in before]
            data = b"".join([*(data for _, data in before), payload])
            return super()._ask({**header, "before": first}, data)


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
    sentence = message.strip().split("\n")[0].split("LINE ")[0].strip()
    return re.sub(r"^[A-Za-z ]+ Error: ", "", sentence)
