"""Text files: what their structure is found to be, what the user says of it, and that no row of
data goes without a word."""

from __future__ import annotations

import sys
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.errors import DataError, UsageError
from binder.tables import csv
from binder.tables.csv import Csv, Sheet, options_of, parse
from binder.tables.dialect import records
from binder.tables.table import load


def read(text: str, **options: Any) -> tuple[list[str], list[tuple[Any, ...]], list[str]]:
    """Headers, rows and notes of a text."""
    sheet = parse(text, "t.csv", csv.csv("t.csv", **options))
    columns = [column.to_pylist() for column in sheet.columns]
    return sheet.headers, list(zip(*columns, strict=True)), sheet.notes


PLAIN = [("1", "2"), ("3", "4")]


@pytest.mark.parametrize(
    ("text", "headers", "rows", "note"),
    [
        ("a,b\n1,2\n3,4\n", ["a", "b"], PLAIN, None),
        ("a,b\r1,2\r3,4\r", ["a", "b"], PLAIN, None),
        ("\n\n\na,b\n1,2\n3,4", ["a", "b"], PLAIN, None),
        ("sep=;\na;b\n1;2\n3;4\n", ["a", "b"], PLAIN, None),
        ("a,b,\n1,2,\n3,4,\n", ["a", "b"], PLAIN, None),
        ("a,b\n1,2,\n3,4,\n", ["a", "b"], PLAIN, None),
        ("a,b,\n1,2\n3,4\n", ["a", "b"], PLAIN, None),
        ("a^b\n1^2\n3^4\n", ["a", "b"], PLAIN, None),
        ("a,b\n1,'x, y'\n2,'z'\n", ["a", "b"], [("1", "x, y"), ("2", "z")], None),
        ('a,b\n1,"\\"x\\""\n2,"y"\n', ["a", "b"], [("1", '"x"'), ("2", "y")], None),
        ("a;b, c\nx;1,5\ny;2,5\n", ["a", "b, c"], [("x", "1,5"), ("y", "2,5")], None),
        ("t\nhello, you\nhi\na, b, c\n", ["t"], [("hello, you",), ("hi",), ("a, b, c",)], None),
        ("#a\tb\n1\t2\n3\t4\n", ["a", "b"], PLAIN, None),
        ("#,b\n1,2\n3,4\n", ["#", "b"], PLAIN, None),
        ("a,b\n1,2\n,\n,\n3,4\n", ["a", "b"], PLAIN, "2 rows without any value"),
        (
            "# by me\n# today\na,b\n1,2\n3,4\n",
            ["a", "b"],
            PLAIN,
            "lines 1 to 2 stand above the header and are left out",
        ),
        ("a,b\n1,2\n#no\n3,4\n", ["a", "b"], PLAIN, "1 comment line left out, first line 3"),
        ("Sales 2020,,\n,,\na,b,c\nx,1,2\n", ["a", "b", "c"], [("x", "1", "2")], "line 1 stands"),
        ("By me\n\na,b\n1,2\n3,4\n", ["a", "b"], PLAIN, "line 1 stands above the header"),
        ("a,b\n1,2\n3,4\nSource: x\n", ["a", "b"], PLAIN, "line 4 and below stand under"),
        ("a,b\n1,2\n3,4\n\n,note\n", ["a", "b"], PLAIN, "line 5 and below stand under"),
        ("a,b\n1,2\n3\n", ["a", "b"], [("1", "2"), ("3", None)], "1 row shorter than the header"),
        ("price\n1,5\n2,75\n", ["price"], [("1,5",), ("2,75",)], "each comma is read as part"),
        ("price\n1,500\n2,750\n", ["price"], [("1,500",), ("2,750",)], None),
        ("1,2\n3,4\n", ["1", "2"], [("3", "4")], "is the header, though it is all numbers"),
        ("a|b\n1|2\n3|4\n", ["a", "b"], PLAIN, None),
        ("a\tb\n1\t2\n3\t4\n", ["a", "b"], PLAIN, None),
        ("a,b\r\r\n1,2\r\r\n3,4\r\r\n", ["a", "b"], PLAIN, None),
        ("1,30\n2,40\n", ["", ""], [("1", "30"), ("2", "40")], "line 1 holds values"),
        ("Ann,30\nBob,25\n", ["", ""], [("Ann", "30"), ("Bob", "25")], "line 1 holds values"),
        ("b,c\nx,1,2\ny,3,4\n", ["", "b", "c"], [("x", "1", "2"), ("y", "3", "4")], "one column"),
        ("n,h,w\n,cm,kg\nA,1,2\n", ["n", "h", "w"], [("A", "1", "2")], "line 2 gives units"),
        (
            "Region,Sales,,\n,2019,2020,2021\nA,1,2,3\nB,4,5,6\n",
            ["Region", "Sales 2019", "Sales 2020", "Sales 2021"],
            [("A", "1", "2", "3"), ("B", "4", "5", "6")],
            "the header has 2 lines",
        ),
        (
            ",A,A\n,x,y\nid,,\n0,1,2\n1,3,4\n",
            ["id", "A x", "A y"],
            [("0", "1", "2"), ("1", "3", "4")],
            "the header has 2 lines",
        ),
        ('a,b\n1,"abc\n2,def\n', ["a", "b"], [("1", '"abc'), ("2", "def")], "quotes are read as"),
        (
            'a,b\n1,"say "hi" now"\n2,x\n',
            ["a", "b"],
            [("1", '"say "hi" now"'), ("2", "x")],
            "quotes are read as text",
        ),
    ],
)
def test_the_structure_that_is_found(
    text: str, headers: list[str], rows: list[tuple[Any, ...]], note: str | None
) -> None:
    found, cells, notes = read(text)
    assert (found, cells) == (headers, rows)
    assert not notes if note is None else note in "; ".join(notes)


@pytest.mark.parametrize(
    "text",
    [
        "Country,2019,2020\nA,5,6\nB,7,8\n",  # years stand above columns
        "Name,1,2,3\nA,5,6,7\nB,7,8,1\n",  # and so do numbers that count up
        "a,b\nx,y\nz,w\n",  # nothing tells texts from names
        ",value\n0,5\n1,6\n",  # as pandas writes an index
        'id,note\n1,"a\nb, c"\n2,d\n',
    ],
)
def test_a_header_stays_a_header(text: str) -> None:
    headers, rows, notes = read(text)
    assert (headers, notes) == (text.split("\n")[0].split(","), [])
    assert len(rows) == 2


def test_a_quote_that_swallows_rows_is_an_error() -> None:
    with pytest.raises(DataError, match="line 2: 3 cells, expected 2"):
        read('id,text\n1,"a, b\n2,c\n3,"d"\n4,e\n')
    with pytest.raises(DataError, match='line 2: a cell that begins with " does not end') as caught:
        read('id,text\n1,"a\n2,c\n', quote='"')
    assert caught.value.row == 2


def test_a_quoted_cell_that_looks_like_rows_is_told() -> None:
    _, rows, notes = read('a,b,c\n1,2,"x\n3,4,5\n6,7,8\ny"\n9,9,9\n')
    assert (len(rows), notes) == (2, ["line 2: a quoted cell spans 4 lines that look like rows"])


@pytest.mark.parametrize(
    ("text", "options", "headers", "rows"),
    [
        ("1,2\n3,4\n", {"header": True}, ["1", "2"], [("3", "4")]),
        ("a,b\nc,d\n", {"header": False}, ["", ""], [("a", "b"), ("c", "d")]),
        ("a,b\nc,d\n", {"header": ["x", "y"]}, ["x", "y"], [("a", "b"), ("c", "d")]),
        ("a,b\nc,d\n1,2\n", {"header": 2}, ["a c", "b d"], [("1", "2")]),
        ("junk\nmore\na,b\n1,2\n", {"skip": 2}, ["a", "b"], [("1", "2")]),
        ("a b\n1 2\n", {"delimiter": " "}, ["a", "b"], [("1", "2")]),
        ("a,b\n!x\n1,2\n", {"comment": "!"}, ["a", "b"], [("1", "2")]),
        ('a,b\n1,"x"\n', {"quote": ""}, ["a", "b"], [("1", '"x"')]),
        ("a,b\n1,x\\,y\n", {"escape": "\\"}, ["a", "b"], [("1", "x,y")]),
    ],
)
def test_what_the_user_says_holds(
    text: str, options: dict[str, Any], headers: list[str], rows: list[tuple[str, ...]]
) -> None:
    assert read(text, **options)[:2] == (headers, rows)


def test_options_that_mean_nothing() -> None:
    with pytest.raises(UsageError, match="a delimiter is one character"):
        csv.csv("t.csv", delimiter="::")
    with pytest.raises(UsageError, match=r"a decimal mark is \. or ,"):
        csv.csv("t.csv", decimal=";")
    with pytest.raises(DataError, match="has 2 columns, and 1 names are given"):
        read("a,b\n1,2\n", header=["x"])
    with pytest.raises(DataError, match="is empty"):
        read("a,b\n1,2\n", skip=2)


def test_options_as_words() -> None:
    words = ["delimiter=\\t", "header=no", "skip=2", "encoding=cp1252", "decimal=,"]
    assert options_of(words) == {
        "delimiter": "\t",
        "header": False,
        "skip": 2,
        "encoding": "cp1252",
        "decimal": ",",
    }
    assert options_of(["header=a,b"]) == {"header": ["a", "b"]}
    for word in ("elephant=1", "header", "skip=x"):
        with pytest.raises(UsageError):
            options_of([word])


CELL = st.text(st.sampled_from("ab1,;\"'\n #"), max_size=5)


@given(st.lists(st.tuples(CELL, CELL, CELL), min_size=1, max_size=6))
def test_a_well_formed_file_reads_as_it_was_written(rows: list[tuple[str, ...]]) -> None:
    import csv as writer
    import io

    out = io.StringIO()
    written = writer.writer(out, quoting=writer.QUOTE_ALL, lineterminator="\n")
    written.writerows([("col a", "col b", "col c"), *rows])
    options = {"delimiter": ",", "quote": '"', "escape": "", "header": True}
    headers, found, _ = read(out.getvalue(), **options)
    kept = [tuple(cell or None for cell in row) for row in rows if any(map(str.strip, row))]
    assert headers == ["col a", "col b", "col c"]
    assert [row for row in found if any(row) and any((c or "").strip() for c in row)] == kept


def test_arrow_and_the_checked_reader_agree() -> None:
    body = "".join(f'{i},"name, {i}","two\nlines"\n' for i in range(300))
    plain = parse("a,b,c\n" + body, "t.csv", Csv("t.csv"))
    # One short row below sends the file to the reader that looks at each row.
    checked = parse("a,b,c\n" + body + "5,6\n", "t.csv", Csv("t.csv"))
    assert checked.notes == [
        "1 row shorter than the header, first line 602 with 2 of 3 cells; what is missing reads as NULL"
    ]
    for one, other in zip(plain.columns, checked.columns, strict=True):
        assert one.to_pylist() == other.to_pylist()[:-1]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_a_plain_file_is_not_read_row_by_row(end: str) -> None:
    rows = 20_000
    text = end.join(["a,b", *(f"{i},x" for i in range(rows))]) + end
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        sheet = parse(text, "t.csv", Csv("t.csv"))
    finally:
        sys.setprofile(None)
    assert len(sheet.columns[0]) == rows
    assert calls < rows


def test_lines_are_counted_where_rows_begin() -> None:
    sheet: Sheet = parse("a,b\n1,2\n", "t.csv", Csv("t.csv"))
    found = list(islice(records('a,b\n"x\ny",2\n3,4\n', sheet.dialect), 5))
    assert [(record.line, record.cells) for record in found] == [
        (1, ["a", "b"]),
        (2, ["x\ny", "2"]),
        (4, ["3", "4"]),
    ]


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ('n\n"1,23,456"\n"12,34,567"\n', [123456, 1234567]),
        ('n\n"1,234"\n"12,345"\n', [1234, 12345]),
        ('n\n"a ""b"", c"\n"x, y"\n', ['a "b", c', "x, y"]),
        ('n\n12"\n6"\n', [12, 6]),
        ("n\n(50)\n300\n", ["(50)", "300"]),
        ("n\n(kg)\n300\n", [300]),
    ],
)
def test_a_column_alone_is_read_as_it_is_quoted(
    tmp_path: Path, text: str, column: list[object]
) -> None:
    """What is in quotes is one cell, though it holds what parts cells elsewhere."""
    path = tmp_path / "w.csv"
    path.write_text(text, encoding="utf-8")
    assert load(path).data.column("n").to_pylist() == column
