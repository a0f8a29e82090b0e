"""The text of a memory file comes in, Exemplars go out, and the other way round. People write such
a file as well as binder:

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
HINT = "it has question:, table: with its rows, and sql: or python: with the program, indented"


class Grid(NamedTuple):
    """A small table as text cells."""

    name: str
    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


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
        return tuple(
            tidy(grid.header, grid.rows, name=grid.name, title=grid.title or None)
            for grid in self.grids
        )

    @property
    def key(self) -> tuple[object, ...]:
        """What two exemplars share of which the later one replaces the earlier."""
        return (
            fold(self.question),
            tuple((grid.name, grid.title) for grid in self.grids),
            self.language,
        )


class Entry(NamedTuple):
    """The lines of a file from one question to the next, and the exemplars in them, one a
    language."""

    text: str
    exemplars: tuple[Exemplar, ...]


def records(text: str, path: str = "") -> Iterator[Entry]:
    """The records of a file, in order; a DataError marks the line that is none."""
    starts = [match.start() for match in re.finditer(r"(?m)^question:", text)]
    above = text[: starts[0]] if starts else text
    if stray := next(
        (line for line in above.splitlines() if line.strip() and not line.startswith("#")), None
    ):
        raise DataError(
            f"no exemplar begins with {stray.strip()[:60]!r}", path=path or None, hint=HINT
        )
    for start, end in zip(starts, [*starts[1:], len(text)], strict=False):
        yield Entry(text[start:end], _read(text[start:end], path, text.count("\n", 0, start) + 1))


def write(exemplar: Exemplar) -> str:
    """An exemplar as a record of a file."""
    lines = [f"question: {_flat(exemplar.question)}"]
    for grid in exemplar.grids:
        lines.append(
            f"table: {_flat(grid.name)}" + (f", {_flat(grid.title)}" if grid.title else "")
        )
        lines += [
            f"  | {' | '.join(map(_escaped, cells))} |" for cells in (grid.header, *grid.rows)
        ]
    lines += [f"{exemplar.language}:", *(f"  {line}" for line in exemplar.program.split("\n"))]
    lines += [
        f"{name}: {text}"
        for name, text in (("says", exemplar.says), ("gives", exemplar.gives))
        if text
    ]
    return "\n".join(lines) + "\n"


def _read(text: str, path: str, first: int) -> tuple[Exemplar, ...]:
    """The exemplars of one record."""
    told: dict[str, str] = {}
    grids: list[Grid] = []
    for number, said, body in _fields(text, path, first):
        name, value = said
        if name == "table":
            grids.append(_grid(value, body, path, number))
        else:
            told[name] = (
                value
                if name in ("question", "says", "gives")
                else dedent("\n".join(body)).strip("\n")
            )
    programs = {language: told[language] for language in LANGUAGES if told.get(language)}
    if not (told.get("question") and grids and programs):
        raise DataError(
            f"no exemplar: {text.strip()[:80]!r}", path=path or None, row=first, hint=HINT
        )
    says, gives = told.get("says", ""), told.get("gives", "")
    return tuple(
        Exemplar(tuple(grids), told["question"], program, language, says, gives)
        for language, program in programs.items()
    )


def _fields(text: str, path: str, first: int) -> Iterator[tuple[int, tuple[str, str], list[str]]]:
    """The fields of a record: number of the line, name and value, and the indented lines below
    it."""
    found: tuple[int, tuple[str, str], list[str]] | None = None
    for number, line in enumerate(text.split("\n"), first):
        field = _FIELD.fullmatch(line.rstrip("\r"))
        if field is not None:
            if found is not None:
                yield found
            found = number, (field[1], field[2].strip()), []
        elif (line[:1].isspace() or not line) and found is not None:
            found[2].append(line.rstrip("\r"))
        elif line.strip() and not line.startswith("#"):
            raise DataError(
                f"no field of an exemplar: {line[:60]!r}", path=path or None, row=number, hint=HINT
            )
    if found is not None:
        yield found


def _grid(value: str, lines: Sequence[str], path: str, number: int) -> Grid:
    """A table of lines with `|`."""
    name, _, title = value.partition(",")
    rows = [_cells(line.strip()) for line in lines if line.strip()]
    if not name.strip() or not rows or any(len(row) != len(rows[0]) for row in rows):
        raise DataError(
            f"no table: {value[:60]!r}",
            path=path or None,
            row=number,
            hint="each of its lines has as many cells",
        )
    return Grid(name.strip(), title.strip(), rows[0], tuple(rows[1:]))


def _cells(line: str) -> tuple[str, ...]:
    cells = re.split(r"(?<!\\)\|", line.removeprefix("|").removesuffix("|"))
    return tuple(
        re.sub(r"\\([n|\\])", lambda sign: "\n" if sign[1] == "n" else sign[1], cell.strip())
        for cell in cells
    )


def _escaped(cell: str) -> str:
    return "\\n".join(cell.replace("\\", "\\\\").replace("|", "\\|").splitlines())


def _flat(text: str) -> str:
    return " ".join(text.split())
