"""The parent's end of the process that runs SQLite."""

from __future__ import annotations

import pyarrow as pa

from binder.executors.workers.duckdb_client import Worker
from binder.executors.workers.transport import Header
from binder.tables.table import Table


class SqliteWorker(Worker):
    """A process with SQLite in the engine's place."""

    module = "binder.executors.workers.sqlite_worker"

    def arguments(self) -> list[str]:
        """Its memory."""
        return super().arguments()[:1]

    def sent(self, table: Table) -> pa.Table:
        """The data as they are."""
        return table.data

    def said(self, table: Table) -> Header:
        """Where SQLite keeps the values of a table, if it does."""
        if table.stored is None:
            return {}
        columns = [(column.name, column.header) for column in table.columns]
        return {"stored": table.stored.data(columns)}
