"""Programs over awkward values go in; rows come out of the worker. Replies and cells are data,
whatever they hold."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

import binder
from binder.analysis.sql import check
from binder.executors.mapping_tables import typed
from binder.executors.sql import SqlExecutor
from binder.language.skeleton import parse
from binder.plan.rules import optimize
from binder.tables.codec import answer_text
from binder.tables.table import load
from tests.cases import Case, cases, compare
from tests.oracle import Oracle
from tests.plan.differential import near


@pytest.mark.parametrize("case", cases("executors/sql.txt"))
def test_sql(case: Case) -> None:
    compare(case)


@pytest.mark.parametrize(
    ("values", "kind", "type_", "read"),
    [
        ([1, None, 2], "auto", pa.int64(), [1, None, 2]),
        ([1, 2.5], "auto", pa.float64(), [1.0, 2.5]),
        (["1", "2,000"], "auto", pa.int64(), [1, 2000]),
        (["1", "x"], "auto", pa.string(), ["1", "x"]),
        (["007", "8"], "auto", pa.string(), ["007", "8"]),
        (["2020-01-02", None], "auto", pa.date32(), [date(2020, 1, 2), None]),
        (["2020-01-02", 3], "auto", pa.string(), ["2020-01-02", "3"]),
        ([True, "maybe"], "auto", pa.string(), ["yes", "maybe"]),
        ([None, None], "auto", pa.null(), [None, None]),
        ([], "number", pa.int64(), []),
        ([2**60], "number", pa.int64(), [2**60]),
        ([2**70, 1], "number", pa.float64(), [float(2**70), 1.0]),
        ([2**60, 0.5], "number", pa.float64(), [float(2**60), 0.5]),
        ([True, None, False], "boolean", pa.bool_(), [True, None, False]),
        (
            [date(2020, 1, 2), datetime(2020, 1, 2, 3)],
            "date",
            pa.timestamp("us"),
            [datetime(2020, 1, 2), datetime(2020, 1, 2, 3)],
        ),
        ([3.0, "x"], "text", pa.string(), ["3", "x"]),
    ],
)
def test_the_values_of_a_mapping_are_one_column(
    values: list[object], kind: str, type_: pa.DataType, read: list[object]
) -> None:
    column = typed(values, kind)
    assert column.type == type_ and column.to_pylist() == read


def test_a_reply_as_text() -> None:
    assert [answer_text(value) for value in (True, False, 3.0, 2.5, "x", Decimal("1.0"))] == [
        "yes",
        "no",
        "3",
        "2.5",
        "x",
        "1.0",
    ]


def test_groups_that_tie_are_asked_about_in_one_order() -> None:
    lands = [f"land {i * 7 % 40:02}" for i in range(40)]
    tables = (load(pa.table({"land": lands * 3})),)
    program = 'SELECT land FROM w GROUP BY land ORDER BY COUNT(*), QA("map@upper?"; land) LIMIT 2'
    plan = optimize(check(parse(program), tables))
    near().use(tables)
    execution = SqlExecutor(plan, near()).execution()
    (batch,) = next(execution)
    execution.close()
    assert batch.inputs == tuple((land,) for land in lands)  # as they first appear


def test_a_call_about_a_call_that_is_used_twice_is_explained() -> None:
    inner = 'SELECT QA("map@length?"; city) AS r, QA("map@length?"; country) AS s FROM w'
    program = (
        f'SELECT r FROM ({inner}) d WHERE s < QA("map@nothing?"; s) AND 5 > QA("map@nothing?"; s)'
    )
    rows = [{"city": "Rome", "country": "Italy"}, {"city": "Oslo", "country": "Norway"}]
    with binder.connect(rows, lm=Oracle()) as db:
        assert "asks at most 6 questions" in str(db.explain(program))
