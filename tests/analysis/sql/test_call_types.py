"""What a call may answer, taken from where it stands: the cases of
tests/fixtures/analysis/call_types.txt, and programs whose replies need the type to be read."""

from __future__ import annotations

import json

import pytest

import binder
from binder.lm import Choice, Reply, Request
from tests.cases import Case, cases, compare
from tests.scripted import Scripted


@pytest.mark.parametrize("case", cases("analysis/call_types.txt"))
def test_types(case: Case) -> None:
    compare(case)


def with_units(request: Request) -> Reply:
    """Answers "12 ft" to everything: a number only where the call is known to be one."""
    rows = json.loads(request.messages[-1].content)["rows"]
    return Reply((Choice(json.dumps({"answers": dict.fromkeys(rows, "12 ft")})),))


CHAIN = [f'QA("map@question {letter}?"; city)' for letter in "pqrst"]


@pytest.mark.parametrize("length", range(2, len(CHAIN) + 1))
@pytest.mark.parametrize("asked", ["> 5", "= '12'", "BETWEEN 1 AND 20", "IN (12, 13)", "= n"])
def test_a_chain_of_equal_calls_is_typed_alike_from_its_end(length: int, asked: str) -> None:
    pairs = zip(CHAIN[: length - 1], CHAIN[1:length], strict=True)
    equal = [f"{one} = {other}" for one, other in pairs]
    where = " AND ".join([*equal, f"{CHAIN[length - 1]} {asked}"])
    assert rows(f"SELECT city FROM w WHERE {where}") == [("Paris",)]


@pytest.mark.parametrize(
    "program",
    [
        "SELECT x FROM (SELECT CASE WHEN n > 0 THEN {p} END AS x FROM w) WHERE x > 5",
        "SELECT x FROM (SELECT COALESCE({p}, {q}) AS x FROM w) WHERE x > 5",
        "SELECT MAX({p}) OVER () AS x FROM w QUALIFY x > 5",
        "SELECT NULLIF({p}, 5) FROM w",
        "WITH c(x) AS (SELECT {p} FROM w UNION SELECT {q} FROM w)"
        " SELECT x FROM c WHERE x IN (SELECT n FROM w)",
        "SELECT n FROM w WHERE n IN (SELECT {p} FROM w UNION SELECT {q} FROM w)",
        "SELECT n FROM w WHERE {p} = (SELECT MAX({q}) + 0 FROM w)",
    ],
)
def test_a_call_that_is_handed_on_is_typed_by_what_becomes_of_it(program: str) -> None:
    assert rows(program.format(p=CHAIN[0], q=CHAIN[1])) == [(12,)]


def rows(program: str) -> list[tuple[object, ...]]:
    """The rows of a program over one city, whose number is 12."""
    with binder.connect(
        {"w": [{"city": "Paris", "n": 12}]}, "m", lm=Scripted(with_units), cache=None
    ) as db:
        return list(db.run(program).rows)
