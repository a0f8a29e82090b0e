"""The processes that a process has started, as the system knows them."""

from __future__ import annotations

import os
from pathlib import Path


def children(pid: int | None = None) -> set[int]:
    """The processes that a process started: this one, where no other is named."""
    folder = Path(f"/proc/{pid or os.getpid()}/task")
    try:
        return {
            int(child)
            for thread in folder.iterdir()
            for child in (thread / "children").read_text().split()
        }
    except OSError:  # it has ended
        return set()


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


def _status(pid: int) -> list[str]:
    """What the system says of a process after its name; nothing where there is none."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
    except OSError:
        return []
