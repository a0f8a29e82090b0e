"""Programs go in, each with the rewrite that its title names; the rewritten SQL comes out, or
`unchanged` where a law forbids it."""

from __future__ import annotations

import re

import pytest

from binder.analysis.sql import check
from binder.language.skeleton import parse
from binder.plan.explain import readable
from binder.plan.rewrites import REWRITES, rewritten
from tests.cases import Case, cases

NAMED = {rewrite.__name__: rewrite for rewrite in REWRITES}


def after(case: Case) -> str:
    before = check(parse(" ".join(case.program.split())), case.tables)
    found = rewritten(before, (NAMED[case.title.partition(":")[0]],))
    if found is before:
        return "unchanged"
    return re.sub(r"\b(\w+) AS \1\b", r"\1", readable(found.query, before.program))


@pytest.mark.parametrize("case", cases("plans/rewrites.txt"))
def test_rewritten(case: Case) -> None:
    assert after(case) == case.sections["rewritten"], case.place
