"""Calls that a loop makes row by row: those that can be asked at once are, others are left."""

from __future__ import annotations

import pytest

from binder.analysis.python import ROW_BY_ROW, check
from binder.language.python import parse
from binder.tables.table import load

TABLE = load([{"a": "x", "n": 1}, {"a": "y", "n": 2}], "w")
CALL = "qa_map([r], 'q?', ['a'])[0]"

BATCHED = {  # a body -> the rows that are asked about before the loop
    f"return [{CALL} for r in w]": "[r for r in w]",
    f"return [r for r in w if {CALL}]": "[r for r in w]",
    f"return [r for r in w if r['n'] > 1 if {CALL}]": "[r for r in w if (r['n'] > 1)]",
    f"return [{CALL} for r in w[:5] if r['n']]": "[r for r in w[:5] if (r['n'])]",
    f"for r in w:\n        x = {CALL}\n    return x": "[r for r in w]",
    f"for r in w:\n        if r['n'] > 1:\n            x = {CALL}\n    return 1": (
        "[r for r in w if (r['n'] > 1)]"
    ),
    "for r in w:\n        if r['n'] > 1:\n            pass\n        else:\n"
    f"            x = {CALL}\n    return 1": "[r for r in w if (not (r['n'] > 1))]",
    f"return [{CALL} or 1 for r in w]": "[r for r in w]",
}
LEFT = [
    f"for r in w:\n        x = {CALL}\n        if x:\n            break\n    return x",
    f"for r in w:\n        x = {CALL}\n        w.append(r)\n    return x",
    f"return [r['n'] > 1 and {CALL} for r in w]",
    "return [qa_map([r], 'q?' + r['a'], ['a'])[0] for r in w]",
    f"x = 3\n    return [{CALL} for r in w if r['n'] > x]",
    f"try:\n        y = [{CALL} for r in w]\n    except ValueError:\n        y = 1\n    return y",
    f"return [{CALL} for r in iter(w)]",
    f"return [{CALL} for v in w for r in w]",
]


def program(body: str) -> tuple[str, tuple[str, ...]]:
    checked = check(parse(f"def solve(w):\n    {body}"), (TABLE,))
    return checked.program.skeleton, checked.program.repairs


@pytest.mark.parametrize("body", BATCHED)
def test_a_loop_whose_rows_are_certain_is_asked_about_at_once(body: str) -> None:
    skeleton, repairs = program(body)
    assert f"call_0({BATCHED[body]}, 'q?', ['a'])" in skeleton
    assert repairs[0].startswith("batched the calls of the loop over w")


@pytest.mark.parametrize("body", LEFT)
def test_a_loop_whose_rows_are_not_certain_is_told(body: str) -> None:
    assert program(body)[1] == (ROW_BY_ROW,)
