"""Programs with a call in a WHERE go in; how many rows are enough comes out, or that all must be
looked at."""

from __future__ import annotations

import pytest

from binder.plan.explain import readable
from tests.plan.plain import plan_of

CALL = 'QA("map@vowel?"; city)'


@pytest.mark.parametrize(
    ("program", "enough"),
    [
        (f"SELECT city FROM w WHERE {CALL} LIMIT 2", "2 by row_id"),
        (f"SELECT city FROM w WHERE {CALL} LIMIT 2 OFFSET 3", "5 by row_id"),
        (f"SELECT city FROM w WHERE {CALL} ORDER BY people LIMIT 1", "1 by people, row_id"),
        # the order is not known yet, or not told by a number
        (f'SELECT city FROM w WHERE {CALL} ORDER BY QA("map@length?"; city) LIMIT 1', None),
        (f"SELECT city FROM w WHERE {CALL} LIMIT 1 + 1", None),
        # other rows decide what comes out
        (f"SELECT COUNT(*) FROM w WHERE {CALL} LIMIT 1", None),
        (f"SELECT RANK() OVER (ORDER BY people) FROM w WHERE {CALL} LIMIT 1", None),
        # the type of a reply may change with further replies
        ("SELECT city FROM w WHERE QA(\"map@length?\"; city) = people LIMIT 1", "1 by row_id"),
        ('SELECT city FROM w WHERE QA("map@x?"; city) = QA("map@y?"; city) LIMIT 1', None),
        # a match
        (f"SELECT name FROM v WHERE EXISTS (SELECT 1 FROM w WHERE {CALL})", "1 open"),
        (f"SELECT name FROM v WHERE name IN (SELECT city FROM w WHERE {CALL})",
         "1 if (name) = (city) open"),
        (f"SELECT name FROM v WHERE NOT name IN (SELECT city FROM w WHERE {CALL})",
         "1 if (name) = (city) among NOT ((name) = (city)) IS FALSE open"),
        (f"SELECT name FROM v WHERE (SELECT COUNT(*) FROM w WHERE {CALL}) > 1", None),
        # the first of each
        (f"SELECT DISTINCT country FROM w WHERE {CALL}", "1 for each country"),
        (f"SELECT COUNT(DISTINCT country) FROM w WHERE {CALL}", "1 for each country"),
        (f"SELECT MAX(people) FROM w WHERE {CALL}", "1 among NOT (people) IS NULL by people DESC"),
        (f"SELECT MIN(people), MAX(people) FROM w WHERE {CALL}", None),
        (f"SELECT MAX(people) FILTER (WHERE city = 'a') FROM w WHERE {CALL}", None),
        (f"SELECT SUM(people) FROM w WHERE {CALL}", None),
    ],
)  # fmt: skip
def test_how_many_rows_are_enough(program: str, enough: str | None) -> None:
    plan = plan_of(program)
    first = next((ask for ask in plan.asks if ask.collect.site.is_in_where), plan.asks[0])
    rows = first.collect.first_rows
    if rows is None:
        assert enough is None
        return
    text, source = str(rows.rows), plan.checked.program
    if rows.each:
        text += " for each " + ", ".join(readable(value, source) for value in rows.each)
    if rows.match is not None:
        text += f" if {readable(rows.match, source)}"
    if rows.within is not None and rows.within is not rows.match:
        text += f" among {readable(rows.within, source)}"
    if rows.order:
        text += " by " + ", ".join(readable(item, source) for item in rows.order)
    assert (text if rows.open is None else f"{text} open") == enough
