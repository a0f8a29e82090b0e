"""What a program yielded comes in; a Result that prints, turns into a frame and says where its
values came from goes out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from binder.errors import printable
from binder.results import html
from binder.results.trace import Trace
from binder.tables.codec import plain as plain
from binder.tables.codec import text as text

if TYPE_CHECKING:
    import pandas


@dataclass(frozen=True)
class Usage:
    """What a run cost: questions (map inputs and ans), those answered from memory, requests,
    tokens, dollars, seconds."""

    questions: int = 0
    cached: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    seconds: float = 0.0

    def __add__(self, other: Usage) -> Usage:
        costs = [cost for cost in (self.cost, other.cost) if cost is not None]
        sums = {
            name: getattr(self, name) + getattr(other, name)
            for name in vars(self)
            if name != "cost"
        }
        return Usage(**sums, cost=sum(costs) if costs else None)

    def __str__(self) -> str:
        tokens = self.prompt_tokens + self.completion_tokens
        price = "" if self.cost is None else f", ${self.cost:.4f}"
        parts = [
            count(self.questions, "question"),
            count(self.requests, "request"),
            count(tokens, "token"),
        ]
        return f"{', '.join(parts)}{price}, {self.seconds:.2f} s"


@dataclass(frozen=True)
class Missing:
    """A value that there is not, and why. fault: no_answer, bad_type, missing, refused, ...;
    attempts: requests made for it."""

    call: str
    inputs: dict[str, Any]
    fault: str
    attempts: int
    message: str

    def __str__(self) -> str:
        shown = ", ".join(f"{name}={value!r}" for name, value in self.inputs.items())
        return f"no value for {self.call!r}{' with ' + shown if shown else ''}: {self.message}"


@dataclass(frozen=True, eq=False)
class Result:
    """Rows and columns of one executed program. rows hold typed values, texts the same cells as a
    person is shown them."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    texts: list[tuple[str, ...]]
    errors: list[Missing]
    usage: Usage
    trace: Trace
    program: str
    repairs: tuple[str, ...] = ()
    origin: Callable[[int, int], dict[str, Any]] | None = field(default=None, repr=False)
    doubts: tuple[str, ...] = ()

    @property
    def warnings(self) -> list[str]:
        """What a person should know of this result: cells that it could not compute with, guesses
        that it rests on, and what the run tells."""
        others = self.trace.doubts
        general = [line for line in self.trace.warnings if line not in others]
        return [*general, *self.doubts]

    def __len__(self) -> int:
        return len(self.rows)

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        return iter(self.rows)

    def df(self) -> pandas.DataFrame:
        """The rows as a DataFrame."""
        import pandas as pd

        return pd.DataFrame(self.rows, columns=list(self.columns))

    def why(self, row: int, column: int | str = 0) -> dict[str, Any]:
        """Where a value came from: the rows of the tables, and for each call its inputs, the
        request and the raw reply.

        The values of a Python program are not followed: told are all inputs whose answer equals the
        value, also those of other rows or where the value was computed; where there are none, all
        that the program asked."""
        index = self.columns.index(column) if isinstance(column, str) else column
        if not 0 <= row < len(self.rows):
            raise IndexError(f"there are {len(self.rows)} rows")
        return self.origin(row, index) if self.origin is not None else {}

    def data(self) -> dict[str, Any]:
        """The result as JSON data."""
        return {
            "columns": list(self.columns),
            "rows": [[plain(value) for value in row] for row in self.rows],
            "errors": [
                {**asdict(entry), "inputs": {k: plain(v) for k, v in entry.inputs.items()}}
                for entry in self.errors
            ],
            "usage": asdict(self.usage),
            "repairs": list(self.repairs),
            "warnings": self.warnings,
        }

    def __repr__(self) -> str:
        missing = f"; {count(len(self.errors), 'value')} missing" if self.errors else ""
        return f"Result({count(len(self.rows), 'row')}: {', '.join(self.columns)}{missing})"

    def __str__(self) -> str:
        notes = [*map(str, self.errors[:10]), *self.warnings]
        return "\n".join([grid(self.columns, self.texts), *map(printable, notes)])

    def _repr_html_(self) -> str:
        return (
            html.table(self.columns, self.texts)
            + html.notes(
                [
                    *(f"repaired for free: {repair}" for repair in self.repairs),
                    *map(str, self.errors[:20]),
                ]
            )
            + html.notes(self.warnings)
            + html.small(str(self.usage))
        )


def grid(columns: tuple[str, ...], rows: list[tuple[str, ...]], most: int = 40) -> str:
    """Columns and rows as a terminal shows them; control characters are escaped, long cells cut."""
    shown = [[_cell(cell) for cell in row] for row in rows[:most]]
    heads = [_cell(column) for column in columns]
    widths = [max([len(head), *(len(row[i]) for row in shown)]) for i, head in enumerate(heads)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in [heads, *shown]
    ]
    lines.insert(1, "  ".join("-" * width for width in widths))
    if len(rows) > most:
        lines.append(f"... {len(rows) - most} more rows")
    return "\n".join(lines)


def _cell(cell: str) -> str:
    clean = printable(cell.replace("\n", " "))
    return clean if len(clean) <= 60 else clean[:59] + "…"


def count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
