"""Spellings: what two names share, and which name a misspelt one means."""

import pytest

from binder.tables.spelling import LONGEST_NAME, alike, key


def test_case_accents_signs_and_spaces_do_not_count() -> None:
    assert key("Nº of  Días") == key("no OF dias") == "noofdias"
    assert key("a\\nb") == key("A b")
    assert key("%") == "%"


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("chart_positions", "Chart Positions"),
        ("Chart Postions", "Chart Positions"),
        ("Season 2009", None),  # a digit is no slip
        ("abc", None),
        ("Points", None),  # as spelt, there are two
        ("x" * (LONGEST_NAME + 1), None),
    ],
)
def test_only_a_certain_name_is_found(name: str, meant: str | None) -> None:
    assert alike(name, ["Chart Positions", "Season 2008", "points", "POINTS"]) == meant
