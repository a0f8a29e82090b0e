"""Results, usage and missing values, and how they are displayed."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from binder.errors import printable
from binder.results import html
from binder.results.columns import to_arrow, to_pandas, to_polars
from binder.results.trace import Trace
from binder.results.web import Routed
from binder.tables.codec import plain as plain
from binder.tables.codec import text as text

if TYPE_CHECKING:
    import pandas
    import pyarrow

MOST_ROWS = 40  # of a grid
WIDTH = 60  # of a cell in a grid


@dataclass(frozen=True)
class Usage:
    """What a run used: questions (map inputs and ans calls), cached questions, requests, tokens,
    US dollars, seconds, and inputs that own functions were applied to."""

    questions: int = 0
    cached: int = 0
    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    seconds: float = 0.0
    applied: int = 0

    def __add__(self, other: Usage) -> Usage:
        sums = {name: value + getattr(other, name) for name, value in self._counts().items()}
        costs = [cost for cost in (self.cost, other.cost) if cost is not None]
        return Usage(**sums, cost=sum(costs) if costs else None)

    def _counts(self) -> dict[str, Any]:
        """Everything but the cost, which may be unknown."""
        return {name: value for name, value in vars(self).items() if name != "cost"}

    def __str__(self) -> str:
        tokens = self.prompt_tokens + self.completion_tokens
        parts = [
            count(self.questions, "question"),
            count(self.requests, "request"),
            count(tokens, "token"),
        ]
        if self.applied:
            parts.append(f"own functions applied to {count(self.applied, 'input')}")
        if self.cost is not None:
            parts.append(f"${self.cost:.4f}")
        return ", ".join([*parts, f"{self.seconds:.2f} s"])


@dataclass(frozen=True)
class Missing:
    """A missing value and the reason for it. fault: no_answer, bad_type, missing, refused, ...;
    attempts: requests made for it."""

    call: str
    inputs: dict[str, Any]
    fault: str
    attempts: int
    message: str

    def __str__(self) -> str:
        inputs = ", ".join(f"{name}={value!r}" for name, value in self.inputs.items())
        shown = f" ({inputs})" if inputs else ""
        return f"missing value for {self.call!r}{shown}: {self.message}"

    def data(self) -> dict[str, Any]:
        """The entry as JSON data."""
        inputs = {name: plain(value) for name, value in self.inputs.items()}
        return {**asdict(self), "inputs": inputs}


@dataclass(frozen=True, eq=False)
class Result(Routed):
    """The result of one program. rows: typed values; texts: the same cells as displayed."""

    columns: tuple[str, ...]
    rows: list[tuple[Any, ...]]
    texts: list[tuple[str, ...]]
    errors: list[Missing]
    usage: Usage
    trace: Trace
    program: str
    repairs: tuple[str, ...] = ()
    origin: Callable[[int, int], dict[str, Any]] | None = field(default=None, repr=False)
    types: tuple[pyarrow.DataType, ...] = field(default=(), repr=False)

    doubts: tuple[str, ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)

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

    def arrow(self) -> pyarrow.Table:
        """The rows as an Arrow table, in the types of the engine."""
        return to_arrow(self.columns, self.rows, self.types)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.arrow().__arrow_c_stream__(requested_schema)

    def df(self) -> pandas.DataFrame:
        """The rows as a pandas DataFrame; integers and truths may be missing and stay what they
        are."""
        return to_pandas(self.arrow())

    def pl(self) -> Any:
        """The rows as a polars DataFrame."""
        return to_polars(self.arrow())

    def __getstate__(self) -> dict[str, Any]:
        """What a copy keeps: all but the connection, of which `why` asks."""
        return {**vars(self), "origin": None}

    def why(self, row: int, column: int | str = 0) -> dict[str, Any]:
        """The origin of a value: the table rows behind it and, for each call, its inputs, request
        and raw reply.

        Values of a Python program are not tracked: it lists every input whose answer equals the
        value, or all inputs if there is none."""
        index = self.columns.index(column) if isinstance(column, str) else column
        if not 0 <= row < len(self.rows):
            rows = count(len(self.rows), "row")
            raise IndexError(f"row {row} is out of range: the result has {rows}")
        return self.origin(row, index) if self.origin is not None else {}

    def data(self) -> dict[str, Any]:
        """The result as JSON data."""
        return {
            "columns": list(self.columns),
            "rows": [plain(row) for row in self.rows],
            "errors": [entry.data() for entry in self.errors],
            "usage": asdict(self.usage),
            "repairs": list(self.repairs),
            "warnings": self.warnings,
            **({"params": plain(dict(self.params))} if self.params else {}),
        }

    def __repr__(self) -> str:
        missing = f"; {count(len(self.errors), 'value')} missing" if self.errors else ""
        return f"Result({count(len(self.rows), 'row')}: {', '.join(self.columns)}{missing})"

    def __str__(self) -> str:
        notes = [*map(str, self.errors[:10]), *self.warnings]
        return "\n".join([grid(self.columns, self.texts), *map(printable, notes)])

    def _repr_html_(self) -> str:
        notes = [f"auto-repaired: {repair}" for repair in self.repairs]
        notes += map(str, self.errors[:20])
        parts = [
            html.table(self.columns, self.texts),
            html.notes(notes),
            html.notes(self.warnings),
            html.small(str(self.usage)),
        ]
        return "".join(parts)


def grid(columns: tuple[str, ...], rows: list[tuple[str, ...]], most: int = MOST_ROWS) -> str:
    """A text table for a terminal; control characters are escaped, long cells cut."""
    heads = [_cell(column) for column in columns]
    shown = [[_cell(cell) for cell in row] for row in rows[:most]]
    widths = list(map(len, heads))
    for row in shown:
        widths = [max(width, len(cell)) for width, cell in zip(widths, row, strict=True)]
    rule = ["-" * width for width in widths]
    lines = [_aligned(row, widths) for row in (heads, rule, *shown)]
    if len(rows) > most:
        lines.append(f"... {len(rows) - most} more rows")
    return "\n".join(lines)


def _aligned(row: list[str], widths: list[int]) -> str:
    cells = [cell.ljust(width) for cell, width in zip(row, widths, strict=True)]
    return "  ".join(cells).rstrip()


def _cell(cell: str) -> str:
    clean = printable(cell.replace("\n", " "))
    return clean if len(clean) <= WIDTH else clean[: WIDTH - 1] + "…"


def count(number: int, noun: str) -> str:
    """A number of things, in words."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
