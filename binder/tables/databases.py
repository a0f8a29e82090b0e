"""Tables that live in a database: an open connection of ADBC, DB-API, DuckDB or SQLAlchemy.

A table is read whole, as Arrow where the driver yields that, up to a stated number of rows; a
query in its place reads less."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from typing import Any, NamedTuple

from binder.errors import DataError

ROWS = 5_000_000  # the most that is read of one table
_QUERY = re.compile(r"\s*(?:select|with|values)\b", re.IGNORECASE)
_PLAIN = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*")
_LISTING = (
    "SELECT table_schema, table_name FROM information_schema.tables"
    " WHERE table_schema NOT IN ('information_schema', 'pg_catalog', 'mysql', 'sys',"
    " 'performance_schema') ORDER BY table_schema, table_name"
)


class DatabaseTable(NamedTuple):
    """What a query yielded: an Arrow table, or headers and columns of Python values."""

    arrow: Any
    headers: list[str]
    columns: list[list[Any]]


def is_database(source: Any) -> bool:
    """Whether this is an open database: an engine, or a connection with cursors."""
    return _is_sqlalchemy(source) or (hasattr(source, "cursor") and hasattr(source, "close"))


def table_names(source: Any) -> list[tuple[str, str]]:
    """The tables and views that programs may want: what they are called, and the query for each."""
    if _is_sqlalchemy(source):
        import sqlalchemy

        inspector = sqlalchemy.inspect(source)
        quoted = source.dialect.identifier_preparer.quote_identifier
        names = [*inspector.get_table_names(), *inspector.get_view_names()]
        return [(name, f"SELECT * FROM {quoted(name)}") for name in names]
    if isinstance(source, sqlite3.Connection):
        listing = "SELECT name FROM sqlite_master WHERE type IN ('table', 'view') ORDER BY rowid"
        names = [name for (name,) in source.execute(listing)]
        return [
            (name, f"SELECT * FROM {_quoted(source, name)}")
            for name in names
            if not name.startswith("sqlite_")
        ]
    try:
        with closing(source.cursor()) as cursor:
            cursor.execute(_LISTING)
            found = [(str(row[0]), str(row[1])) for row in cursor.fetchall()]
    except Exception as error:  # each driver has its own errors
        raise DataError(
            f"the tables of this database cannot be listed: {error}",
            hint='name each: {"w": (connection, "schema.table")}',
        ) from error
    bare = [name for _, name in found]
    shown = []
    for schema, name in found:
        called = name if bare.count(name) == 1 else f"{schema}.{name}"
        shown.append((called, f"SELECT * FROM {_quoted(source, schema)}.{_quoted(source, name)}"))
    return shown


def _quoted(source: Any, name: str) -> str:
    """A name as the database quotes it."""
    mark = "`" if "mysql" in type(source).__module__.lower() else '"'
    return mark + name.replace(mark, mark * 2) + mark


def read_query(source: Any, wanted: str) -> DatabaseTable:
    """The rows of a table, or of a query, in an open database."""
    try:
        with _cursor(source) as cursor:
            return _fetched(cursor, _sql(source, wanted), wanted)
    except DataError:
        raise
    except Exception as error:  # each driver has its own errors
        first = str(error).strip().splitlines()[:1]
        raise DataError(f"the database cannot read {wanted!r:.80}: {''.join(first)}") from error


@contextmanager
def _cursor(source: Any) -> Iterator[Any]:
    """A cursor, closed in the end; an engine lends a connection."""
    if not _is_sqlalchemy(source):
        with closing(source.cursor()) as cursor:
            yield cursor
    elif hasattr(source, "raw_connection"):
        with closing(source.raw_connection()) as connection, closing(connection.cursor()) as cursor:
            yield cursor
    else:
        with closing(source.connection.cursor()) as cursor:
            yield cursor


def _sql(source: Any, wanted: str) -> str:
    """The query for a table: a plain name stands as it is, another is quoted."""
    if _QUERY.match(wanted):
        return wanted
    return f"SELECT * FROM {wanted if _PLAIN.fullmatch(wanted) else _quoted(source, wanted)}"


def _fetched(cursor: Any, query: str, wanted: str) -> DatabaseTable:
    """The rows of a query, as Arrow where the driver has that."""
    if hasattr(cursor, "sql") and hasattr(cursor, "from_arrow"):  # DuckDB
        return _within_limit(cursor.sql(query).to_arrow_reader(), wanted)
    cursor.execute(query)
    if hasattr(cursor, "fetch_record_batch"):  # ADBC
        return _within_limit(cursor.fetch_record_batch(), wanted)
    headers = [column[0] for column in cursor.description]
    rows = cursor.fetchmany(ROWS + 1)
    _limit(len(rows), wanted)
    columns = [list(cells) for cells in zip(*rows, strict=True)] if rows else [[] for _ in headers]
    return DatabaseTable(None, headers, [list(map(_value, column)) for column in columns])


def _within_limit(batches: Any, wanted: str) -> DatabaseTable:
    """An Arrow table of batches, as long as they are not too many."""
    import pyarrow as pa

    read = []
    rows = 0
    for batch in batches:
        rows += batch.num_rows
        _limit(rows, wanted)
        read.append(batch)
    return DatabaseTable(pa.Table.from_batches(read, batches.schema), [], [])


def _value(value: Any) -> Any:
    """A value as Arrow takes it: what a driver wraps is unwrapped."""
    if isinstance(value, memoryview):
        return bytes(value)
    return str(value) if type(value).__name__ == "UUID" else value


def _limit(rows: int, wanted: str) -> None:
    """Refuses a table of too many rows."""
    if rows > ROWS:
        raise DataError(
            f"{wanted!r:.80} has more than {ROWS:,} rows",
            hint='read what you need: {"w": (connection, "SELECT a, b FROM t WHERE ...")}',
        )


def _is_sqlalchemy(source: Any) -> bool:
    return type(source).__module__.startswith("sqlalchemy.") and hasattr(source, "dialect")
