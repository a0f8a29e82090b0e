"""Fixtures in two formats: cases, which are programs over tables and what must come of them, and
tables of one line a record.

Cases (.txt). `=== table w` opens a table of text cells (`=== typed w`: cells are JSON where they
can be); any other `=== title` opens a case: its program (Python in the folder python, else SQL),
then sections `--- rows`, `--- asked`, `--- plan`, `--- repairs`, `--- missing`, `--- refused`, ...
Only sections that are there are compared; `--- bug` says why a case is known to fail. Programs are
taken for a language model's, but for those of a `--- person`.

Tables (.tsv). The first line names the columns, and tabs stand between the cells; `# ` begins a
heading of the lines below it, or, above the first line, a comment. A cell that is left out at the
end of a line is empty."""

from __future__ import annotations

import atexit
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import zip_longest
from pathlib import Path

import pytest

from binder.engine import Binder, connect
from binder.errors import BinderError
from binder.language.program import Origin
from binder.plan import Rule
from binder.plan.rules import RULES
from binder.tables.table import Table, load, tidy
from tests.oracle import Oracle

FIXTURES = Path(__file__).parent / "fixtures"


@dataclass(frozen=True, eq=False)
class Case:
    """One program over some tables and its sections; place is file:line."""

    place: str
    title: str
    tables: tuple[Table, ...]
    program: str
    sections: dict[str, str]
    language: str = "sql"
    origin: Origin = "lm"


@dataclass(frozen=True)
class Record:
    """A line of a table: its cells by column, the heading above it, and file:line."""

    place: str
    heading: str
    cells: dict[str, str]

    def __getitem__(self, column: str) -> str:
        return self.cells[column]


def records(path: str) -> list[Record]:
    """The lines of a table."""
    found: list[Record] = []
    columns: list[str] = []
    heading = ""
    for number, line in enumerate((FIXTURES / path).read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("# "):
            heading = line[2:] if columns else ""
        elif not columns:
            columns = line.split("\t")
        else:
            cells = dict(zip_longest(columns, line.split("\t"), fillvalue=""))
            assert "" not in cells, f"{path}:{number} has more cells than there are columns"
            found.append(Record(f"{Path(path).name}:{number}", heading, cells))
    return found


def cases(path: str) -> list[object]:
    """The cases of a file, as parameters of a test."""
    return [
        pytest.param(case, id=f"{case.place} {case.title}", marks=_marks(case))
        for case in read(FIXTURES / path)
    ]


def _marks(case: Case) -> list[pytest.MarkDecorator]:
    """A case with a section `bug` is known to fail, and must until it is mended."""
    return (
        [pytest.mark.xfail(strict=True, reason=case.sections.pop("bug"))]
        if "bug" in case.sections
        else []
    )


def read(path: Path) -> Iterator[Case]:
    """The cases of a file: each over all tables that stand before it."""
    tables: dict[str, Table] = {}
    line = 1
    for block in path.read_text(encoding="utf-8").split("=== ")[1:]:
        head, _, body = block.partition("\n")
        kind, _, name = head.partition(" ")
        if kind in ("table", "typed"):
            tables[name.split()[0]] = _table(kind, body.strip("\n"), *name.split(" ", 1))
        else:
            program, *sections = body.split("\n--- ")
            named = {
                part.partition("\n")[0]: part.partition("\n")[2].rstrip("\n") for part in sections
            }
            language = "python" if path.parent.name == "python" else "sql"
            origin: Origin = "lm" if named.pop("person", None) is None else "person"
            yield Case(
                f"{path.name}:{line}",
                head,
                tuple(tables.values()),
                program.strip("\n"),
                named,
                language,
                origin,
            )
        line += block.count("\n")


def _table(kind: str, body: str, name: str, title: str | None = None) -> Table:
    """A table whose lines are rows and whose cells stand between bars; \\n in a cell is a line
    break."""
    header, *rows = [
        [cell.strip().replace("\\n", "\n") for cell in line.split("|")] for line in body.split("\n")
    ]
    if kind == "table":
        return tidy(header, rows, name, title)
    return load([dict(zip(header, map(_cell, row), strict=True)) for row in rows], name, title)


def _cell(text: str) -> object:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text


@cache
def shared(rules: tuple[Rule, ...]) -> tuple[Binder, Oracle]:
    """One connection, with one worker, for all cases that run under the same rules."""
    lm = Oracle()
    db = connect({"w": [{"a": 1}]}, lm=lm, rules=rules)
    atexit.register(db.close)
    return db, lm


def opened(tables: Sequence[Table], rules: tuple[Rule, ...] = RULES) -> tuple[Binder, Oracle]:
    """The shared connection over other tables, and its language model with an empty log."""
    db, lm = shared(rules)
    db.use(*tables)
    lm.asked.clear()
    return db, lm


def outcome(case: Case) -> dict[str, str]:
    """What came of a case, in the sections that it asks for."""
    db, lm = opened(case.tables)
    plan = ""
    try:
        if "plan" in case.sections:
            plan = str(db.explain(case.program, case.language, origin=case.origin))
        result = db.run(case.program, case.language, origin=case.origin)
    except BinderError as error:
        return {
            "refused": f"{type(error).__name__}: {error}" if case.sections.get("refused") else "yes"
        }
    found = {
        "rows": "\n".join(json.dumps(row, ensure_ascii=False) for row in result.data()["rows"]),
        "columns": json.dumps(result.columns, ensure_ascii=False),
        "texts": "\n".join(json.dumps(row, ensure_ascii=False) for row in result.texts),
        "asked": "\n".join(lm.asked),
        "plan": plan,
        "repairs": "\n".join(result.repairs),
        "warnings": "\n".join(result.warnings),
        "missing": "\n".join(f"{entry.fault} {entry}" for entry in result.errors),
    }
    return {name: found.get(name, "no") for name in case.sections}


def compare(case: Case) -> None:
    """Fails with the place of the case where something else came of it."""
    assert case.sections, f"{case.place}: nothing is expected of this case"
    assert outcome(case) == case.sections, f"{case.place}: {case.title}"
