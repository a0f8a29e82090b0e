"""The allow-list of functions that a program in SQL may call (data/functions.txt)."""

from __future__ import annotations

from functools import cache

from binder.data import listed

# those that may stand in a FROM
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})


@cache
def allowed() -> frozenset[str]:
    """The names of the functions that a program may call."""
    return frozenset(name for line in listed("functions.txt") for name in line.split())
