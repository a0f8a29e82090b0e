"""What a call is compared with is told: the values of a stored column, where they are few."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

import binder
from binder.engine import Binder
from tests.server import Server

SAID = {"IBM Corp": "ibm", "Big Blue": "IBM", "Apple Inc": "apple computer", "x": "nobody"}
CALL = "QA('map@which company?'; a.name)"
NAMES = ["IBM", "Apple Computer", "SAP"]
MATCHED = [("IBM Corp", "IBM"), ("Apple Inc", "Apple Computer"), ("Big Blue", "IBM")]


@pytest.fixture
def told() -> list[Any]:
    """The spellings of each request."""
    return []


@pytest.fixture
def db(server: Server, told: list[Any]) -> Iterator[Binder]:
    def answers(task: dict[str, Any]) -> Any:
        told.append(task["spellings"])
        return {key: SAID[row[0]] for key, row in task["rows"].items()}

    server.answer = answers
    tables = {
        "a": [{"name": name} for name in ("IBM Corp", "Apple Inc", "x", "Big Blue")],
        "b": [{"name": name, "city": name[:1], "n": place} for place, name in enumerate(NAMES)],
        "many": [{"name": f"name {i}"} for i in range(500)],
    }
    with binder.connect(tables, "m", base_url=server.url, api_key="none", cache=None) as opened:
        yield opened


@pytest.mark.parametrize(
    ("program", "rows", "spellings"),
    [
        (f"SELECT a.name, b.name FROM a JOIN b ON b.name = {CALL}", MATCHED, NAMES),
        (f"WITH c AS (SELECT name, {CALL} AS company FROM a)"
         " SELECT c.name, b.name FROM c JOIN b ON c.company = b.name", MATCHED, NAMES),
        (f"SELECT a.name FROM a WHERE {CALL} IN (SELECT name FROM b WHERE n < 1)",
         [("IBM Corp",), ("Big Blue",)], NAMES),
        (f"SELECT a.name, (SELECT city FROM b WHERE name = {CALL}) FROM a WHERE a.name > 'J'",
         [("x", None)], NAMES),
        (f"SELECT a.name FROM a JOIN b ON b.name = {CALL} OR {CALL} = 'nobody' WHERE b.n = 2",
         [("x",)], [*NAMES, "nobody"]),
        (f"SELECT name FROM a WHERE {CALL} <> name AND name < 'J'",
         [("IBM Corp",), ("Apple Inc",), ("Big Blue",)], None),
        (f"SELECT a.name FROM a JOIN many ON many.name = {CALL}", [], None),
    ],
)  # fmt: skip
def test_the_other_side_is_told(
    db: Binder, told: list[Any], program: str, rows: list[Any], spellings: list[str] | None
) -> None:
    result = db.run(program)
    assert (result.rows, told) == (rows, [spellings])
    untold = "'which company?' is not told the values of many.name" in str(result.warnings)
    assert untold == ("many" in program)
    assert result.usage.questions <= len(SAID)  # one for each name, none for a pair of names


def test_a_plan_says_so(db: Binder) -> None:
    plan = str(db.explain(f"SELECT a.name, b.name FROM a JOIN b ON b.name = {CALL}"))
    assert "'which company?' -> text, told 3 spellings" in plan
    plan = str(db.explain(f"SELECT a.name FROM a JOIN many ON many.name = {CALL}"))
    assert "'which company?' -> text, not told many.name" in plan
