"""Parameters: values that a program is given and that are never part of its text.

`$name` and `:name` take the value of that name, `?` and `$1` the next, or the first, of a list. In
the question of a call only `$name` stands for a value, as text, and `$$` for a dollar sign."""

from __future__ import annotations

import datetime
import json
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from binder.errors import CheckFault, Span, UsageError, nearest
from binder.tables.codec import dump, plain, text

Params = Mapping[str, Any] | Sequence[Any] | None
TYPES = (
    bool,
    int,
    float,
    Decimal,
    str,
    bytes,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    type(None),
)
_LISTED = "text, number, truth, date, time, duration, bytes, None, or a list of these"
_MOST_DIGITS = 38  # of a number that the engine computes with exactly
_IN_QUESTION = re.compile(r"\$(\$|[^\W\d]\w*)")


@dataclass(frozen=True)
class Parameters:
    """The values that a program is given. Those with equal keys are equal: 1, 1.0 and True are
    not. passed: whether any were, be it none of them."""

    key: str = ""
    values: Mapping[str, Any] = field(default_factory=dict, compare=False)
    passed: bool = True

    def data(self) -> dict[str, Any]:
        """The values as JSON data."""
        return {name: plain(value) for name, value in self.values.items()}

    def lines(self) -> list[str]:
        """A line for each value."""
        return [f"parameter {name} = {value!r}" for name, value in self.values.items()]


NONE = Parameters(passed=False)


def parameters(params: Params) -> Parameters:
    """The values of a mapping by name, or of a list by number."""
    if params is None:
        return NONE
    if isinstance(params, (str, bytes)) or not isinstance(params, (Mapping, Sequence)):
        raise UsageError(
            f"params is a {type(params).__name__}",
            hint='params={"name": value} for $name, params=[value] for ?',
        )
    items: Any = params.items() if isinstance(params, Mapping) else enumerate(params, 1)
    values = {str(name): _plainest(value) for name, value in items}
    return Parameters(dump(list(values.items())), values)


def _plainest(value: Any) -> Any:
    """A value as Python has it: a number of numpy as a number, a missing value as None."""
    if type(value).__name__ in ("NaTType", "NAType"):
        return None
    if isinstance(value, (list, tuple)):
        return [_plainest(item) for item in value]
    if getattr(value, "ndim", None) == 0:
        return value.item()
    return value.to_pydatetime() if hasattr(value, "to_pydatetime") else value


_DATE = re.compile(r"\d{4}-\d\d-\d\d(?:[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?)?\Z")


def read_value(written: str) -> Any:
    """A value as a command line writes it: JSON, or a date, or else text. A number with a leading
    zero is no JSON, so that codes stay text; one with a point is exact."""
    try:
        value = json.loads(written, parse_float=Decimal, parse_constant=str)
    except ValueError:
        value = written
    if value != written or isinstance(value, dict):
        return written if isinstance(value, dict) else value
    try:
        if _DATE.match(written):
            kind = datetime.date if len(written) == 10 else datetime.datetime
            return kind.fromisoformat(written)
    except ValueError:
        pass  # no such day: a text
    return written


class Binding:
    """The values in the places of one program. `values` has those that stand outside of questions,
    in the order of the text."""

    def __init__(self, program: str, given: Parameters, dialect: str = "duckdb"):
        self.program, self.given = program, given
        self.dialect = dialect
        self.values: list[Any] = []
        self._used: set[str] = set()
        self._marks = 0  # `?` so far

    def bind(self, sign: str, span: Span) -> None:
        """The value of a parameter as it is written at a place."""
        self._marks += sign == "?"
        name = str(self._marks) if sign == "?" else sign[1:]
        self.values.append(self._value(name, sign, span))

    def question(self, asked: str, span: Span) -> str:
        """A question with the texts of the parameters in it."""

        def said(match: re.Match[str]) -> str:
            if match[1] == "$":
                return "$"
            start = self.program.find(match[0], span.start)
            place = Span(start, start + len(match[0]))
            value = self._value(match[1], match[0], place, "for a dollar sign write $$")
            if _is_in(value, (type(None), bytes)):
                what = "None" if value is None else "bytes"
                raise self._fault(f"{match[0]} is {what}: a question needs a text", place)
            return text(value)

        return _IN_QUESTION.sub(said, asked)

    def close(self) -> None:
        """Refuses values that no place of the program takes."""
        unused = [name for name in self.given.values if name not in self._used]
        if not unused:
            return
        names = ", ".join(map(repr, unused))
        raise self._fault(
            f"the program does not use the parameter{'s' * (len(unused) > 1)} {names}",
            Span(0, len(self.program)),
            f"write ${unused[0]} where its value belongs, or leave it out of params",
        )

    def _value(self, name: str, sign: str, span: Span, *advice: str) -> Any:
        values = self.given.values
        if name not in values:
            hint = f'params={{"{name}": ...}}' if name.isidentifier() else "params=[...]"
            if close := nearest(name, list(values)):
                hint += f"; did you mean ${close[0]}?"
            message = f"no value is given for the parameter {sign}"
            raise self._fault(message, span, "; ".join([hint, *advice]))
        self._used.add(name)
        problem = _problem(values[name])
        if problem is None and self.dialect == "sqlite" and _sqlite_lacks(values[name]):
            problem = "SQLite has no such value"
        if problem:
            raise self._fault(f"{sign} cannot be bound: {problem}", span, f"bind {_LISTED}")
        return values[name]

    def _fault(self, message: str, span: Span, hint: str | None = None) -> CheckFault:
        return CheckFault(message, text=self.program, span=span, hint=hint)


def _problem(value: Any) -> str | None:
    """Why a value cannot be bound, if it cannot."""
    if isinstance(value, list):
        return next(filter(None, map(_problem, value)), None)
    if not isinstance(value, TYPES):
        return f"a value of type {type(value).__name__} has no equal in SQL"
    if isinstance(value, str) and ("\0" in value or not _is_unicode(value)):
        return "its text holds a character that no table can hold"
    digits = 0
    if isinstance(value, Decimal):
        if not value.is_finite():
            return f"{value} is no decimal number"
        digits = len(format(value, "f").lstrip("-").replace(".", ""))
    elif isinstance(value, int):
        digits = len(str(abs(value))) if abs(value) < 10**400 else 400
    return f"a number of more than {_MOST_DIGITS} digits" if digits > _MOST_DIGITS else None


def _sqlite_lacks(value: Any) -> bool:
    """Whether SQLite has no literal of a value: a duration, bytes, infinity, no number."""
    if isinstance(value, list):
        return any(map(_sqlite_lacks, value))
    endless = isinstance(value, float) and not math.isfinite(value)
    return endless or isinstance(value, (datetime.timedelta, bytes))


def _is_unicode(value: str) -> bool:
    return value.isascii() or not any("\ud800" <= sign <= "\udfff" for sign in value)


def _is_in(value: Any, kinds: tuple[type, ...]) -> bool:
    """Whether a value, or one in its list, is of some kinds."""
    if isinstance(value, list):
        return any(_is_in(item, kinds) for item in value)
    return isinstance(value, kinds)


# Tokens of a literal: a kind, STRING, NUMBER or the text of a word or sign itself, and a text.
Piece = tuple[str, str]


def pieces(value: Any, dialect: str = "duckdb") -> list[Piece]:
    """A value as the tokens of a literal of its type; SQLite keeps dates as texts."""
    if isinstance(value, list):
        listed: list[Piece] = []
        for item in value:
            listed += [("WORD", ","), *pieces(item, dialect)]
        return [("WORD", "["), *listed[1:], ("WORD", "]")]
    if value is None or isinstance(value, bool):
        return [("WORD", {None: "NULL", True: "TRUE", False: "FALSE"}[value])]
    if isinstance(value, (int, float, Decimal)):
        return _number(value)
    if isinstance(value, str):
        return [("STRING", str(value))]
    if dialect == "sqlite":
        written = value.isoformat(" ") if isinstance(value, datetime.datetime) else str(value)
        return [("STRING", written)]
    kind, written = _typed(value)
    return [*_words("CAST ("), ("STRING", written), *_words(f"AS {kind} )")]


def _number(value: float | Decimal) -> list[Piece]:
    """A number; a float has an exponent, else the engine reads it as a decimal."""
    if isinstance(value, float) and not math.isfinite(value):
        return [*_words("CAST ("), ("STRING", repr(float(value))), *_words("AS DOUBLE )")]
    if isinstance(value, float):
        written = repr(abs(float(value)))
        written += "" if "e" in written else "e0"
    else:
        written = format(abs(value), "f") if isinstance(value, Decimal) else str(abs(int(value)))
    number = ("NUMBER", written)
    return [*_words("( -"), number, *_words(")")] if value < 0 else [number]


def _typed(value: Any) -> tuple[str, str]:
    """The SQL type of a value that has no literal of its own, and its text."""
    if isinstance(value, bytes):
        return "BLOB", "".join(f"\\x{byte:02X}" for byte in value)
    if isinstance(value, datetime.timedelta):
        seconds = value // datetime.timedelta(microseconds=1)
        return "INTERVAL", f"{seconds} microseconds"
    if isinstance(value, datetime.datetime):
        return "TIMESTAMP" if value.tzinfo is None else "TIMESTAMPTZ", value.isoformat(" ")
    return "DATE" if isinstance(value, datetime.date) else "TIME", value.isoformat()


def _words(text: str) -> list[Piece]:
    return [("WORD", word) for word in text.split()]
