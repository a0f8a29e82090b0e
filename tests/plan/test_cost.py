"""Plans with bounds go in; what they can cost at most comes out, and running them costs no more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.plan import Estimate, Plan
from binder.plan.cost import packs
from binder.tables.table import load
from tests.cases import opened

W = load([{"a": f"name {i % 30}", "b": i} for i in range(60)])


@pytest.mark.parametrize(
    ("program", "questions", "requests"),
    [
        ('SELECT QA("map@upper?"; a) FROM w', 30, 2),
        ('SELECT QA("map@upper?"; a) FROM w WHERE b < 5', 5, 1),
        ('SELECT QA("map@upper?"; a) FROM w LIMIT 3', 3, 1),
        (
            'SELECT QA("map@upper?"; a), QA("map@upper?"; a) FROM w WHERE QA("map@upper?"; a) <> \'x\'',
            30,
            2,
        ),
        ('SELECT QA("map@length?"; QA("map@upper?"; a)) FROM w', 60, 4),
        ('QA("ans@how many?"; (SELECT a FROM w))', 1, 1),
        (
            'SELECT b, QA("ans@how many?"; (SELECT a FROM w AS o WHERE o.b < w.b)) FROM w WHERE b < 4',
            3,
            3,
        ),
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
    assert str(Estimate(0, 0, 0)) == "asks the language model nothing"
    assert (
        str(Estimate(1200, 60, 40_000))
        == "asks at most 1,200 questions in 60 requests, about 40,000 tokens"
    )


def test_a_bill_adds_up_what_two_sides_ask_of_one_call() -> None:
    db, lm = opened([W])
    program = 'SELECT QA("map@upper?"; a) FROM w WHERE b < 5 UNION ALL SELECT QA("map@upper?"; a) FROM w WHERE b BETWEEN 3 AND 9'
    bill = db.explain(program).bill
    assert bill is not None and bill.questions == 10
    db.run(program)
    assert len(lm.asked) == 10


@pytest.mark.parametrize(
    ("program", "least", "likely", "most"),
    [
        ('SELECT QA("map@upper?"; a) FROM w', 30, 30, 30),
        ('SELECT a FROM w WHERE QA("map@long?"; a) LIMIT 2', 2, 4, 30),
        ('SELECT a FROM w WHERE QA("map@long?"; a) AND QA("map@vowel?"; a)', 0, 30, 60),
        ('SELECT QA("map@upper?"; a) FROM w WHERE QA("map@long?"; a)', 30, 45, 60),
    ],
)
def test_what_is_least_and_likely(program: str, least: int, likely: int, most: int) -> None:
    db, lm = opened([W])
    plan = db.explain(program)
    assert isinstance(plan, Plan) and plan.bill is not None
    assert (plan.bill.least, plan.bill.likely, plan.bill.questions) == (least, likely, most)
    db.run(program)
    assert least <= len(lm.asked) <= most


def test_analyze_tells_what_each_call_came_to() -> None:
    db, lm = opened([W])
    plan = db.explain('SELECT a FROM w WHERE QA("map@long?"; a) LIMIT 2', analyze=True)
    assert "asked 2 questions in 1 request" in str(plan) and len(lm.asked) == 2
    assert isinstance(plan, Plan) and plan.data()["asks"][0]["spent"] == {
        "asked": 2,
        "cached": 0,
        "requests": 1,
    }


@given(st.integers(0, 500), st.integers(1, 60))
def test_packs_are_few_and_equal(inputs: int, most: int) -> None:
    packed = packs(range(inputs), most)
    assert [value for pack in packed for value in pack] == list(range(inputs))
    assert len(packed) == -(-inputs // most)
    sizes = {len(pack) for pack in packed}
    assert not sizes or (max(sizes) <= most and max(sizes) - min(sizes) <= 1)
    assert len(packed) < 2 or min(sizes) >= most // 2, "a pack of several is half full"
