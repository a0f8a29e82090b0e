"""What a question is found by."""

from __future__ import annotations

import pytest

from binder.prompt.memory.features import cues, features
from binder.tables.table import tidy

TABLE = tidy(
    ["Ferry", "Built", "Opened"],
    [["Alba", "1998", "May 2, 1998"], ["Corva", "2012", "May 3, 2012"]],
)


def test_what_it_is_about_is_masked() -> None:
    one = features("which ferries, Alba or not, were built in 1998?", [TABLE])
    assert one[:10] == [
        "which",
        "<text>",
        "<cell>",
        "or",
        "not",
        "were",
        "<number>",
        "in",
        "<digits>",
        "?",
    ]
    assert one[-1] == "<table>" and features("opened?", [TABLE, TABLE]) == [
        "<date>",
        "?",
        "<tables>",
    ]


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("which is the oldest of them?", ["<superlative>", "<which>"]),
        ("how many more than 3 are there?", ["<comparative>", "<count>", "<difference>"]),
        ("what came right after Rome?", ["<neighbour>", "<which>"]),
        ("Was it Rome?", ["<statement>"]),
        ("no team won twice.", ["<not>", "<statement>"]),
        ("a forest?", ["<superlative>"]),  # by its ending: it costs a little
    ],
)
def test_what_it_asks_for_is_a_cue(question: str, found: list[str]) -> None:
    assert cues(question) == found
