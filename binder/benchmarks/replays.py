"""Recorded programs and recorded answers, read from JSON lines (.gz too)."""

from __future__ import annotations

import gzip
import json
import re
import zlib
from collections import abc
from pathlib import Path
from typing import IO, Any, NamedTuple

from binder.errors import DataError, UsageError
from binder.tables.cells import is_missing

JSON = str | int | float | bool | None
# question, columns, values -> answer
Answerer = abc.Callable[[str, abc.Sequence[str], abc.Sequence[JSON]], JSON]
ReplayKey = tuple[str, str]  # id of the example, program
Cells = tuple[str, ...]  # the values of a row as a key

# a program under the name of its language: sql, sql2, python
FIELD = re.compile(r"(sql|python)\d*")
# how the recorded tables, raw and normalised, write that there is no value
NO_VALUE = {"", "-", "–", "/", "none"}
OPPOSITE = {"yes": "no", "no": "yes", "true": "false", "false": "true"}


class Recorded(NamedTuple):
    """A recorded program and how many samples gave its result."""

    program: str
    votes: int
    language: str


def read_programs(path: str | Path) -> dict[str, list[Recorded]]:
    """The programs of each example: `{id, programs: [{program, votes}]}`, `{id, program}` or `{id,
    sql, sql2, python}`."""
    found: dict[str, list[Recorded]] = {}
    for row, record in read_lines(path):
        try:
            found.setdefault(record["id"], []).extend(programs_of(record))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{path}, line {row}: not a record of programs", path=str(path), row=row
            ) from error
    return found


def programs_of(record: dict[str, Any]) -> list[Recorded]:
    """The programs of one record; a bare `program` is SQL unless the record says its language."""
    listed = record.get("programs", [record] if "program" in record else [])
    language = record.get("language", "sql")
    found = [
        Recorded(p["program"], int(p.get("votes", 1)), p.get("language", language)) for p in listed
    ]
    for name, text in record.items():
        if (field := FIELD.fullmatch(name)) and text:
            found.append(Recorded(text, 1, field[1]))
    return found


def read_titles(path: str | Path) -> dict[str, str]:
    """The page title of each table, where the records of a file of programs tell it (table_id,
    table_title)."""
    titles = {}
    for _, record in read_lines(path):
        table, title = record.get("table_id"), record.get("table_title")
        if table and title:
            titles[table] = title
    return titles


class RecordedAnswers:
    """Recorded answers to the questions of programs, looked up by the text of the program and the
    values of a row.

    The names of columns are not compared: the recordings have names of their own. `ambiguous` names
    the programs in which rows of the same normalised values have different answers: the raw cells
    may tell such rows apart, else the first answer is served."""

    def __init__(self, path: str | Path):
        self.records: dict[ReplayKey, list[dict[str, Any]]] = {}
        self.ambiguous: set[ReplayKey] = set()
        self.folded: dict[ReplayKey, ReplayKey] = {}
        for row, record in read_lines(path):
            try:
                key: ReplayKey = (record["id"], record["program"])
                self.records.setdefault(key, []).append(
                    {"question": record["question"], "served": served(record["rows"])}
                )
                self.folded.setdefault((key[0], fold(key[1])), key)
                if not record.get("value_consistent", True):
                    self.ambiguous.add(key)
            except (KeyError, TypeError) as error:
                raise DataError(
                    f"{path}, line {row}: not a record of answers", path=str(path), row=row
                ) from error

    def __contains__(self, key: ReplayKey) -> bool:
        """Whether there are answers for the program of an example: (id, program)."""
        return self.find(key) is not None

    def find(self, key: ReplayKey) -> ReplayKey | None:
        """The key of the record: the same program, else one that differs only in white space and
        case."""
        return key if key in self.records else self.folded.get((key[0], fold(key[1])))

    def for_program(self, id: str, program: str) -> Answerer:
        """The function that answers the questions of one program; null where no row has the
        values."""
        key = self.find((id, program))
        if key is None:
            raise UsageError(
                f"there are no recorded answers for this program of {id}",
                hint="ask with `in` first",
            )
        records = self.records[key]

        def answer(question: str, columns: abc.Sequence[str], values: abc.Sequence[JSON]) -> JSON:
            """The recorded answer for these values."""
            asked = [r["served"] for r in records if r["question"] == question]
            asked = asked or [r["served"] for r in records if fold(r["question"]) == fold(question)]
            for key in (exact(values), loose(values)):
                for known in asked:
                    if key in known:
                        return known[key]  # type: ignore[no-any-return]
            return None

        return answer


def served(rows: list[dict[str, Any]]) -> dict[Cells, JSON]:
    """What to answer for the values of a row: raw ones count before normalised ones, exact ones
    before loose ones."""
    known: dict[Cells, JSON] = {}
    for form in (exact, loose):
        for field in ("raw_values", "values"):
            for row in rows:
                if row[field] is not None:  # the raw values of a computed argument are not recorded
                    known.setdefault(form(row[field]), reply_of(row))
    return known


def reply_of(row: dict[str, Any]) -> JSON:
    """The recorded answer; where only `answer_not` is known, something else: the opposite, the next
    number, another text."""
    if "answer_not" not in row:
        return row["answer"]  # type: ignore[no-any-return]
    other = str(row["answer_not"])
    if other.strip().lower() in OPPOSITE:
        return OPPOSITE[other.strip().lower()]
    try:
        return float(other) + 1
    except ValueError:
        return f"not {other}"


def exact(values: abc.Sequence[JSON]) -> Cells:
    """Values as a key: their text as it is."""
    return ("exact", *map(str, values))


def loose(values: abc.Sequence[JSON]) -> Cells:
    """Values as a key where white space, case, how a number is written and how a missing value is
    shown make no difference."""
    return ("loose", *map(plain, values))


def plain(value: JSON) -> str:
    """A value in the one way of writing it that loose keys compare."""
    text = "" if value is None else fold(str(value))
    if text in NO_VALUE or is_missing(text):
        return ""
    try:
        return str(float(text.replace(",", "")))
    except ValueError:
        return text


def fold(text: str) -> str:
    """A text without case, and without white space at its ends or in series."""
    return " ".join(text.casefold().split())


def _opened(path: str | Path) -> IO[str]:
    if str(path).endswith(".gz"):
        return gzip.open(path, "rt", encoding="utf-8")
    return open(path, encoding="utf-8")


def read_lines(path: str | Path) -> abc.Iterator[tuple[int, dict[str, Any]]]:
    """The objects of a file of JSON lines, with their line numbers."""
    row = 0
    try:
        with _opened(path) as lines:
            for row, line in enumerate(lines, 1):
                if line.strip():
                    record = json.loads(line)
                    if not isinstance(record, dict):
                        raise DataError(
                            f"{path}, line {row}: not an object", path=str(path), row=row
                        )
                    yield row, record
    except ValueError as error:
        raise DataError(
            f"{path}, near line {max(row, 1)}: not JSON lines", path=str(path), row=row
        ) from error
    except (OSError, EOFError, zlib.error) as error:
        raise DataError(f"{path} cannot be read: {error}", path=str(path)) from error
