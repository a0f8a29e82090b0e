"""Prompts. The texts that are the same in all of them stand in data/prompts."""

from __future__ import annotations

from functools import cache

from binder.data import shipped


@cache
def told(name: str) -> str:
    """A text of data/prompts, where a line that ends with a backslash goes on in the next."""
    return shipped(f"prompts/{name}.txt").replace("\\\n", "").rstrip("\n")
