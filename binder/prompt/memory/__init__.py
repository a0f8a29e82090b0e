"""Memory: exemplars from a file and built-in ones, and their retrieval.

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
from binder.language.program import Given
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
ABOVE = (
    "# Your solved questions. binder shows the ones most similar to a new question to the language"
    " model.\n"
)


class Memory:
    """A searchable store of exemplars from a file or a sequence, plus the built-in ones unless
    shipped=False.

    path: your file, created on the first add. A file that starts with "# shown: all of these, in
    this order" (written by binder tune) is shown whole and in order, as is a fixed memory."""

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
            raise UsageError(f"memory= needs a file, and {self.path} is a folder")
        self._store()  # a file that cannot be read is an error now, not later

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
        """Exemplars for a question, most similar last: similar to it in words (and in meaning, with
        embeddings) and diverse in the constructs of their programs."""
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
        """Store a solved question in the file, replacing one with the same question, tables and
        language.

        Tables are trimmed to the columns the program names and a few rows. Raises ProgramError, and
        stores nothing, if the program does not match the tables."""
        if self.path is None:
            raise UsageError(
                "no memory file to store the question in", hint="connect(..., memory=PATH)"
            )
        if not question.strip():
            raise UsageError("the question is empty")
        validate(program, tables, language)
        grids = abstract(question, tables, program, values)
        text = program.strip().replace("\r\n", "\n")
        found = Exemplar(grids, " ".join(question.split()), text, language)
        validate(found.program, found.tables, language)
        with _locked(self.path):
            _replace(self.path, found)
        return found

    def _store(self) -> _Store:
        """What is in the file now, and beside it; the file is read again where it has changed."""
        stamp = self._stamp()
        if self._read is None or self._read[0] != stamp:
            text = _text(self.path) if self.path is not None and stamp is not None else ""
            self._read = stamp, self._parsed(text)
        return self._read[1]

    def _stamp(self) -> object:
        """What changes whenever the file does; None without a file."""
        if self.path is None:
            return None
        try:
            status = self.path.stat()
        except FileNotFoundError:
            return None
        return status.st_mtime_ns, status.st_size, status.st_ino

    def _parsed(self, text: str) -> _Store:
        """The exemplars of a text, with those beside it."""
        fixed = self._fixed or text.startswith(FIXED)
        beside = _shipped() if self._shipped and not fixed else ()
        own = _exemplars(text, str(self.path))
        unique = {exemplar.key: exemplar for exemplar in (*beside, *self._given, *own)}
        return _Store(tuple(unique.values()), fixed)


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
            meant = [near.get(exemplar.question, 0.0) for exemplar in self.exemplars]
            scores = fused(scores, meant)
        best = max(scores, default=0) or 1.0
        order = diverse([score / best for score in scores], self._alike, most)
        return tuple(self.exemplars[i] for i in reversed(order))

    def _alike(self, one: int, other: int) -> float:
        """The share of constructs that two programs have in common."""
        first, second = self.made_of[one], self.made_of[other]
        either = first | second
        return len(first & second) / len(either) if either else 1.0


def validate(program: str, tables: Sequence[Table], language: str) -> None:
    """Raises a ProgramError where a program is not valid for tables."""
    written, over = language_named(language), tuple(tables)
    written.analyze(written.parse(program, over, Given("lm")), over)


@cache
def _shipped() -> tuple[Exemplar, ...]:
    return tuple(_exemplars(shipped("exemplars.txt")))


def _exemplars(text: str, path: str = "") -> Iterator[Exemplar]:
    """The exemplars of all records of a text."""
    for record in records(text, path):
        yield from record.exemplars


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"the memory {path} is not UTF-8 text", path=str(path)) from error


def _replace(path: Path, new: Exemplar) -> None:
    """Puts an exemplar at the end of a file and takes out the one that it replaces; all else stays
    as it was written."""
    text = _text(path) if path.exists() else ABOVE
    for record in records(text, str(path)):
        left = [exemplar for exemplar in record.exemplars if exemplar.key != new.key]
        if len(left) < len(record.exemplars):
            kept = "".join(write(exemplar) + "\n" for exemplar in left)
            text = text.replace(record.text, kept, 1)
    beside = path.with_name(f"{path.name}.{os.getpid()}.new")
    beside.write_text(f"{text.rstrip()}\n\n{write(new)}", encoding="utf-8")
    os.replace(beside, path)


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Holds the lock file beside a memory; another process that writes waits."""
    with open(path.with_name(path.name + ".lock"), "a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX)
        yield
