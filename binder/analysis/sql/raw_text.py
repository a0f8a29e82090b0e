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
    # DISTINCT and GROUP BY compare rows: with raw texts beside them, 1.0 and 1 would become two.
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
    # Where no raw text could come along, as after GROUP BY, the column tells how a value is
    # written.
    written: list[dict[Any, str]] = []
    for index, output in enumerate(outputs):
        alone = output.origin is not None and index not in places
        written.append(_written(output) if alone else {})
    values: list[Row] = []
    texts: list[tuple[str, ...]] = []
    for row in rows:
        cells: list[Any] = []
        shown: list[str] = []
        for index, known in enumerate(written):
            value, raw = row[index], None
            if index in places:
                raw = row[places[index]]
            elif known:  # a value of another column may be a list, which no dict can be asked for
                raw = known.get(value)
            shown.append(_shown(value, raw))
            # "DNF" among numbers is NULL to SQL and a text to whoever reads the result.
            cells.append(raw if value is None and index in places else value)
        values.append(tuple(cells))
        texts.append(tuple(shown))
    return values, texts


def _written(output: Field) -> dict[Any, str]:
    """How the values of a stored column are written."""
    assert output.origin is not None
    table, column = output.origin
    return table.shown(column)


def _shown(value: Any, raw: str | None) -> str:
    """A value as a person is shown it: as it was written, if that is known."""
    spelt = text(value)
    return spelt if raw is None or _same_number(raw, value, spelt) else str(raw)


def _same_number(raw: str, value: Any, spelt: str) -> bool:
    """Whether a raw text is a number with nothing but spaces between its digits."""
    # "1 000" is shown as 1000, "1,000" as it was written
    return isinstance(value, int) and "".join(raw.split()) == spelt
