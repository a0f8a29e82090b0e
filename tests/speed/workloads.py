"""The name of a workload comes in; its tables, and the rows that are right, go out. Needs nothing
but Python, for all systems.

What the language model knows follows from the number in a name: see `KNOWN`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

CONCURRENCY = 16  # requests at a time, for all systems
KNOWN: dict[str, Callable[[int], Any]] = {
    "kind": lambda number: f"kind {number % 7}",
    "good": lambda number: number % 4 == 0,
    "rare": lambda number: number % 10 == 0,
}
Columns = dict[str, list[Any]]
Tables = dict[str, Columns]


def number(name: str) -> int:
    """The number in a name."""
    return int(re.findall(r"\d+", name)[-1])


def know(question: str, name: str) -> Any:
    """What the language model knows about a name."""
    return KNOWN[question](number(name))


def items(rows: int, distinct: int) -> Tables:
    """One table: n counts the rows, item repeats after `distinct` rows."""
    return {"w": {"n": list(range(rows)), "item": [f"item {i % distinct}" for i in range(rows)]}}


def sides() -> Tables:
    """A large table and a small one."""
    small = {"id": list(range(20)), "maker": [f"maker {i}" for i in range(20)]}
    return {
        "w": {"n": list(range(2000)), "maker_id": [i % 20 for i in range(2000)]},
        "small": small,
    }


@dataclass(frozen=True)
class Workload:
    """binder: the program; right: the rows, in order where ordered; plain: the same query over a
    ready-made column `known`; again: all answers are in the cache already."""

    title: str
    tables: Callable[[], Tables]
    binder: str
    right: Callable[[Tables], list[tuple[Any, ...]]]
    ordered: bool = False
    latency: bool = True
    plain: str = ""
    again: bool = False

    def correct(self, rows: Sequence[Sequence[Any]]) -> bool:
        """Whether these are the rows that are right."""
        told, right = [tuple(row) for row in rows], self.right(self.tables())
        return told == right if self.ordered else Counter(told) == Counter(right)


def _w(tables: Tables) -> list[tuple[int, str]]:
    return list(zip(tables["w"]["n"], tables["w"]["item"], strict=True))


def _mapped(tables: Tables) -> list[tuple[Any, ...]]:
    return [(n, know("kind", item)) for n, item in _w(tables)]


def _grouped(tables: Tables) -> list[tuple[Any, ...]]:
    return sorted(Counter(know("kind", item) for _, item in _w(tables)).items())


def _summed(tables: Tables) -> list[tuple[Any, ...]]:
    sums: Counter[str] = Counter()
    for n, item in _w(tables):
        sums[know("kind", item)] += n
    counts = dict(_grouped(tables))
    return [(kind, counts[kind], sums[kind]) for kind in sorted(counts)]


def _good_and_rare(tables: Tables) -> list[tuple[Any, ...]]:
    return [
        (n,) for n, item in _w(tables) if n < 1000 and know("good", item) and know("rare", item)
    ]


def _first_good(tables: Tables) -> list[tuple[Any, ...]]:
    return [(n,) for n, item in reversed(_w(tables)) if know("good", item)][:10]


def _thrice(tables: Tables) -> list[tuple[Any, ...]]:
    return sorted(
        ((know("kind", item), n) for n, item in _w(tables) if know("kind", item) != "kind 0")
    )


def _joined(tables: Tables) -> list[tuple[Any, ...]]:
    good = [know("good", name) for name in tables["small"]["maker"]]
    return [(sum(good[i] for i in tables["w"]["maker_id"]),)]


KIND, GOOD, RARE = (
    'QA("map@which kind?"; item)',
    'QA("map@is it good?"; item)',
    'QA("map@is it rare?"; item)',
)
GROUPED = "SELECT {} AS k, COUNT(*) AS c FROM w GROUP BY 1 ORDER BY 1"
SUMMED = "SELECT {} AS k, COUNT(*) AS c, CAST(SUM(n) AS BIGINT) AS s FROM w GROUP BY 1 ORDER BY 1"


def large() -> Tables:
    """2,000 rows, 200 distinct inputs."""
    return items(2000, 200)


WORKLOADS = {
    "map": Workload("map 2,000 rows, 200 distinct", large, f"SELECT n, {KIND} FROM w", _mapped),
    "plain": Workload(
        "the same, 5% left by a plain predicate",
        large,
        f"SELECT n, {KIND} FROM w WHERE n < 100",
        lambda tables: _mapped(tables)[:100],
    ),
    "two": Workload(
        "two LM predicates and a plain one",
        large,
        f"SELECT n FROM w WHERE n < 1000 AND {GOOD} AND {RARE}",
        _good_and_rare,
    ),
    "swapped": Workload(
        "the same, the other predicate first",
        large,
        f"SELECT n FROM w WHERE {RARE} AND n < 1000 AND {GOOD}",
        _good_and_rare,
    ),
    "limit": Workload(
        "LM filter, ORDER BY plain LIMIT 10",
        large,
        f"SELECT n FROM w WHERE {GOOD} ORDER BY n DESC LIMIT 10",
        _first_good,
        ordered=True,
    ),
    "group": Workload("GROUP BY mapped", large, GROUPED.format(KIND), _grouped, ordered=True),
    "thrice": Workload(
        "the same call three times",
        large,
        f"SELECT {KIND} AS k, n FROM w WHERE {KIND} <> 'kind 0' ORDER BY {KIND}, n",
        _thrice,
        ordered=True,
    ),
    "ans": Workload(
        "ans over a filtered sub-select",
        large,
        'QA("ans@which is the largest?"; (SELECT item FROM w WHERE n < 40))',
        lambda tables: [("item 39",)],
    ),
    "join": Workload(
        "join, LM on the small side",
        sides,
        'SELECT COUNT(*) FROM w JOIN small ON small.id = w.maker_id WHERE QA("map@is it good?"; small.maker)',
        _joined,
    ),
    "small": Workload(
        "a table of 20 rows", lambda: items(20, 20), f"SELECT n, {KIND} FROM w", _mapped
    ),
    "quick": Workload(
        "map 2,000 rows, 200 distinct, no latency",
        large,
        f"SELECT n, {KIND} FROM w",
        _mapped,
        latency=False,
    ),
    "million": Workload(
        "1,000,000 rows, 1,000 distinct, no latency",
        lambda: items(1_000_000, 1000),
        SUMMED.format(KIND),
        _summed,
        ordered=True,
        latency=False,
        plain=SUMMED.format("known"),
    ),
}
WORKLOADS["again"] = replace(
    WORKLOADS["million"], title="the same 1,000,000 rows, answered before", again=True
)
