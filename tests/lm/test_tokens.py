"""How many tokens a text is taken to have."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.lm.tokens import estimate


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", 0),
        ("which country?", 4),
        ("SELECT a FROM w", 4),
        ("1234567", 3),
        ("a\n\n  b", 3),
        ("東京", 2),
        ("| 0 | x |", 5),
    ],
)
def test_an_estimate(text: str, tokens: int) -> None:
    assert estimate(text) == tokens


@given(st.text(), st.text())
def test_two_texts_are_no_more_than_both_alone(one: str, two: str) -> None:
    assert estimate(one + two) <= estimate(one) + estimate(two) + 1
    assert estimate(one) <= len(one)
