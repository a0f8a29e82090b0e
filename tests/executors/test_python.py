"""Python programs and tables go in; rows come out of the sandbox, and the language model was asked
what it had to be."""

from __future__ import annotations

from typing import Any

import pytest

from binder.executors.python import rows_of
from tests.cases import cases, compare


@pytest.mark.parametrize(
    "case", [*cases("python/run.txt"), *cases("python/benign.txt"), *cases("python/shown.txt")]
)
def test_programs(case: Any) -> None:
    compare(case)


@pytest.mark.parametrize(
    ("value", "columns", "rows"),
    [
        (7, ("answer",), [(7,)]),
        ([1, "a"], ("answer",), [(1,), ("a",)]),
        ((1, 2), ("answer",), [(1,), (2,)]),
        ([[1, 2], [3]], ("column_1", "column_2"), [(1, 2), (3, None)]),
        ([{"a": 1}, {"b": 2}], ("a", "b"), [(1, None), (None, 2)]),
        ({"a": 1}, ("key", "value"), [("a", 1)]),
        (None, ("answer",), []),
        ([], ("answer",), []),
        ({}, ("key", "value"), []),
        ([1, [2]], ("answer",), [(1,), ([2],)]),
    ],
)
def test_what_solve_returns_becomes_rows(
    value: Any, columns: tuple[str, ...], rows: list[Any]
) -> None:
    found = rows_of(value)
    assert (found.columns, found.rows) == (columns, rows)
