"""Programs with one call go in; the stage and the clause of the call come out, and what its SELECT
refers to."""

from __future__ import annotations

import pytest

from binder.plan.blocks import Stage, conjuncts, outer_columns
from tests.plan.plain import plan_of

CALL = 'QA("map@vowel?"; city)'


@pytest.mark.parametrize(
    ("program", "stage", "clause"),
    [
        (f"SELECT city FROM w WHERE {CALL}", Stage.ROWS, "where"),
        (f"SELECT {CALL} FROM w", Stage.ROWS, "expressions"),
        (f"SELECT city FROM w ORDER BY {CALL}", Stage.ROWS, "order"),
        (f"SELECT city FROM w JOIN v ON {CALL}", Stage.ON, "joins"),
        (f"SELECT COUNT(*) FROM w GROUP BY {CALL}", Stage.ROWS, "group"),
        (f"SELECT COUNT({CALL}) FROM w GROUP BY country", Stage.ROWS, "expressions"),
        ('SELECT QA("map@vowel?"; country) FROM w GROUP BY country', Stage.GROUPS, "expressions"),
        (
            'SELECT country FROM w GROUP BY country HAVING QA("map@vowel?"; MAX(city))',
            Stage.GROUPS,
            "having",
        ),
        ('SELECT QA("map@vowel?"; FIRST(city) OVER ()) FROM w', Stage.OUTPUT, "expressions"),
    ],
)
def test_where_a_call_is_evaluated(program: str, stage: Stage, clause: str) -> None:
    site = plan_of(program, ()).asks[0].collect.site
    assert (site.stage, site.place.clause) == (stage, clause)


def test_a_place_looks_outward_through_sub_selects() -> None:
    program = f"""SELECT name FROM v WHERE code = 'FR' AND EXISTS (
        SELECT 1 FROM w WHERE {CALL} UNION SELECT 2 FROM w AS o)"""
    places = list(plan_of(program, ()).asks[0].collect.site.place.outward())
    assert [place.clause for place in places] == ["where", "where"]
    outer = places[1].block
    assert [part.sql() for part in outer.conjuncts("where") if not places[1].is_inside(part)] == [
        '"v"."code" = \'FR\''
    ]


def test_a_correlated_sub_select_has_outer_columns() -> None:
    program = f"SELECT name FROM v WHERE EXISTS (SELECT 1 FROM w WHERE country = code AND {CALL})"
    block = plan_of(program, ()).asks[0].collect.site.block
    assert [column.name for column in outer_columns(block.select)] == ["code"]


def test_conjuncts_see_through_parentheses() -> None:
    program = f"SELECT city FROM w WHERE (people > 1 AND ({CALL} OR people = 3)) AND city = 'Rome'"
    where = plan_of(program, ()).query.tree.args["where"].this
    assert [part.key for part in conjuncts(where)] == ["gt", "or", "eq"]
