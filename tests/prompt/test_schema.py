"""Tables as the author of a program is shown them: every fact once, nothing that passes for a line,
within so many tokens."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.lm.tokens import estimate
from binder.prompt.schema import table_text, tables_text
from binder.prompt.schema_linking import relevant
from binder.tables.table import Table, load, tidy


def test_a_short_table_is_shown_whole() -> None:
    rows = [
        ["1", "A | B\nC", "1,200 m[a]", "May 2, 1997"],
        ["2", "D`", "850 m", "lost"],
        ["3", "E", "7 m", "June 1998"],
    ]
    table = tidy(
        ["#", "Name\n(now)", "Span", "Built `"],
        [*rows, *([["4", "F", "9 m", "May 4, 1999"]] * 2)],
        title="Bridges\nof X",
    )
    assert table_text(table) == (
        "CREATE TABLE `w` ( -- 5 rows, Bridges\\nof X\n"
        "  row_id BIGINT, -- 0 for the first row\n"
        "  `#` BIGINT,\n"
        "  `Name\\n(now)` VARCHAR,\n"
        "  `Span` BIGINT, -- in m; '1,200 m[a]' is 1200\n"
        "  `Built ``` DATE, -- 'May 2, 1997' is 1997-05-02; 'lost' is NULL\n"
        ")\n"
        "| row_id | # | Name\\n(now) | Span | Built ` |\n"
        "| 0 | 1 | A / B\\nC | 1,200 m[a] | May 2, 1997 |\n"
        "| 1 | 2 | D` | 850 m | lost |\n"
        "| 2 | 3 | E | 7 m | June 1998 |\n"
        "| 3 | 4 | F | 9 m | May 4, 1999 |\n"
        "| 4 | 4 | F | 9 m | May 4, 1999 |"
    )


def test_of_bytes_it_is_shown_how_many_there_are() -> None:
    text = table_text(load([{"name": "a", "logo": b"\x89PNG" * 300, "both": [b"\x89"]}]))
    assert (
        "`logo` BLOB" in text
        and '| 0 | a | <1,200 bytes> | ["<1 byte>"] |' in text
        and "PNG" not in text
    )


LONG = tidy(
    ["row_id", "state", "note", "day"],
    [
        [str(i + 5), ["open", "shut"][i % 2], f"note {i} " + "x" * 300, f"2001-01-{i % 28 + 1:02}"]
        for i in range(500)
    ],
)


def test_of_a_long_table_facts_and_the_first_and_last_and_matching_rows_are_shown() -> None:
    lines = table_text(LONG, relevant(LONG, "what is note 321?")).split("\n")
    assert lines[:6] == [
        "CREATE TABLE `w` ( -- 500 rows",
        "  `row_id` BIGINT, -- from 5 to 504",
        "  `state` VARCHAR, -- one of 'open', 'shut'",
        "  `note` VARCHAR,",
        "  `day` DATE, -- from 2001-01-01 to 2001-01-28",
        ")",
    ]
    shown = [line.split(" | ")[0] for line in lines[7:]]
    assert shown[0] == "| 5" and shown[-1] == "| 504" and "| 326" in shown
    assert all(len(line) < 220 for line in lines)


@pytest.mark.parametrize("room", [40, 100, 300, 1000, 4000])
@pytest.mark.parametrize("columns", [1, 12, 300])
@pytest.mark.parametrize("rows", [0, 2, 99, 400])
def test_a_table_fits_its_room(room: int, columns: int, rows: int) -> None:
    table = tidy(
        [f"column {i}" for i in range(columns)],
        [[f"a cell of {row} " + "y" * 50] * columns for row in range(rows)],
    )
    shown = table_text(table, room=room)
    assert estimate(shown) <= max(room, 100)
    if room == 4000:
        assert columns > 100 or all(f"`column {i}`" in shown for i in range(columns))


def test_of_hundreds_of_columns_those_of_the_question_are_shown() -> None:
    table = tidy([f"c{i}" for i in range(400)], [[f"v{i}" for i in range(400)]] * 3)
    shown = tables_text([table], "which c371 has v390?", 800)
    assert (
        "`c371`" in shown
        and "`c390`" in shown
        and "further columns" in shown
        and "`c200`" not in shown
    )


def tables() -> list[Table]:
    return [
        load(
            [
                {"order_id": 1, "customer_id": 7, "place": "Rome"},
                {"order_id": 2, "customer_id": 7, "place": "Bonn"},
            ],
            "orders",
        ),
        load([{"id": 7, "name": "x", "rank": 1}, {"id": 8, "name": "y", "rank": 2}], "customers"),
        load(
            [{"town": "Rome", "n": 1}, {"town": "Bonn", "n": 2}, {"town": "Oslo", "n": 3}], "towns"
        ),
    ]


def test_several_tables_are_shown_with_their_keys() -> None:
    shown = tables_text(tables(), "how many orders?", 2000)
    assert "  `place` VARCHAR, -- refers to `towns`.`town`" in shown
    assert [line[:22] for line in shown.split("\n") if line.startswith("CREATE")] == [
        "CREATE TABLE `orders` ",
        "CREATE TABLE `customer",
        "CREATE TABLE `towns` (",
    ]
    assert (
        shown.count("refers to") == 1
    )  # a lone customer_id is too little to go by, and ranks are equal to numbers by chance


def test_numbers_refer_by_name() -> None:
    orders = load([{"customer_id": 7, "n": 1}, {"customer_id": 8, "n": 2}], "orders")
    people = load([{"id": 7}, {"id": 8}, {"id": 9}], "customers")
    other = load([{"k": 7}, {"k": 8}, {"k": 1}, {"k": 2}], "other")
    shown = tables_text([orders, people, other], "q?", 2000)
    assert (
        "`customer_id` BIGINT, -- refers to `customers`.`id`" in shown
        and shown.count("refers to") == 1
    )


def test_tables_without_room_are_named() -> None:
    many = [load([{"a": 1, f"b{i}": "x"}], f"t{i}") for i in range(40)]
    shown = tables_text(many, "which b33?", 600)
    assert (
        estimate(shown) <= 700
        and "`b33`" in shown
        and "-- further tables, not shown: `t0`" in shown
    )


LINES = st.text("ab|\n\r\u2028\x0b`'\\-()Question: ", max_size=30)


@given(st.lists(st.tuples(LINES, LINES), max_size=5), LINES, LINES)
def test_no_cell_and_no_name_is_a_line(
    rows: list[tuple[str, str]], header: str, title: str
) -> None:
    table = tidy([header, "b"], rows, title=title)
    shown = tables_text([table], "a?", 2000).splitlines()
    assert shown[0].startswith("CREATE TABLE `w` ( -- ") and shown[4] == ")"
    assert all(line.startswith("  ") for line in shown[1:4]) and all(
        line.startswith("| ") for line in shown[5:]
    )
    assert len(shown) == (6 + len(rows) if rows else 5)
