"""Names and spellings go in; what they stand for comes out, and nothing where it is not certain."""

from __future__ import annotations

import copy

import pytest

from binder.analysis.sql.scope import Scope
from binder.language.relations import Field, Source
from binder.tables.spelling import alike, key
from binder.tables.table import tidy

W = tidy(["City", "Row_ID"], [["Paris", "1"]])
V = tidy(["City"], [["Paris"]], "v")


def source(table: object, *names: str) -> Source:
    return Source("w", [Field(name) for name in names], table)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("h / a", "H/A"),
        ("points[1]", "Points 1"),
        ("a\\nb", "a b"),
        ("año", "ano"),
        ("# wins", "wins"),
    ],
)
def test_two_spellings_of_one_name(one: str, other: str) -> None:
    assert key(one) == key(other)


@pytest.mark.parametrize(
    ("name", "known", "match"),
    [
        ("cyclst", ["cyclist", "rank"], "cyclist"), ("CITY ", ["city"], "city"), ("population2010", ["population2000"], None),
        ("abc", ["abd"], None),
        ("a b", ["a_b", "ab"], None), ("winners", ["winner 1", "winner 2"], None), ("elephant", ["city"], None), ("#", ["#"],
        "#"),
    ],
)  # fmt: skip
def test_the_one_name_that_is_certainly_meant(
    name: str, known: list[str], match: str | None
) -> None:
    assert alike(name, known) == match


def test_a_source_finds_its_fields_without_case_and_its_row_id() -> None:
    found = source(V, "City").find("cITY")
    assert found is not None and found.name == "City"
    row_id = source(V, "City").find("ROW_ID")
    assert row_id is not None and row_id.kind == "number"
    assert source(None, "City").find("row_id") is None and source(V, "City").find("x") is None


def test_inner_scopes_see_outer_ones() -> None:
    outer = Scope(sources={"w": source(W, "City")}, ctes={"c": source(None, "x")})
    inner = Scope(outer, sources={"v": source(V, "City")})
    assert (
        inner.source("W") is outer.sources["w"]
        and inner.cte("C") is not None
        and inner.source("nobody") is None
    )
    assert [held.alias for held, _ in inner.fields()] == ["w", "w"] and list(inner.chain()) == [
        inner,
        outer,
    ]
    assert len(inner.holders("city")) == 1


def test_copied_trees_share_what_they_point_to() -> None:
    shared = source(W, "City")
    assert copy.deepcopy({"source": shared})["source"] is shared
