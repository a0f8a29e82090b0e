"""Spellings of names: what two of them share, and which known name a misspelt one means."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from functools import lru_cache

from binder.tables.cells import fold

# characters of a name that is looked for among misspelt ones: the search is quadratic in them
LONGEST_NAME = 200


@lru_cache(maxsize=4096)
def key(name: str) -> str:
    """What two spellings of one name share: letters and digits without case, accents, signs and
    spaces."""
    plain = fold(name.replace("\\n", " "))
    return re.sub(r"[\W_]+", "", plain) or re.sub(r"\s+", "", plain)


def alike(name: str, known: Iterable[str], cutoff: float = 0.85) -> str | None:
    """The one known name that a misspelt name certainly means, or None."""
    spellings: dict[str, list[str]] = {}
    for candidate in known:
        spellings.setdefault(key(candidate), []).append(candidate)
    wanted = key(name)
    if wanted in spellings:
        same = list(dict.fromkeys(spellings[wanted]))
        return same[0] if len(same) == 1 else None
    if not 4 <= len(wanted) <= LONGEST_NAME:
        return None
    close = difflib.get_close_matches(wanted, list(spellings), n=2, cutoff=cutoff)
    digits = re.sub(r"\D", "", wanted)
    close = [match for match in close if re.sub(r"\D", "", match) == digits]
    if len(close) == 1 and len(set(spellings[close[0]])) == 1:
        return spellings[close[0]][0]
    return None
