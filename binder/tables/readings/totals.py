"""Totals: what the last row of a table is called where it sums up those above it."""

from __future__ import annotations

import re
from collections.abc import Iterable

_WORDS = re.compile(
    r"(?:grand |sub[- ]?|overall )?(?:totals?|sum|average|mean)|all|overall|gesamt|summe|insgesamt"
    r"|somme|totale|total général|ensemble|suma|totaal|итого|всего|合计|合計|总计|総計",
    re.IGNORECASE,
)


def total_word(cells: Iterable[str | None]) -> str | None:
    """The cell of a row that says that it is a total, or an average."""
    return next((cell for cell in cells if cell and _WORDS.fullmatch(cell.strip(" :."))), None)
