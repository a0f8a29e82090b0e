"""Programs and the answers to their calls go in; rows come out of the query over mappings."""

from __future__ import annotations

from typing import Any

import pytest

from binder.plan.mapping_join import looked_up
from tests.plan.plain import answer, plan_of, rows_of

ANSWERS = {"Paris": "a", "Lyon": "b", "Rome": "a", "FR": "f", "IT": "i"}


@pytest.mark.parametrize(
    ("program", "joins", "rows"),
    [
        ('SELECT QA("map@x?"; city) FROM w', 1, ["a", "b", "a", None]),
        ('SELECT QA("map@x?"; city) FROM w WHERE QA("map@x?"; city) = \'a\'', 1, ["a", "a"]),
        ('SELECT QA("map@x?"; country) FROM w GROUP BY country', 0, ["f", "i"]),
        ('SELECT COUNT(*) FROM w, v WHERE QA("map@x?"; city) = \'a\'', 1, [4]),
        ('SELECT QA("map@x?"; CAST(people AS VARCHAR)) FROM w', 0, [None] * 4),
        ('SELECT name FROM v LEFT JOIN w ON city = name AND QA("map@x?"; city) = \'b\'', 0,
         ["Paris", "Rome"]),
        ('SELECT name FROM v SEMI JOIN w ON city = name AND QA("map@x?"; city) = \'a\'', 0,
         ["Paris", "Rome"]),
        ('SELECT QA("map@x?"; FIRST(city) OVER (ORDER BY people)) FROM w LIMIT 1', 0, [None]),
    ],
)  # fmt: skip
def test_a_call_is_looked_up(program: str, joins: int, rows: list[Any]) -> None:
    plan = plan_of(program, ())
    for ask in plan.asks:
        answer(ask.call.name, ANSWERS)
    assert [row[0] for row in rows_of(plan.query.tree)] == rows
    sql = looked_up(plan.query.tree, "t").sql()
    assert sql.count('JOIN "answers of') == joins, sql
