"""The text format of a memory file, which people write as well as binder:

    question: which ferry built after 2000 carries the most people?
    table: w, Harbour ferries of Norhavn
      | Ferry | Built |
      | Corva | 2012 |
    sql:
      SELECT `Ferry` FROM w
    python:
      def solve(w):
          return [row["Ferry"] for row in w]

Lines that begin with # and empty lines say nothing. A question may have several tables, and a
program of each language."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from textwrap import dedent
from typing import NamedTuple

from binder.errors import DataError
from binder.executors.languages import LANGUAGES
from binder.tables.cells import fold
from binder.tables.table import Table, tidy

_FIELD = re.compile(r"(question|table|sql|python|says|gives):[ \t]*(.*)")
_TEXTS = ("question", "says", "gives")  # fields of one line
HINT = "expected question:, table: with its rows, and sql: or python: with the indented program"


class Grid(NamedTuple):
    """A small table as text cells."""

    name: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def table(self) -> Table:
        """The table, typed from its text."""
        return tidy(self.header, self.rows, name=self.name, title=self.title or None)


@dataclass(frozen=True)
class Exemplar:
    """A solved question: small tables, the question, and a program that answers it. says: the
    answers of a language model to the program's calls, as JSON of call -> inputs -> answer; gives:
    what the program gives with them, as JSON; both may be empty."""

    grids: tuple[Grid, ...]
    question: str
    program: str
    language: str = "sql"
    says: str = ""
    gives: str = ""

    @cached_property
    def tables(self) -> tuple[Table, ...]:
        """The tables, typed as any other."""
        return tuple(grid.table() for grid in self.grids)

    @property
    def key(self) -> tuple[object, ...]:
        """What two exemplars share of which the later one replaces the earlier."""
        tables = tuple((grid.name, grid.title) for grid in self.grids)
        return fold(self.question), tables, self.language


class Entry(NamedTuple):
    """The lines of a file from one question to the next, and the exemplars in them, one a
    language."""

    text: str
    exemplars: tuple[Exemplar, ...]


def records(text: str, path: str = "") -> Iterator[Entry]:
    """The records of a file, in order; a DataError marks the line that is none."""
    starts = [match.start() for match in re.finditer(r"(?m)^question:", text)]
    above = text[: starts[0]] if starts else text
    for line in above.splitlines():
        if line.strip() and not line.startswith("#"):
            shown = f"{line.strip()[:60]!r}"
            raise _fault(f"an exemplar cannot start with {shown}", path)
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        number = text.count("\n", 0, start) + 1
        yield Entry(text[start:end], _read(text[start:end], path, number))


def _fault(message: str, path: str, row: int | None = None, hint: str = HINT) -> DataError:
    return DataError(message, path=path or None, row=row, hint=hint)


def write(exemplar: Exemplar) -> str:
    """An exemplar as a record of a file."""
    lines = [f"question: {_flat(exemplar.question)}"]
    for grid in exemplar.grids:
        title = f", {_flat(grid.title)}" if grid.title else ""
        lines.append(f"table: {_flat(grid.name)}{title}")
        lines += map(_row, (grid.header, *grid.rows))
    lines.append(f"{exemplar.language}:")
    lines += [f"  {line}" for line in exemplar.program.split("\n")]
    if exemplar.says:
        lines.append(f"says: {exemplar.says}")
    if exemplar.gives:
        lines.append(f"gives: {exemplar.gives}")
    return "\n".join(lines) + "\n"


def _read(text: str, path: str, first: int) -> tuple[Exemplar, ...]:
    """The exemplars of one record."""
    told: dict[str, str] = {}
    grids: list[Grid] = []
    for found in _fields(text, path, first):
        if found.name == "table":
            grids.append(_grid(found, path))
        elif found.name in _TEXTS:
            told[found.name] = found.value
        else:
            told[found.name] = dedent("\n".join(found.lines)).strip("\n")
    question = told.get("question")
    programs = {language: told[language] for language in LANGUAGES if told.get(language)}
    if not (question and grids and programs):
        raise _fault(f"not an exemplar: {text.strip()[:80]!r}", path, first)
    notes = told.get("says", ""), told.get("gives", "")
    return tuple(
        Exemplar(tuple(grids), question, program, language, *notes)
        for language, program in programs.items()
    )


class _Field(NamedTuple):
    """A field of a record: the number of its line, name and value, and the indented lines below
    it."""

    number: int
    name: str
    value: str
    lines: list[str]


def _fields(text: str, path: str, first: int) -> Iterator[_Field]:
    """The fields of a record."""
    found: _Field | None = None
    for number, line in enumerate(text.split("\n"), first):
        line = line.rstrip("\r")
        start = _FIELD.fullmatch(line)
        if start is not None:
            if found is not None:
                yield found
            found = _Field(number, start[1], start[2].strip(), [])
        elif found is not None and (not line or line[0].isspace()):
            found.lines.append(line)
        elif line.strip() and not line.startswith("#"):
            raise _fault(f"unknown field: {line[:60]!r}", path, number)
    if found is not None:
        yield found


def _grid(field: _Field, path: str) -> Grid:
    """A table of lines with `|`."""
    name, _, title = field.value.partition(",")
    rows = [_cells(line.strip()) for line in field.lines if line.strip()]
    if not name.strip() or len({len(row) for row in rows}) != 1:
        hint = "all lines need the same number of cells"
        raise _fault(f"not a table: {field.value[:60]!r}", path, field.number, hint)
    return Grid(name.strip(), title.strip(), rows[0], tuple(rows[1:]))


def _cells(line: str) -> tuple[str, ...]:
    cells = re.split(r"(?<!\\)\|", line.removeprefix("|").removesuffix("|"))
    return tuple(_unescaped(cell.strip()) for cell in cells)


def _unescaped(cell: str) -> str:
    return re.sub(r"\\([n|\\])", lambda sign: "\n" if sign[1] == "n" else sign[1], cell)


def _row(cells: Sequence[str]) -> str:
    return f"  | {' | '.join(map(_escaped, cells))} |"


def _escaped(cell: str) -> str:
    return "\\n".join(cell.replace("\\", "\\\\").replace("|", "\\|").splitlines())


def _flat(text: str) -> str:
    return " ".join(text.split())
