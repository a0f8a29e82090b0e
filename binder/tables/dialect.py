"""The dialect of a text file: its delimiter, its quote and its escape, found by trying each.

A dialect is judged by the rows that it yields: they should be of one width, and their cells
should not hold what looks like another delimiter. Measured against DuckDB's sniff_csv and
CleverCSV in docs/decisions/0010-structure-of-text-files.md."""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

DELIMITERS = ",;\t|"
RARE = "\x1f\x01^~¦:"  # tried where none of the usual ones splits a line
NONE = "\x1e"  # stands for "one column": a text file does not hold it
SAMPLE = 1 << 16  # characters that are looked at
ROWS = 200  # rows of them
_STEADY = 0.5  # the least share of rows that must be of one width

_LINE = re.compile(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+")
_DECIMAL = re.compile(r"[-+]?[\d.\s']*\d,\d+\s?[%€$£]?|[-+]?[$€£]?\d{1,3}(?:,\d{3})+(?:\.\d+)?")


@dataclass(frozen=True)
class TextDialect:
    """How the cells of a line are told apart; an empty quote or escape is none."""

    delimiter: str
    quote: str = '"'
    escape: str = ""


class TextRow(NamedTuple):
    """One row: the number of its first line, where the text behind it begins, and its cells."""

    line: int
    end: int
    cells: list[str]


class Broken(Exception):
    """A quote that does not end where a cell ends; line is where its row begins."""

    def __init__(self, line: int, reason: str):
        super().__init__(reason)
        self.line = line


def lines(text: str, start: int = 0) -> Iterator[str]:
    """The lines of a text with their ends, which are those of Unix, Windows or the old Mac."""
    return (found[0] for found in _LINE.finditer(text, start))


def line_ends(data: bytes) -> int:
    """The number of line ends; as many as there are rows stand behind rows."""
    return data.count(b"\n") + data.count(b"\r") - data.count(b"\r\n")


def records(text: str, dialect: TextDialect, start: int = 0, first: int = 1) -> Iterator[TextRow]:
    """The rows of a text, blank lines included; strict about quotes."""
    place, number = start, first
    read = 0

    def counted() -> Iterator[str]:
        nonlocal place, read
        for line in lines(text, start):
            place += len(line)
            read += 1
            yield line

    reader = csv.reader(
        counted(),
        delimiter=dialect.delimiter,
        quotechar=dialect.quote or None,
        quoting=csv.QUOTE_MINIMAL if dialect.quote else csv.QUOTE_NONE,
        escapechar=dialect.escape or None,
        doublequote=True,
        strict=True,
    )
    limit = csv.field_size_limit(2**31 - 1)  # a cell may be as long as a text is
    try:
        for cells in reader:
            yield TextRow(number, place, cells)
            number = first + read
    except csv.Error as error:
        raise Broken(number, str(error)) from error
    finally:
        csv.field_size_limit(limit)


def sniff(text: str, known: TextDialect | None = None, delimiter: str | None = None) -> TextDialect:
    """The dialect under which the first rows of a text fit together best."""
    if known is not None:
        return known
    announced = re.match(r'"?sep=(.)"?[\r\n]', text, re.IGNORECASE)
    if delimiter is None and announced:
        delimiter = announced[1]
    sample = text[:SAMPLE]
    whole = len(sample) == len(text)
    choices = delimiter or DELIMITERS
    best, score = _best(sample, whole, choices)
    if delimiter is None and score < _STEADY:
        other, other_score = _best(sample, whole, RARE)
        if other_score >= 1:
            return other
        best = TextDialect(NONE) if score < _STEADY else best
    return best


def _best(sample: str, whole: bool, delimiters: Iterable[str]) -> tuple[TextDialect, float]:
    """The dialect of these delimiters that fits best, and how well."""
    found = TextDialect(next(iter(delimiters)))
    best = (-1.0, 0)
    for dialect in _candidates(sample, delimiters):
        rows = _some(sample, whole, dialect)
        fits = _fit(rows, dialect) if rows is not None else (-1.0, 0)
        if fits > best:
            found, best = dialect, fits
    return found, best[0]


def _candidates(sample: str, delimiters: Iterable[str]) -> Iterator[TextDialect]:
    """The dialects that are tried; what comes first wins where two fit alike."""
    for delimiter in delimiters:
        plain = TextDialect(delimiter)
        yield plain
        if '\\"' in sample:
            yield replace(plain, escape="\\")
        if _wraps(sample, delimiter, "'"):
            yield replace(plain, quote="'")
        if '"' in sample:
            yield replace(plain, quote="")


def _wraps(sample: str, delimiter: str, quote: str) -> bool:
    """Whether some cells begin with a quote of this kind and some end with it."""
    mark = re.escape(delimiter)
    opens = re.search(rf"(?:^|{mark}){quote}", sample, re.MULTILINE)
    closes = re.search(rf"{quote}(?:{mark}|$)", sample, re.MULTILINE)
    return bool(opens and closes)


def _some(sample: str, whole: bool, dialect: TextDialect) -> list[list[str]] | None:
    """The first rows of a sample that hold anything; None where its quotes do not fit."""
    rows: list[list[str]] = []
    try:
        for record in records(sample, dialect):
            if whole or record.end < len(sample):  # the last row of a sample may be cut
                rows.append(record.cells)
            if len(rows) >= ROWS:
                break
    except Broken:
        if whole or len(rows) < 2:
            return None
    return [cells for cells in rows if any(cells)]


def _fit(rows: list[list[str]], dialect: TextDialect) -> tuple[float, int]:
    """How well rows fit together, up to 1, and how wide they are; 0 for rows of one cell."""
    counts = Counter(map(len, rows))
    width = max(counts, key=lambda width: (counts[width] * (width > 1), width), default=0)
    if width < 2 or 4 * counts[width] < len(rows) or _is_one_column(rows, dialect.delimiter):
        return 0.0, width
    prose = len(rows[0]) == 1  # then a comma before a blank parts no cells
    even = [cells for cells in rows if len(cells) == width]
    odd = wrapped = 0
    for cells in even:
        if not dialect.quote and _is_torn(cells):
            odd += width
            continue
        for cell in cells:
            odd += _is_odd(cell, dialect) or prose and cell.startswith(" ")
            wrapped += len(cell) > 1 and cell[0] == cell[-1] and cell[0] in "'\""
    cells_read = len(even) * width
    steady = len(even) / (len(rows) - counts[1] / 2)  # a title or a remark has one cell
    return round(steady * (1 - odd / cells_read) * (1 - 0.5 * wrapped / cells_read), 4), width


_WITH_COMMA = re.compile(r"[-+$€£]*\d{1,3}(?:,\d{3})*(?:\.\d+)?|[-+]?\d+,\d{1,2}")


def _is_one_column(rows: list[list[str]], delimiter: str) -> bool:
    """Whether each row below one header is one number whose mark is taken for a delimiter."""
    lines = map(delimiter.join, rows[1:])
    return len(rows[0]) == 1 and all(map(_WITH_COMMA.fullmatch, lines))


def _is_torn(cells: list[str]) -> bool:
    """Whether a quote that one cell begins with ends in a later one: they are one cell, quoted."""
    opened = False
    for cell in cells:
        if opened and cell.endswith('"'):
            return True
        opened = opened or (cell.startswith('"') and not cell.endswith('"'))
    return False


def _is_odd(cell: str, dialect: TextDialect) -> bool:
    """Whether a cell holds a mark that would rather part two cells."""
    if not cell or cell.isalnum():
        return False
    if _DECIMAL.fullmatch(cell):
        return False
    for other in DELIMITERS:
        if other != dialect.delimiter and other in cell and f"{other} " not in cell:
            return True
    return False
