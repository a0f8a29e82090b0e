"""Solved questions come in; the ones to show for a new question go out. Some come with binder; a
file of the user's holds more.

The file is text (see exemplars.py) that several processes may read and add to. What comes with
binder is never written to."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from binder.data import shipped
from binder.errors import DataError, UsageError
from binder.executors.languages import language_named
from binder.prompt.memory.constructs import constructs
from binder.prompt.memory.exemplars import Exemplar, records, write
from binder.prompt.memory.features import features
from binder.prompt.memory.ranking import Index, diverse, fused
from binder.prompt.memory.trim import abstract
from binder.tables.table import Table

__all__ = ["Exemplar", "Memory"]

MOST = 12  # exemplars that are shown
# the first line of a file that is not searched but shown as it is
FIXED = "# shown: all of these, in this order\n"
ABOVE = "# Solved questions of your own: binder shows those to a language model that are near to a new question.\n"


class Memory:
    """The store of exemplars: those of a file, or of a sequence, and, unless shipped is False,
    those that come with binder.

    path: a file of the user's, made when something is added. A file that begins with the line "#
    shown: all of these, in this order" (binder tune writes such) is shown as it is, as is one that
    is fixed."""

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        exemplars: Sequence[Exemplar] | None = None,
        *,
        shipped: bool = True,
        fixed: bool = False,
    ):
        self.path = Path(path) if path is not None else None
        self._given = tuple(exemplars) if exemplars is not None else ()
        self._shipped = shipped and exemplars is None
        self._fixed = fixed
        self._read: tuple[object, _Store] | None = None
        if self.path is not None and self.path.is_dir():
            raise UsageError(
                f"the memory {self.path} is a folder", hint="memory= is the path of a file"
            )
        _ = self.exemplars  # a file that cannot be read is told at once

    @property
    def exemplars(self) -> tuple[Exemplar, ...]:
        """All of them; one that replaces another stands in its place."""
        return self._store().exemplars

    @property
    def fixed(self) -> bool:
        """Whether all are shown, in their order."""
        return self._store().fixed

    def retrieve(
        self,
        question: str,
        tables: Sequence[Table] = (),
        language: str = "sql",
        most: int = MOST,
        near: Mapping[str, float] | None = None,
    ) -> tuple[Exemplar, ...]:
        """Exemplars to show for a question, the nearest last: those most alike to it in words and,
        where it is known how near their questions are to it, in meaning, and unlike each other in
        what their programs are made of."""
        store = self._store()
        if store.fixed:
            return store.of(language).exemplars[-most:]
        return store.of(language).nearest(features(question, tables), most, near)

    def add(
        self,
        question: str,
        tables: Sequence[Table],
        program: str,
        language: str = "sql",
        values: Sequence[Any] = (),
    ) -> Exemplar:
        """Keeps a solved question in the file; one with the same question, tables (name, title) and
        language is replaced.

        Of the tables it keeps what the program names and a little more: few rows, those first that
        hold the values of the answer or words of the question. A program that is not valid for them
        is a ProgramError; nothing is kept then."""
        if self.path is None:
            raise UsageError(
                "this memory has no file to keep a solved question in",
                hint="open it with connect(..., memory=PATH)",
            )
        if not question.strip():
            raise UsageError("a solved question needs its question")
        validate(program, tables, language)
        grids = abstract(question, tables, program, values)
        found = Exemplar(
            grids, " ".join(question.split()), "\n".join(program.strip().split("\r\n")), language
        )
        validate(found.program, found.tables, language)
        with _locked(self.path):
            _replace(self.path, found)
        return found

    def _store(self) -> _Store:
        """What is in the file now, and beside it."""
        stamp: object = None
        if self.path is not None:
            with contextlib.suppress(FileNotFoundError):
                status = self.path.stat()
                stamp = status.st_mtime_ns, status.st_size, status.st_ino
        if self._read is None or self._read[0] != stamp:
            text = _text(self.path) if self.path is not None and stamp is not None else ""
            own = [
                exemplar
                for record in records(text, str(self.path))
                for exemplar in record.exemplars
            ]
            fixed = self._fixed or text.startswith(FIXED)
            beside = [*_shipped()] if self._shipped and not fixed else []
            unique = {exemplar.key: exemplar for exemplar in [*beside, *self._given, *own]}
            self._read = stamp, _Store(tuple(unique.values()), fixed)
        return self._read[1]


class _Store:
    """Exemplars, with what is worked out of them when it is first needed."""

    def __init__(self, exemplars: tuple[Exemplar, ...], fixed: bool = False):
        self.exemplars = exemplars
        self.fixed = fixed
        self._of: dict[str, _Store] = {}

    def of(self, language: str) -> _Store:
        """The exemplars of one language."""
        if language not in self._of:
            self._of[language] = _Store(tuple(e for e in self.exemplars if e.language == language))
        return self._of[language]

    @cached_property
    def index(self) -> Index:
        """The questions, to be searched."""
        return Index([features(exemplar.question, exemplar.tables) for exemplar in self.exemplars])

    @cached_property
    def made_of(self) -> list[frozenset[str]]:
        """The constructs of each program."""
        return [constructs(exemplar.program, exemplar.language) for exemplar in self.exemplars]

    def nearest(
        self, asked: Sequence[str], most: int, near: Mapping[str, float] | None
    ) -> tuple[Exemplar, ...]:
        """The exemplars nearest to a question, the nearest last."""
        scores = self.index.scores(asked)
        if near:
            scores = fused(
                scores, [near.get(exemplar.question, 0.0) for exemplar in self.exemplars]
            )
        best = max(scores, default=0) or 1.0
        order = diverse([score / best for score in scores], self._alike, most)
        return tuple(self.exemplars[i] for i in reversed(order))

    def _alike(self, one: int, other: int) -> float:
        """The share of constructs that two programs have in common."""
        first, second = self.made_of[one], self.made_of[other]
        return len(first & second) / len(first | second) if first | second else 1.0


def validate(program: str, tables: Sequence[Table], language: str) -> None:
    """Raises a ProgramError where a program is not valid for tables."""
    written, over = language_named(language), tuple(tables)
    written.analyze(written.parse(program, over), over)


@cache
def _shipped() -> tuple[Exemplar, ...]:
    return tuple(
        exemplar for record in records(shipped("exemplars.txt")) for exemplar in record.exemplars
    )


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"the memory {path} is not a text in UTF-8", path=str(path)) from error


def _replace(path: Path, new: Exemplar) -> None:
    """Puts an exemplar at the end of a file and takes out the one that it replaces; all else stays
    as it was written."""
    text = _text(path) if path.exists() else ABOVE
    for record in records(text, str(path)):
        left = [exemplar for exemplar in record.exemplars if exemplar.key != new.key]
        if len(left) < len(record.exemplars):
            text = text.replace(
                record.text, "".join(write(exemplar) + "\n" for exemplar in left), 1
            )
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    beside.write_text(f"{text.rstrip()}\n\n{write(new)}", encoding="utf-8")
    os.replace(beside, path)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds the file beside a memory that says who writes to it; another process waits."""
    with open(path.with_name(path.name + ".lock"), "a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
