"""Solved questions come in; the ones to show for a new question go out. The shipped ones are in data/exemplars.txt."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache, cached_property
from importlib import resources

from binder.errors import DataError
from binder.table import Table, tidy


@dataclass(frozen=True)
class Exemplar:
    """A solved question: a small table as text cells, the question, and a program that answers it."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    question: str
    program: str
    language: str = "sql"

    @cached_property
    def table(self) -> Table:
        """The table, typed as any other."""
        return tidy(self.header, self.rows, title=self.title)


@dataclass(frozen=True)
class Memory:
    """The store of exemplars."""

    exemplars: tuple[Exemplar, ...] = ()

    @staticmethod
    def shipped() -> Memory:
        """The exemplars that come with binder."""
        return Memory(_shipped())

    def retrieve(self, question: str, most: int = 12) -> tuple[Exemplar, ...]:
        """Exemplars to show for a question, in their order: of more than the most, those that share the most words with it."""
        asked = _words(question)
        nearest = sorted(self.exemplars, key=lambda exemplar: -len(asked & _words(exemplar.question)))[:most]
        return tuple(exemplar for exemplar in self.exemplars if exemplar in nearest)


def read(block: str) -> Exemplar:
    """An exemplar as the file has it: `title:`, a table of lines with `|`, `question:` and the program below it."""
    above, asked, below = block.strip().partition("\nquestion: ")
    question, _, program = below.partition("\n")
    title, *lines = above.split("\n")
    table = [_cells(line.strip()) for line in lines]
    if not (asked and table and program.strip() and title.startswith("title: ")):
        raise DataError(f"no exemplar: {block.strip()[:80]!r}", hint="it has a title, a table, a question and a program")
    return Exemplar(title.removeprefix("title: "), table[0], tuple(table[1:]), question, program.strip())


def _cells(line: str) -> tuple[str, ...]:
    return tuple(cell.strip().replace("\\n", "\n") for cell in line.removeprefix("|").removesuffix("|").split("|"))


@cache
def _shipped() -> tuple[Exemplar, ...]:
    text = resources.files("binder").joinpath("data/exemplars.txt").read_text(encoding="utf-8")
    return tuple(read(block) for block in text.split("\n\n") if block.strip() and not block.startswith("#"))


def _words(text: str) -> frozenset[str]:
    return frozenset(re.findall(r"\w+", text.casefold()))
