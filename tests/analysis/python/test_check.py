"""Python programs that are refused, each with its message, the place and what to do."""

from __future__ import annotations

import pytest

from binder.analysis.python import check
from binder.errors import CheckFault
from binder.language.python import parse
from binder.tables.table import load

TABLES = (load([{"city": "Paris", "n": 2}, {"city": "Rome", "n": 3}], "w"),)

REFUSED = {
    "def solve(w):\n    return w.nosuch": ("attribute 'nosuch' is not allowed", "w.nosuch"),
    "import re\ndef solve(w):\n    return re.nosuch": ("no attribute 'nosuch' here", "re.nosuch"),
    "def solve(w):\n    return re.match": ("module re is not imported", "re"),
    "def solve(w):\n    return nosuch": ("undefined name 'nosuch'", "nosuch"),
    "def solve(w):\n    f = qa_map\n    return 1": ("can only be called", "qa_map"),
    "def solve(w):\n    return type(1, 2)": ("type takes exactly one argument", "type"),
    "def solve(w):\n    qa_map = 1\n    return 1": ("qa_map is reserved", "qa_map"),
    "def solve(w):\n    w.a = 1\n    return 1": ("attributes cannot be assigned", "w.a"),
    "def solve(w):\n    f = '{}'\n    return f.format(1)": ("literal format string", "f.format"),
    "def solve(w):\n    return '{0.__a}'.format(1)": ("cannot access", "'{0.__a}'.format"),
    "import os\ndef solve(w):\n    return 1": ("module 'os' is not available", "import os"),
    "from re import nosuch\ndef solve(w):\n    return 1": (
        "cannot import 'nosuch' from re",
        "from re import nosuch",
    ),
    "print(1)\ndef solve(w):\n    return 1": ("allowed outside solve", "print(1)"),
    "len = 1\ndef solve(w):\n    return 1": ("shadows a Python built-in", "len = 1"),
    "x = qa_map([], 'q')\ndef solve(w):\n    return x": ("inside solve", "qa_map([], 'q')"),
    "def f(w):\n    return 1": ("defines no function solve", "def f(w):\n    return 1"),
    "def solve(*w):\n    return 1": ("one plain parameter", "def solve(*w):\n    return 1"),
    "def solve(a, b):\n    return 1": ("unknown table 'a'", "a"),
    "def solve(w):\n    return qa_map(w, 'q', row=1)": (
        "has no parameter 'row'",
        "qa_map(w, 'q', row=1)",
    ),
    "def solve(w):\n    return qa_map(**w)": ("has no parameter '**'", "qa_map(**w)"),
    "def solve(w):\n    return qa_map(w)": ("missing rows or question", "qa_map(w)"),
    "def solve(w):\n    return qa_map(w, ' ')": ("the question is empty", "' '"),
    "def solve(w):\n    return qa_map(w, 7)": ("question must be a string", "7"),
    "def solve(w):\n    return qa_map(w, 'q', ['pay'])": (
        "unknown column 'pay' in table 'w'",
        "'pay'",
    ),
}


@pytest.mark.parametrize("text", REFUSED)
def test_what_does_not_fit_is_refused_with_its_place(text: str) -> None:
    message, marked = REFUSED[text]
    with pytest.raises(CheckFault) as caught:
        check(parse(text), TABLES)
    assert message in caught.value.message and caught.value.span is not None
    assert text[slice(*caught.value.span)] == marked


def test_a_misspelt_header_is_repaired() -> None:
    checked = check(parse("def solve(w):\n    return [r['City'] for r in w]"), TABLES)
    assert "['city']" in checked.program.text
    assert checked.program.repairs == ("column 'City' -> 'city'",)


def test_one_parameter_is_the_one_table_and_several_go_by_name() -> None:
    (first,) = TABLES
    second = load([{"x": 1}], "v")
    alone = check(parse("def solve(anything):\n    return 1"), TABLES)
    assert alone.parameters == (("anything", first),)
    both = check(parse("def solve(v, w):\n    return 1"), (first, second))
    assert both.parameters == (("v", second), ("w", first))
