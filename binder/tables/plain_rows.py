"""The rows of a text file in which no quote and no row is odd, as Arrow reads them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from binder.tables import dialect as dialects
from binder.tables.dialect import TextDialect

if TYPE_CHECKING:
    import pyarrow


def plain_rows(
    data: memoryview, dialect: TextDialect, width: int, quoted: bool
) -> pyarrow.Table | None:
    """The rows below the header; None where a quote or a row is odd."""
    if quoted and _has_odd_quote(data, dialect):
        return None
    table = _arrow_table(data, dialect, width, quoted)
    if table is None or quoted and _may_swallow(data, table, dialect) or _has_blank_row(table):
        return None
    return table


def _arrow_table(
    data: memoryview, dialect: TextDialect, width: int, quoted: bool
) -> pyarrow.Table | None:
    """The rows as Arrow reads them; None where one is not as long as the header."""
    import pyarrow as pa
    import pyarrow.csv as pc

    try:
        return pc.read_csv(
            pa.BufferReader(data),
            pc.ReadOptions(column_names=[str(place) for place in range(width)], block_size=1 << 24),
            pc.ParseOptions(
                delimiter=dialect.delimiter,
                quote_char=dialect.quote or False,
                newlines_in_values=quoted,
                ignore_empty_lines=width > 1,
            ),
            pc.ConvertOptions(
                column_types={str(place): pa.string() for place in range(width)},
                strings_can_be_null=True,
                null_values=[""],
            ),
        )
    except pa.ArrowInvalid:
        return None


def _has_odd_quote(data: memoryview, dialect: TextDialect) -> bool:
    """Whether some quote stands neither at the edge of a cell nor beside another."""
    import numpy as np

    mark = dialect.quote.encode()
    if len(mark) > 1:
        return True
    codes = np.frombuffer(b"".join((b"\n", data, b"\n")), np.uint8)
    places = np.flatnonzero(codes == mark[0])
    edges = np.zeros(256, bool)
    edges[list(b"\r\n" + dialect.delimiter.encode() + mark)] = True
    inside = ~edges[codes[places - 1]] & ~edges[codes[places + 1]]
    return len(places) % 2 == 1 or bool(inside.any())


def _may_swallow(data: memoryview, table: pyarrow.Table, dialect: TextDialect) -> bool:
    """Whether a cell of several lines holds a delimiter, as one does that swallowed rows."""
    if dialects.line_ends(bytes(data)) <= table.num_rows:
        return False  # no cell has several lines
    import pyarrow.compute as pc

    pattern = rf"[\r\n][^\r\n]*{re.escape(dialect.delimiter)}"
    return any(
        pc.any(pc.match_substring_regex(column, pattern)).as_py() for column in table.columns
    )


def _has_blank_row(table: pyarrow.Table) -> bool:
    """Whether all cells of some row are missing."""
    import pyarrow.compute as pc

    if table.num_columns < 2:
        return False
    blank = None
    for column in table.columns:
        missing = pc.is_null(column)
        blank = missing if blank is None else pc.and_(blank, missing)
        if not pc.any(blank).as_py():
            return False
    return True
