"""The examples in the docstrings of the planner: each is run, and must print what it says.

`rewrite` shows the SQL of a program after a rewrite, `show` the asks of a plan under some rules,
`collect` the SQL of its last collect, and `final` its query over mappings. Names are quoted only
where they must be, and line breaks do not count.
"""

from __future__ import annotations

import doctest
import importlib
import pkgutil
import re
from typing import Any

import pytest
from sqlglot import exp

import binder.plan
from binder.analysis.sql import Checked, check
from binder.language.program import PREFIX
from binder.language.skeleton import parse
from binder.language.sqltree import copied, sql_of
from binder.plan import Rewrite, Rule
from binder.plan.collect import inputs
from binder.plan.explain import readable
from binder.plan.mapping_join import looked_up
from binder.plan.rewrites import rewritten
from binder.plan.rules import RULES, optimize
from binder.plan.three_valued import Knowledge
from binder.tables.table import load
from tests.cases import opened

TABLES = (
    load([{"city": "Paris", "country": "FR", "people": 2100}], "w"),
    load([{"name": "Paris", "code": "FR"}], "v"),
)


def checked(program: str) -> Checked:
    return check(parse(" ".join(program.split())), TABLES)


def sql(tree: exp.Expr) -> str:
    """SQL with quotes only where they must be, and aliases only where they say something."""
    shown = copied(tree)
    for name in shown.find_all(exp.Identifier):
        name.set("quoted", not name.name.isidentifier())
    text = re.sub(rf"{PREFIX.upper()}(\d+)", r"call_\1", sql_of(shown))
    return re.sub(r"\b(\w+) AS \1\b", r"\1", text)


def rewrite(rule: Rewrite, program: str) -> None:
    before = checked(program)
    text = readable(rewritten(before, (rule,)).query, before.program)
    print(re.sub(r"\b(\w+) AS \1\b", r"\1", text))


def show(program: str, *rules: Rule, counts: bool = False) -> None:
    plan = optimize(checked(program), rules)
    if counts:
        db, _ = opened(TABLES, rules)
        plan = db.explain(program)  # type: ignore[assignment]
    lines = [line[2:] for line in str(plan).splitlines() if line.startswith("  ")]
    print("\n".join(lines))


def collect(program: str, *rules: Rule, reach: int | None = None) -> None:
    plan = optimize(checked(program), rules)
    print(sql(inputs(plan.asks[-1].collect, Knowledge(), reach)))


def final(program: str) -> None:
    print(sql(looked_up(optimize(checked(program), ()).query.tree, "1")))


HELPERS: dict[str, Any] = {
    "rewrite": rewrite,
    "show": show,
    "collect": collect,
    "final": final,
    **{rule.__name__: rule for rule in RULES},
}
MODULES = sorted(
    module.name for module in pkgutil.walk_packages(binder.plan.__path__, "binder.plan.")
)


def examples(module: str) -> list[doctest.DocTest]:
    finder = doctest.DocTestFinder(exclude_empty=True)
    found = finder.find(importlib.import_module(module), extraglobs=HELPERS)
    return [test for test in found if test.examples]


@pytest.mark.parametrize(
    "test", [pytest.param(test, id=test.name) for name in MODULES for test in examples(name)]
)
def test_an_example_prints_what_it_says(test: doctest.DocTest) -> None:
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    report: list[str] = []
    assert not runner.run(test, out=report.append).failed, "".join(report)


def test_every_rule_has_an_example() -> None:
    tests = {test.name for name in MODULES for test in examples(name)}
    assert not {f"{rule.__module__}.{rule.__name__}" for rule in RULES} - tests
