"""A process that is killed loses nothing it has paid for; many processes and threads share a file
without a loss. The long forms are slow: python -m tests.crash.kill, python -m tests.crash.crowd."""

from __future__ import annotations

import pytest

from tests.crash.crowd import crowd
from tests.crash.kill import kill

LONG = pytest.mark.slow


@pytest.mark.parametrize(("rounds", "count"), [(5, 120), pytest.param(100, 240, marks=LONG)])
def test_what_was_received_is_never_paid_again(rounds: int, count: int) -> None:
    report = kill(rounds, seed=7, count=count)
    assert report.broken == []
    assert report.kills == rounds and report.repeated <= report.in_flight
    assert report.asked == report.runs * count + report.repeated


@pytest.mark.parametrize(
    ("processes", "threads", "towns"), [(2, 2, 30), pytest.param(3, 8, 200, marks=LONG)]
)
def test_many_share_a_file(processes: int, threads: int, towns: int) -> None:
    report = crowd(processes, threads, towns)
    assert report.broken == [] and report.twice_in_process == 0
    assert towns <= report.requests <= processes * towns
