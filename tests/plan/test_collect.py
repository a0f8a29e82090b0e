"""Programs go in; the inputs of their last call come out of the SQL that collects them."""

from __future__ import annotations

from typing import Any

import pytest

from binder.plan.collect import inputs, rows_looked_at, share_settled
from binder.plan.three_valued import Knowledge
from tests.plan.plain import answer, plan_of, rows_of

CALL = 'QA("map@vowel?"; city)'


@pytest.mark.parametrize(
    ("program", "collected"),
    [
        (f"SELECT {CALL} FROM w", ["Paris", "Lyon", "Rome"]),
        (f"SELECT {CALL} FROM w WHERE people > 1000", ["Paris", "Rome"]),
        (f"SELECT {CALL} FROM w ORDER BY people DESC LIMIT 1", ["Rome"]),
        (f"SELECT city FROM w WHERE country = 'FR' AND {CALL}", ["Paris", "Lyon"]),
        (f"SELECT city FROM w JOIN v ON country = code AND name = 'Rome' AND {CALL}", ["Rome"]),
        (f"SELECT name FROM v LEFT JOIN w ON country = code AND {CALL} WHERE code = 'FR'",
         ["Lyon", "Paris"]),
        ('SELECT QA("map@vowel?"; country) FROM w GROUP BY country HAVING COUNT(*) > 1',
         ["FR", "IT"]),
        ('SELECT country FROM w GROUP BY country HAVING QA("map@vowel?"; MAX(city))',
         ["Paris", "Rome"]),
        (f"SELECT name FROM v WHERE EXISTS (SELECT 1 FROM w WHERE city = name AND {CALL})",
         ["Paris", "Rome"]),
        (f"WITH c AS (SELECT * FROM w WHERE people < 1000) SELECT {CALL} FROM c", ["Lyon"]),
        (f"SELECT {CALL} FROM w INTERSECT SELECT TRUE", ["Paris", "Lyon", "Rome"]),
        (f"SELECT city FROM w WHERE {CALL} INTERSECT SELECT name FROM v", ["Paris", "Rome"]),
        (f"SELECT city FROM w WHERE {CALL} EXCEPT SELECT name FROM v", ["Lyon"]),
    ],
)  # fmt: skip
def test_what_is_collected(program: str, collected: list[str]) -> None:
    query = inputs(plan_of(program).asks[-1].collect, Knowledge())
    assert [row[0] for row in rows_of(query) if row[0] is not None] == collected


def test_what_is_known_of_one_call_rules_out_rows_of_another() -> None:
    plan = plan_of(f"SELECT city FROM w WHERE {CALL} = 'x' AND QA(\"map@long?\"; country) = 'y'")
    first, second = plan.asks
    answer(first.call.name, {"Paris": "x", "Lyon": "n"})
    begun = frozenset({first.call.name})
    # Lyon is ruled out; of Rome nothing is known yet, so it may pass
    open_ = rows_of(inputs(second.collect, Knowledge(begun=begun)))
    assert open_ == [("FR",), ("IT",)]
    done = Knowledge(frozenset(first.covers), begun)
    assert rows_of(inputs(second.collect, done)) == [("FR",)]


@pytest.mark.parametrize(
    ("known", "reach", "collected"),
    [({}, 1, ["Paris"]), ({}, 3, ["Paris", "Lyon", "Rome"]), ({"Paris": "x"}, 3, ["Paris"]),
     ({"Paris": "n"}, 2, ["Lyon", "Rome"])],
)  # fmt: skip
def test_an_early_exit_stops_at_the_first_row_that_certainly_passes(
    known: dict[str, Any], reach: int, collected: list[str]
) -> None:
    ask = plan_of(f"SELECT city FROM w WHERE {CALL} = 'x' LIMIT 1").asks[0]
    answer(ask.call.name, known)
    begun = frozenset({ask.call.name} if known else ())
    query = inputs(ask.collect, Knowledge(begun=begun), reach)
    assert [city for (city,) in rows_of(query)] == collected


def test_rows_are_counted_before_they_are_distinct() -> None:
    ask = plan_of('SELECT QA("map@vowel?"; country) FROM w').asks[0]
    assert rows_of(rows_looked_at(ask.collect, Knowledge())) == [(4,)]


def test_the_share_of_rows_that_a_call_settles() -> None:
    plan = plan_of(f"SELECT city FROM w WHERE {CALL} = 'x' AND QA(\"map@long?\"; city) = 'x'")
    first = plan.asks[0]
    answer(first.call.name, {"Paris": "x", "Lyon": "n", "Rome": "n"})
    share = share_settled(first.collect, Knowledge(begun=frozenset({first.call.name})))
    assert share is not None and rows_of(share) == [(pytest.approx(2 / 3),)]
