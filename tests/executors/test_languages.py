"""Each language of the registry: a text is parsed, analyzed, planned and executed by what is
registered under its name."""

from __future__ import annotations

import pytest

from binder.analysis.python import CheckedPython
from binder.analysis.sql import Checked
from binder.errors import SyntaxFault, UsageError
from binder.executors.languages import LANGUAGES, Workers, language_named
from binder.executors.workers.subprocess import Limits
from binder.language import grammar
from binder.plan import Plan
from binder.plan.python import PythonPlan
from binder.plan.rules import RULES
from binder.prompt.programs import PROGRAMS
from binder.tables.table import load

TABLES = (load([{"city": "Paris"}, {"city": "Rome"}], "w"),)
PROGRAMS_OF = {
    "sql": ('SELECT QA("map@big?"; city) FROM w', Checked, Plan),
    "python": ('def solve(w):\n    return qa_map(w, "big?", ["city"])', CheckedPython, PythonPlan),
}


def test_each_language_has_a_grammar_and_a_prompt() -> None:
    assert [*LANGUAGES] == [*PROGRAMS_OF] == [*grammar.RESERVED]
    assert [*PROGRAMS] == [*LANGUAGES, "sqlite"]


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_program_goes_from_text_to_its_executor(name: str) -> None:
    text, analysis, plan_class = PROGRAMS_OF[name]
    language = language_named(name)
    program = language.parse(text, TABLES)
    assert (language.name, program.language) == (name, name)
    assert [(call.kind, call.question) for call in program.calls] == [("map", "big?")]
    analyzed = language.analyze(program, TABLES)
    plan = language.plan(analyzed, RULES)
    assert isinstance(analyzed, analysis) and isinstance(plan, plan_class)
    workers = Workers(TABLES, Limits())
    try:
        executor = language.executor(plan, workers)
        assert executor.program is plan.checked.program and executor.tables_of is TABLES
    finally:
        workers.close()


@pytest.mark.parametrize("name", LANGUAGES)
def test_a_program_of_another_language_is_refused(name: str) -> None:
    (other,) = PROGRAMS_OF.keys() - {name}
    with pytest.raises(SyntaxFault):
        language_named(name).parse(PROGRAMS_OF[other][0], TABLES)


@pytest.mark.parametrize("name", LANGUAGES)
def test_all_plans_print_in_one_way(name: str) -> None:
    language = language_named(name)
    program = language.parse(PROGRAMS_OF[name][0], TABLES)
    plan = language.plan(language.analyze(program, TABLES), RULES)
    assert repr(plan) == str(plan) and "big?" in plan._repr_html_()
    assert plan.data().keys() == {"program", "asks", "bill", "repairs"}


def test_an_unknown_language_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="unknown language 'cobol'") as caught:
        language_named("cobol")
    assert caught.value.hint == "available languages: sql, python"
