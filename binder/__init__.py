"""binder answers questions over tables with programs that a person can read, check and trust."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # "as" hands a name on
    from binder.answer import Answer as Answer
    from binder.answer import Candidate as Candidate
    from binder.engine import Binder as Binder
    from binder.engine import connect as connect
    from binder.errors import BinderError as BinderError
    from binder.executors.process import Limits as Limits
    from binder.lm.budget import Budget as Budget
    from binder.memory import Exemplar as Exemplar
    from binder.memory import Memory as Memory
    from binder.plan import Plan as Plan
    from binder.result import Result as Result
    from binder.sampling import Sampling as Sampling
    from binder.vote import Voting as Voting

__version__ = "0.1.0"

_HOMES = {
    "Answer": "answer",
    "Binder": "engine",
    "BinderError": "errors",
    "Budget": "lm.budget",
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

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Public names are imported when first used: `import binder` costs nothing, and neither does a worker process."""
    if name == "load_ipython_extension":
        return import_module("binder.magic").load_ipython_extension
    if name in _HOMES:
        return getattr(import_module(f"binder.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'binder' has no attribute {name!r}")
