"""Nothing comes in; the functions that a program in SQL may call go out: the allow-list, as data/
holds it."""

from __future__ import annotations

from functools import cache

from binder.data import listed

TABLE_FUNCTIONS = frozenset(
    {"range", "generate_series", "unnest"}
)  # those that may stand in a FROM


@cache
def allowed() -> frozenset[str]:
    """The names of the functions that a program may call."""
    return frozenset(name for line in listed("functions.txt") for name in line.split())
