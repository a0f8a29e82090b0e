"""binder answers questions over tables with programs that you can read, check and trust."""

from __future__ import annotations

import sys
import warnings
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # "as" hands a name on
    from binder.candidates.answer import Answer as Answer
    from binder.candidates.answer import Candidate as Candidate
    from binder.candidates.sampling import Sampling as Sampling
    from binder.candidates.vote import Voting as Voting
    from binder.engine import Binder as Binder
    from binder.engine import connect as connect
    from binder.errors import BadReply as BadReply
    from binder.errors import BinderError as BinderError
    from binder.errors import BudgetExceeded as BudgetExceeded
    from binder.errors import CheckFault as CheckFault
    from binder.errors import DataError as DataError
    from binder.errors import ExecutionError as ExecutionError
    from binder.errors import InternalError as InternalError
    from binder.errors import LimitExceeded as LimitExceeded
    from binder.errors import LMError as LMError
    from binder.errors import MissingValues as MissingValues
    from binder.errors import NotConfigured as NotConfigured
    from binder.errors import ProgramError as ProgramError
    from binder.errors import ProgramFailed as ProgramFailed
    from binder.errors import QueryError as QueryError
    from binder.errors import RateLimited as RateLimited
    from binder.errors import Refused as Refused
    from binder.errors import SandboxError as SandboxError
    from binder.errors import SyntaxFault as SyntaxFault
    from binder.errors import Unreachable as Unreachable
    from binder.errors import UsageError as UsageError
    from binder.executors.workers.subprocess import Limits as Limits
    from binder.language.functions.mcp import mcp as mcp
    from binder.language.functions.own import Function as Function
    from binder.lm.budget import Budget as Budget
    from binder.plan import Plan as Plan
    from binder.prompt.memory import Exemplar as Exemplar
    from binder.prompt.memory import Memory as Memory
    from binder.results.result import Missing as Missing
    from binder.results.result import Result as Result
    from binder.results.result import Usage as Usage
    from binder.results.trace import Event as Event
    from binder.results.trace import Trace as Trace
    from binder.tables.csv import csv as csv
    from binder.tables.table import Table as Table


__version__ = "0.1.0"

_HOMES = {
    "Answer": "candidates.answer",
    "BadReply": "errors",
    "Binder": "engine",
    "BinderError": "errors",
    "Budget": "lm.budget",
    "BudgetExceeded": "errors",
    "Candidate": "candidates.answer",
    "CheckFault": "errors",
    "DataError": "errors",
    "Event": "results.trace",
    "ExecutionError": "errors",
    "Exemplar": "prompt.memory",
    "Function": "language.functions.own",
    "InternalError": "errors",
    "LMError": "errors",
    "LimitExceeded": "errors",
    "Limits": "executors.workers.subprocess",
    "Memory": "prompt.memory",
    "Missing": "results.result",
    "MissingValues": "errors",
    "NotConfigured": "errors",
    "Plan": "plan",
    "ProgramError": "errors",
    "ProgramFailed": "errors",
    "QueryError": "errors",
    "RateLimited": "errors",
    "Refused": "errors",
    "Result": "results.result",
    "Sampling": "candidates.sampling",
    "SandboxError": "errors",
    "SyntaxFault": "errors",
    "Table": "tables.table",
    "Trace": "results.trace",
    "Unreachable": "errors",
    "Usage": "results.result",
    "UsageError": "errors",
    "Voting": "candidates.vote",
    "connect": "engine",
    "csv": "tables.csv",
    "mcp": "language.functions.mcp",
}

__all__ = list(_HOMES)


# modules that documentation named before they moved -> where they are; gone in the next release
_MOVED = {
    "answer": "candidates.answer",
    "demo": "cli.demo",
    "lm.openai": "lm.providers.openai",
    "magic": "cli.notebook",
    "memory": "prompt.memory",
    "program": "language.program",
    "progress": "results.progress",
    "result": "results.result",
    "sampling": "candidates.sampling",
    "table": "tables.table",
    "trace": "results.trace",
    "tune": "benchmarks.tune",
    "vote": "candidates.vote",
}


class _MovedFinder:
    """Finds a module by the name that it had before it moved."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> ModuleSpec | None:
        """Where to load a module from that has moved; None for any other."""
        moved = name.removeprefix("binder.") in _MOVED and name.startswith("binder.")
        return ModuleSpec(name, _MovedFinder()) if moved else None  # type: ignore[arg-type]

    def create_module(self, spec: ModuleSpec) -> None:
        """An empty module; exec_module replaces it."""

    def exec_module(self, module: ModuleType) -> None:
        """Puts the moved module in the place of its old name: it is one module, not a copy."""
        sys.modules[module.__name__] = _moved(module.__name__.removeprefix("binder."))


def _moved(name: str) -> ModuleType:
    """The module that had a name, with a warning, at the line that used it, that tells its new
    one."""
    new = f"binder.{_MOVED[name]}"
    # above this function and its caller: Python leaves out the frames of an import by itself
    warnings.warn(f"binder.{name} is now {new}", DeprecationWarning, stacklevel=3)
    return import_module(new)


sys.meta_path.append(_MovedFinder())  # asked last, when no module of the name is there


def __getattr__(name: str) -> Any:
    """Public names are imported when first used: `import binder` costs nothing, and neither does a
    worker process."""
    if name == "load_ipython_extension":
        return import_module("binder.cli.notebook").load_ipython_extension
    if name in _HOMES:
        return getattr(import_module(f"binder.{_HOMES[name]}"), name)
    if name in _MOVED:
        return _moved(name)
    raise AttributeError(f"module 'binder' has no attribute {name!r}")


def __dir__() -> list[str]:
    """The public names, which are not there before they are used."""
    return [*__all__, "__version__"]
