"""The parent's end of the process that runs Python programs."""

from __future__ import annotations

import json
import sys
from importlib.util import find_spec
from typing import Any

from binder.errors import BinderError, LimitExceeded, ProgramFailed, UsageError
from binder.executors.workers.subprocess import Process
from binder.tables.codec import encode

INSTALL = "install it with: pip install 'binder-lm[python]'"
FIXED = {"depth": 500, "result_mb": 64, "regex_steps": 1_000_000}  # limits that no setting changes


class Sandbox(Process):
    """A process with the tables of one connection, in which any number of programs wait for
    answers."""

    module = "binder.executors.workers.monty_worker"
    grace = 1.0  # it stops programs itself

    def failed(self, reply: dict[str, Any]) -> BinderError:
        """The error that a reply with a fault stands for."""
        if reply["fault"] == "program":
            return ProgramFailed(reply.get("kind", ""), reply["message"], reply.get("line"))
        if reply["fault"] in FIXED:
            return LimitExceeded(reply["fault"], FIXED[reply["fault"]])
        return super().failed(reply)

    def start(self, number: int, program: dict[str, Any]) -> dict[str, Any]:
        """Starts a program under a number; what it asks first, or returns."""
        limits = {"seconds": self.limits.seconds, "memory_mb": self.limits.memory_mb}
        return self._ask({"verb": "start", "id": number, **limits, **program})[0]

    def resume(self, number: int, values: list[Any]) -> dict[str, Any]:
        """Goes on with a program; what it asks next, or returns."""
        return self._ask({"verb": "resume", "id": number}, json.dumps(encode(values)).encode())[0]

    def end(self, number: int) -> None:
        """Forgets a program."""
        self._ask({"verb": "end", "id": number})

    def lives(self, generation: int) -> bool:
        """Whether the process of a generation is still there, with the programs that it holds."""
        process = self._process
        return generation == self.generation and process is not None and process.poll() is None


def available() -> None:
    """Refuses, with the way out, where the sandbox is not installed."""
    if sys.modules.get("pydantic_monty", True) is None or find_spec("pydantic_monty") is None:
        raise UsageError("Python programs need pydantic-monty", hint=INSTALL)
