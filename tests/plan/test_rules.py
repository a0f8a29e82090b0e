"""Random tables and programs go in.
Each is executed without rules, with all rules, and by DuckDB alone with functions in the place of
the language model: the rows must be the same, and the rules must never ask more."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from binder.plan.rules import RULES
from tests.cases import Case, cases, compare, opened
from tests.effort import examples
from tests.plan.differential import differ
from tests.plan.programs import Rows, programs


@examples(500)
@given(Rows, Rows, programs())
def test_a_program_means_the_same_with_rules_without_and_in_plain_sql(
    w: list[Any], v: list[Any], program: str
) -> None:
    differ(w, v, program, singly=False)


@pytest.mark.parametrize(
    "program",
    [
        "WITH c AS (SELECT a, #upper(b) AS b, row_id FROM w) SELECT a, b FROM c WHERE #vowel(c.a)"
        # each side keeps row order
        "{} UNION ALL SELECT a, b FROM c WHERE (#long(c.b) OR c.a = 'lyon')",
        "WITH c AS (SELECT a, #upper(b) AS b, row_id FROM w WHERE (w.n > 0 OR #long(w.b))) SELECT a, b FROM c WHERE c.a <> 'a'"
        "{ ORDER BY c.row_id}",
        "SELECT #upper(v.a) AS c0 FROM w JOIN v ON w.a = v.a AND EXISTS (SELECT 1 FROM v AS s WHERE #long(w.b) AND s.n > 2)",
        # inner ones first
        "SELECT #upper(q.a) AS c0 FROM (SELECT a, b, n FROM w WHERE #same(w.a, w.b)) AS q WHERE #long(q.a)",
        "SELECT w.a AS c0, COALESCE(w.a, #upper(w.b)) AS c1 FROM w SEMI JOIN v ON w.n = v.n AND NOT (#upper(w.b) = 'ROME')",
        "SELECT #upper(v.b) AS k, COUNT(*) FROM w JOIN v ON w.n <> v.n GROUP BY k{ ORDER BY MIN(ROW(w.row_id, v.row_id))}",
        "SELECT v.a AS c0 FROM w JOIN v ON #long(w.b) IS TRUE AND v.a NOT IN (SELECT s.a FROM v AS s WHERE #upper(v.a) = 'ROME')",
        # ON first
        "SELECT v.a AS c0 FROM w JOIN v ON #yesno(w.b) = 'no' AND #upper(v.a) = #upper(w.b) WHERE #long(w.a)",
        "SELECT v.a AS c0 FROM (SELECT a, row_id FROM w WHERE #yesno(w.a) = 'maybe') AS q LEFT JOIN v ON q.a = v.a AND #long(v.b)"
        " WHERE #vowel(v.b) LIMIT 2",
        "SELECT DISTINCT (SELECT MAX(#length(s.a)) FROM v AS s WHERE s.n = w.n) AS c0,"
        # two equal keys are one
        " (SELECT MAX(#length(s.a)) FROM v AS s WHERE s.n = w.n) AS c1 FROM w",
        # no branch
        "SELECT w.a FROM w JOIN v ON CASE WHEN #yesno(v.a) = 'yes' THEN #same(v.a, v.b) ELSE v.b LIKE 'r%' END",
    ],
)
def test_a_program_that_once_went_wrong_does_not_again(program: str) -> None:
    rows = [("lyon", None, 0), ("lyon", "paris", 1), ("oslo", "rome", 1), ("rome", "porto", None)]
    differ(rows, rows[::-1], program)


@pytest.mark.parametrize("case", cases("plans/rules.txt"))
def test_rules(case: Case) -> None:
    compare(case)


@pytest.mark.parametrize("case", cases("plans/rules.txt"))
def test_each_rule_alone_keeps_the_rows_and_asks_no_more(case: Case) -> None:
    found = []
    for rules in ((), *((rule,) for rule in RULES), RULES):
        db, lm = opened(case.tables, rules)
        found.append((db.run(case.program).rows, len(lm.asked)))
    rows, most = found[0]
    assert all(other == rows and asked <= most for other, asked in found), case.place
