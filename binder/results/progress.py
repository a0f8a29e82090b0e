"""The progress of a run, as a line in a terminal or under a notebook cell.

A display is a function that is called with the Progress again and again, and with None at the
end."""

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
BAR = 20  # characters


@dataclass(frozen=True)
class Progress:
    """What a run has done so far: values wanted, values known, those of them from the cache;
    requests, US dollars, seconds."""

    total: int
    done: int
    cached: int
    requests: int
    cost: float | None
    seconds: float
    stage: str = ""  # what is done where no values are wanted yet

    @property
    def left(self) -> float | None:
        """Seconds left at the speed so far; None before the first answer."""
        asked = self.done - self.cached
        return self.seconds / asked * (self.total - self.done) if asked > 0 else None

    @property
    def ended(self) -> bool:
        """Whether all values are known and nothing else is done."""
        return not self.stage and self.done >= self.total

    def __str__(self) -> str:
        requests = count(self.requests, "request")
        if self.stage:
            return f"{self.stage}, {requests}"
        parts = []
        if self.total:
            parts += [f"{self.done:,}/{self.total:,} values", f"{self.cached:,} cached"]
        parts.append(requests)
        if self.cost is not None:
            parts.append(f"${self.cost:.4f}")
        if self.left is not None and self.done < self.total:
            parts.append(f"{self.left:.0f} s left")
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
    drawn, width = 0.0, 0  # when, and how wide

    def draw(progress: Progress | None) -> None:
        nonlocal drawn, width
        now = time.monotonic()
        if progress is None:
            if width:
                stream.write("\r" + " " * width + "\r")
                stream.flush()
            drawn, width = 0.0, 0
        elif not progress.ended and now - drawn >= EVERY:
            line = _line(progress, shutil.get_terminal_size().columns - 1)
            stream.write("\r" + line.ljust(width))
            stream.flush()
            drawn, width = now, len(line)

    return draw


def _line(progress: Progress, width: int) -> str:
    if progress.stage:
        return str(progress)[:width]
    bar = BAR * progress.done // max(1, progress.total)
    return f"[{'#' * bar}{'.' * (BAR - bar)}] {progress}"[:width]


def in_notebook() -> Display:
    """One output that is replaced, and says at the end what was asked."""
    from IPython.display import HTML
    from IPython.display import display as show

    output: Any = None
    drawn, last = 0.0, ""

    def draw(progress: Progress | None) -> None:
        nonlocal output, drawn, last
        if progress is None:
            if output is not None:
                output.update(HTML(html.small(last)))
            output = None
            return
        last = str(progress)
        if time.monotonic() - drawn < EVERY:
            return
        drawn = time.monotonic()
        line = HTML(html.small(_line(progress, 120)))
        if output is None:
            output = show(line, display_id=True)
        else:
            output.update(line)

    return draw
