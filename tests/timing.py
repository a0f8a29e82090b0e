"""Time in tests that also hold on a busy machine: waits that end with an event, work whose
processor time grows in proportion, and an event loop whose clock only waits move."""

from __future__ import annotations

import asyncio
import selectors
import time
from collections.abc import Callable
from typing import Any

PATIENCE = 120.0  # seconds until an event counts as one that does not come
ROUNDS = 8  # measurements; the least of them counts
NOTHING = 0.001  # seconds below which processor time says nothing


def until(condition: Callable[[], object]) -> None:
    """Waits for a condition, for as long as a busy machine may need."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.005)


def grows_in_proportion(work: Callable[[int], object], small: int, large: int) -> bool:
    """Whether work of a large size takes at most three times the processor time that its share of
    the small size tells; one measurement that says so is enough, since others may be disturbed."""
    least = {small: float("inf"), large: float("inf")}
    for _ in range(ROUNDS):
        for size in least:
            start = time.thread_time()
            work(size)
            least[size] = min(least[size], time.thread_time() - start)

        if least[large] <= 3 * large / small * max(least[small], NOTHING):
            return True
    return False


class VirtualLoop(asyncio.SelectorEventLoop):
    """A loop in which a wait takes no time: its clock goes on to the moment that is waited for. For
    coroutines that wait for the clock alone."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_NoWait(self))

    def time(self) -> float:
        return self.now


class _NoWait(selectors.DefaultSelector):  # type: ignore[misc,valid-type]
    """A selector that moves the clock of its loop where others wait."""

    def __init__(self, loop: VirtualLoop):
        super().__init__()
        self.loop = loop

    def select(self, timeout: float | None = None) -> list[Any]:
        assert timeout is not None, "nothing is left that could end the wait"
        self.loop.now += max(0.0, timeout)
        return super().select(0)
