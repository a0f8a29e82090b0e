"""The programs of the golden run and the tables they are about, from a text file of its own."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FILE = Path(__file__).parent / "programs.txt"


@dataclass(frozen=True)
class Program:
    """One program; its title is the only one in its set."""

    title: str
    language: str
    text: str


@dataclass
class Set:
    """Tables as `connect` takes them, and the programs over them. title: of the first table, where
    it has one."""

    name: str
    tables: dict[str, Any] = field(default_factory=dict)
    title: str | None = None
    programs: list[Program] = field(default_factory=list)


def read(folder: Path, path: Path = FILE) -> Iterator[Set]:
    """The sets of a file; tables of text cells become CSV files in the folder."""
    current = Set("")
    titles: Counter[str] = Counter()
    for block in path.read_text(encoding="utf-8").split("\n=== ")[1:]:
        head, _, body = block.partition("\n")
        kind, _, name = head.partition(" ")
        if kind == "set":
            if current.programs:
                yield current
            current, titles = Set(name), Counter()
        elif kind in ("table", "typed"):
            name, _, title = name.partition(" ")
            current.title = current.title or title or None
            rows = [
                [cell.strip().replace("\\n", "\n") for cell in line.split("|")]
                for line in body.strip("\n").split("\n")
            ]
            file = folder / f"{current.name} {name}.csv"
            current.tables[name] = write_table(file, rows) if kind == "table" else _typed(*rows)
        else:
            titles[name] += 1
            title = name if titles[name] == 1 else f"{name} #{titles[name]}"
            current.programs.append(Program(title, kind, body.strip("\n")))
    yield current


def write_table(path: Path, rows: list[list[str]]) -> Path:
    """A CSV file with these rows, the header first."""
    with path.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file).writerows(rows)
    return path


def _typed(header: list[str], *rows: list[str]) -> list[dict[str, Any]]:
    return [dict(zip(header, map(_cell, row), strict=True)) for row in rows]


def _cell(text: str) -> Any:
    try:
        return json.loads(text) if text else None
    except ValueError:
        return text
