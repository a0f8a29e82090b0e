"""What a user says of columns goes before all evidence."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from binder.errors import DataError, UsageError
from binder.tables.readings import said
from binder.tables.table import load, load_all

TEXT = 'd,n,code,took\n05/06/2020,"1,250",007,90\n01/02/2020,"3,500",010,2:05\n'


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "w.csv"
    file.write_text(TEXT, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("types", "column", "values"),
    [
        ({"d": "date:dmy"}, "d", ["2020-06-05", "2020-02-01"]),
        ({"d": "date:%d/%m/%Y"}, "d", ["2020-06-05", "2020-02-01"]),
        ({"w": {"D": "date:mdy"}}, "d", ["2020-05-06", "2020-01-02"]),
        ({"w.d": "text"}, "d", ["05/06/2020", "01/02/2020"]),
        ({"n": "number:,"}, "n", ["1.25", "3.5"]),
        ({"code": "BIGINT"}, "code", ["7", "10"]),
        ({"took": "duration"}, "took", ["None", "125.0"]),
    ],
)
def test_types(path: Path, types: dict[str, Any], column: str, values: list[str]) -> None:
    table = load(path, types=types)
    assert [str(value) for value in table.data.column(column).to_pylist()] == values


def test_what_cannot_be_said(path: Path) -> None:
    with pytest.raises(DataError, match="no column 'x' in any table"):
        load(path, types={"x": "text"})
    with pytest.raises(DataError, match="no column 'd' in table 'v'"):
        load_all({"w": path}, types={"v": {"d": "text"}})
    for wrong in ("money", "date:ydm", "text:x", "number:%"):
        with pytest.raises(UsageError, match="no type"):
            load(path, types={"d": wrong})


def test_a_name_may_be_in_one_table_of_many(path: Path) -> None:
    tables = load_all({"w": path, "v": [{"x": "1"}]}, types={"code": "number"})
    assert [table.columns[-2 if table.name == "w" else 0].type for table in tables] == [
        "BIGINT"
    ] * 2


def test_words() -> None:
    assert said.words(["born=date:dmy", "n=text"]) == {"born": "date:dmy", "n": "text"}
    with pytest.raises(UsageError, match="which column"):
        said.words(["born"])


def test_a_table_prints_its_readings(path: Path) -> None:
    lines = str(load(path)).splitlines()
    assert lines[0] == "w: 2 rows"
    assert "nothing says whether day or month is first" in lines[1]
    assert lines[3].split() == ["code", "VARCHAR", "identifier"]


def test_a_format_with_a_zone_gives_utc(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("at\n2020-01-01T10:00:00+0100\n2020-01-01T09:30:00+0000\n", encoding="utf-8")
    column = load(path, types={"at": "date:%Y-%m-%dT%H:%M:%S%z"}).data.column("at")
    assert [f"{value:%H:%M}" for value in column.to_pylist()] == ["09:00", "09:30"]
