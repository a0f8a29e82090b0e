"""What is found for a question, and what becomes of a solved one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import binder
from binder.errors import DataError, ProgramError, UsageError
from binder.prompt.memory import FIXED, Memory
from binder.prompt.memory.exemplars import Exemplar, Grid
from binder.tables.table import Table, load, tidy

ROWS = tuple((f"Town {i}", str(1900 + i), str(i * i), f"note {i}") for i in range(40))
TOWNS = tidy(["Town", "Founded", "People", "Notes"], ROWS, title="Towns")


def asked(*questions: str) -> Memory:
    grid = Grid("w", "t", ("Team", "Year"), (("Reds", "1990"),))
    return Memory(
        exemplars=[
            Exemplar((grid,), question, f"SELECT {i}") for i, question in enumerate(questions)
        ]
    )


def test_the_nearest_stands_last() -> None:
    memory = asked("how many teams are there?", "who won in May?", "which is the oldest team?")
    found = memory.retrieve("how many towns are there?", [TOWNS])
    assert found[-1].question == "how many teams are there?" and len(found) == 3
    assert [e.question for e in memory.retrieve("who won in June?", [TOWNS], most=1)] == [
        "who won in May?"
    ]
    assert (
        memory.retrieve("how many?", [TOWNS], "python") == ()
        and Memory(exemplars=[]).retrieve("how many?") == ()
    )


def test_what_a_question_is_about_does_not_count() -> None:
    memory = asked(
        "how many of the reds were there in 1990?", "which towns are there?", "who is it?"
    )
    assert memory.retrieve("how many of Town 7 were there in 1907?", [TOWNS])[
        -1
    ].question.startswith("how many of the reds")


def test_programs_alike_are_not_all_shown() -> None:
    grid = Grid("w", "t", ("a",), (("1",),))
    programs = ["SELECT COUNT(*) FROM w", "SELECT COUNT(*) FROM w", "SELECT MAX(a) - MIN(a) FROM w"]
    memory = Memory(
        exemplars=[
            Exemplar((grid,), f"how many {i}?", program)
            for i, program in zip("xyz", programs, strict=True)
        ]
    )
    found = memory.retrieve("how many?", most=2)
    assert len({exemplar.program for exemplar in found}) == 2


def test_a_solved_question_is_kept_and_found(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    memory = Memory(path)
    before = memory.exemplars
    kept = memory.add(
        "who has the\nmost people?",
        [TOWNS],
        "SELECT `Town` FROM w ORDER BY `People` DESC LIMIT 1",
        values=["Town 39"],
    )
    assert kept.question == "who has the most people?"
    (grid,) = kept.grids
    assert (
        grid.header == ("Town", "Founded", "People", "Notes")
        and ("Town 39", "1939", "1521", "note 39") in grid.rows
    )
    assert len(grid.rows) == 5 and grid.rows == tuple(sorted(grid.rows, key=ROWS.index))
    assert memory.exemplars == Memory(path).exemplars == (*before, kept)
    assert memory.retrieve("who has the most people?", [TOWNS])[-1] == kept


def test_of_a_wide_table_few_columns_are_kept(tmp_path: Path) -> None:
    wide = tidy([f"c{i}" for i in range(30)], [[str(i) for i in range(30)]] * 3)
    kept = Memory(tmp_path / "own.txt").add("q?", [wide], "SELECT c7 FROM w WHERE c12 > 1")
    assert kept.grids[0].header == ("c0", "c1", "c7", "c12")


def test_one_that_is_solved_again_replaces_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    path.write_text(
        "# mine\nquestion: kept?\ntable: w\n  |a|\nsql:\n  SELECT   a FROM w\n\n# and more\n",
        encoding="utf-8",
    )
    memory = Memory(path, shipped=False)
    memory.add("how many?", [TOWNS], "SELECT 1 FROM w")
    memory.add("How  many?", [TOWNS], "SELECT COUNT(*) FROM w")
    assert [e.program for e in memory.exemplars] == ["SELECT   a FROM w", "SELECT COUNT(*) FROM w"]
    text = path.read_text(encoding="utf-8")
    assert (
        text.startswith("# mine\nquestion: kept?\n")
        and "# and more\n" in text
        and text.count("question:") == 2
    )


def test_the_shipped_ones_are_hidden_by_the_same_question_and_not_written_to(
    tmp_path: Path,
) -> None:
    first = Memory().exemplars[0]
    memory = Memory(tmp_path / "own.txt")
    memory.add(first.question, first.tables, "SELECT `Ferry` FROM w LIMIT 1")
    assert [e.program for e in memory.exemplars if e.key == first.key] == [
        "SELECT `Ferry` FROM w LIMIT 1"
    ]
    assert first in Memory().exemplars


def test_what_is_not_valid_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    memory = Memory(path)
    with pytest.raises(ProgramError):
        memory.add("how many?", [TOWNS], "SELECT nosuch FROM w")
    with pytest.raises(ProgramError):
        memory.add("how many?", [TOWNS], "DROP TABLE w")
    with pytest.raises(UsageError, match="language"):
        memory.add("how many?", [TOWNS], "SELECT 1", "cobol")
    with pytest.raises(UsageError, match="no memory file"):
        Memory().add("how many?", [TOWNS], "SELECT 1")
    with pytest.raises(UsageError, match="question"):
        memory.add(" ", [TOWNS], "SELECT 1")
    assert not path.exists()


def test_a_cell_is_no_line_of_the_file(tmp_path: Path) -> None:
    sly = tidy(
        ["a\nquestion: x?"], [["1 |\nsql:\n  DROP"], ["question: y?"]], title="t\nquestion: z?"
    )
    kept = Memory(tmp_path / "own.txt").add(
        "which\nquestion: v?", [sly], 'SELECT "a\nquestion: x?" FROM w'
    )
    assert Memory(tmp_path / "own.txt", shipped=False).exemplars == (kept,)


def test_a_typed_table_is_kept_so_that_its_program_stays_valid(tmp_path: Path) -> None:
    orders = load([{"id": 7, "sum": 1.5}, {"id": 8, "sum": 2.0}], "orders")
    people = load([{"id": 7, "name": "x"}], "people")
    program = "SELECT SUM(o.sum) FROM orders o JOIN people p ON o.id = p.id WHERE p.name = 'x'"
    kept = Memory(tmp_path / "own.txt").add("how much?", [orders, people], program)
    assert [grid.name for grid in kept.grids] == ["orders", "people"]


def test_a_fixed_memory_is_shown_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "tuned.txt"
    blocks = [
        f"question: {q}\ntable: w\n  | a |\n  | 1 |\nsql:\n  SELECT a FROM w\n"
        for q in ("b?", "a?", "c?")
    ]
    path.write_text(FIXED + "\n".join(blocks), encoding="utf-8")
    memory = Memory(path)
    assert memory.fixed and [e.question for e in memory.retrieve("a?")] == ["b?", "a?", "c?"]


@pytest.mark.parametrize("content", [b"\xff\xfe", b"SELECT 1"])
def test_a_file_that_is_no_memory(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "own.txt"
    path.write_bytes(content)
    with pytest.raises(
        DataError, match="own.txt" if content[0] > 127 else "an exemplar cannot start"
    ):
        Memory(path)
    with pytest.raises(UsageError, match="folder"):
        Memory(tmp_path)


ADDING = """
import sys
from binder.prompt.memory import Memory
from binder.tables.table import tidy
memory = Memory(sys.argv[1])
for i in range(15):
    memory.add(f"how many of {sys.argv[2]} {i}?", [tidy(["a"], [["1"]])], "SELECT COUNT(*) FROM w")
"""


def test_two_processes_add_to_one_file(tmp_path: Path) -> None:
    path = tmp_path / "own.txt"
    running = [subprocess.Popen([sys.executable, "-c", ADDING, str(path), name]) for name in "xy"]
    assert [process.wait(60) for process in running] == [0, 0]
    assert len(Memory(path, shipped=False).exemplars) == 30
    assert sorted(file.name for file in tmp_path.iterdir()) == ["own.txt", "own.txt.lock"]


def test_connect_takes_a_path(tmp_path: Path) -> None:
    with binder.connect([{"a": 1}], lm=None, memory=tmp_path / "own.txt") as db:
        db.memory.add("which?", db.tables, "SELECT a FROM w")
    assert Memory(tmp_path / "own.txt").exemplars[-1].question == "which?"


def test_a_table_of_a_user_is_not_read_cell_by_cell(tmp_path: Path) -> None:
    import pyarrow as pa

    long = load(pa.table({"k": pa.array(range(300_000)), "t": pa.array(["x"] * 300_000)}), "long")
    assert isinstance(long, Table)
    kept = Memory(tmp_path / "own.txt").add(
        "how many?", [long], "SELECT COUNT(*) FROM long WHERE k > 5"
    )
    assert len(kept.grids[0].rows) == 5
