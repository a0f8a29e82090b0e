"""The metrics of WikiTableQuestions on hand-written vectors: tests/fixtures/metrics/wikitq_*.tsv.

In these files ` ; ` separates values; <none> is no answer, <empty> one of no rows."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.benchmarks import Example, RawTable, Score
from binder.benchmarks.denotation import canonical_of, lenient_match, official_match
from tests.cases import records

ANSWERS: dict[str, list[str] | None] = {"<none>": None, "<empty>": []}


def vectors(name: str) -> list[object]:
    """The vectors of a file, each named by file and line."""
    found = records(f"metrics/{name}")
    return [pytest.param(record.cells, id=record.place) for record in found]


def judged(vector: dict[str, str], match: object) -> str:
    """The verdict that a metric gives to a vector."""
    table = RawTable("t", None, ("a",), ())
    gold, canonical = tuple(vector["target"].split(" ; ")), tuple(vector["canon"].split(" ; "))
    example = Example("x-1", vector.get("question", ""), table, gold, canonical)
    answer = ANSWERS.get(vector["predicted"], vector["predicted"].split(" ; "))
    if answer is None:
        return "not run"
    assert callable(match)
    return "right" if match(example, answer) else "wrong"


@pytest.mark.parametrize("vector", vectors("wikitq_official.tsv"))
def test_official(vector: dict[str, str]) -> None:
    assert judged(vector, official_match) == vector["verdict"]


@pytest.mark.parametrize("vector", vectors("wikitq_lenient.tsv"))
def test_lenient(vector: dict[str, str]) -> None:
    assert judged(vector, lenient_match) == vector["verdict"]


@pytest.mark.parametrize("vector", vectors("wikitq_official.tsv"))
def test_lenient_is_never_stricter(vector: dict[str, str]) -> None:
    if vector["verdict"] == "right":
        assert judged(vector, lenient_match) == "right"


@pytest.mark.parametrize("vector", vectors("wikitq_canonical.tsv"))
def test_canonical(vector: dict[str, str]) -> None:
    assert canonical_of(vector["target"]) == vector["canon"]


def test_there_are_enough_vectors() -> None:
    assert len(vectors("wikitq_official.tsv")) >= 60
    assert Score("right").metric == "official"


@given(
    st.lists(st.text(max_size=12), min_size=1, max_size=3),
    st.lists(st.text("0123456789.,-$% ax", max_size=10), max_size=3),
)
def test_any_text_has_a_verdict(gold: list[str], answer: list[str]) -> None:
    table = RawTable("t", None, ("a",), ())
    example = Example("x-1", "this or that?", table, tuple(gold), tuple(gold))
    assert official_match(example, gold) and lenient_match(
        example, gold
    )  # an answer as written is right
    assert official_match(example, gold + gold[::-1])
    assert lenient_match(example, answer) >= official_match(example, answer)
    assert all(canonical_of(canonical_of(text)) == canonical_of(text) for text in gold)
