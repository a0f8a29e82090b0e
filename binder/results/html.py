"""HTML for notebooks, without scripts or style sheets; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from binder.errors import printable

CELL = "text-align:left;vertical-align:top;padding:2px 16px 2px 0"
HEAD = f"{CELL};border-bottom:1px solid"
MONO = "font-family:monospace;white-space:pre-wrap;word-break:normal;overflow-wrap:anywhere"
MOST_ROWS = 60


def text(value: str) -> str:
    """A text with markup and control characters made harmless."""
    return escape(printable(value)).replace("\n", "<br>")


def table(columns: Sequence[str], rows: Sequence[Sequence[str]], most: int = MOST_ROWS) -> str:
    """A table; rows beyond the most are counted."""
    head = _row("th", HEAD, columns)
    body = "".join(_row("td", CELL, row) for row in rows[:most])
    more = small(f"{len(rows) - most} more rows") if len(rows) > most else ""
    style = "border-collapse:collapse;margin:4px 0"
    return f'<table style="{style}"><thead>{head}</thead><tbody>{body}</tbody></table>{more}'


def _row(tag: str, style: str, cells: Sequence[str]) -> str:
    inner = "".join(f'<{tag} style="{style}">{text(cell)}</{tag}>' for cell in cells)
    return f"<tr>{inner}</tr>"


def code(source: str) -> str:
    """A program or a plan; long lines are wrapped."""
    return f'<pre style="margin:4px 0;{MONO}">{escape(printable(source))}</pre>'


def notes(lines: Iterable[str]) -> str:
    """A list of remarks, which may hold programs with marked places; empty without remarks."""
    items = "".join(f'<li style="{MONO}">{text(line)}</li>' for line in lines)
    return f'<ul style="margin:4px 0">{items}</ul>' if items else ""


def small(line: str) -> str:
    """A line below something."""
    return f'<div style="opacity:0.65;font-size:85%">{text(line)}</div>'


def details(title: str, inner: str) -> str:
    """Something that opens on a click; inner is HTML already."""
    return f"<details><summary>{text(title)}</summary>{inner}</details>"
