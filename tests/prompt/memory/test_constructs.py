"""What programs are made of."""

from __future__ import annotations

import pytest

from binder.prompt.memory.constructs import constructs


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("SELECT a FROM w", set()),
        ("SELECT `count` FROM w ORDER BY b DESC LIMIT 1", {"order", "first"}),
        ("SELECT COUNT(*) FROM w WHERE a > 1 OR b = 'x, max'", {"count", "compare", "or", "equal"}),
        ("SELECT x FROM w JOIN v ON w.i = v.i WHERE row_id = (SELECT MAX(k) FROM w) + 1",
         {"join", "equal", "neighbour", "sub-select", "extreme", "arithmetic"}),
        ("SELECT QA(\"map@count them?\"; a) FROM w GROUP BY YEAR(d)", {"map", "group", "date"}),
        ("QA('ans@which?'; (SELECT year FROM w))", {"ans"}),
    ],
)  # fmt: skip
def test_of_sql(program: str, found: set[str]) -> None:
    assert constructs(program) == found


@pytest.mark.parametrize(
    ("program", "found"),
    [
        ("def solve(w):\n    return [row['a'] for row in w]", set()),
        (
            "def solve(w, v):\n    return max(len(x['a']) for x in w if x['b'] != 2) + 1",
            {"join", "extreme", "count", "unequal", "arithmetic"},
        ),
        ("def solve(w):\n    return qa_map(w, 'q?', ['a'])[0] == 'yes'", {"map", "equal"}),
        ("def solve(w: ", set()),
    ],
)
def test_of_python(program: str, found: set[str]) -> None:
    assert constructs(program, "python") == found
