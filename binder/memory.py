"""Solved questions come in; the ones to show for a new question go out. The shipped ones are in data/exemplars.txt."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib import resources


@dataclass(frozen=True)
class Exemplar:
    """A solved question: a small table as text cells, the question, and a program that answers it."""

    title: str
    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    question: str
    program: str
    language: str = "sql"


@dataclass(frozen=True)
class Memory:
    """The store of exemplars."""

    exemplars: tuple[Exemplar, ...] = ()

    @staticmethod
    def shipped() -> Memory:
        """The exemplars that come with binder."""
        return Memory(_shipped())

    def retrieve(self, question: str, most: int = 6) -> tuple[Exemplar, ...]:
        """Exemplars to show for a question."""
        return self.exemplars[:most]


@cache
def _shipped() -> tuple[Exemplar, ...]:
    text = resources.files("binder").joinpath("data/exemplars.txt").read_text(encoding="utf-8")
    return tuple(read(block) for block in text.split("\n\n") if block.strip() and not block.startswith("#"))


def read(block: str) -> Exemplar:
    """An exemplar as the file has it: `title:`, a table of lines with `|`, `question:` and the program."""
    lines = block.strip().split("\n")
    fields = dict(line.split(": ", 1) for line in lines if line.startswith(("title: ", "question: ", "language: ")))
    table = [tuple(cell.strip().replace("\\n", "\n") for cell in line.strip("|").split("|")) for line in lines if line.startswith("|")]
    start = next(i for i, line in enumerate(lines) if line.startswith("question: ")) + 1
    program = "\n".join(line for line in lines[start:] if not line.startswith("language: "))
    return Exemplar(fields["title"], table[0], tuple(table[1:]), fields["question"], program, fields.get("language", "sql"))
