"""Trees of SQL: parts in their places, and what is written of them."""

import pytest
from sqlglot import parse_one

from binder.language.sqltree import DuckDBDialect, sql_of, tree_of


@pytest.mark.parametrize(
    "text, parts, written",
    [
        ("$a * 2", {"a": "x + 1"}, "(x + 1) * 2"),
        ("f($a)", {"a": "x + 1"}, "F(x + 1)"),
        ("$a - $a", {"a": "x"}, "x - x"),
        ("CAST($a AS DATE)", {"a": "x OR y"}, "CAST(x OR y AS DATE)"),
        ("$a", {"a": "x + 1"}, "x + 1"),
        ("NOT $a", {"a": "x AND y"}, "NOT (x AND y)"),
    ],
)
def test_parts_take_their_places_in_a_tree(text: str, parts: dict[str, str], written: str) -> None:
    trees = {name: parse_one(part, read=DuckDBDialect) for name, part in parts.items()}
    assert sql_of(tree_of(text, **trees)) == written


def test_values_are_literals_of_a_tree() -> None:
    assert sql_of(tree_of("$a || $b", a="it's", b=1.5)) == "'it''s' || 1.5"
