"""The loader of TabFact on a small release in the official layout and on the real one, and its
scores."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path

import pytest

from binder.benchmarks.tabfact import TabFact
from binder.errors import DataError, UsageError

Unpack = Callable[[dict[str, str], Path], Path]


@pytest.fixture
def small(tabfact_files: dict[str, str], tmp_path: Path, unpack: Unpack) -> TabFact:
    return TabFact(unpack(tabfact_files, tmp_path / "Table-Fact-Checking-master"))


def test_examples(small: TabFact) -> None:
    first, second = small.examples("small_test")
    assert (first.id, first.question, first.gold) == ("2-1.html.csv#0", "ann have 3 point", ("1",))
    assert (second.id, second.gold) == ("2-1.html.csv#1", ("0",))
    assert first.table is second.table
    assert (first.table.title, first.table.header, first.table.rows) == (
        "points",
        ("name", "points"),
        (("ann", "3"), ("bo", "")),
    )
    assert [e.table.title for e in small.examples("test")] == ["years", "points", "points"]


@pytest.mark.parametrize(
    "answer, verdict",
    [
        (["1"], "right"),
        (["True"], "right"),
        ([" Yes "], "right"),
        (["entailed"], "right"),
        (["1", "true"], "right"),
        (["0"], "wrong"),
        (["False"], "wrong"),
        (["1", "0"], "wrong"),
        (["3"], "wrong"),
        (["None"], "wrong"),
        ([], "wrong"),
        (None, "not run"),
    ],
)
def test_score_of_a_statement_that_holds(
    small: TabFact, answer: list[str] | None, verdict: str
) -> None:
    holds, _ = small.examples("small_test")
    assert small.score(holds, answer).verdict == verdict


@pytest.mark.parametrize(
    "answer, verdict",
    [(["0"], "right"), (["refuted"], "right"), (["1"], "wrong"), ([], "wrong"), (None, "not run")],
)
def test_what_was_not_run_is_not_refuted(
    small: TabFact, answer: list[str] | None, verdict: str
) -> None:
    _, fails = small.examples("small_test")
    assert small.score(fails, answer).verdict == verdict


def test_faults(
    small: TabFact, tabfact_files: dict[str, str], tmp_path: Path, unpack: Unpack
) -> None:
    with pytest.raises(UsageError, match="unknown split 'tiny'"):
        small.examples("tiny")
    with pytest.raises(UsageError, match="unknown metric 'f1'"):
        small.score(next(small.examples("test")), None, "f1")
    with pytest.raises(DataError, match="has no data/simple_test_id.json"):
        list(small.examples("simple_test"))
    other = unpack(
        {**tabfact_files, "data/test_id.json": '["2-9.html.csv"]', "data/small_test_id.json": "["},
        tmp_path / "other",
    )
    with pytest.raises(DataError, match=r"no statements .* for 2-9\.html\.csv"):
        list(TabFact(other).examples("test"))
    tabfact_files["tokenized_data/test_examples.json"] = (
        '{"2-2.html.csv": [["one", "two"], [1], "years"]}'
    )
    with pytest.raises(DataError, match=r"no statements .* for 2-2\.html\.csv"):
        list(TabFact(unpack(tabfact_files, tmp_path / "unequal")).examples("test"))
    with pytest.raises(DataError, match="small_test_id.json is not JSON"):
        list(TabFact(other).examples("small_test"))


def test_real_release(real_data: Path) -> None:
    benchmark = TabFact(real_data / "tabfact")
    examples = {e.id: e for e in benchmark.examples("small_test")}
    benchmark.close()
    with gzip.open(
        real_data / "tabfact" / "statements_small_test.jsonl.gz", "rt", encoding="utf-8"
    ) as lines:
        known = {r["id"]: (r["statement"], (str(r["label"]),)) for r in map(json.loads, lines)}
    assert {key: (e.question, e.gold) for key, e in examples.items()} == known
    tables = {e.table.name: e.table for e in examples.values()}
    with gzip.open(
        real_data / "tabfact" / "tables_small_test.jsonl.gz", "rt", encoding="utf-8"
    ) as lines:
        for record in map(json.loads, lines):
            table = tables.pop(record["table_id"])
            rows = [
                [cell.rstrip("\r") for cell in row] for row in (record["header"], *record["rows"])
            ]
            assert [list(table.header), *map(list, table.rows)] == rows
            assert table.title == record["title"]
    assert tables == {}
