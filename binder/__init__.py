"""binder answers questions over tables with programs that a person can read, check and trust."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # "as" hands a name on
    from binder.candidates.answer import Answer as Answer
    from binder.candidates.answer import Candidate as Candidate
    from binder.candidates.sampling import Sampling as Sampling
    from binder.candidates.vote import Voting as Voting
    from binder.engine import Binder as Binder
    from binder.engine import connect as connect
    from binder.errors import BinderError as BinderError
    from binder.executors.workers.subprocess import Limits as Limits
    from binder.lm.budget import Budget as Budget
    from binder.plan import Plan as Plan
    from binder.prompt.memory import Exemplar as Exemplar
    from binder.prompt.memory import Memory as Memory
    from binder.results.result import Result as Result
    from binder.tables.csv import csv as csv

__version__ = "0.1.0"

_HOMES = {
    "Answer": "candidates.answer",
    "Binder": "engine",
    "BinderError": "errors",
    "Budget": "lm.budget",
    "Candidate": "candidates.answer",
    "Exemplar": "prompt.memory",
    "Limits": "executors.workers.subprocess",
    "Memory": "prompt.memory",
    "Plan": "plan",
    "Result": "results.result",
    "Sampling": "candidates.sampling",
    "Voting": "candidates.vote",
    "connect": "engine",
    "csv": "tables.csv",
}

__all__ = list(_HOMES)


def __getattr__(name: str) -> Any:
    """Public names are imported when first used: `import binder` costs nothing, and neither does a
    worker process."""
    if name == "load_ipython_extension":
        return import_module("binder.cli.notebook").load_ipython_extension
    if name in _HOMES:
        return getattr(import_module(f"binder.{_HOMES[name]}"), name)
    raise AttributeError(f"module 'binder' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, which are not there before they are used."""
    return sorted({*globals(), *_HOMES})
