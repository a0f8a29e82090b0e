"""The functions that a program may call: those of SQL, which stand on an allow-list
(data/functions*.txt), and own ones of the user's (own.py)."""

from __future__ import annotations

from functools import cache

from binder.data import listed

# those that may stand in a FROM
TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})


_LISTS = {"duckdb": "functions.txt", "sqlite": "functions.sqlite.txt"}


@cache
def allowed(dialect: str = "duckdb") -> frozenset[str]:
    """The names of the functions that a program in a dialect may call."""
    return frozenset(name for line in listed(_LISTS[dialect]) for name in line.split())
