"""The text of a memory file: read, written, and refused where it is none."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.errors import DataError
from binder.prompt.memory.exemplars import Exemplar, Grid, records, write

TEXT = """\
# a note

question: what: x?
table: w, A, B: c
  |x|y\\nz|
  | 1||

  | a \\| b | c |
table: v
  | k |
sql:
  SELECT x
  FROM w
python:
  def solve(w, v):

      return w[0]["x"]
says: {"q?": {"a": 1}}
gives: [1]

# another note
question: second?
table: w
  | a |
  | 1 |
sql:
  SELECT 1
"""


def test_a_file_is_read() -> None:
    first, second = records(TEXT)
    grids = (
        Grid("w", "A, B: c", ("x", "y\nz"), (("1", ""), ("a | b", "c"))),
        Grid("v", "", ("k",), ()),
    )
    says, gives = '{"q?": {"a": 1}}', "[1]"
    assert first.exemplars == (
        Exemplar(grids, "what: x?", "SELECT x\nFROM w", "sql", says, gives),
        Exemplar(
            grids, "what: x?", 'def solve(w, v):\n\n    return w[0]["x"]', "python", says, gives
        ),
    )
    assert [column.name for column in first.exemplars[0].tables[0].columns] == ["x", "y\nz"]
    assert (
        first.exemplars[0].tables[0].title == "A, B: c"
        and first.exemplars[0].tables[1].title is None
    )
    assert second.exemplars[0].question == "second?" and TEXT.endswith(second.text)
    assert list(records("")) == [] and list(records("# a note\n\n")) == []


@pytest.mark.parametrize(
    ("text", "row"),
    [
        ("SELECT 1", None),
        ("question: q?\ntable: w\n  | a |\n", 1),
        ("question: q?\nsql:\n  SELECT 1\n", 1),
        ("question: q?\ntable: w\n  | a | b |\n  | 1 |\nsql:\n  SELECT 1", 2),
        ("question: q?\ntable: w\n  | a |\nsql:\nSELECT 1", 5),
        ("question:\ntable: w\n  | a |\nsql:\n  SELECT 1", 1),
    ],
)
def test_a_text_that_is_no_exemplar(text: str, row: int | None) -> None:
    with pytest.raises(DataError) as caught:
        list(records(text, "m.txt"))
    assert caught.value.row == row and caught.value.path == "m.txt" and caught.value.hint


CELLS = st.text(
    st.characters(
        exclude_categories=["Cs"], exclude_characters="\r\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"
    )
).map(str.strip)


@given(
    st.lists(CELLS, min_size=1, max_size=3).flatmap(
        lambda header: st.tuples(st.just(header), st.lists(st.tuples(*[CELLS] * len(header))))
    )
)
def test_what_is_written_is_read(table: tuple[list[str], list[tuple[str, ...]]]) -> None:
    header, rows = table
    grids = (Grid("w", "t", tuple(header), tuple(rows)),)
    exemplar = Exemplar(grids, "which one?", "SELECT 1\n\nFROM w")
    (record,) = records(write(exemplar))
    assert record.exemplars == (exemplar,)
