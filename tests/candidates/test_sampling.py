"""How many samples of each kind a question is worth: the mix in turn, of the kinds that are
possible."""

from __future__ import annotations

import sys

import pytest

from binder.candidates.sampling import Sampling, fit, shares
from binder.errors import UsageError
from binder.tables.table import load

SMALL = (load([{"a": "x"}], "w"),)
LARGE = (load([{"a": "word " * 50}] * 1_000, "w"),)


@pytest.mark.parametrize(
    ("samples", "tables", "expected"),
    [
        (1, SMALL, {"sql": 1}),
        (3, SMALL, {"sql": 1, "direct": 1, "python": 1}),
        (5, SMALL, {"sql": 2, "direct": 2, "python": 1}),
        (5, LARGE, {"sql": 3, "python": 2}),
    ],
)
def test_kinds_share_the_samples_in_turn(
    samples: int, tables: tuple[object, ...], expected: dict[str, int]
) -> None:
    assert shares(samples, "auto", tables, Sampling()) == expected  # type: ignore[arg-type]


def test_a_language_that_is_not_installed_has_no_share(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pydantic_monty", None)
    assert shares(4, "auto", LARGE, Sampling()) == {"sql": 4}


def test_a_language_that_is_asked_for_has_all() -> None:
    assert shares(4, "python", SMALL, Sampling()) == {"python": 4}


def test_a_mix_of_nothing_possible_is_sql() -> None:
    assert shares(2, "auto", LARGE, Sampling(mix=("direct",))) == {"sql": 2}


@pytest.mark.parametrize(
    ("samples", "language", "tables", "message"),
    [
        (0, "auto", SMALL, "samples must be at least 1"),
        (1, "cobol", SMALL, "unknown language 'cobol'"),
        (1, "direct", LARGE, "do not fit into a prompt"),
    ],
)
def test_what_cannot_be_sampled_is_refused(
    samples: int, language: str, tables: tuple[object, ...], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        shares(samples, language, tables, Sampling())  # type: ignore[arg-type]


def test_a_table_fits_by_the_tokens_of_its_cells() -> None:
    assert fit(SMALL, 10) and not fit(LARGE, 999) and not fit(LARGE, 8_000)


def test_a_prompt_without_room_for_the_instructions_is_refused() -> None:
    with pytest.raises(UsageError, match="prompt_tokens must be at least 2,000"):
        Sampling(prompt_tokens=100)
