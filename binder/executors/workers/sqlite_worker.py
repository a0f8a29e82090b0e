"""The SQLite side of a worker, in a process of its own: the engine of connections with SQLite's
meaning.

Tables are copies in memory. Those of a SQLite file are copied from it as they are stored, under the
types that they declare, so that affinity and stray texts count as they do there. While a query is
compiled, only SELECT over these tables and functions of the allow-list are authorized. The process
holds no key."""

from __future__ import annotations

import contextlib
import datetime
import json
import sqlite3
import sys
from decimal import Decimal
from typing import Any, BinaryIO

import pyarrow as pa

from binder.executors.workers import sqlite_functions
from binder.executors.workers.protocol import confine, read_table, serve
from binder.language.functions import allowed

ROW_ID = "row_id"
_CLASSES = {int: "BIGINT", float: "DOUBLE", str: "VARCHAR", bytes: "BLOB"}
_AT_ONCE = 10_000  # rows
_HARMLESS = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE}


class SqliteSession:
    """One connection with its tables, all of them in memory."""

    def __init__(self, memory_mb: int):
        self.connection = sqlite3.connect(":memory:", isolation_level=None, uri=True)
        self.connection.text_factory = lambda data: data.decode("utf-8", "replace")
        self.connection.execute("PRAGMA temp_store = MEMORY")
        self.connection.execute(f"PRAGMA hard_heap_limit = {memory_mb * 1_000_000}")
        self.tables: set[str] = set()
        self._packed: list[tuple[Any, ...]] = []  # what PACKED holds of the query that runs
        self._answers: dict[str, dict[tuple[Any, ...], Any]] = {}  # of mappings, as ANSWERED reads
        functions: dict[str, Any] = {
            "regexp": sqlite_functions.matches,
            "answered": self._answered,
            "as_object": sqlite_functions.as_object,
            "unpacked": lambda number, place: self._packed[number][place],
        }
        for name, function in functions.items():
            self.connection.create_function(name, -1, function)
        for name, aggregate in sqlite_functions.aggregates(self._packed).items():
            self.connection.create_aggregate(name, -1, aggregate)
        for function in TABLE_FUNCTIONS:  # the first call of each makes what no query may make
            self.connection.execute(f"SELECT * FROM {function}('[]')").close()

    def _answered(self, mapping: str, *keys: Any) -> Any:
        """The answer of a mapping for some inputs."""
        if mapping not in self._answers:
            rows = self.connection.execute(f"SELECT * FROM {_quoted(mapping)}")
            *names, value = (column[0] for column in rows.description)
            assert value == "value" and len(names) == len(keys)
            self._answers[mapping] = {row[:-1]: row[-1] for row in rows}
        return self._answers[mapping].get(keys)

    def is_full(self, error: Exception) -> bool:
        """Whether an error says that there is no memory left."""
        return isinstance(error, MemoryError) or "out of memory" in str(error)

    def load(self, header: dict[str, Any], payload: memoryview) -> tuple[dict[str, Any], bytes]:
        """Makes a table known under a name: what a file holds, or the frame. stored: where SQLite
        keeps its values."""
        name, stored = header["name"], header.get("stored")
        if "file" in header:
            table = read_table(header["file"])
        else:
            table = pa.ipc.open_stream(payload).read_all()
        self._forget(name)
        declared = _declared(table, untyped="#" in name)
        if stored is None:
            self._create(name, declared)
            self._insert(name, table)
        else:
            self._copy(name, table, declared, stored)
        self.tables.add(name.casefold())
        return {"rows": table.num_rows}, b""

    def drop(self, header: dict[str, Any], _: memoryview) -> tuple[dict[str, Any], bytes]:
        """Forgets tables."""
        for name in header["names"]:
            self._forget(name)
        return {}, b""

    def describe(self, header: dict[str, Any], _: memoryview) -> tuple[dict[str, Any], bytes]:
        """Compiles a query without running it."""
        self._query("EXPLAIN " + header["sql"]).close()
        return {"columns": [], "types": []}, b""

    def run(self, header: dict[str, Any], _: memoryview) -> tuple[dict[str, Any], bytes]:
        """Runs a query; stops with `rows` or `bytes` once it yields more than the limit."""
        most, rows, size = header["most"], list[tuple[Any, ...]](), 0
        with contextlib.closing(self._query(header["sql"])) as cursor:
            names = [column[0] for column in cursor.description]
            while some := cursor.fetchmany(_AT_ONCE):
                rows += some
                size += sum(_size(value) for row in some for value in row)
                for kind, count in (("rows", len(rows)), ("bytes", size)):
                    if count > most[kind]:
                        return {"fault": kind, "message": f"the result has too many {kind}"}, b""
        columns = list(zip(*rows, strict=True)) if rows else [()] * len(names)
        table = pa.Table.from_arrays(list(map(_array, columns)), names=names)
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table)
        return {"columns": names, "types": list(map(_type, columns))}, sink.getvalue()

    def _query(self, sql: str) -> sqlite3.Cursor:
        self._packed.clear()
        self.connection.set_authorizer(self._authorized)
        try:
            return self.connection.execute(sql)
        finally:
            self.connection.set_authorizer(None)

    def _authorized(self, action: int, first: Any, second: Any, *_: Any) -> int:
        """What a query may do: read its tables, and call functions of the allow-list."""
        if action in _HARMLESS:
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_READ and self._is_readable(first.casefold(), second):
            return sqlite3.SQLITE_OK
        if action == sqlite3.SQLITE_FUNCTION and second.casefold() in _FUNCTIONS:
            return sqlite3.SQLITE_OK
        return sqlite3.SQLITE_DENY

    def _is_readable(self, table: str, column: str) -> bool:
        """Whether a query may read a column; it names none where it only counts rows."""
        if table in self.tables or table in TABLE_FUNCTIONS:
            return True
        return not column and not table.startswith(("sqlite_", "pragma_"))

    def _forget(self, name: str) -> None:
        self._answers.pop(name, None)
        self.connection.execute(f"DROP TABLE IF EXISTS {_quoted(name)}")
        self.tables.discard(name.casefold())

    def _create(self, name: str, declared: dict[str, str]) -> None:
        columns = ", ".join(f"{_quoted(column)} {kind}" for column, kind in declared.items())
        self.connection.execute(f"CREATE TABLE {_quoted(name)} ({columns})")

    def _insert(self, name: str, table: pa.Table) -> None:
        """The rows of an Arrow table, with values that SQLite has none of as it writes them."""
        marks = ", ".join("?" * table.num_columns)
        with self._at_once():
            for batch in table.to_batches(max_chunksize=_AT_ONCE):
                columns = [list(map(_stored, column.to_pylist())) for column in batch.columns]
                rows = zip(*columns, strict=True)
                self.connection.executemany(f"INSERT INTO {_quoted(name)} VALUES ({marks})", rows)

    def _copy(
        self, name: str, table: pa.Table, declared: dict[str, str], stored: dict[str, Any]
    ) -> None:
        """The rows of a table of a SQLite file as they are stored there; hidden columns, which it
        has not, as they come."""
        columns: dict[str, list[str]] = stored["columns"]  # name -> its name and type in the file
        self._create(name, declared | {column: kind for column, (_, kind) in columns.items()})
        into = ", ".join(map(_quoted, columns))
        read = ", ".join(_quoted(there) for there, _ in columns.values())
        if ROW_ID not in columns:
            into, read = f"{ROW_ID}, {into}", f"row_number() OVER () - 1, {read}"
        self.connection.execute("ATTACH ? AS source", [stored["address"]])
        try:
            source = f"source.{_quoted(stored['table'])}"
            self.connection.execute(
                f"INSERT INTO {_quoted(name)} ({into}) SELECT {read} FROM {source}"
            )
        finally:
            self.connection.execute("DETACH source")
        for column in set(declared) - set(columns) - {ROW_ID}:
            self._fill(name, column, table.column(column).to_pylist())

    def _fill(self, name: str, column: str, values: list[Any]) -> None:
        update = f"UPDATE {_quoted(name)} SET {_quoted(column)} = ? WHERE {ROW_ID} = ?"
        with self._at_once():
            self.connection.executemany(update, zip(values, range(len(values)), strict=True))

    @contextlib.contextmanager
    def _at_once(self) -> Any:
        self.connection.execute("BEGIN")
        yield
        self.connection.execute("COMMIT")


TABLE_FUNCTIONS = {"json_each", "json_tree"}
_FUNCTIONS = allowed("sqlite") | sqlite_functions.OWN


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _declared(table: pa.Table, untyped: bool) -> dict[str, str]:
    """The columns of an Arrow table with the types that SQLite is told; an answer of a call has
    none, for it is no column."""
    found = {}
    for column in table.schema:
        found[column.name] = "" if untyped else _affinity(column.type)
    if ROW_ID in found:
        found[ROW_ID] = "INTEGER PRIMARY KEY"
    return found


def _affinity(kind: pa.DataType) -> str:
    if pa.types.is_integer(kind) or pa.types.is_boolean(kind):
        return "INTEGER"
    if pa.types.is_floating(kind) or pa.types.is_decimal(kind):
        return "REAL"
    return "BLOB" if pa.types.is_binary(kind) or pa.types.is_large_binary(kind) else "TEXT"


def _stored(value: Any) -> Any:
    """A value as SQLite stores it: dates as text, truths as 1 and 0, lists as JSON."""
    if value is None or isinstance(value, (str, bytes, float)):
        return value
    if isinstance(value, int):
        return int(value) if -(2**63) <= value < 2**63 else float(value)
    if isinstance(value, Decimal):
        return float(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat(" ")
    if isinstance(value, (list, dict)):
        return json.dumps(value, ensure_ascii=False, default=str)
    return str(value)


def _size(value: Any) -> int:
    return len(value) if isinstance(value, (str, bytes)) else 8


def _type(values: tuple[Any, ...]) -> str:
    """The name of the type of a column: that of its values, for SQLite gives it none."""
    found = {type(value) for value in values if value is not None}
    if len(found) == 1:
        return _CLASSES[found.pop()]
    return "BLOB" if bytes in found else "VARCHAR" if not found else "ANY"


def _array(values: tuple[Any, ...]) -> pa.Array:
    """A column; values of several classes as a union, in which each keeps its own."""
    classes = sorted({type(value) for value in values if value is not None}, key=str)
    if not classes:
        return pa.array(values, pa.string())
    if len(classes) == 1:
        return pa.array(values)
    parts: list[list[Any]] = [[] for _ in classes]
    codes, places = [], []
    for value in values:
        code = 0 if value is None else classes.index(type(value))
        codes.append(code)
        places.append(len(parts[code]))
        parts[code].append(value)
    return pa.UnionArray.from_dense(
        pa.array(codes, pa.int8()), pa.array(places, pa.int32()), list(map(pa.array, parts))
    )


def main(requests: BinaryIO, replies: BinaryIO) -> None:
    """The worker process: limits first, then frames."""
    memory_mb = int(sys.argv[1])
    confine(memory_mb + 1536)
    serve(SqliteSession(memory_mb), requests, replies)
