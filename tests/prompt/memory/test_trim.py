"""Trimming: of an exemplar's tables, what the program, the answer and the question speak of."""

from binder.prompt.memory.trim import COLUMNS, ROWS, WIDTH, abstract
from binder.tables.table import Table, tidy

HEADER = ["City", "Country", "People", "Area", "Mayor"]


def cities(count: int = 12) -> Table:
    rows = [[f"city{i}", f"land{i}", str(i), str(10 * i), "x" * 200] for i in range(count)]
    return tidy(HEADER, rows, title=" Cities\n of  the world ")


def test_named_columns_and_the_first_others_are_kept() -> None:
    (grid,) = abstract("?", [cities()], "SELECT Area FROM w")
    assert grid.header == ("City", "Country", "Area") and COLUMNS == 2
    assert (grid.name, grid.title) == ("w", "Cities of the world")


def test_all_columns_are_kept_where_none_is_named() -> None:
    (grid,) = abstract("?", [cities()], "SELECT COUNT(*) FROM w")
    assert grid.header == tuple(HEADER)


def test_a_name_inside_a_word_is_no_name() -> None:
    (grid,) = abstract("?", [cities()], "SELECT Areas FROM w")
    assert grid.header == tuple(HEADER)


def test_rows_are_those_of_texts_answers_and_the_question() -> None:
    program = "SELECT City FROM w WHERE Country = 'land9' AND QA(\"map@is it city8?\"; City)"
    (grid,) = abstract("how about city7?", [cities()], program, ["city10"])
    kept = [row[0] for row in grid.rows]
    assert len(kept) == ROWS and {"city7", "city9", "city10"} <= set(kept)
    assert "city8" not in kept  # a question of a call is no text of the table
    assert kept == sorted(kept, key=lambda city: int(city[4:]))


def test_long_cells_are_cut() -> None:
    (grid,) = abstract("?", [cities(1)], "SELECT Mayor FROM w")
    assert grid.rows[0][-1] == "x" * (WIDTH - 1) + "…"
