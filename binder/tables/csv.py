"""Text files of separated values: their cells as Arrow columns of text, and what was left out.

A plain file is read by Arrow at its speed. Where anything is odd (a quote that may swallow rows,
a row that is short, a remark below the table) the rows are read one by one and checked, so that
each row of the file is a row of the table, or a note or an error says why it is not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

from binder.errors import DataError, UsageError
from binder.tables import dialect as dialects
from binder.tables.dialect import Broken, TextDialect, TextRow, records
from binder.tables.layout import HEAD, Layout, footer, is_blank, lay_out, typical_width
from binder.tables.plain_rows import plain_rows

if TYPE_CHECKING:
    import pyarrow

OPTIONS = ("delimiter", "quote", "escape", "header", "skip", "comment", "encoding", "decimal")
_WITH_COMMA = r"^\s*[-+]?(?:0|[1-9]\d{0,2}(?:\.\d{3})+|[1-9]\d*)(?:,\d+)?\s*$"
_TRUTHS = {"yes": True, "no": False, "true": True, "false": False}
_TAIL = 4096  # characters at the end in which a blank line may part a remark from the table


@dataclass(frozen=True)
class Csv:
    """A text file, and what its user says of it; what is None is found."""

    path: Any
    delimiter: str | None = None
    quote: str | None = None
    escape: str | None = None
    header: bool | int | Sequence[str] | None = None
    skip: int = 0
    comment: str | None = None
    encoding: str | None = None
    decimal: str | None = None


class Sheet(NamedTuple):
    """The headers of a file, its columns of text, what was left out, and its dialect."""

    headers: list[str]
    columns: list[pyarrow.ChunkedArray]
    notes: list[str]
    dialect: TextDialect


def csv(
    path: Any,
    *,
    delimiter: str | None = None,
    quote: str | None = None,
    escape: str | None = None,
    header: bool | int | Sequence[str] | None = None,
    skip: int = 0,
    comment: str | None = None,
    encoding: str | None = None,
    decimal: str | None = None,
) -> Csv:
    """A text file as a source of a table, where what is found in it is wrong or has to be sure.

    delimiter, quote, escape: one character each, "" for no quote or escape. header: True, False,
    how many lines it has, or the names of the columns of a file without one. skip: how many lines
    to leave out above. comment: what a line begins with that is to be left out. encoding: a name
    that Python knows, such as cp1252. decimal: the decimal mark of its numbers, "." or ","."""
    if delimiter is not None and len(delimiter) != 1:
        raise UsageError(f"a delimiter is one character, not {delimiter!r}")
    if decimal not in (None, ".", ","):
        raise UsageError(f"a decimal mark is . or , and not {decimal!r}")
    return Csv(path, delimiter, quote, escape, header, skip, comment, encoding, decimal)


def options_of(words: Sequence[str]) -> dict[str, Any]:
    """The options of `csv` in words such as delimiter=; or header=no, as on a command line."""
    found: dict[str, Any] = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals or name not in OPTIONS:
            raise UsageError(
                f"{word!r} is no option of a text file",
                hint=f"NAME=VALUE, with one of the names {', '.join(OPTIONS)}",
            )
        found[name] = _meaning(name, value)
    return found


def _meaning(name: str, value: str) -> Any:
    """The value of an option that was written as a word."""
    if name in ("skip", "header") and value.isdecimal():
        return int(value)
    if name == "header" and value.casefold() in _TRUTHS:
        return _TRUTHS[value.casefold()]
    if name == "header":
        return value.split(",")
    if name == "skip":
        raise UsageError(f"skip is a number of lines, not {value!r}")
    return {"\\t": "\t", "tab": "\t", "space": " "}.get(value, value)


def parse(text: str, path: str, options: Csv, utf8: bytes | None = None) -> Sheet:
    """The table in a text. utf8: its bytes, where they are at hand."""
    start, line = _start(text, options)
    if re.compile(r"\S").search(text, start) is None:
        raise DataError(
            f"{path} is empty", path=path, hint="a CSV file needs at least a header line"
        )
    if utf8 is None:
        utf8 = text.encode("utf-8", "surrogatepass")
    data = memoryview(utf8)[_size(text[:start]) :]  # no copy
    text = text[start:]
    dialect = _dialect(text, options)
    sheet = _read_plain(text, data, dialect, options)
    sheet = sheet or _read_checked(text, path, dialect, options, line)
    sheet = _without_last(sheet)
    if dialect.delimiter == dialects.NONE and re.search(r"^\d+,\d{1,2}$", text, re.MULTILINE):
        sheet.notes.append("one column: each comma is read as part of a number, and parts no cells")
    if sheet.dialect.quote == "" and options.quote is None and '"' in text:
        sheet.notes.append("a quote does not end where its cell ends, so quotes are read as text")
    return sheet


def _without_last(sheet: Sheet) -> Sheet:
    """A file without the column that a delimiter at the end of each line makes."""
    if len(sheet.headers) < 2 or sheet.headers[-1].strip():
        return sheet
    last = sheet.columns[-1]
    if not len(last) or last.null_count < len(last):
        return sheet
    return sheet._replace(headers=sheet.headers[:-1], columns=sheet.columns[:-1])


def _start(text: str, options: Csv) -> tuple[int, int]:
    """Where the table may begin: below the lines to skip, and below Excel's word on the
    delimiter; with the number of that line."""
    place = 0
    skipped = 0
    announced = re.match(r'"?sep=.?"?(?:\r\n|\r|\n)', text, re.IGNORECASE)
    wanted = max(options.skip, int(announced is not None))
    for line in islice(dialects.lines(text), wanted):
        place += len(line)
        skipped += 1
    return place, skipped + 1


def _dialect(text: str, options: Csv) -> TextDialect:
    """The dialect that is found, but for what the user says."""
    found = dialects.sniff(text, delimiter=options.delimiter)
    if options.quote is not None:
        found = replace(found, quote=options.quote)
    if options.escape is not None:
        found = replace(found, escape=options.escape)
    return found


def _header(options: Csv) -> bool | int | None:
    """What the user says of the header, as a number of lines."""
    header = options.header
    return header if header is None or isinstance(header, int) else False


def _named(layout: Layout, options: Csv, path: str = "") -> list[str]:
    """The headers, or the names that the user gives instead."""
    if options.header is None or isinstance(options.header, int):
        return layout.headers
    names = [str(name) for name in options.header]
    if len(names) != len(layout.headers):
        raise DataError(
            f"{path} has {len(layout.headers)} columns, and {len(names)} names are given", path=path
        )
    return names


def _size(text: str) -> int:
    """How many bytes a text has."""
    return len(text.encode("utf-8", "surrogatepass"))


def _read_plain(text: str, data: memoryview, dialect: TextDialect, options: Csv) -> Sheet | None:
    """The table of a file in which nothing is odd, read by Arrow; None for any other."""
    if dialect.escape or options.comment or "\0" in text or _has_escaped_quote(text):
        return None
    try:
        head = list(islice(records(text, dialect), HEAD))
    except Broken:
        return None
    layout = lay_out(head, _header(options))
    width = len(layout.headers)
    ends = [0, *(record.end for record in head)]
    start = ends[layout.first]
    end = text[max(start, len(text) - _TAIL) :]
    if not width or layout.first >= len(head) or head[0].cells[:1] == ["#"] or _has_gap(end):
        return None
    quoted = bool(dialect.quote) and text.find(dialect.quote, start) >= 0
    table = plain_rows(data[_size(text[:start]) :], dialect, width, quoted)
    return table and Sheet(_named(layout, options), table.columns, layout.notes, dialect)


def _has_gap(end: str) -> bool:
    """Whether a blank line at the end of a text may part a remark from the table."""
    return re.search(r"(?>\r\n|\r|\n)[ \t]*[\r\n]", end.rstrip()) is not None  # \r\n is one end


def _has_escaped_quote(text: str) -> bool:
    """Whether a backslash stands before a quote; to look for one character is much faster."""
    return "\\" in text and '\\"' in text


def _read_checked(text: str, path: str, dialect: TextDialect, options: Csv, line: int) -> Sheet:
    """The table of a file that is odd: under the first dialect whose quotes end where cells end
    and that makes no row too long."""
    fault: DataError | None = None
    for tried in _ways(text, dialect, options):
        try:
            found = list(records(text, tried, first=line))
        except Broken as broken:
            fault = fault or _broken(path, tried, broken)
            continue
        try:
            sheet = _assemble(found, path, tried, options)
        except DataError as error:
            fault = fault or error
            continue
        if tried.quote != dialect.quote and not _even(found, len(sheet.headers)):
            continue
        return sheet
    assert fault is not None
    raise fault


def _ways(text: str, dialect: TextDialect, options: Csv) -> Iterator[TextDialect]:
    """The dialects to try over the whole file."""
    yield dialect
    if _has_escaped_quote(text) and not dialect.escape and options.escape is None:
        yield replace(dialect, escape="\\")
    if dialect.quote and options.quote is None:
        yield replace(dialect, quote="", escape="")


def _broken(path: str, dialect: TextDialect, broken: Broken) -> DataError:
    """The error for a quote that does not end."""
    return DataError(
        f"{path}, line {broken.line}: a cell that begins with {dialect.quote} does not end with it",
        path=path,
        row=broken.line,
        hint="is a quote missing, or not doubled inside?"
        " binder.csv(path, quote='') reads quotes as text",
    )


def _even(found: Sequence[TextRow], width: int) -> bool:
    """Whether all rows that hold anything are of one width."""
    return all(len(record.cells) == width for record in found if not is_blank(record.cells))


def _assemble(found: list[TextRow], path: str, dialect: TextDialect, options: Csv) -> Sheet:
    """The table of rows that were read one by one."""
    rows, notes = _without_comments(found, options)
    layout = lay_out(rows[: HEAD + 40], _header(options))
    headers = _named(layout, options, path)
    notes = [*layout.notes, *notes]
    width = len(headers)
    if not width:
        raise DataError(
            f"{path} is empty", path=path, hint="a CSV file needs at least a header line"
        )
    body = rows[layout.first :]
    if body and (below := footer(body, width) if width > 1 else 0):
        left = [row for row in body[-below:] if not is_blank(row.cells)]
        body = body[:-below]
        if left:
            said = " ".join(cell for cell in left[0].cells if cell.strip())
            notes.append(
                f"line {left[0].line} and below stand under the table and are left out:"
                f" {said!r:.60}"
            )
    if width > 1 and not headers[-1].strip() and all(len(row.cells) < width for row in body):
        headers, width = headers[:-1], width - 1
    cells = _fitted(body, width, path, notes)
    _tell_lookalikes(body, width, dialect, notes)
    return Sheet(headers, _columns(cells, width), notes, dialect)


def _without_comments(found: Sequence[TextRow], options: Csv) -> tuple[list[TextRow], list[str]]:
    """The rows that are not comments: lines that begin with the mark that the user says, or with
    # where the other rows are wider."""
    rows = list(found)
    mark = options.comment or "#"
    marked = [row for row in rows if row.cells and row.cells[0].startswith(mark)]
    if not marked or 2 * len(marked) > len(rows):
        return rows, []
    if options.comment is None:
        width = typical_width(rows)
        marked = [row for row in marked if len(row.cells) != width > 1]
    if not marked:
        return rows, []
    lines = {row.line for row in marked}
    told = f"{_count(marked, 'comment line')} left out, first line {marked[0].line}"
    return [row for row in rows if row.line not in lines], [told]


def _fitted(
    body: Sequence[TextRow], width: int, path: str, notes: list[str]
) -> list[Sequence[str]]:
    """The cells of each row, as many as there are headers; what is short is filled up and told,
    what is long is an error."""
    kept: list[Sequence[str]] = []
    short: list[TextRow] = []
    blank: list[TextRow] = []
    for row in body:
        cells = row.cells
        if width > 1 and is_blank(cells):
            blank += [row] * (len(cells) > 1)
            continue
        if len(cells) > width:
            if not is_blank(cells[width:]):
                raise DataError(
                    f"{path}, line {row.line}: {len(cells)} cells, expected {width}",
                    path=path,
                    row=row.line,
                    hint="check for a missing quote or delimiter",
                )
            cells = cells[:width]
        elif len(cells) < width:
            short.append(row)
            cells = [*cells, *[""] * (width - len(cells))]
        kept.append(cells)
    if blank:
        notes.append(f"{_count(blank, 'row')} without any value, left out")
    if short and width > 1:
        first = short[0]
        notes.append(
            f"{_count(short, 'row')} shorter than the header, first line {first.line} with"
            f" {len(first.cells)} of {width} cells; what is missing reads as NULL"
        )
    return kept


def _count(rows: Sequence[TextRow], noun: str) -> str:
    return f"{len(rows):,} {noun}{'' if len(rows) == 1 else 's'}"


def _tell_lookalikes(
    body: Sequence[TextRow], width: int, dialect: TextDialect, notes: list[str]
) -> None:
    """Tells of a cell whose lines look like rows of their own, but for the first and the last."""
    for row in body:
        for cell in row.cells:
            inside = cell.splitlines()[1:-1] if "\n" in cell or "\r" in cell else []
            parts = {line.count(dialect.delimiter) for line in inside}
            if parts == {width - 1} and width > 1:
                notes.append(
                    f"line {row.line}: a quoted cell spans {len(inside) + 2} lines"
                    " that look like rows"
                )
                return


def with_decimal_comma(column: pyarrow.ChunkedArray) -> pyarrow.ChunkedArray | None:
    """A column of text as numbers, where the user says that their decimal mark is a comma; None
    where some cell is no such number."""
    import pyarrow as pa
    import pyarrow.compute as pc

    told = column.drop_null()
    if not len(told) or not pc.all(pc.match_substring_regex(told, _WITH_COMMA)).as_py():
        return None
    digits = pc.replace_substring(pc.utf8_trim_whitespace(column), ".", "")
    plain = pc.replace_substring(digits, ",", ".")
    fractions = pc.any(pc.match_substring(plain, ".")).as_py()
    try:
        return plain.cast(pa.float64() if fractions else pa.int64())
    except pa.ArrowInvalid:  # more digits than an integer has
        return None


def _columns(rows: Sequence[Sequence[str]], width: int) -> list[pyarrow.ChunkedArray]:
    """Columns of text; an empty cell is missing."""
    import pyarrow as pa

    columns = []
    for place in range(width):
        cells = [row[place] or None for row in rows]
        columns.append(pa.chunked_array([pa.array(cells, pa.string())]))
    return columns
