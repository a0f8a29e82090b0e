"""A table as the author of a program is shown it."""

from __future__ import annotations

from binder.prompt.schema import table_text
from binder.table import tidy


def test_a_table_as_the_author_of_a_program_is_shown_it() -> None:
    rows = [["1", "A | B\nC", "1,200 m[a]", "May 2, 1997"], ["2", "D`", "850 m", ""]]
    table = tidy(["#", "Name\n(now)", "Span", "Built `"], rows, title="Bridges\nof X")
    assert table_text(table) == (
        "Table `w`, Bridges\\nof X (2 rows)\n"
        "| row_id | `#` BIGINT | `Name\\n(now)` VARCHAR | `Span` BIGINT (m) | `Built ``` DATE |\n"
        "| 0 | 1 | A / B\\nC | 1,200 m[a] | May 2, 1997 |\n"
        "| 1 | 2 | D` | 850 m |  |\n"
        "As values: 1,200 m[a] is 1200; May 2, 1997 is 1997-05-02"
    )


def test_of_a_long_table_the_first_rows_are_shown_and_the_texts_of_small_columns() -> None:
    cells = [[str(i + 5), ["open", "shut"][i % 2], f"note {i} " + "x" * 90] for i in range(500)]
    table = tidy(["row_id", "state", "note"], cells)
    head, names, *lines = table_text(table).split("\n")
    rows = [line for line in lines if line.startswith("| ")]
    assert head == f"Table `w` (the first {len(rows)} of 500 rows)" and names.startswith("| `row_id` BIGINT | ")
    assert rows[0].startswith("| 5 | open | note 0 xxx") and 3 <= len(rows) < 30
    assert lines[len(rows) :] == ["All of `state`: 'open', 'shut'"]
    assert len(table_text(tidy(["a"], [["y" * 5000]] * 9))) < 2000
