"""What of a table a question speaks of."""

from __future__ import annotations

import pyarrow as pa
import pytest

from binder.prompt.schema_linking import SEARCHED, joins, relevant, telling
from binder.tables.table import load, tidy

TABLE = tidy(
    ["Team", "Year", "Cities", "Won on"],
    [
        ["Reds", "1990", "São Paulo", "May 2, 1990"],
        ["Blues", "1991", "Rome, Bonn", "June 3, 1991"],
        ["Greens", "1991", "Bonn", "July 4, 1991"],
        ["Greys", "1992", "Rome", "May 9, 1992"],
    ],
)


@pytest.mark.parametrize(
    ("question", "columns", "rows", "found"),
    [
        ("who won in Bonn?", {"Won on", "Cities"}, (1, 2), {"won", "bonn"}),
        (
            "which teams of 1991 are from Rome?",
            {"Team", "Year", "Cities", "Won on"},
            (1, 3, 2),
            {"team", "1991", "rome"},
        ),
        ("the city of sao paulo", {"Cities"}, (0,), {"city", "sao", "paulo"}),
        ("a red team in July?", {"Team", "Won on"}, (0, 2), {"red", "team", "july"}),
        ("how many are there?", set(), (), set()),
        ("what of romeo?", set(), (), set()),
        ("(.*) [a-z]+ \\", set(), (), set()),
    ],
)
def test_what_is_found(
    question: str, columns: set[str], rows: tuple[int, ...], found: set[str]
) -> None:
    relevance = relevant(TABLE, question)
    assert relevance.columns == columns and relevance.words == found
    assert set(relevance.rows) == set(rows) and relevance.rows[:1] == rows[:1]


def test_rows_with_the_same_words_come_after_those_with_others() -> None:
    table = tidy(["a"], [["red"], ["red"], ["red"], ["blue"]])
    assert relevant(table, "red or blue?").rows == (3, 0, 1, 2)


def test_typed_columns_are_found_by_numbers() -> None:
    table = load(pa.table({"n": [7, 12, 71], "x": [1.5, 12.0, None]}))
    assert (
        relevant(table, "is 12 there?").rows == (1,)
        and relevant(table, "is twelve there?").rows == ()
    )


def test_only_the_first_rows_of_a_very_long_table_are_searched() -> None:
    cells = ["a"] * (SEARCHED + 5)
    cells[SEARCHED - 1] = cells[SEARCHED] = "needle"
    assert relevant(load(pa.table({"t": cells})), "where is the needle?").rows == (SEARCHED - 1,)


def test_words_that_tell() -> None:
    assert telling("How many Cities won 3 of the 10 cups, a b?") == {
        "city",
        "won",
        "3",
        "10",
        "cup",
    }


def test_one_table_refers_to_none() -> None:
    assert joins([TABLE]) == {} and joins([]) == {}
