"""Columns of text: how each gets its type.

A short column is read by its distinct cells, each once, by Python. Of a long one some cells tell
how it is read; whole arrays are cast, and Python reads only what is spelled in another way."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple

from binder.tables import readings
from binder.tables.arrow import cast_spells, in_one_piece, spells, text_type
from binder.tables.cells import MISSING
from binder.tables.codec import spell
from binder.tables.patterns import UNCLEAN
from binder.tables.readings import Reading
from binder.tables.readings.evidence import SHARE, Evidence, FileEvidence, Said

if TYPE_CHECKING:
    import pyarrow

SHORT = 200  # cells: in a column with fewer Arrow costs more than it saves
LONG = 5000  # cells: a column with fewer is read by Python
SOME = 500  # cells of a long column that tell how it is read
_TELLING = 1000  # distinct cells that tell how the columns of a file are written
_NUMBER = r"^-?(?:(?:0|[1-9]\d{0,17})(?:\.\d+(?:[eE][+-]?\d{1,2})?)?|\.\d+)$"
_DIGITS = r"^\s*\d{1,2}[-/.]\s?\d{1,2}[-/.]"
_DATE = r"^\d{4}-\d{2}-\d{2}(?:[ T]\d{2}:\d{2}:\d{2}(?:\.\d{1,6})?)?$"
_MARK = rf"(?i)^\s*(?:{'|'.join(re.escape(mark) for mark in sorted(MISSING))})\s*$"
# What Arrow casts by itself: its spelling, a mark of the wider type, and this type.
_PLAIN = ((_NUMBER, r"[.eE]", "DOUBLE"), (_DATE, ":", "TIMESTAMP"))
# The types to try for a column in which some cells have one of them.
_WIDER = {
    "BIGINT": ("int64", "float64"),
    "DOUBLE": ("float64",),
    "DATE": ("date32", "timestamp[s]"),
    "TIMESTAMP": ("timestamp[s]",),
}
_EIGHT_DIGITS = (18_000_101, 20_991_231)  # 20200512 may be a date


class Typed(NamedTuple):
    """A text column as values, its raw text (None where the values spell it) and its reading."""

    values: Any
    raw: Any
    reading: Reading


class Distinct(NamedTuple):
    """The distinct cells of a column, the one of each row, and how many rows each has."""

    cells: pyarrow.Array
    indices: pyarrow.Array
    rows: pyarrow.Array

    def counts(self) -> dict[str, int]:
        """Cell -> its rows."""
        return dict(zip(self.cells.to_pylist(), self.rows.to_pylist(), strict=True))


class Short(NamedTuple):
    """The cells of a short column, and the rows of each distinct one."""

    cells: list[str | None]
    rows: dict[str, int]


def distinct_of(cells: pyarrow.Array) -> Distinct:
    """The distinct cells of an array of text; NULL is none."""
    import numpy as np
    import pyarrow as pa

    encoded = cells.dictionary_encode()
    told = encoded.indices.drop_null().to_numpy(zero_copy_only=False)
    rows = np.bincount(told, minlength=len(encoded.dictionary))
    return Distinct(encoded.dictionary, encoded.indices, pa.array(rows, pa.int64()))


class TextColumn:
    """A column of text that is to be read."""

    def __init__(self, pieces: pyarrow.ChunkedArray):
        self.pieces = pieces

    @cached_property
    def cells(self) -> pyarrow.Array:
        """The column in one piece, which takes as much memory once more."""
        return in_one_piece(self.pieces)

    @property
    def last(self) -> str | None:
        """The cell of the last row."""
        found: str | None = self.pieces[-1].as_py() if len(self.pieces) else None
        return found

    @cached_property
    def short(self) -> Short | None:
        """A short column as Python has it; None for a longer one."""
        if len(self.pieces) > SHORT:
            return None
        cells = self.pieces.to_pylist()
        return Short(cells, dict(Counter(cell for cell in cells if cell is not None)))

    @cached_property
    def distinct(self) -> Distinct:
        """All distinct cells."""
        return distinct_of(self.cells)

    @cached_property
    def some(self) -> dict[str, int] | None:
        """Distinct cells from the whole of a long column with their rows among them; None for a
        column that is short, or has few distinct cells."""
        rows = len(self.pieces) - self.pieces.null_count
        if rows <= LONG:
            return None
        told = self.pieces.drop_null() if self.pieces.null_count else self.pieces
        picked = [told[place].as_py() for place in range(0, rows, rows // SOME)]
        counts: dict[str, int] = {}
        for cell in picked:
            counts[cell] = counts.get(cell, 0) + 1
        return counts if 2 * len(counts) > len(picked) else None

    def telling(self) -> list[str]:
        """The cells that may tell how the columns of a file are written: of very many some, and
        all dates in digits."""
        if self.short is not None:
            return list(self.short.rows)
        import pyarrow.compute as pc

        if self.some is None:
            cells = self.distinct.cells
            if len(cells) <= _TELLING:
                return list(cells.to_pylist())
            some = cells[:_TELLING].to_pylist()
        else:
            cells, some = self.pieces, list(self.some)
        if not any(re.match(_DIGITS, cell) for cell in some):
            return list(some)
        dated = pc.unique(cells.filter(pc.match_substring_regex(cells, _DIGITS)))
        return [*some, *dated.to_pylist()]


def read_text(
    column: TextColumn, header: str, file: FileEvidence, said: Said | None = None
) -> Typed:
    """The values of a text column, under the type that its cells have."""
    typed = _read_long(column, header, file) if said is None and column.some else None
    if typed is not None:
        return typed
    if column.short is not None:
        return _read_short(column.short, header, file, said)
    distinct = column.distinct
    values, raw, reading = _read(distinct.counts(), column.last, header, file, said)
    raw = None if spells(values, raw) else raw.take(distinct.indices)
    return Typed(values.take(distinct.indices), raw, reading)


def _read_short(column: Short, header: str, file: FileEvidence, said: Said | None) -> Typed:
    """A short column, read by Python."""
    import pyarrow as pa

    last = column.cells[-1] if column.cells else None
    found = readings.read(Evidence(header, column.rows, last, file, said))
    value_of: dict[str | None, Any] = dict(zip(column.rows, found.values, strict=True))
    text_of: dict[str | None, str | None] = dict(zip(column.rows, found.texts, strict=True))
    kind = text_type(found.reading.type)
    values = pa.array([value_of.get(cell) for cell in column.cells], kind)
    texts = [text_of.get(cell) for cell in column.cells]
    if _are_spelled(found.values, found.texts, kind):
        return Typed(values, None, found.reading)
    return Typed(values, pa.array(texts, pa.string()), found.reading)


def _are_spelled(values: Sequence[Any], texts: Sequence[str | None], kind: Any) -> bool:
    """Whether all values are spelled as their texts are; whole numbers and texts are seen to be
    without Arrow."""
    import pyarrow as pa

    if pa.types.is_string(kind) or pa.types.is_integer(kind):
        for value, text in zip(values, texts, strict=True):
            if text is not None and (value is None or str(value) != text):
                return False
        return True
    return spells(pa.array(values, kind), pa.array(texts, pa.string()))


def _read(
    counts: Mapping[str, int], last: str | None, header: str, file: FileEvidence, said: Said | None
) -> tuple[Any, Any, Reading]:
    """Values, texts and reading of distinct cells, all of them read by Python."""
    import pyarrow as pa

    found = readings.read(Evidence(header, counts, last, file, said))
    kind = text_type(found.reading.type)
    return pa.array(found.values, kind), pa.array(found.texts, pa.string()), found.reading


def _read_long(column: TextColumn, header: str, file: FileEvidence) -> Typed | None:
    """A long column of text, plain numbers or plain dates; None where most cells are written in
    another way."""
    assert column.some is not None
    found = readings.read(Evidence(header, column.some, column.last, file)).reading
    if found.type == "VARCHAR":
        return _as_text(column, header, found)
    if found.type not in _WIDER or file.decimal == "," == found.decimal and found.type == "DOUBLE":
        return None
    if found.unit is None and not found.left_out.rows and not found.in_part.rows:
        values, raw = _cast_whole(column.pieces, found.type)
        if values is not None:
            return Typed(values, raw, _typed_as(found, values, column))
    return _cast_most(column, header, file)


def _typed_as(found: Reading, values: Any, column: TextColumn) -> Reading:
    """The reading of some cells as that of their whole column."""
    kinds = {"int64": "BIGINT", "double": "DOUBLE", "date32[day]": "DATE"}
    kind = kinds.get(str(values.type), "TIMESTAMP")
    return replace(found, type=kind, cells=len(column.pieces) - column.pieces.null_count)


def _cast_whole(cells: pyarrow.ChunkedArray, kind: str) -> tuple[Any, Any]:
    """The values of a column of numbers or dates in plain spelling, and its cells where they spell
    them with more digits than are needed (12.50); None where some cell is written in another
    way."""
    import pyarrow as pa
    import pyarrow.compute as pc

    for name in _WIDER[kind]:
        try:
            values = cells.cast(name)
        except pa.ArrowInvalid:
            continue
        if _is_doubtful(values):
            continue
        if cast_spells(values, cells):
            return values.cast(pa.timestamp("us")) if name == "timestamp[s]" else values, None
        if name == "float64" and pc.all(pc.match_substring_regex(cells, _NUMBER)).as_py():
            return values, cells
    return None, None


def _is_doubtful(values: Any) -> bool:
    """Whether numbers may be something else: words for no number, a power of ten in a name, a
    date in eight digits."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if pa.types.is_floating(values.type):
        size = pc.abs(values)
        plain = pc.or_(pc.equal(size, 0), pc.and_(pc.less(size, 1e15), pc.greater(size, 1e-5)))
        return not pc.all(plain).as_py()
    if not pa.types.is_integer(values.type):
        return False
    least, most = (bound.as_py() for bound in pc.min_max(values).values())
    return bool(_EIGHT_DIGITS[0] <= least and most <= _EIGHT_DIGITS[1])


def _cast_most(column: TextColumn, header: str, file: FileEvidence) -> Typed | None:
    """A column in which nearly all cells are numbers or dates in plain spelling: only the rest is
    read by Python."""
    import pyarrow as pa
    import pyarrow.compute as pc

    cells = column.cells
    for pattern, mark, wider in _PLAIN:
        matched = pc.match_substring_regex(cells, pattern)
        sure = cells.filter(matched)
        odd = pc.fill_null(pc.invert(matched), False)
        rest = distinct_of(cells.filter(odd)).counts()
        if len(sure) < SHARE * (len(cells) - cells.null_count - _rows_of_marks(rest)):
            continue
        # so many that the rest stays as small a share as it is
        counts = _weighed(sure[: SOME + 9 * len(rest)], len(sure)) | rest
        found = readings.read(Evidence(header, counts, column.last, file))
        reading = found.reading
        if reading.type not in _WIDER or file.decimal == "," == reading.decimal:
            return None
        kind = wider if pc.any(pc.match_substring_regex(sure, mark)).as_py() else reading.type
        values = dict(zip(counts, map(spell, found.values), strict=True))
        texts = dict(zip(counts, found.texts, strict=True))
        try:
            typed = _replaced(cells, odd, values).cast(text_type(kind))
        except pa.ArrowInvalid:  # 2001-02-30
            return None
        raw = _replaced(cells, odd, texts)
        return Typed(typed, None if spells(typed, raw) else raw, replace(reading, type=kind))
    return None


def _rows_of_marks(counts: Mapping[str, int]) -> int:
    return sum(rows for cell, rows in counts.items() if re.match(_MARK, cell))


def _weighed(sure: pyarrow.Array, rows: int) -> dict[str, int]:
    """The distinct cells of some rows; the first one stands for all that are not among them."""
    counts = distinct_of(sure).counts()
    first = next(iter(counts), None)
    if first is not None:
        counts[first] += rows - len(sure)
    return counts


def _replaced(cells: pyarrow.Array, odd: pyarrow.Array, by: Mapping[str, str | None]) -> Any:
    """The cells, each odd one replaced by another text."""
    import pyarrow as pa
    import pyarrow.compute as pc

    encoded = cells.filter(odd).dictionary_encode()
    if not len(encoded):
        return cells
    new = pa.array([by[cell] for cell in encoded.dictionary.to_pylist()], cells.type)
    return pc.replace_with_mask(cells, odd, new.take(encoded.indices))


def _as_text(column: TextColumn, header: str, reading: Reading) -> Typed:
    """A long column as text: Python looks only at what may be a mark of a missing value, or has
    to be cleaned."""
    import pyarrow.compute as pc

    assert column.some is not None
    cells = column.cells
    pattern = f"{UNCLEAN.pattern}|{_MARK}"
    odd = pc.fill_null(pc.match_substring_regex(cells, pattern), False)
    rest = distinct_of(cells.filter(odd)).counts()
    rows = len(cells) - cells.null_count
    if not rest:
        return Typed(cells, None, replace(reading, cells=rows))
    counts = {**column.some, **rest}
    found = readings.as_text(Evidence(header, counts))
    values = dict(zip(counts, found.values, strict=True))
    texts = dict(zip(counts, found.texts, strict=True))
    gone = sum(count for cell, count in rest.items() if texts[cell] is None)
    cleaned, raw = _replaced(cells, odd, values), _replaced(cells, odd, texts)
    return Typed(
        cleaned, None if spells(cleaned, raw) else raw, replace(reading, cells=rows - gone)
    )
