"""The name of a language comes in; the functions that its programs may call go out: the allow-list, as data/ holds it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})  # those that may stand in a FROM
_LISTS = {"sql": "functions.txt"}


@cache
def allowed(language: str = "sql") -> frozenset[str]:
    """The names of the functions that a program may call."""
    lines = (Path(__file__).parent / "data" / _LISTS[language]).read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())
