"""Expressions around one call go in; the conditions under which its value matters come out, and
what of it matters."""

from __future__ import annotations

import pytest

from binder.plan.explain import readable
from binder.plan.matters import filters_of, matters_at
from tests.plan.plain import plan_of


@pytest.mark.parametrize(
    ("clause", "filters", "matters"),
    [
        ("WHERE {call} AND people > 1", ["people > 1: TRUE"], "TRUTH"),
        ("WHERE {call} OR people > 1", ["people > 1: NOT_TRUE"], "TRUTH"),
        ("WHERE NOT ({call} AND people > 1)", ["people > 1: NOT_FALSE"], "FALSITY"),
        ("WHERE NOT ({call} OR people > 1)", ["people > 1: FALSE"], "FALSITY"),
        ("WHERE ({call} OR people > 1) IS FALSE", ["people > 1: FALSE"], "FALSITY"),
        ("WHERE ({call} AND people > 1) IS NULL", ["people > 1: NOT_FALSE"], "VALUE"),
        (
            "WHERE CASE WHEN people > 1 THEN city = 'a' WHEN people > 2 THEN {call} END",
            ["people > 1: NOT_TRUE", "people > 2: TRUE"],
            "TRUTH",
        ),
        ("WHERE CASE WHEN people > 1 THEN TRUE ELSE {call} END", ["people > 1: NOT_TRUE"], "TRUTH"),
        ("WHERE CASE WHEN {call} THEN people > 1 END", [], "TRUTH"),
        ("WHERE COALESCE(people > 1, {call})", ["people > 1: NULL"], "VALUE"),
        ("WHERE {call} = (people > 1)", ["(people > 1): NOT_NULL"], "VALUE"),
        ("WHERE {call} = TRUE", [], "VALUE"),
        ("WHERE {call} IS NOT DISTINCT FROM (people > 1)", [], "VALUE"),
        ("WHERE (people > 1) IN (FALSE, {call})", ["people > 1 IN (FALSE): NOT_TRUE"], "VALUE"),
        ("GROUP BY people HAVING COUNT(*) FILTER (WHERE {call}) > 1", [], "TRUTH"),
    ],
)
def test_when_a_call_matters(clause: str, filters: list[str], matters: str) -> None:
    plan = plan_of("SELECT 1 FROM w " + clause.format(call='QA("map@vowel?"; city)'), ())
    place = plan.asks[0].collect.site.place
    found = []
    for one in filters_of(place):
        text = readable(one.node, plan.checked.program).replace("(people > 1) IN", "people > 1 IN")
        found.append(f"{text}: {one.outcomes.name}")
    assert (found, matters_at(place).name) == (filters, matters)


def test_an_aggregate_reads_other_rows_than_what_is_above_it() -> None:
    plan = plan_of('SELECT 1 FROM w HAVING COUNT(*) > 1 AND MAX(QA("map@length?"; city)) > 1', ())
    assert not filters_of(plan.asks[0].collect.site.place)
