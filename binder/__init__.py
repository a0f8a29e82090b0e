"""binder answers questions over tables with programs that a person can read, check and trust."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from binder.answer import Answer, Candidate
    from binder.engine import Binder, connect
    from binder.errors import BinderError
    from binder.executors.process import Limits
    from binder.lm.budget import Budget
    from binder.memory import Exemplar, Memory
    from binder.plan import Plan
    from binder.result import Result
    from binder.sampling import Sampling
    from binder.vote import Voting

__version__ = "0.1.0"

_HOMES = {
    "Answer": "answer",
    "Binder": "engine",
    "Budget": "lm.budget",
    "BinderError": "errors",
    "Candidate": "answer",
    "Exemplar": "memory",
    "Limits": "executors.process",
    "Memory": "memory",
    "Plan": "plan",
    "Result": "result",
    "Sampling": "sampling",
    "Voting": "vote",
    "connect": "engine",
}

__all__ = [
    "Answer",
    "Binder",
    "BinderError",
    "Budget",
    "Candidate",
    "Exemplar",
    "Limits",
    "Memory",
    "Plan",
    "Result",
    "Sampling",
    "Voting",
    "connect",
]


def __getattr__(name: str) -> Any:
    """Public names are imported when first used: `import binder` costs nothing, and neither does a worker process."""
    if name == "load_ipython_extension":
        return import_module("binder.magic").load_ipython_extension
    if name in _HOMES:
        return getattr(import_module(f"binder.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'binder' has no attribute {name!r}")
