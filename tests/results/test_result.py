"""What a program yielded goes in; text, JSON, HTML, a frame and reasons come out."""

from __future__ import annotations

import datetime
import json
from decimal import Decimal
from typing import Any

import pytest

from binder.results.result import Missing, Result, Usage, count, grid, plain, text
from binder.results.trace import Trace

DAY = datetime.date(2008, 7, 5)


def result(**more: Any) -> Result:
    return Result(
        **{
            "columns": ("city", "n"), "rows": [("Paris", 1), (None, 2.5)], "texts": [("Paris", "1"), ("", "2.5")], "errors": [],
            "usage": Usage(questions=3, requests=1, prompt_tokens=10, completion_tokens=5, seconds=0.5), "trace": Trace(),
            "program": "SELECT 1",
        }
        | more
    )  # fmt: skip


def test_a_result_is_its_rows() -> None:
    assert len(result()) == 2 and list(result()) == [("Paris", 1), (None, 2.5)]
    assert repr(result()) == "Result(2 rows: city, n)"


def test_it_prints_as_a_grid() -> None:
    assert str(result()) == "city   n\n-----  ---\nParis  1\n       2.5"


def test_missing_values_stand_below_it() -> None:
    entries = [
        Missing("which?", {"city": "Lyon"}, "no_answer", 1, "there is none"),
        Missing("all?", {}, "refused", 3, "no"),
    ]
    shown = result(errors=entries)
    assert str(shown).splitlines()[-2:] == [
        "missing value for 'which?' (city='Lyon'): there is none",
        "missing value for 'all?': no",
    ]
    assert repr(shown) == "Result(2 rows: city, n; 2 values missing)"


def test_it_is_json_data() -> None:
    data = json.loads(
        json.dumps(
            result(
                rows=[(DAY, Decimal("1.5"))], errors=[Missing("q?", {"d": DAY}, "missing", 3, "m")]
            ).data()
        )
    )
    assert data["columns"] == ["city", "n"] and data["rows"] == [["2008-07-05", 1.5]]
    assert data["errors"] == [
        {
            "call": "q?",
            "inputs": {"d": "2008-07-05"},
            "fault": "missing",
            "attempts": 3,
            "message": "m",
        }
    ]
    assert {
        "questions",
        "cached",
        "requests",
        "prompt_tokens",
        "completion_tokens",
        "cost",
        "seconds",
    } <= set(data["usage"])


def test_it_is_a_frame() -> None:
    frame = result().df()
    assert list(frame.columns) == ["city", "n"] and frame["n"].tolist() == [1.0, 2.5]
    assert result(rows=[]).df().columns.tolist() == ["city", "n"]


def test_why_asks_for_a_cell_by_position_or_name() -> None:
    shown = result(origin=lambda row, column: {"row": row, "column": column})
    assert shown.why(1, "n") == {"row": 1, "column": 1} == shown.why(1, 1)
    with pytest.raises(IndexError):
        shown.why(2)


def test_its_html_escapes_what_it_shows() -> None:
    page = result(
        columns=("<b>",), rows=[("<script>",)], texts=[("<script>",)], repairs=("<i>",)
    )._repr_html_()
    assert (
        "<script>" not in page
        and "&lt;script&gt;" in page
        and "<b>" not in page
        and "<i>" not in page
    )


@pytest.mark.parametrize(
    ("value", "data", "shown"),
    [
        (None, None, ""),
        (True, True, "yes"),
        (3.0, 3.0, "3"),
        (float("nan"), None, "nan"),
        (DAY, "2008-07-05", "2008-07-05"),
        (datetime.datetime(2008, 7, 5), "2008-07-05T00:00:00", "2008-07-05"),
        (datetime.datetime(2008, 7, 5, 9, 30), "2008-07-05T09:30:00", "2008-07-05 09:30:00"),
        (datetime.timedelta(seconds=90), "0:01:30", "0:01:30"),
        (Decimal("1.50"), 1.5, "1.50"),
        ((1, None, DAY), [1, None, "2008-07-05"], "1, , 2008-07-05"),
        ({1: DAY}, {"1": "2008-07-05"}, "{1: datetime.date(2008, 7, 5)}"),
        (b"x", "b'x'", "<1 byte>"),
        (bytes(1200), str(bytes(1200)), "<1,200 bytes>"),
    ],
)
def test_a_value_as_json_and_as_text(value: object, data: object, shown: str) -> None:
    assert (plain(value), text(value)) == (data, shown)


def test_a_grid_cuts_what_is_long_and_escapes_what_is_odd() -> None:
    lines = grid(("a",), [("x" * 99,), ("\x1b[31mred\n",)] + [("y",)] * 50).splitlines()
    assert (
        lines[2] == "x" * 59 + "…"
        and lines[3] == r"\x1b[31mred"
        and lines[-1] == "... 12 more rows"
        and len(lines) == 43
    )


def test_counts_and_usage_read_well() -> None:
    assert [count(n, "row") for n in (0, 1, 1234)] == ["0 rows", "1 row", "1,234 rows"]
    assert (
        str(Usage(3, 0, 1, 10, 5, 0.25, 0.5))
        == "3 questions, 1 request, 15 tokens, $0.2500, 0.50 s"
    )
