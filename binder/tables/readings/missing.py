"""Marks of missing values: which cells say that there is no value."""

from __future__ import annotations

import re
from collections.abc import Iterable

from binder.tables.cells import is_missing

# Missing in a column that is not text: there they cannot be names. World Bank writes "..",
# Eurostat ":", spreadsheets their errors.
_NOTHING = re.compile(
    r"none|na|n\.a\.|n\.d\.|n/d|n/k|k\.\s?a\.|no data|\.|\.\.|:"
    r"|#(?:div/0!|ref!|value!|name\?|num!|null!)",
    re.IGNORECASE,
)
# Words that stand where a number or a date is wanting: they speak neither for nor against a
# reading, and are kept as raw text.
WANTING = re.compile(
    r"none|na|n\.a\.|n/d|n/k|no data|(?:data )?(?:unavailable|not available|unknown)|tb[acd]|dn[fspq]|(?:.*, )?did not .*|dsq|dq"
    r"|disq\w*|ret|retired|nc|wd|withdrew|withdrawn|abd|cancel+ed|postponed",
    re.IGNORECASE,
)
_WORD = re.compile(r"null|nan", re.IGNORECASE)
# Headers of columns whose words are names: a person may be called Null, a child NaN.
_NAMES = re.compile(
    r"\b(?:(?:sur|last|first|fore|given|family|middle|nick|user)?\s?name|last|first|author|player"
    r"|person|artist|word|term|token|label|code|symbol|nom|nome|nombre|vorname)s?\b",
    re.IGNORECASE,
)


def is_mark(cell: str) -> bool:
    """Whether a cell says in a column that is not text that there is no value."""
    return is_missing(cell) or _NOTHING.fullmatch(cell.strip()) is not None


def missing_in_text(cells: Iterable[str], header: str) -> set[str]:
    """The cells of a text column that say that there is no value: marks that are none of its
    names."""
    cells = list(cells)
    marks = {cell for cell in cells if is_missing(cell)}
    others = [cell.strip() for cell in cells if cell not in marks]
    if "+" in others and not any(any(map(str.isalnum, cell)) for cell in others):
        # "-" beside "+" is a strand, a sign, an operator
        return {cell for cell in marks if not cell.strip() or cell.strip()[0].isalpha()}
    empty = any(not cell.strip() for cell in marks)
    return {cell for cell in marks if not _is_name(cell.strip(), others, header, empty)}


def _is_name(cell: str, others: list[str], header: str, empty: bool) -> bool:
    """Whether a word that may mean "no value" is a name of the column."""
    if not _WORD.fullmatch(cell) or not others:
        return False
    if cell == "Null" or (empty and cell.casefold() == "null"):
        return True  # where there is nothing, the cell is empty
    if cell == "NaN":
        return _NAMES.search(header.replace("_", " ")) is not None
    # NAN is an airport among codes of three capitals
    return cell.isupper() and all(len(other) == len(cell) and other.isupper() for other in others)
