"""A process that is killed loses nothing it has paid for; many processes and threads share a file
without a loss."""

from __future__ import annotations

import pytest

from tests.crash.crowd import TOWNS, crowd
from tests.crash.kill import kill


@pytest.mark.slow
def test_what_was_received_is_never_paid_again() -> None:
    report = kill(rounds=10, seed=7)
    assert report.broken == []
    assert report.kills == 10 and report.repeated <= report.in_flight
    assert report.asked == report.runs * 240 + report.repeated


@pytest.mark.slow
def test_many_share_a_file() -> None:
    report = crowd(processes=3, threads=8)
    assert report.broken == [] and report.twice_in_process == 0
    assert TOWNS <= report.requests <= 3 * TOWNS
