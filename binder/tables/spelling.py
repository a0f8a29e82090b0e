"""Spellings of names: what two of them share, and which known name a misspelt one means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache

from binder.tables.cells import fold

# characters of a name that is looked for among misspelt ones: the search is quadratic in them
LONGEST_NAME = 200
_SHORTEST = 4  # a shorter name is like too many others


@lru_cache(maxsize=4096)
def key(name: str) -> str:
    """What two spellings of one name share: letters and digits without case, accents, signs and
    spaces."""
    plain = fold(name.replace("\\n", " "))
    return re.sub(r"[\W_]+", "", plain) or re.sub(r"\s+", "", plain)


def alike(name: str, known: Iterable[str], cutoff: float = 0.85) -> str | None:
    """The one known name that a misspelt name certainly means, or None."""
    spellings: dict[str, set[str]] = {}
    for candidate in known:
        spellings.setdefault(key(candidate), set()).add(candidate)
    wanted = key(name)
    if wanted in spellings:
        return _only(spellings[wanted])
    if not _SHORTEST <= len(wanted) <= LONGEST_NAME:
        return None
    close = difflib.get_close_matches(wanted, list(spellings), n=2, cutoff=cutoff)
    # Names that differ in a digit are different names: "2008" is no misspelt "2009".
    close = [match for match in close if _digits(match) == _digits(wanted)]
    return _only(spellings[close[0]]) if len(close) == 1 else None


def _only(names: set[str]) -> str | None:
    """The one name of a set; None where there are several."""
    return next(iter(names)) if len(names) == 1 else None


def _digits(text: str) -> str:
    return re.sub(r"\D", "", text)
