"""Nothing comes in; the functions that a program in SQL may call go out: the allow-list, as data/ holds it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

TABLE_FUNCTIONS = frozenset({"range", "generate_series", "unnest"})  # those that may stand in a FROM


@cache
def allowed() -> frozenset[str]:
    """The names of the functions that a program may call."""
    lines = (Path(__file__).parent / "data" / "functions.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())
