"""Programs go in, each with the least number of questions that any exact plan can ask, as its title
reasons; so many are asked.

Where LIMIT, EXISTS or IN make a window (`--- window`), up to twice as many: how far it must reach
is seen only by asking."""

from __future__ import annotations

import pytest

from binder.analysis.sql import check
from binder.language.repair import parsed
from binder.plan.naive import build
from binder.plan.rules import optimize
from tests.cases import Case, cases
from tests.plan.differential import near, run


@pytest.mark.parametrize("case", cases("plans/least.txt"))
def test_no_more_is_asked_than_must_be(case: Case) -> None:
    near().use(case.tables)
    checked = check(parsed(case.program, case.tables), case.tables)
    reference, most = run(build(checked))
    rows, asked = run(optimize(checked))
    assert rows.rows == reference.rows
    least = int(case.sections.get("least") or case.sections["window"])
    assert least <= asked <= min(most, 2 * least if "window" in case.sections else least), (
        f"{asked}, without rules {most}"
    )
