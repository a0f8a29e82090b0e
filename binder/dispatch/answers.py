"""What is known about one input of a question."""

from __future__ import annotations

from dataclasses import dataclass

from binder.executors import Value


@dataclass(frozen=True)
class InputAnswer:
    """The answer to one input, or why there is none, and the event of the trace that says so."""

    value: Value
    fault: str | None = None
    message: str = ""
    attempts: int = 1
    event: int | None = None
