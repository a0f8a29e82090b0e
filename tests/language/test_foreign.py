"""Words of other dialects: each is named where it stands, with what to write instead."""

from __future__ import annotations

import pytest

import binder
from binder.errors import ProgramError
from binder.executors.languages import language_named
from binder.language import foreign
from binder.tables.table import load

TABLE = load([{"a": 1, "b": "x", "d": "2020-01-31"}], tidy=True)


@pytest.mark.parametrize("word", foreign.words(), ids=lambda word: word.example)
def test_a_word_is_named_with_what_to_write(word: foreign.Foreign) -> None:
    sql = language_named("sql")
    with pytest.raises(ProgramError) as caught:
        sql.analyze(sql.parse(word.example, (TABLE,)), (TABLE,))
    assert caught.value.hint == word.hint
    marked = word.example[slice(*caught.value.span)]
    assert marked and marked not in ("a", "w")


@pytest.mark.parametrize(
    "program",
    [
        "SELECT b FROM w WHERE b <> '(+) TOP 1 RLIKE @x <=> MINUS SELECT'",
        'SELECT a AS "WITH ROLLUP" FROM w',
        "SELECT a + (+1) FROM w",
    ],
)
def test_texts_and_names_are_no_words(program: str) -> None:
    with binder.connect(TABLE, lm=None) as db:
        assert len(db.run(program)) == 1


def test_a_header_may_be_a_word() -> None:
    """What a table calls a column is its name, whatever other dialects make of it."""
    rows = [{"top": 1, "minus": 2, "binary": 3, "rank mod 2": 4}]
    with binder.connect(rows, lm=None) as db:
        assert db.run("SELECT top, minus, binary, rank mod 2 FROM w").rows == [(1, 2, 3, 4)]
