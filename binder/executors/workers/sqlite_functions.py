"""Functions of the SQLite worker: REGEXP, and what plans have in place of structs, lists, maps and
LATERAL."""

from __future__ import annotations

import json
import re
from functools import partial
from typing import Any

OWN = frozenset({"answered", "as_object", "unpacked", "packed", "as_list", "first_of"})


def aggregates(held: list[tuple[Any, ...]]) -> dict[str, Any]:
    """The aggregates, by name. held: where the rows of PACKED are kept."""
    return {"packed": partial(_Packed, held), "as_list": _List, "first_of": _First}


class _Packed:
    """PACKED(a, b): a JSON list with the number of each row, by which UNPACKED finds its values."""

    def __init__(self, held: list[tuple[Any, ...]]) -> None:
        self.held = held
        self.numbers: list[int] = []

    def step(self, *values: Any) -> None:
        """A row."""
        self.numbers.append(len(self.held))
        self.held.append(values)

    def finalize(self) -> str:
        """The list."""
        return json.dumps(self.numbers)


class _List:
    """AS_LIST(a): the values as a JSON list; texts are JSON already."""

    def __init__(self) -> None:
        self.values: list[Any] = []

    def step(self, value: Any) -> None:
        """A value."""
        self.values.append(json.loads(value) if isinstance(value, str) else value)

    def finalize(self) -> str:
        """The list."""
        return json.dumps(self.values, ensure_ascii=False)


class _First:
    """FIRST_OF(a, b, desc ...): a of the row that is the first by b ...; NULLs come last."""

    def __init__(self) -> None:
        self.best: tuple[list[Any], Any] | None = None

    def step(self, value: Any, *keys: Any) -> None:
        """A row."""
        place = [_Rank(key, desc) for key, desc in zip(keys[::2], keys[1::2], strict=True)]
        if self.best is None or place < self.best[0]:
            self.best = place, value

    def finalize(self) -> Any:
        """The value."""
        return self.best[1] if self.best is not None else None


class _Rank:
    """A value as SQLite orders it: numbers, texts, bytes; NULL after all of them."""

    def __init__(self, value: Any, desc: int):
        ranks = {str: 1, bytes: 2, type(None): 3}
        self.order, self.desc = (ranks.get(type(value), 0), value), desc

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Rank) and self.order == other.order

    def __lt__(self, other: _Rank) -> bool:
        if self.order[1] is None or other.order[1] is None:
            return self.order[1] is not None
        return other.order < self.order if self.desc else self.order < other.order


def as_object(*parts: Any) -> str:
    """AS_OBJECT('k0', a ...): a JSON object."""
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return json.dumps(dict(pairs), ensure_ascii=False)


def matches(pattern: Any, text: Any) -> bool | None:
    """text REGEXP pattern."""
    if pattern is None or text is None:
        return None
    return re.search(str(pattern), str(text)) is not None
