"""The tour of the code shows what the code does."""

from __future__ import annotations

import re

from tests.tour import PAGE, STAGES, Tour, written


def test_the_tour_shows_what_the_code_does() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == written(page, Tour()), "write it anew: python -m tests.tour"


def test_every_stage_is_on_the_page_once() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert re.findall(r"^<!-- ([a-z ]+) -->$", page, re.MULTILINE) == list(STAGES)
