"""Tables with typed columns, made of any source that sources.py reads or of rows of text cells.

Their data is Arrow: typed values under the names that programs use, and beside them the raw text
where a value does not spell it."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

from binder.errors import DataError, UsageError, printable
from binder.tables import arrow, readings, sources
from binder.tables.cells import fold
from binder.tables.frames import holds_columns
from binder.tables.readings import Reading, said
from binder.tables.readings.evidence import Said
from binder.tables.readings.mixed import Mixture, mixture
from binder.tables.readings.totals import total_word
from binder.tables.sqlite import StoredTable
from binder.tables.text_columns import TextColumn, read_text

if TYPE_CHECKING:
    import pyarrow

ROW_ID = "row_id"
_SUMMED = 3  # rows of which the last may be a total
VOCABULARY = 100_000  # a column with more distinct cells is not searched for spellings
_LISTED = 8  # columns in a repr


@dataclass(frozen=True)
class Column:
    """One column: name is what programs call it, header what the source does, raw the data column
    of its original text."""

    name: str
    header: str
    type: str
    unit: str | None = None
    raw: str | None = None
    reading: Reading | None = None


@dataclass(frozen=True, eq=False, repr=False)
class Table:
    """Typed data with a name. data has row_id, a column for every Column.name, and one for every
    Column.raw."""

    name: str
    title: str | None
    columns: tuple[Column, ...]
    data: pyarrow.Table
    tidied: bool
    notes: tuple[str, ...] = ()  # what was left out where it comes from
    stored: StoredTable | None = None  # where SQLite keeps its values
    _spellings: dict[str, dict[str, list[str]] | None] = field(default_factory=dict, init=False)
    _shown: dict[str, dict[Any, str]] = field(default_factory=dict, init=False)
    _mixtures: dict[str, Mixture | None] = field(default_factory=dict, init=False)

    def __repr__(self) -> str:
        columns = [f"{c.name!r} {c.type}" for c in self.columns[:_LISTED]]
        if len(self.columns) > _LISTED:
            columns.append("...")
        told = "; ".join([", ".join(columns), *self.notes])
        return f"Table({self.name}: {self.num_rows} rows; {told})"

    def __str__(self) -> str:
        """The columns, a line each, with how they are read and what that leaves out."""
        lines = [f"{self.name}: {self.num_rows:,} rows" + (f", {self.title}" if self.title else "")]
        names = max(len(column.name) for column in self.columns)
        for column in self.columns:
            reading = f"  {column.reading}" if column.reading else ""
            lines.append(f"  {printable(column.name):{names}}  {column.type}{printable(reading)}")
        return "\n".join(lines)

    def as_stored(self) -> Table:
        """The table as SQLite has it: nothing is told of what is read as something else."""
        return self if self.stored is None else replace(self, notes=self.stored.notes)

    @property
    def num_rows(self) -> int:
        """The number of rows."""
        return int(self.data.num_rows)

    def column(self, name: str) -> Column | None:
        """The column that programs call so, ignoring case."""
        folded = name.casefold()
        return next((c for c in self.columns if c.name.casefold() == folded), None)

    def texts(self, column: Column, rows: Sequence[int] | None = None) -> list[str | None]:
        """The cells of a column, or those of some rows, as displayed: the raw text, or the value
        spelled out."""
        data = self.data.column(column.raw or column.name)
        if rows is not None:
            data = data.take(list(rows))
        return list(arrow.spelled(data).to_pylist())

    def spellings(self, name: str) -> dict[str, list[str]] | None:
        """The distinct texts of a text column by what they fold to; None where there are too many
        to search."""
        if name not in self._spellings:
            self._spellings[name] = self._read_spellings(name)
        return self._spellings[name]

    def _read_spellings(self, name: str) -> dict[str, list[str]] | None:
        import pyarrow.compute as pc

        distinct = pc.unique(self.data.column(name))
        if len(distinct) > VOCABULARY:
            return None
        found: dict[str, list[str]] = {}
        for text in distinct.to_pylist():
            if isinstance(text, str):
                found.setdefault(fold(text), []).append(text)
        return found

    def few_texts(self, column: Column, most: int, characters: int) -> list[str] | None:
        """The distinct texts of a text column; None where they are more, or longer in all."""
        import pyarrow.compute as pc

        if column.type != "VARCHAR":
            return []
        distinct = pc.unique(self.data.column(column.name)).drop_null()
        if len(distinct) > most or (pc.sum(pc.utf8_length(distinct)).as_py() or 0) > characters:
            return None
        return list(distinct.to_pylist())

    def mixture(self, column: Column) -> Mixture | None:
        """How many cells of a text column are numbers; None where there are too many texts to
        look at."""
        if column.name not in self._mixtures:
            import pyarrow.compute as pc

            counted = pc.value_counts(self.data.column(column.name).drop_null())
            few = len(counted) <= VOCABULARY and column.type == "VARCHAR"
            pairs = zip(counted.field(0).to_pylist(), counted.field(1).to_pylist(), strict=True)
            self._mixtures[column.name] = mixture(pairs) if few else None
        return self._mixtures[column.name]

    @cached_property
    def total(self) -> str:
        """What the last row is, where it sums up the others as in a report; "" where it does
        not, or where the source has types."""
        if not self.tidied or self.num_rows < _SUMMED:
            return ""
        texts = [self.data.column(c.name)[-1].as_py() for c in self.columns if c.type == "VARCHAR"]
        word = total_word(texts)
        if word is None and texts and not any(texts):
            return "the sum of the others" if self._is_summed() else ""
        return repr(word) if word else ""

    def _is_summed(self) -> bool:
        """Whether the last number of each column is the sum of the others."""
        import pyarrow.compute as pc

        sums = []
        for column in self.columns:
            if column.type in ("BIGINT", "DOUBLE"):
                data = self.data.column(column.name)
                sums.append((pc.sum(data).as_py() or 0, 2 * (data[-1].as_py() or 0)))
        return bool(sums) and all(math.isclose(whole, twice) for whole, twice in sums)

    def largest(self, column: Column) -> Any:
        """The largest value of a column."""
        import pyarrow.compute as pc

        return pc.max(self.data.column(column.name)).as_py()

    def shown(self, column: Column) -> dict[Any, str]:
        """Value -> the raw text of its cells, where a value has one raw text alone: what is
        displayed for it."""
        if column.raw is None:
            return {}
        if column.name not in self._shown:
            self._shown[column.name] = self._read_shown(column.name, column.raw)
        return self._shown[column.name]

    def _read_shown(self, name: str, raw: str) -> dict[Any, str]:
        pairs = self.data.select([name, raw]).group_by([name, raw]).aggregate([])
        values, texts = (pairs.column(i).to_pylist() for i in (0, 1))
        often = Counter(values)
        return {
            value: text
            for value, text in zip(values, texts, strict=True)
            if often[value] == 1 and value is not None and text is not None
        }

    def has_missing(self, column: Column) -> bool:
        """Whether some cell of a column is NULL."""
        return bool(self.data.column(column.name).null_count)


def load(
    source: Any,
    name: str = "w",
    title: str | None = None,
    tidy: bool | None = None,
    types: Mapping[str, Any] | None = None,
) -> Table:
    """One table of a DataFrame, Arrow table, relation, list of dicts or file; tidy=None types only
    what has no types. types: {column: type}, such as "text", "number:," or "date:%d/%m/%Y"."""
    if isinstance(source, Table):
        return replace(source, name=name, title=title or source.title)
    table = _build(sources.read(source), name, title, tidy, types)
    said.check(types, {name: [column.name for column in table.columns]})
    return table


def load_all(
    tables: Any, tidy: bool | None = None, types: Mapping[str, Any] | None = None
) -> tuple[Table, ...]:
    """The tables of a dict name -> source, of a list of Tables, of a database or a workbook, or of
    one bare source (named w)."""
    found = _all(tables, tidy, types)
    said.check(types, {table.name: [column.name for column in table.columns] for table in found})
    return found


def _all(tables: Any, tidy: bool | None, types: Mapping[str, Any] | None) -> tuple[Table, ...]:
    """The tables of any of these."""
    if isinstance(tables, Table):
        return (tables,)
    if isinstance(tables, Mapping) and not holds_columns(tables):
        return _distinct([_one(source, str(name), tidy, types) for name, source in tables.items()])
    if isinstance(tables, (list, tuple)) and tables and all(isinstance(t, Table) for t in tables):
        return _distinct(tables)
    if (found := sources.read_all(tables)) is not None:
        return _distinct([_build(source, name, None, tidy, types) for name, source in found])
    return (_one(tables, "w", tidy, types),)


def _one(source: Any, name: str, tidy: bool | None, types: Mapping[str, Any] | None) -> Table:
    """The table of one source."""
    if isinstance(source, Table):
        return replace(source, name=name)
    return _build(sources.read(source), name, None, tidy, types)


def named(given: Sequence[str]) -> str | dict[str, str]:
    """What `load_all` takes, of words such as NAME=SOURCE: a source alone keeps the names that it
    brings, others are called after their files where they have no name."""
    if len(given) == 1 and ("=" not in given[0] or _is_file(given[0])):
        return given[0]
    found: dict[str, str] = {}
    for entry in given:
        name, equals, source = entry.partition("=")
        if not equals or _is_file(entry):
            name, source = Path(entry).name.split(".")[0], entry
        if name in found:
            raise UsageError(
                f"duplicate table name {name!r}",
                hint="give each table its own name: --table a=... --table b=...",
            )
        found[name] = source
    return found


def _is_file(entry: str) -> bool:
    """Whether a word with an = is the path of a file as it stands: year=2020/x.csv."""
    return Path(entry).is_file()


def tidy(
    header: Sequence[str], rows: Iterable[Sequence[str]], name: str = "w", title: str | None = None
) -> Table:
    """A table of text cells, each column typed from its text; a short row is filled up with missing
    values."""
    width = len(header)
    cells: list[list[str | None]] = [[] for _ in header]
    for number, row in enumerate(rows):
        if len(row) > width:
            raise DataError(
                f"row {number} of table {name} has {len(row)} cells, expected {width}", row=number
            )
        for position in range(width):
            cells[position].append(row[position] if position < len(row) else None)
    columns = [arrow.array(column) for column in cells]
    return _build(sources.RawColumns(list(header), columns, [True] * width), name, title, tidy=True)


def _distinct(tables: Iterable[Table]) -> tuple[Table, ...]:
    """The tables, if there are any and no two have one name."""
    found: dict[str, Table] = {}
    for table in tables:
        if found.setdefault(table.name.casefold(), table) is not table:
            raise DataError(
                f"duplicate table name {table.name}", hint="table names are case-insensitive"
            )
    if not found:
        raise DataError("no tables given")
    return tuple(found.values())


def _build(
    source: sources.RawColumns,
    name: str,
    title: str | None,
    tidy: bool | None,
    types: Mapping[str, Any] | None = None,
) -> Table:
    """The Table of a source: names made unique, columns typed or kept, row_id and raw text
    added."""
    import pyarrow as pa

    if not source.headers:
        raise DataError(f"table {name} has no columns")
    names = _names(source.headers)
    taken = {n.casefold() for n in names}
    told = said.of_columns(types, name, names)
    arrays = [arrow.plain(array) for array in source.columns]
    texts = []
    for array, untyped, what in zip(arrays, source.untyped, told, strict=True):
        texts.append(_text(array, untyped if tidy is None else tidy, what))
    file = readings.of_file(
        [
            (header, text.telling())
            for header, text in zip(source.headers, texts, strict=True)
            if text
        ],
        source.delimiter,
    )
    columns: list[Column] = []
    data: dict[str, Any] = {}
    raws: dict[str, Any] = {}
    if ROW_ID not in taken:
        data[ROW_ID] = pa.arange(0, len(source.columns[0]))
    for column_name, header, array, text, what in zip(
        names, source.headers, arrays, texts, told, strict=True
    ):
        raw = reading = None
        if text is not None:
            array, shown, reading = read_text(text, header, file, what)
            if shown is not None:
                raw = _unique(f"{column_name} (raw)", taken)
                taken.add(raw.casefold())
                raws[raw] = shown
        data[column_name] = array
        unit = reading.unit if reading is not None else None
        kind = arrow.duckdb_type(array.type)
        columns.append(Column(column_name, header, kind, unit, raw, reading))
    tidied = any(text is not None for text in texts)
    stored = _kept(source, types, tidy)
    return Table(
        name, title, tuple(columns), pa.table({**data, **raws}), tidied, source.notes, stored
    )


def _kept(source: sources.RawColumns, types: object, tidy: object) -> StoredTable | None:
    """Where SQLite keeps the values; types that the user says stand above what is stored."""
    return source.stored if types is None and tidy is None else None


def _text(array: Any, tidy: bool, what: Said | None) -> Any:
    """A column as text that is to be read; None where it is kept as it comes."""
    import pyarrow as pa

    if what is None and not (tidy and pa.types.is_string(array.type)):
        return None
    return TextColumn(_spelled(array, what))


def _spelled(array: Any, what: Said | None) -> Any:
    """A column as text, where the user says how it is read though its source has a type."""
    import pyarrow as pa

    if what is None or pa.types.is_string(array.type):
        return array
    spelled = arrow.spelled(array)
    return spelled if isinstance(spelled, pa.ChunkedArray) else pa.chunked_array([spelled])


def _names(headers: Sequence[str]) -> list[str]:
    """What programs call the columns: stripped headers, unique ignoring case; an empty one is
    called by its position."""
    wanted = []
    for position, header in enumerate(headers, 1):
        wanted.append(header.replace("\0", "").strip() or f"column_{position}")
    # A name that is made unique must not take the name of a later column.
    reserved = {name.casefold() for name in wanted}
    used: set[str] = set()
    names = []
    for name in wanted:
        if name.casefold() in used:
            name = _unique(name, reserved | used, "_2")
        used.add(name.casefold())
        names.append(name)
    return names


def _unique(name: str, taken: set[str], ending: str = "") -> str:
    """The name with the first ending (none or _2, _3, ...) that no other has."""
    count = 2
    while (name + ending).casefold() in taken:
        ending, count = f"_{count}", count + 1
    return name + ending
