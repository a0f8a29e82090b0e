"""What is different between two golden runs, as a person reads it: by section, equal changes
together."""

from __future__ import annotations

import difflib
import json
import re
from collections import defaultdict
from collections.abc import Iterator
from typing import Any

WIDTH = 160  # characters of a line that are shown
NAMED = 8  # items that are named of those with the same change
TEXT = re.compile(r"text:[0-9a-f]{16}")


def differences(old: dict[str, Any], new: dict[str, Any]) -> Iterator[str]:
    """One text for each change, with the items it is found in."""
    for section in dict.fromkeys([*old["sections"], *new["sections"]]):
        before, after = old["sections"].get(section), new["sections"].get(section)
        if before is None or after is None:
            yield f"## {section}: it is only in the {'new' if before is None else 'old'} run"
            continue
        yield from _changes(
            section, _resolved(before, old["texts"]), _resolved(after, new["texts"])
        )


def _changes(section: str, before: dict[str, Any], after: dict[str, Any]) -> Iterator[str]:
    """The changes in one section."""
    found: dict[str, list[str]] = defaultdict(list)
    for item in dict.fromkeys([*before, *after]):
        if item not in before or item not in after:
            found[f"  it is only in the {'old' if item in before else 'new'} run"].append(item)
            continue
        one, other = before[item], after[item]
        for part in dict.fromkeys([*one, *other]):
            if one.get(part) != other.get(part):
                found[f"  {part}:\n{_change(one.get(part), other.get(part))}"].append(item)
    for change, items in found.items():
        more = f" and {len(items) - NAMED:,} more" if len(items) > NAMED else ""
        yield f"## {section}, {len(items):,} items: {'; '.join(items[:NAMED])}{more}\n{change}"


def _change(before: Any, after: Any) -> str:
    """The lines that are not the same."""
    lines = list(difflib.unified_diff(_lines(before), _lines(after), lineterm="", n=1))[2:]
    shown = []
    for index, line in enumerate(lines):
        beside = (
            lines[index + 1]
            if line.startswith("-") and index + 1 < len(lines)
            else lines[index - 1]
            if index
            else ""
        )
        shown.append("    " + _cut(line, beside))
    return "\n".join(
        shown[:60] + ([f"    ... {len(shown) - 60:,} more lines"] if len(shown) > 60 else [])
    )


def _cut(line: str, beside: str) -> str:
    """A line, or of a long one the part where it begins to differ from the one beside it."""
    if len(line) <= WIDTH:
        return line
    pairs = enumerate(zip(line[1:], beside[1:], strict=False), start=1)
    first = next((index for index, (one, other) in pairs if one != other), 1)
    start = max(1, first - WIDTH // 3)
    return f"{line[0]}{'…' if start > 1 else ''}{line[start : start + WIDTH]}{'…' if start + WIDTH < len(line) else ''}"


def _lines(value: Any) -> list[str]:
    if isinstance(value, str):
        return value.split("\n")
    return json.dumps(value, ensure_ascii=False, indent=1, sort_keys=True).split("\n")


def _resolved(value: Any, texts: dict[str, str]) -> Any:
    """A value with the texts that it refers to."""
    if isinstance(value, dict):
        return {name: _resolved(item, texts) for name, item in value.items()}
    if isinstance(value, list):
        return [_resolved(item, texts) for item in value]
    return texts[value].split("\n") if isinstance(value, str) and TEXT.fullmatch(value) else value
