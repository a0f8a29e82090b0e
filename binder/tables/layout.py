"""The layout of a sheet of cells: what stands above its table, its header, and what stands below.

Files that people make have titles, comments, headers of two rows, a row of units, and remarks
below the last row. What is left out is told in a note; no row of data is."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from binder.tables.dialect import TextRow
from binder.tables.numbers import UNITS

HEAD = 60  # rows that are looked at for the header
FOOTER = 10  # rows below a blank one that may be remarks
_NUMBER = re.compile(r"[-+−(]?\s?[$€£]?\s?\d[\d.,'\s]*(?:[eE][-+]?\d+)?\s?[%€$£]?\)?")
_DATE = re.compile(r"\d{1,4}([-/.])\d{1,2}\1\d{1,4}(?:[T ]\d.*)?|\d{1,2}:\d{2}(?::\d{2})?")
_YEAR = re.compile(r"(?:1[5-9]|20|21)\d\d")
_LETTER = re.compile(r"[^\W\d]|[%€$£°]")
_BRACKETS = re.compile(r"\(.{1,20}\)|\[.{1,20}\]")


class Layout(NamedTuple):
    """The headers of a table, the index of its first row of data, and what was left out."""

    headers: list[str]
    first: int
    notes: list[str]


def lay_out(rows: Sequence[TextRow], header: bool | int | None = None) -> Layout:
    """The header among the first rows of a file. header: how many lines it has, True for one,
    False for none; found where nothing is said."""
    width = typical_width(rows)
    start, notes = (0, []) if header is not None else _above(rows, width)
    start = _next(rows, start)
    if start == len(rows):
        return Layout([], start, notes)
    if header is None and _is_data(rows, start):
        notes.append(f"line {rows[start].line} holds values, so it is not a header")
        header = False
    if header is not None and not header:
        return Layout([""] * width, start, notes)
    names, first, more = _headers(rows, start, header)
    if header is None and all(kind(name) == "number" for name in names):
        shown = ", ".join(names)[:40]
        more.append(
            f"line {rows[start].line} ({shown}) is the header, though it is all numbers;"
            " binder.csv(path, header=False) makes it a row"
        )
    if len(names) == width - 1 and not _ends_empty(rows, first, width):  # as R writes row names
        names = ["", *names]
        more.append("the header names one column less than there are: the first has no name")
    return Layout(names, first, [*notes, *more])


def _headers(
    rows: Sequence[TextRow], start: int, header: int | None
) -> tuple[list[str], int, list[str]]:
    """The names in a header of one or more lines, the row below it, and what to tell."""
    names = list(rows[start].cells)
    count = _header_lines(rows, start) if header is None else int(header)
    if header is None and len(names) > 1 and names[0].startswith("#"):
        names[0] = names[0].lstrip("# ") or names[0]
    for row in rows[start + 1 : start + count]:
        names = _joined(names, row.cells)
    start += count
    if count == 1 and header is None and start < len(rows) and _is_units(rows, start):
        units = ", ".join(filter(str.strip, rows[start].cells))
        return names, start + 1, [f"line {rows[start].line} gives units ({units}) and is not a row"]
    if count == 1:
        return names, start, []
    if not names[0] and start < len(rows) and not _filled(rows[start].cells[1:]):
        names[0] = rows[start].cells[0]  # what pandas calls the index, in a row of its own
        start += 1
    return names, start, [f"the header has {count} lines, which are joined"]


def footer(rows: Sequence[TextRow], width: int) -> int:
    """How many rows below the last row of data are remarks, blank rows among them."""
    last = len(rows)
    while last and _is_remark(rows[last - 1].cells, width):
        last -= 1
    for place in range(last - 1, max(last - 1 - FOOTER, 0), -1):
        if is_blank(rows[place].cells):
            below = [row.cells for row in rows[place + 1 : last] if not is_blank(row.cells)]
            if below and all(2 * _filled(cells) <= width for cells in below):
                return len(rows) - place
            break
    return len(rows) - last


def is_blank(cells: Sequence[str]) -> bool:
    """Whether a row holds nothing."""
    return not any(cells) or not any(cell.strip() for cell in cells)


def typical_width(rows: Sequence[TextRow]) -> int:
    """How many cells most rows have; of two that are as common, the larger."""
    counts = Counter(len(row.cells) for row in rows if not is_blank(row.cells))
    if not counts:
        return 0
    return max(counts, key=lambda width: (counts[width] * (width > 1), width))


def kind(cell: str) -> str:
    """What a cell looks like: number, year, date, text, or nothing."""
    cell = cell.strip()
    if not cell:
        return ""
    if _YEAR.fullmatch(cell):
        return "year"
    if _NUMBER.fullmatch(cell):
        return "number"
    return "date" if _DATE.fullmatch(cell) else "text"


def _filled(cells: Sequence[str]) -> int:
    return sum(bool(cell.strip()) for cell in cells)


def _next(rows: Sequence[TextRow], place: int) -> int:
    """The next row that holds anything."""
    while place < len(rows) and is_blank(rows[place].cells):
        place += 1
    return place


def _is_remark(cells: Sequence[str], width: int) -> bool:
    """Whether a row below a table is blank, or one sentence in a cell of its own."""
    if not cells or is_blank(cells):
        return True
    return len(cells) == 1 < width and re.search(r"\s|:", cells[0].strip()) is not None


def _above(rows: Sequence[TextRow], width: int) -> tuple[int, list[str]]:
    """How many rows stand above the header: titles, comments, and what is blank."""
    place = 0
    left: list[int] = []
    while (place := _next(rows, place)) < len(rows) and _is_above(rows, place, width):
        left.append(rows[place].line)
        place += 1
    if not left:
        return 0, []
    if place >= len(rows):  # nothing but titles: then it is a table of one column
        return 0, []
    some = f"line {left[0]}" if len(left) == 1 else f"lines {left[0]} to {left[-1]}"
    verbs = ("stands", "is") if len(left) == 1 else ("stand", "are")
    return place, [f"{some} {verbs[0]} above the header and {verbs[1]} left out"]


def _is_above(rows: Sequence[TextRow], place: int, width: int) -> bool:
    """Whether a row is a title or a comment."""
    cells = rows[place].cells
    if width < 2:
        return False
    filled = _filled(cells)
    if cells[0].startswith(("#", "%", "//")):
        return len(cells) != width or _comment_above_header(rows, place, width)
    if len(cells) == width - 1 and filled == len(cells) > 1:
        return False  # R's header
    if len(cells) != width:
        return place + 1 < len(rows) and min(filled, len(cells)) < width
    return filled == 1 and cells[0].strip() != "" and _is_title(rows, place, width)


def _is_title(rows: Sequence[TextRow], place: int, width: int) -> bool:
    """Whether a row of one cell is parted from what is below, or that is a header."""
    after = _next(rows, place + 1)
    if after == len(rows):
        return False
    return after > place + 1 or (width > 2 and _could_be_header(rows, after))


def _comment_above_header(rows: Sequence[TextRow], place: int, width: int) -> bool:
    """Whether the row below a comment of full width is the header that its column needs."""
    after = _next(rows, place + 1)
    return after < len(rows) and len(rows[after].cells) == width and _could_be_header(rows, after)


def _could_be_header(rows: Sequence[TextRow], place: int) -> bool:
    """Whether a row is texts, and the rows below it are not."""
    cells = rows[place].cells
    if any(kind(cell) not in ("text", "year", "") for cell in cells) or _filled(cells) < 2:
        return False
    return any(
        kind(cell) in ("text", "year") and _column_kind(rows, place + 1, position) == "number"
        for position, cell in enumerate(cells)
    )


def _column_kind(rows: Sequence[TextRow], start: int, position: int) -> str:
    """What the cells of a column look like, if all of the next ones look alike."""
    kinds = {
        kind(row.cells[position])
        for row in rows[start : start + HEAD]
        if position < len(row.cells) and row.cells[position].strip()
    }
    if kinds and kinds <= {"number", "year"}:
        return "number" if "number" in kinds else "year"
    return kinds.pop() if len(kinds) == 1 else ""


def _is_data(rows: Sequence[TextRow], start: int) -> bool:
    """Whether what stands first is a row like those below: its numbers and dates stand in columns
    of numbers and dates, and no text stands there."""
    cells = rows[start].cells
    alike = 0
    counting = [cell.strip() for cell in cells if kind(cell) == "number"]
    if len(counting) > 1 and _counts_up(counting):
        return False
    for position, cell in enumerate(cells):
        below = _column_kind(rows, start + 1, position)
        own = kind(cell)
        if below in ("number", "date", "year") and own not in ("", "number", "date", "year"):
            return False
        alike += own == below and own in ("number", "date")
        if not own and below:
            return False  # a header with a gap, as pandas writes an index
    texts = [cell.strip() for cell in cells if kind(cell) == "text"]
    return alike > 0 and 2 * alike >= len(texts) and len(set(cells)) > (len(cells) > 1)


def _counts_up(cells: Sequence[str]) -> bool:
    """Whether numbers go up one by one, as those above columns do."""
    if not all(cell.isdecimal() for cell in cells):
        return False
    numbers = [int(cell) for cell in cells]
    return numbers == list(range(numbers[0], numbers[0] + len(numbers)))


def _header_lines(rows: Sequence[TextRow], start: int) -> int:
    """2 where the second row fills the gaps of the first and is no row of data, else 1."""
    if start + 2 >= len(rows):
        return 1
    upper, lower = rows[start].cells, rows[start + 1].cells
    if len(lower) > len(upper) or len(upper) < 2:
        return 1
    if not _fills_gaps(upper, lower):
        return 1
    if any(kind(cell) not in ("text", "year", "") for cell in lower):
        return 1
    numbers = [
        place
        for place, cell in enumerate(lower)
        if cell.strip() and _column_kind(rows, start + 2, place) == "number"
    ]
    return 2 if numbers and (not lower[0].strip() or len(numbers) > 1) else 1


def _fills_gaps(upper: Sequence[str], lower: Sequence[str]) -> bool:
    """Whether a row has gaps or repeats itself, and the one below has a cell in each gap."""
    gaps = [place for place, cell in enumerate(upper) if place and not cell.strip()]
    named = list(filter(str.strip, upper))
    if not gaps and len(set(named)) == len(named):
        return False
    return all(place < len(lower) and lower[place].strip() for place in gaps)


def _ends_empty(rows: Sequence[TextRow], start: int, width: int) -> bool:
    """Whether the rows end with a delimiter that parts nothing."""
    wide = [row.cells for row in rows[start:] if len(row.cells) == width]
    return not any(cells[-1].strip() for cells in wide)


def _joined(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Two lines of a header as one: what spans columns goes before each of them."""
    names = []
    spans = ""
    for place in range(max(len(upper), len(lower))):
        above = upper[place].strip() if place < len(upper) else ""
        below = lower[place].strip() if place < len(lower) else ""
        spans = above or spans
        names.append(f"{spans} {below}".strip() if below else above)
    return names


def _is_units(rows: Sequence[TextRow], place: int) -> bool:
    """Whether a row below the header says in what its columns of numbers are measured."""
    found = 0
    for position, cell in enumerate(rows[place].cells):
        word = cell.strip()
        if not word or word in ("-", "–"):
            continue
        bare = word.strip("()[] ").casefold()
        if bare not in UNITS and not (_BRACKETS.fullmatch(word) and _LETTER.search(word)):
            return False  # (50) is a negative number
        found += _column_kind(rows, place + 1, position) == "number"
    return found > 0
