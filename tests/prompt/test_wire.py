"""Values as JSON data."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.prompt.wire import wire


@pytest.mark.parametrize(
    ("value", "sent"),
    [
        (None, None),
        (True, True),
        (7, 7),
        (1.5, 1.5),
        (float("nan"), None),
        (float("inf"), "inf"),
        (Decimal("1.10"), 1.1),
        (Decimal("3.00"), 3),
        (Decimal("0.12345678901234567890"), "0.12345678901234567890"),
        (Decimal("NaN"), None),
        (Decimal("sNaN"), None),
        (Decimal("-Infinity"), "-inf"),
        (date(2008, 7, 5), "2008-07-05"),
        (datetime(2008, 7, 5, 9, 30, tzinfo=UTC), "2008-07-05T09:30:00+00:00"),
        (pd.NaT, None),
        (pd.NA, None),
        (np.int64(3), 3),
        (np.float64("nan"), None),
        (np.datetime64("2020-01-02T03:04:05", "ns"), "2020-01-02T03:04:05.000000000"),
        (b"abc\xff", "<4 bytes>"),
        ("a\ud800b", "a\ufffdb"),
        ("\U0001f600", "\U0001f600"),
        ([1, (Decimal(2), None)], [1, [2, None]]),
        ({1: date(2020, 1, 1)}, {"1": "2020-01-01"}),
    ],
)
def test_a_value_on_the_wire(value: object, sent: object) -> None:
    assert wire(value) == sent and type(wire(value)) is type(sent)


Scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text()
    | st.binary()
    | st.decimals()
    | st.datetimes()
)


@given(st.recursive(Scalars, st.lists))
def test_every_value_is_json_that_can_be_sent(value: object) -> None:
    text = json.dumps(wire(value), ensure_ascii=False, allow_nan=False)
    assert text.encode("utf-8")
