"""Excel files: their layout, their types, their sheets."""

from __future__ import annotations

import datetime as dt
import zipfile
from pathlib import Path

import pytest

from binder.errors import DataError
from binder.tables.table import load, load_all

pytest.importorskip("python_calamine", reason="the extra `excel` is not installed")

TYPES = "application/vnd.openxmlformats-officedocument.spreadsheetml"
PARTS = {
    "[Content_Types].xml": '<Types xmlns="http://schemas.openxmlformats.org/package/2006/content-types">'
    '<Default Extension="rels" ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
    f'<Override PartName="/xl/workbook.xml" ContentType="{TYPES}.sheet.main+xml"/>'
    f'<Override PartName="/xl/styles.xml" ContentType="{TYPES}.styles+xml"/>'
    "{overrides}</Types>",
    "_rels/.rels": '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
    '<Relationship Id="r1" Type="http://schemas.openxmlformats.org/officeDocument/2006/relationships'
    '/officeDocument" Target="xl/workbook.xml"/></Relationships>',
    "xl/styles.xml": '<styleSheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
    '<cellXfs count="2"><xf numFmtId="0"/><xf numFmtId="14" applyNumberFormat="1"/></cellXfs>'
    "</styleSheet>",
}


def write(path: Path, sheets: dict[str, list[list[object]]]) -> Path:
    """A workbook with the cells of its sheets; a date is its day's number in a style of dates."""
    names, links, overrides = "", "", ""
    with zipfile.ZipFile(path, "w") as book:
        for number, (name, rows) in enumerate(sheets.items(), 1):
            names += f'<sheet name="{name}" sheetId="{number}" r:id="s{number}"/>'
            links += (
                f'<Relationship Id="s{number}" Type="http://schemas.openxmlformats.org/officeDocument'
                f'/2006/relationships/worksheet" Target="worksheets/sheet{number}.xml"/>'
            )
            place = f"/xl/worksheets/sheet{number}.xml"
            overrides += f'<Override PartName="{place}" ContentType="{TYPES}.worksheet+xml"/>'
            lines = ""
            for line, cells in enumerate(rows, 1):
                written = "".join(cell(f"{'ABCDEFG'[at]}{line}", v) for at, v in enumerate(cells))
                lines += f'<row r="{line}">{written}</row>'
            book.writestr(
                place[1:],
                '<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main">'
                f"<sheetData>{lines}</sheetData></worksheet>",
            )
        for part, text in PARTS.items():
            book.writestr(part, text.replace("{overrides}", overrides))
        book.writestr(
            "xl/workbook.xml",
            '<workbook xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main" xmlns:r='
            '"http://schemas.openxmlformats.org/officeDocument/2006/relationships">'
            f"<sheets>{names}</sheets></workbook>",
        )
        book.writestr(
            "xl/_rels/workbook.xml.rels",
            '<Relationships xmlns="http://schemas.openxmlformats.org/package/2006/relationships">'
            f"{links}</Relationships>",
        )
    return path


def cell(place: str, value: object) -> str:
    if value is None:
        return ""
    if isinstance(value, str):
        return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'
    if isinstance(value, dt.date):
        return f'<c r="{place}" s="1"><v>{(value - dt.date(1899, 12, 30)).days}</v></c>'
    return f'<c r="{place}"><v>{value}</v></c>'


def test_types_and_layout(tmp_path: Path) -> None:
    rows: list[list[object]] = [
        ["Sales of the year", None, None, None],
        [],
        ["region", "n", "price", "day"],
        ["A", 1, 1.5, dt.date(2020, 5, 1)],
        ["B", 2, None, dt.date(2020, 5, 2)],
        [],
        ["Source: office", None, None, None],
    ]
    table = load(write(tmp_path / "t.xlsx", {"sheet": rows}))
    assert [(c.name, c.type) for c in table.columns] == [
        ("region", "VARCHAR"),
        ("n", "BIGINT"),
        ("price", "DOUBLE"),
        ("day", "DATE"),
    ]
    assert table.data.column("day").to_pylist() == [dt.date(2020, 5, 1), dt.date(2020, 5, 2)]
    assert [note.split(" ", 2)[:2] for note in table.notes] == [["row", "1"], ["row", "6"]]


def test_sheets_are_tables(tmp_path: Path) -> None:
    sheets: dict[str, list[list[object]]] = {
        "a": [["x"], [1]],
        "empty": [],
        "b": [["y", "z"], ["12%", "u"], ["8%", "v"]],
    }
    path = write(tmp_path / "t.xlsx", sheets)
    assert [(table.name, table.num_rows) for table in load_all(path)] == [("a", 1), ("b", 2)]
    with pytest.raises(DataError, match=r"has 2 tables \(a, b\)"):
        load(path)


def test_what_is_no_workbook(tmp_path: Path) -> None:
    (tmp_path / "t.xlsx").write_text("no")
    with pytest.raises(DataError, match="cannot read"):
        load(tmp_path / "t.xlsx")
