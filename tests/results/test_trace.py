"""Events go in, in order; they come out as they were, and as lines of JSON."""

from __future__ import annotations

import datetime
import json
from dataclasses import FrozenInstanceError

import pytest

from binder.results.trace import Trace


def test_events_are_numbered_in_order() -> None:
    trace = Trace()
    assert [
        trace.add("asked", call="a"),
        trace.add("executed", rows=2),
        trace.add("asked", call="b"),
    ] == [0, 1, 2]
    assert [event.data["call"] for event in trace.of("asked")] == ["a", "b"]
    assert len(trace) == 3 and [event.kind for event in trace] == ["asked", "executed", "asked"]
    assert [event.at for event in trace] == sorted(event.at for event in trace)


def test_an_event_cannot_be_changed() -> None:
    trace = Trace()
    trace.add("asked")
    with pytest.raises(FrozenInstanceError):
        trace.events[0].kind = "voted"  # type: ignore[misc]


def test_a_line_an_event() -> None:
    trace = Trace()
    trace.add("asked", reply="é\n", day=datetime.date(2020, 1, 2))
    (line,) = trace.lines()
    data = json.loads(line)
    assert (
        "\n" not in line
        and (data["kind"], data["at"], data["reply"]) == ("asked", trace.events[0].at, "é\n")
        and "2020-01-02" in str(data["day"])
    )
