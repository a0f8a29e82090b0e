"""Facts of columns: how cells are read, bounds, and the texts of a column that has few."""

import datetime

from binder.prompt.column_profile import bounds, readings, texts
from binder.tables.table import Column, Table, load, tidy


def column(table: Table, name: str) -> tuple[Table, Column]:
    found = table.column(name)
    assert found is not None
    return table, found


def test_a_cell_that_is_not_written_as_its_value_is_told() -> None:
    table = tidy(["a", "b"], [["1,000", "x"], ["5 km", "y"], ["7", "z"], ["-", "z"]])
    assert readings(*column(table, "a")) == ([("5 km", 5)], [])
    assert readings(*column(table, "b")) == ([], [])


def test_cells_without_a_value_are_told() -> None:
    cells = ("1", "2", "3", "4", "5", "x", "x", "Playoff")
    table = tidy(["a"], [[cell] for cell in cells])
    assert readings(*column(table, "a")) == ([], ["x", "Playoff"])


def test_bounds() -> None:
    table = load(
        [{"n": 3, "t": "x", "b": True, "e": None}, {"n": 1, "t": "y", "b": False, "e": None}]
    )
    assert bounds(*column(table, "n")) == (1, 3)
    assert bounds(*column(table, "t")) is None
    assert bounds(*column(table, "b")) is None
    days = tidy(["d"], [["May 3, 2010"], ["May 1, 2010"]])
    day = datetime.date(2010, 5, 1)
    assert bounds(*column(days, "d")) == (day, day.replace(day=3))


def test_texts_of_a_column_that_has_few() -> None:
    table = tidy(["a", "n"], [["x", "1"], ["y", "2"], ["x", "3"], ["-", "4"]])
    assert texts(*column(table, "a"), 2) == ["x", "y"]
    assert texts(*column(table, "a"), 1) == []
    assert texts(*column(table, "n"), 9) == []
