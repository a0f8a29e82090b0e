"""Footnotes: marks at the end of a cell that are not part of its text."""

from __future__ import annotations

import re
from collections.abc import Sequence

from binder.tables.cells import clean, unmarked

_ELEMENT = re.compile(r"[A-Za-z_][\w.]*\[\w+\]|\S+\[[a-z]\]")  # x[0], H2O[g]


def without_footnotes(cells: Sequence[str]) -> dict[str, str]:
    """Each cell with its text: footnotes cut off, unless the cells are elements that differ in
    nothing else, such as x[0], x[1] or H2O[g], H2O[l]."""
    bare = {cell: clean(cell) for cell in cells}
    merged = len(set(bare.values())) < len(bare)
    if merged and all(_ELEMENT.fullmatch(cell.strip()) for cell in cells):
        return {cell: unmarked(cell) for cell in cells}
    return bare
