"""What is told of columns that a program computes with, and of texts that are numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

import binder
from binder.errors import CheckFault

TABLE = """n,v,price,code,t,size
a,1,$5,10,1589241600,>100
b,2,€7,9,1577836799,50
c,12A,£2,100,1577836800,20
"""
VALUES = "v\n" + "\n".join(map(str, range(1, 11))) + "\n12A\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("doubts")
    (path / "w.csv").write_text(TABLE, encoding="utf-8")
    (path / "v.csv").write_text(VALUES, encoding="utf-8")
    (path / "j.json").write_text('[{"n": "10"}, {"n": "9"}, {"n": "100"}]', encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def db(folder: Path):
    tables = {
        name: folder / f"{name}.{end}" for name, end in (("w", "csv"), ("v", "csv"), ("j", "json"))
    }
    with binder.connect(tables, cache=None) as opened:
        yield opened


@pytest.mark.parametrize(
    ("program", "rows", "told"),
    [
        ("SELECT SUM(v) FROM v", [(55,)], ["SUM of v left out 1 of 11 cells: '12A'"]),
        ("SELECT COUNT(v) FROM v", [(10,)], ["COUNT of v left out 1 of 11 cells: '12A'"]),
        ("SELECT COUNT(*) FROM v", [(11,)], []),
        ("SELECT v FROM v WHERE row_id = 10", [("12A",)], []),
        ("SELECT SUM(size) FROM w", [(170,)], ["SUM of size read 1 of 3 cells in part: '>100'"]),
        (
            "SELECT SUM(price) FROM w",
            [(None,)],
            ["SUM of price: it is text (several units: $, €, £)"],
        ),
        ("SELECT SUM(v) FROM w", [(3,)], ["SUM of v left out 1 of 3 cells, for it is text: '12A'"]),
        (
            "SELECT MAX(v) FROM w",
            [("2",)],
            ["MAX of v: 2 of 3 cells are numbers, but it is ordered as text, for '12A'"],
        ),
        ("SELECT MAX(n) FROM j", [("100",)], []),
        ("SELECT n FROM j ORDER BY n", [("9",), ("10",), ("100",)], []),
        ("SELECT MIN(n), COUNT(*) FROM j", [("9", 3)], []),
    ],
)
def test_doubts(db, program: str, rows: list[tuple[object, ...]], told: list[str]) -> None:
    result = db.run(program)
    assert (result.rows, result.warnings) == (rows, told)
    assert result.data()["warnings"] == told
    assert all(line in str(result) for line in told)


def test_a_python_program_is_told_too(db) -> None:
    program = "def solve(v):\n    return sum(row['v'] for row in v if row['v'] is not None)"
    assert db.run(program, "python").warnings == ["v left out 1 of 11 cells: '12A'"]


def test_the_year_of_a_number_that_is_none(db) -> None:
    with pytest.raises(CheckFault, match="YEAR of 't'"):
        db.run("SELECT YEAR(t) FROM w")


TOTAL = "city,pop,tax\nA,5,1\nB,6,2\nTotal,11,3\n"
UNNAMED = "city,pop\nA,5\nB,6\n,11\n"
MEAN = "table w: its last row is 'Total', and counts as a row"
SUMMED = "table w: its last row is the sum of the others, and counts as a row"
TIMES = "n,month,day,lat\na,January,Mon,52.5° N\nb,February,Tue,33.9° S\nc,March,Wed,1.5° N\n"


@pytest.mark.parametrize(
    ("text", "program", "rows", "told"),
    [
        (TOTAL, "SELECT SUM(pop) FROM w", [(22,)], [MEAN]),
        (TOTAL, "SELECT COUNT(*) FROM w", [(3,)], [MEAN]),
        (TOTAL, "SELECT MAX(pop) FROM w", [(11,)], [MEAN]),
        (TOTAL, "SELECT SUM(pop) FROM w WHERE city <> 'Total'", [(11,)], []),
        (TOTAL, "SELECT city FROM w ORDER BY pop DESC LIMIT 1", [("Total",)], []),
        (UNNAMED, "SELECT SUM(pop) FROM w", [(22,)], [SUMMED]),
        (UNNAMED.replace("11", "12"), "SELECT SUM(pop) FROM w", [(23,)], []),
        ("city,pop\nA,5\nB,6\nTotalis,11\n", "SELECT SUM(pop) FROM w", [(22,)], []),
        (
            TIMES,
            "SELECT MAX(month) FROM w",
            [("March",)],
            ["MAX of month: times and dates are ordered as text: 'January', 'February', 'March'"],
        ),
        (
            TIMES,
            "SELECT n FROM w ORDER BY day LIMIT 1",
            [("a",)],
            ["ORDER BY of day: times and dates are ordered as text: 'Mon', 'Tue', 'Wed'"],
        ),
        (
            TIMES,
            "SELECT n FROM w WHERE lat > 40",
            [("a",)],
            [
                "the comparison of lat read 3 of 3 cells in part, for it is text:"
                " '52.5° N', '33.9° S', '1.5° N'"
            ],
        ),
        ("n,who\na,May\nb,Smith\nc,Jones\n", "SELECT MIN(who) FROM w", [("Jones",)], []),
        (
            "n,firm\na,AT&amp;T\nb,Ford\n",
            "SELECT n FROM w WHERE firm = 'AT&T'",
            [],
            ["no cell of 'firm' is 'AT&T'; did you mean 'AT&amp;T'?"],
        ),
    ],
)
def test_what_a_report_brings_along(
    tmp_path: Path, text: str, program: str, rows: list[tuple[object, ...]], told: list[str]
) -> None:
    path = tmp_path / "w.csv"
    path.write_text(text, encoding="utf-8")
    with binder.connect(path, cache=None) as opened:
        result = opened.run(program)
    assert (list(result.rows), list(result.warnings)) == (rows, told)
