"""Columns of cases.txt, loaded as files."""

from __future__ import annotations

from pathlib import Path

import pytest

from binder.tables.table import Table, load

FIXTURE = Path(__file__).parent / "cases.txt"


def cases() -> list[object]:
    found = []
    for block in FIXTURE.read_text(encoding="utf-8").split("\n=== ")[1:]:
        (head, *wanted) = block.strip("\n").split("\n--- ")
        title, delimiter, *lines = head.split("\n")
        found.append(pytest.param(delimiter, "\n".join(lines).rstrip(), wanted, id=title))
    return found


def shown(table: Table, name: str) -> list[str]:
    column = table.column(name)
    assert column is not None and column.reading is not None
    values = [str(v).replace(" ", "_") for v in table.data.column(column.name).to_pylist()]
    unit = f" {column.unit}" if column.unit else ""
    return [f"{name}: {column.type}{unit}", " ".join(values), str(column.reading)]


@pytest.mark.parametrize(("delimiter", "text", "wanted"), cases())
def test_case(delimiter: str, text: str, wanted: list[str], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(text + "\n", encoding="utf-8")
    table = load(path)
    for block in wanted:
        expected = block.strip().split("\n")
        found = shown(table, expected[0].rpartition(":")[0])
        assert found[: len(expected)] == expected
        if len(expected) == 2:  # nothing is told of it
            assert ";" not in found[2]
