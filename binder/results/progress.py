"""How far a run has come in; a line that keeps up with it goes out, in a terminal or under a
notebook cell, and nowhere else.

A display is a function that is given the Progress again and again, and None at the end.
"""

from __future__ import annotations

import shutil
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TextIO

from binder.results import html
from binder.results.result import count

EVERY = 0.1  # seconds between two drawings


@dataclass(frozen=True)
class Progress:
    """Values wanted so far, those that are there, those of them that were remembered; requests,
    dollars, seconds."""

    total: int
    done: int
    cached: int
    requests: int
    cost: float | None
    seconds: float
    stage: str = ""  # what is done where no values are wanted yet

    @property
    def left(self) -> float | None:
        """Seconds left at the speed so far; None where nothing was asked yet."""
        asked = self.done - self.cached
        return self.seconds / asked * (self.total - self.done) if asked > 0 else None

    def __str__(self) -> str:
        if self.stage:
            return f"{self.stage}, {count(self.requests, 'request')}"
        parts = (
            [f"{self.done:,}/{self.total:,} values", f"{self.cached:,} cached"]
            if self.total
            else []
        )
        parts += [count(self.requests, "request")]
        parts += [f"${self.cost:.4f}"] if self.cost is not None else []
        parts += (
            [f"{self.left:.0f} s left"] if self.left is not None and self.done < self.total else []
        )
        return ", ".join(parts)


Display = Callable[[Progress | None], None]


def display() -> Display:
    """The display that fits where binder runs: a notebook, a terminal, or none."""
    python = sys.modules.get("IPython")
    if python is not None and hasattr(python.get_ipython(), "kernel"):
        return in_notebook()
    return in_terminal(sys.stderr) if sys.stderr is not None and sys.stderr.isatty() else off


def off(_: Progress | None) -> None:
    """Shows nothing."""


def in_terminal(stream: TextIO) -> Display:
    """One line that is drawn over itself and taken away at the end."""
    drawn = [0.0, 0]  # when, and how wide

    def draw(progress: Progress | None) -> None:
        now = time.monotonic()
        if progress is None:
            if drawn[1]:
                stream.write("\r" + " " * int(drawn[1]) + "\r")
                stream.flush()
            drawn[:] = [0.0, 0]
        elif (progress.stage or progress.done < progress.total) and now - drawn[0] >= EVERY:
            line = _line(progress, shutil.get_terminal_size().columns - 1)
            stream.write("\r" + line.ljust(int(drawn[1])))
            stream.flush()
            drawn[:] = [now, len(line)]

    return draw


def _line(progress: Progress, width: int) -> str:
    if progress.stage:
        return str(progress)[:width]
    bar = 20 * progress.done // max(1, progress.total)
    return f"[{'#' * bar}{'.' * (20 - bar)}] {progress}"[:width]


def in_notebook() -> Display:
    """One output that is replaced, and says at the end what was asked."""
    from IPython.display import HTML
    from IPython.display import display as show

    handle: list[Any] = []
    drawn, last = [0.0], [""]

    def draw(progress: Progress | None) -> None:
        if progress is None:
            if handle:
                handle[0].update(HTML(html.small(last[0])))
            handle.clear()
            return
        last[0] = str(progress)
        if time.monotonic() - drawn[0] >= EVERY:
            drawn[0] = time.monotonic()
            if handle:
                handle[0].update(HTML(html.small(_line(progress, 120))))
            else:
                handle.append(show(HTML(html.small(_line(progress, 120))), display_id=True))

    return draw
