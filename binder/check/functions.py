"""The functions of a program come in; a CheckFault with the place marked goes out where one is not on the allow-list."""

from __future__ import annotations

from functools import cache
from importlib import resources

from binder.errors import CheckFault, nearest
from binder.program import PREFIX, Program


@cache
def allowed() -> frozenset[str]:
    """The names of the functions that a program may call."""
    lines = resources.files("binder").joinpath("data/functions.txt").read_text(encoding="utf-8").splitlines()
    return frozenset(name for line in lines if not line.startswith("#") for name in line.split())


def check(program: Program) -> None:
    """Refuses a function that is unknown or could reach the outside."""
    for name, span in program.functions:
        if name not in allowed() or name.startswith(PREFIX):
            close = nearest(name, sorted(allowed()))
            hint = f"did you mean {', '.join(close)}?" if close else "write it with standard functions of DuckDB"
            raise CheckFault(f"the function {name!r} is not allowed in a program", text=program.text, span=span, hint=hint)
