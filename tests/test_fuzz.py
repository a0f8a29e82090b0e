"""A sample of the texts of tests.fuzz goes through parse and check: nothing but the project's own
errors comes out, and nothing takes many times as long as it may."""

from __future__ import annotations

from collections import Counter

import pytest

from binder.errors import BinderError
from tests.effort import FULL
from tests.fuzz import TABLES, attempt, fuzz
from tests.fuzz.texts import LANGUAGES

COUNT = 20_000 if FULL else 1_000
MUCH = 10.0  # times what a text may take: what grows too fast takes more, also on a busy machine


def test_texts_that_are_nearly_programs_break_nothing() -> None:
    found = fuzz(range(COUNT), seed=20)
    assert not found.broken
    assert not [slow for slow in found.slow if slow.excess > MUCH]
    for language in LANGUAGES:
        fates = Counter(fate for name, _, fate in found.fates.elements() if name == language.name)
        assert min(fates["SyntaxFault"], fates["CheckFault"], fates["checked"]) >= 3, (
            "the texts are of all sorts"
        )


@pytest.mark.parametrize(
    "text",
    [
        "SELECT date()",
        "SELECT JSON_EXTRACT_STRING('{}', '$a..')",
        "SELECT 1 FROM w WHERE Rank = 2" + " OR Rank = 1" * 1_000,
        "SELECT 1" + "+1" * 4_000,
        "SELECT 1" + " - SELECT 1" * 1_000,
        "SELECT 1" + " UNION SELECT 1" * 1_000,
        "SELECT a FROM " + "x" * 60_000,
        "SELECT " + "x" * 60_000 + " FROM w",
        "SELECT a" + "[ a - z ]" * 1_000,
        "SELECT Rank AS x0" + "".join(f", x{i} + x{i} AS x{i + 1}" for i in range(60)) + " FROM w",
        "SELECT " + "*," * 4_000 + "* FROM w",
        "SELECT TOTAL()",
        "SELECT MIN() FROM w",
        "QA('ans@q'; UPPER(Rank.*))",
    ],
    ids=lambda text: text[:30],
)
def test_texts_that_once_broke_something(text: str) -> None:
    try:
        assert attempt(text, TABLES[0])[0] in ("CheckFault", "SyntaxFault", "checked")
    except BinderError:
        pytest.fail("an error that is told only when it is shown")
