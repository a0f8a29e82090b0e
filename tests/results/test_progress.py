"""How far a run has come goes in; a line comes out in a terminal, and nothing where there is
none."""

from __future__ import annotations

import io

import binder
from binder.results.progress import Progress, display, in_terminal, off
from tests.server import Server


def test_it_says_how_far_the_run_is() -> None:
    progress = Progress(total=120, done=60, cached=20, requests=4, cost=0.0123, seconds=4.0)
    assert str(progress) == "60/120 values, 20 cached, 4 requests, $0.0123, 6 s left"
    assert str(Progress(5, 5, 5, 0, None, 0.1)) == "5/5 values, 5 cached, 0 requests"
    assert str(Progress(0, 0, 0, 1, None, 0.1)) == "1 request"


def test_a_terminal_line_is_drawn_over_itself_and_taken_away() -> None:
    stream = io.StringIO()
    draw = in_terminal(stream)
    draw(Progress(100, 10, 0, 1, None, 1.0))
    for _ in range(1_000):
        draw(Progress(100, 20, 0, 2, None, 1.0))  # most come too soon after another one
    draw(None)
    assert stream.getvalue().startswith("\r[##..................] 10/100 values")
    assert stream.getvalue().count("20/100") < 1_000 and stream.getvalue().endswith(" \r")


def test_nothing_is_shown_where_nobody_watches() -> None:
    assert display() is off


def test_a_run_tells_its_display(server: Server) -> None:
    told: list[Progress | None] = []
    with binder.connect(
        [{"a": f"x{i}"} for i in range(50)], "m", server.url, cache=None, progress=told.append
    ) as db:
        db.run('SELECT QA("map@q?"; a) FROM w')
    assert told[-1] is None
    last = told[-2]
    assert last is not None and (last.total, last.done, last.requests) == (50, 50, 3)
    assert [progress.done for progress in told if progress] == sorted(
        progress.done for progress in told if progress
    )
