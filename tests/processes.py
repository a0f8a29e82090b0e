"""The processes that a process has started, as the system knows them; one is killed while it
works."""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

from tests.timing import until


def children(pid: int | None = None) -> set[int]:
    """The processes that a process started: this one, where no other is named."""
    # a thread that ends meanwhile hands its children to another one: one look can miss some
    return set().union(*(_children(pid or os.getpid()) for _ in range(5)))


def _children(pid: int) -> set[int]:
    found: set[int] = set()
    try:
        for thread in Path(f"/proc/{pid}/task").iterdir():
            found.update(map(int, (thread / "children").read_text().split()))
    except OSError:  # it, or one of its threads, has ended
        pass
    return found


def alive(pid: int) -> bool:
    """Whether a process runs."""
    return _status(pid)[:1] not in ([], ["Z"], ["X"])


def exists(pid: int) -> bool:
    """Whether the system still knows a process, if only as a zombie."""
    return _status(pid) != []


def ticks(pid: int) -> int:
    """The processor time that a process has used, in ticks of the system."""
    fields = _status(pid)
    return int(fields[11]) + int(fields[12]) if fields else 0


@contextlib.contextmanager
def killed_when_busy(process: int, *workers: int) -> Iterator[None]:
    """Kills a process as soon as it, or one of those that work for it, has used processor time."""
    watched = (process, *workers)
    before = sum(map(ticks, watched))

    def killing() -> None:
        until(lambda: sum(map(ticks, watched)) > before + 5)
        os.kill(process, signal.SIGKILL)

    thread = threading.Thread(target=killing)
    thread.start()
    yield
    thread.join()


def _status(pid: int) -> list[str]:
    """What the system says of a process after its name; nothing where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []
