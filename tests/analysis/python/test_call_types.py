"""How a Python program uses answers goes in; the type that they are asked for comes out."""

from __future__ import annotations

import pytest

from binder.analysis.python import check
from binder.analysis.sql.call_types import CallType
from binder.language.python import parse
from binder.tables.table import tidy

YES_NO = CallType("text", ("yes", "no"))
USES = {
    "sum(1 for a in answers if a)": CallType("boolean"),
    "sum(1 for a in answers if not a)": CallType("boolean"),
    "sum(1 for a in answers if a == True)": CallType("boolean"),
    "sum(1 for a in answers if a == 'yes')": YES_NO,
    "sum(a == 'yes' for a in answers)": YES_NO,
    "[r for r, a in zip(w, answers) if str(a).strip().lower() in ('yes', 'true')]": YES_NO,
    "[r for r, a in zip(w, answers) if (a or '').lower() != 'no']": YES_NO,
    "len([a for a in answers if a == 'Yes'])": CallType("text", ("Yes", "No")),
    "sum(1 for a in answers if a == 'Italy')": None,
    "sum(1 for a in answers if a == 'yes' or a == 'maybe')": None,
    "sum(1 for a in answers if a and a == 'yes')": None,
    "sum(1 for a in answers if str(a) == 'true')": None,
    "[a for a in answers if a.startswith('y')]": None,
    "answers": None,
    "max(answers)": None,
}


@pytest.mark.parametrize("use", USES)
def test_answers_are_asked_as_what_they_are_used_as(use: str) -> None:
    text = f'def solve(w):\n    answers = qa_map(w, "is it?", ["a"])\n    return {use}\n'
    checked = check(parse(text), (tidy(("a",), (("x",), ("y",))),))
    assert checked.call_types.get("call_0") == USES[use]
