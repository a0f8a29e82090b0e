"""Plans with bounds go in; what they can cost at most comes out, and running them costs no more."""

from __future__ import annotations

import pytest

from binder.plan import Bill
from binder.table import load
from tests.cases import opened

W = load([{"a": f"name {i % 30}", "b": i} for i in range(60)])


@pytest.mark.parametrize(
    ("program", "questions", "requests"),
    [
        ('SELECT QA("map@upper?"; a) FROM w', 30, 2),
        ('SELECT QA("map@upper?"; a) FROM w WHERE b < 5', 5, 1),
        ('SELECT QA("map@upper?"; a) FROM w LIMIT 3', 3, 1),
        ('SELECT QA("map@upper?"; a), QA("map@upper?"; a) FROM w WHERE QA("map@upper?"; a) <> \'x\'', 30, 2),
        ('SELECT QA("map@length?"; QA("map@upper?"; a)) FROM w', 60, 4),
        ('QA("ans@how many?"; (SELECT a FROM w))', 1, 1),
        ('SELECT b, QA("ans@how many?"; (SELECT a FROM w AS o WHERE o.b < w.b)) FROM w WHERE b < 4', 3, 3),
        ("SELECT a FROM w", 0, 0),
    ],
)
def test_a_bill_is_not_exceeded(program: str, questions: int, requests: int) -> None:
    db, lm = opened([W])
    bill = db.explain(program).bill
    assert not lm.asked and bill is not None
    usage = db.run(program).usage
    assert (usage.questions, usage.requests) == (questions, requests)
    assert bill.questions >= questions and bill.requests >= requests


def test_a_bill_reads_well() -> None:
    assert str(Bill(0, 0, 0)) == "asks the language model nothing"
    assert str(Bill(1200, 60, 40_000)) == "asks at most 1,200 questions in 60 requests, about 40,000 tokens"
