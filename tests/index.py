"""The index of public names, which docs/api.md holds: python -m tests.index writes it."""

from __future__ import annotations

import inspect
import re
from pathlib import Path
from typing import Any

import binder

PAGE = Path(__file__).parent.parent / "docs" / "api.md"
HEAD = """# Public names

What `import binder` offers; `help(binder.connect)` tells more of each. The code writes this page.

"""


def index() -> str:
    """The page: functions, nouns and errors, a line each."""
    groups: dict[str, list[str]] = {"Functions": [], "Nouns": [], "Errors": []}
    for name in sorted(binder.__all__):
        found = getattr(binder, name)
        groups[_group(found)].append(_line(name, found))
    tables = [
        f"## {title}\n\n| name | is |\n| --- | --- |\n" + "".join(lines)
        for title, lines in groups.items()
    ]
    return HEAD + "\n".join(tables)


def _group(found: Any) -> str:
    if not isinstance(found, type):
        return "Functions"
    return "Errors" if issubclass(found, Exception) else "Nouns"


def _line(name: str, found: Any) -> str:
    """A name and the first sentence of its docstring."""
    said = " ".join((inspect.getdoc(found) or "").split("\n\n")[0].split())
    first = re.split(r"(?<=[.:])\s", said)[0].rstrip(":")
    parents = ""
    if isinstance(found, type) and issubclass(found, Exception) and found.__base__ is not None:
        parents = f" ({found.__base__.__name__})" if found.__base__ is not Exception else ""
    return f"| `{name}`{parents} | {first.replace('|', chr(92) + '|')} |\n"


if __name__ == "__main__":
    PAGE.write_text(index(), encoding="utf-8")
