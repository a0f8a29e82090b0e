"""The table of patterns: every example is matched where it is marked, and no other text is."""

import re

import pytest

from binder.tables import patterns
from binder.tables.patterns import TABLE, Row

ROWS = [pytest.param(row, id=row.reads) for row in TABLE]


@pytest.mark.parametrize("row", ROWS)
def test_an_example_is_matched_where_it_is_marked(row: Row) -> None:
    assert row.examples
    for example in row.examples:
        before, matched, after = re.split("[«»]", example)
        text = before + matched + after
        whole = row.regex.fullmatch(text) if matched == text else row.regex.search(text)
        assert whole is not None, example
        assert whole[0] == matched, example


@pytest.mark.parametrize("row", ROWS)
def test_another_text_is_not_matched(row: Row) -> None:
    assert [text for text in row.others if row.regex.fullmatch(text)] == []


def test_every_pattern_of_the_module_is_in_the_table() -> None:
    found: set[re.Pattern[str]] = set()
    for value in vars(patterns).values():
        for item in value if isinstance(value, tuple) else (value,):
            item = getattr(item, "regex", item)
            if isinstance(item, re.Pattern):
                found.add(item)
    assert found == {row.regex for row in TABLE}


def test_no_two_rows_read_the_same() -> None:
    reads = [row.reads for row in TABLE]
    assert len(set(reads)) == len(reads)
