"""The DuckDB side of a worker, in a process of its own: frames with tables and queries, answered
with Arrow tables.

The connection is hardened before the first query: no files, no network, no extensions, no settings.
The process holds no key."""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Iterable
from typing import Any, BinaryIO

import duckdb
import pyarrow as pa

from binder.errors import DataError
from binder.executors.workers.protocol import confine, read_table, serve
from binder.executors.workers.verify import NotAllowed, shape, sources
from binder.tables.readings.mixed import NUMBER, SCALED

SETTINGS = {
    "enable_external_access": "false",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "allow_community_extensions": "false",
    "python_enable_replacements": "false",
    "temp_directory": "",
    "max_temp_directory_size": "0B",
    "max_expression_depth": "500",
}
MACROS = (
    f"CREATE MACRO number_in(t) AS CASE WHEN regexp_matches(t, '{SCALED}') THEN NULL ELSE TRY_CAST("
    f"replace(regexp_extract(replace(t, '−', '-'), '{NUMBER}', 1), ',', '') AS DOUBLE) END",
)


class DuckDBSession:
    """One hardened connection with its tables."""

    def __init__(self, memory_mb: int, threads: int, zone: str = "UTC"):
        self.connection = duckdb.connect(
            ":memory:",
            config={**SETTINGS, "memory_limit": f"{memory_mb}MB", "threads": str(threads)},
        )
        for macro in MACROS:
            self.connection.execute(macro)
        self.connection.execute("SET enable_progress_bar=false")  # `config` does not take it
        self.connection.execute(f"SET TimeZone='{zone}'")
        self.connection.execute("SET lock_configuration=true")
        self.tables: set[str] = set()
        # of queries that were looked at, since a table went
        self.shapes: dict[str, dict[str, Any]] = {}

    def is_full(self, error: Exception) -> bool:
        """Whether an error says that there is no memory left."""
        full = (duckdb.OutOfMemoryException, MemoryError)
        return isinstance(error, full) or "failed to allocate" in str(error)

    def load(self, header: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], bytes]:
        """Makes an Arrow table known under a name: what a file holds, which is not copied, or the
        frame."""
        if "file" in header:
            table = read_table(header["file"])
        else:
            table = pa.ipc.open_stream(payload).read_all()
        self.connection.register(header["name"], table)
        self.tables.add(header["name"].casefold())
        return {"rows": table.num_rows}, b""

    def drop(self, header: dict[str, Any], _: memoryview) -> tuple[dict[str, Any], bytes]:
        """Forgets tables."""
        # the names of mappings mean nothing to the engine
        if not all("#" in name for name in header["names"]):
            self.shapes.clear()
        for name in header["names"]:
            with contextlib.suppress(duckdb.Error):
                self.connection.unregister(name)
                self.tables.discard(name.casefold())
        return {}, b""

    def describe(self, header: dict[str, Any], _: memoryview) -> tuple[dict[str, Any], bytes]:
        """Binds a query without running it; what its plan reads is looked at, too."""
        self._allow(header["sql"], header.get("says"))
        relation = self.connection.sql(header["sql"])
        ((_, plan),) = self.connection.execute(f"EXPLAIN (FORMAT json) {header['sql']}").fetchall()
        sources(json.loads(plan))
        return {"columns": relation.columns, "types": _named(relation.types)}, b""

    def run(self, header: dict[str, Any], _: memoryview) -> tuple[dict[str, Any], bytes]:
        """Runs a query; stops with `rows` or `bytes` once it yields more than the limit."""
        self._allow(header["sql"], header.get("says"))
        relation = self.connection.sql(header["sql"])
        types = _named(relation.types)
        reader: Any = relation.to_arrow_reader(10_000)
        sink = pa.BufferOutputStream()
        yields = {"rows": 0, "bytes": 0}
        with contextlib.closing(reader), pa.ipc.new_stream(sink, reader.schema) as writer:
            for batch in reader:
                yields["rows"] += batch.num_rows
                yields["bytes"] += batch.nbytes
                for kind, most in header["most"].items():
                    if yields[kind] > most:
                        return {"fault": kind, "message": f"the result has too many {kind}"}, b""
                writer.write_batch(batch)
        return {"columns": reader.schema.names, "types": types}, sink.getvalue()

    def _allow(self, sql: str, says: dict[str, Any] | None) -> None:
        """The engine's own parser must see one SELECT of allowed parts over tables that are there,
        and what the sender says."""
        found = self.shapes.get(sql)
        if found is None:
            statements = self.connection.extract_statements(sql)
            if len(statements) != 1 or statements[0].type != duckdb.StatementType.SELECT:
                raise NotAllowed("only one SELECT is allowed")
            ((parsed,),) = self.connection.execute(
                "SELECT json_serialize_sql($1)", [sql]
            ).fetchall()
            found = shape(json.loads(parsed), frozenset(self.tables)).data()
            if len(self.shapes) >= 256:
                self.shapes.clear()
            self.shapes[sql] = found
        if says is not None and found != says:
            raise NotAllowed(
                f"DuckDB parses the program differently ({found} instead of {says}),"
                " so it was refused"
            )


def _named(types: Iterable[Any]) -> list[str]:
    """The names of types; what is NULL throughout is text."""
    return [str(kind).replace('"NULL"', "VARCHAR") for kind in types]


def read_database(path: str) -> dict[str, pa.Table]:
    """The tables of a .duckdb file, opened for reading only."""
    if not os.path.isfile(path):
        raise DataError(f"no such file: {path}", path=path)
    try:
        with duckdb.connect(path, read_only=True) as connection:
            return _tables(connection, path)
    except duckdb.Error as error:
        raise DataError(
            f"cannot read {path} as a DuckDB database: {str(error).splitlines()[0]}", path=path
        ) from error


def _tables(connection: Any, path: str) -> dict[str, pa.Table]:
    """The tables and views that can be read, each with its schema where another has its name."""
    names = connection.sql(
        "SELECT schema_name, table_name FROM duckdb_tables() WHERE NOT internal UNION ALL"
        " SELECT schema_name, view_name FROM duckdb_views() WHERE NOT internal"
    ).fetchall()
    bare = [name.casefold() for _, name in names]
    found: dict[str, pa.Table] = {}
    faults: list[str] = []
    for schema, name in names:
        place = ".".join('"' + part.replace('"', '""') + '"' for part in (schema, name))
        shown = name if bare.count(name.casefold()) == 1 or schema == "main" else f"{schema}.{name}"
        try:
            found[shown] = connection.sql(f"SELECT * FROM {place}").to_arrow_table()
        except duckdb.Error as error:  # a view of what is gone
            faults.append(f"{shown}: {str(error).splitlines()[0]}")
    if faults and not found:
        raise DataError(f"{path} cannot be read as a DuckDB database: {faults[0]}", path=path)
    return found


def main(requests: BinaryIO, replies: BinaryIO) -> None:
    """The worker process: limits first, then frames."""
    memory_mb, threads, zone = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
    confine(memory_mb + 1536)
    serve(DuckDBSession(memory_mb, threads, zone), requests, replies)
