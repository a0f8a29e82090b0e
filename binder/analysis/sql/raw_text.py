"""Raw texts of the cells that a query shows unchanged, in hidden columns beside its own.

A person is shown a cell as it was written; a cell that its column's type cannot read ("DNF" among
numbers) is its text, not a missing value."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlglot import exp

from binder.analysis.sql.ordering import is_grouped
from binder.analysis.sql.value_linking import raw_of
from binder.language.relations import Field
from binder.results.result import text

Row = tuple[Any, ...]


def keep(tree: exp.Expr) -> dict[int, int]:
    """Adds the raw text of every bare column as a hidden one; output -> place of its text among the
    columns."""
    if not isinstance(tree, exp.Select) or tree.args.get("distinct") or is_grouped(tree):
        return {}
    places: dict[int, int] = {}
    for index, projection in enumerate(list(tree.expressions)):
        shown = projection.unalias()
        raw = raw_of(shown) if isinstance(shown, exp.Column) else None
        if raw is not None:
            places[index] = len(tree.expressions)
            tree.append("expressions", exp.alias_(raw, f"{index} (raw)", quoted=True, copy=False))
    return places


def present(
    rows: Sequence[Row], outputs: Sequence[Field], places: dict[int, int]
) -> tuple[list[Row], list[tuple[str, ...]]]:
    """The rows of the program alone, and the same rows as a person is shown them."""
    known = [
        f.origin[0].shown(f.origin[1]) if f.origin and i not in places else {}
        for i, f in enumerate(outputs)
    ]
    width = len(outputs)
    values = [tuple(_value(row, i, places) for i in range(width)) for row in rows]
    texts = [tuple(_text(row, i, places, known[i]) for i in range(width)) for row in rows]
    return values, texts


def _value(row: Row, index: int, places: dict[int, int]) -> Any:
    return row[places[index]] if row[index] is None and index in places else row[index]


def _text(row: Row, index: int, places: dict[int, int], known: dict[Any, str]) -> str:
    raw = row[places[index]] if index in places else known.get(row[index]) if known else None
    spelt = text(row[index])
    return spelt if raw is None or _same_number(raw, row[index], spelt) else str(raw)


def _same_number(raw: str, value: Any, spelt: str) -> bool:
    """Whether a raw text is a number with nothing but spaces between its digits."""
    return isinstance(value, int) and "".join(raw.split()) == spelt
