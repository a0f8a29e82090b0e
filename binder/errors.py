"""The exceptions of binder. Each message says what is wrong, where, and what to do.

BinderError
├── ProgramError(span, hint)      the program text is wrong; span marks the spot
│   ├── SyntaxFault               rejected by the grammar
│   └── CheckFault                does not match the tables or uses something not allowed
├── PlanError                     no plan answers the program exactly
├── ExecutionError                failed at run time
│   ├── QueryError                DuckDB rejected or failed a query
│   ├── ProgramFailed(kind, line) a Python program raised an exception
│   ├── SandboxError              a worker process died or could not be started
│   └── LimitExceeded(kind, limit)
├── LMError(retryable)            the endpoint of the language model
│   ├── NotConfigured             no model, no endpoint or no key is set
│   ├── RateLimited               429, or the quota is exhausted
│   ├── Refused                   rejected by the endpoint: key, model, request, content filter
│   ├── BadReply                  unreadable reply
│   ├── Unreachable               no connection, time-out, server error
│   └── MissingValues(errors)     strict: some values are missing
├── BudgetExceeded(spent, limit)
├── UsageError                    wrong argument or option
├── InternalError                 binder itself is at fault
└── DataError(path, row)          a table that cannot be loaded
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple


class Span(NamedTuple):
    """A range of characters in a program; the end is exclusive."""

    start: int
    end: int


def printable(text: str) -> str:
    """Text with control, direction and invisible characters escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


class BinderError(Exception):
    """Base class. str() is the message for people; hint says what to do next."""

    def __init__(self, message: str, *, hint: str | None = None):
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return printable(self.message) + self._advice()

    def _advice(self) -> str:
        """The hint as a further line of the message."""
        return printable(f"\n  hint: {self.hint}") if self.hint else ""


class ProgramError(BinderError):
    """An error in the text of a program. `feedback()` formats it for the model that repairs the
    program."""

    def __init__(
        self,
        message: str,
        *,
        text: str | None = None,
        span: Span | None = None,
        hint: str | None = None,
    ):
        super().__init__(message, hint=hint)
        self.text = text
        self.span = span

    def __str__(self) -> str:
        place = caret(self.text, self.span) if self.text and self.span else ""
        return printable(self.message) + place + self._advice()

    def feedback(self) -> str:
        """The error as a message to the model."""
        return f"{type(self).__name__}: {self}"


class SyntaxFault(ProgramError):
    """The program does not parse."""


class CheckFault(ProgramError):
    """The program parses but does not match the tables, or uses something not allowed."""


class PlanError(BinderError):
    """No plan answers this program exactly."""


class ExecutionError(BinderError):
    """A checked program failed while it ran."""


class QueryError(ExecutionError):
    """DuckDB rejected or failed a query."""


class ProgramFailed(ExecutionError):
    """A Python program raised an exception. kind: exception class; line: 1-based line; text and
    span: the spot."""

    def __init__(self, kind: str, message: str, line: int | None = None):
        super().__init__(f"the program raised {kind}: {message}" if kind else message)
        self.kind, self.cause, self.line = kind, message, line
        self.text: str | None = None
        self.span: Span | None = None

    def __str__(self) -> str:
        return self.message + (caret(self.text, self.span) if self.text and self.span else "")

    def __reduce__(self) -> tuple[type, tuple[str, str, int | None]]:
        return type(self), (self.kind, self.cause, self.line)


class SandboxError(ExecutionError):
    """A worker process died or could not be started."""


# Kinds of limits -> the setting that raises them; the others are fixed.
_RAISED_BY = {
    **{kind: f"limits=Limits({kind}=...)" for kind in ("seconds", "memory_mb", "rows", "bytes")},
    "deadline": "deadline=...",
}


class LimitExceeded(ExecutionError):
    """A limit of DuckDB's or the sandbox's own work was reached, or the deadline of the run. kind:
    seconds, memory_mb, rows, bytes, deadline, or a limit that is fixed."""

    def __init__(self, kind: str, limit: float, *, hint: str | None = None):
        setting = _RAISED_BY.get(kind)
        advice = f"raise it: {setting}" if setting else "this limit is fixed; do less in one step"
        if hint is None:
            hint = advice
        elif f"{kind}=" not in hint:  # it may say so already, in its own words
            hint = f"{hint}; {advice}"
        super().__init__(f"stopped: the program exceeded the limit {kind}={limit:g}", hint=hint)
        self.kind = kind
        self.limit = limit

    def __reduce__(self) -> tuple[type, tuple[str, float], dict[str, Any]]:
        return type(self), (self.kind, self.limit), {"hint": self.hint}


class LMError(BinderError):
    """The endpoint of the language model failed; retryable says whether the same request may
    succeed later.

    tries: maximum attempts for such a request; None: the default. usage: tokens billed for the
    failed attempt, if known; above the retry layer, for all attempts."""

    retryable = False

    def __init__(
        self, message: str, *, hint: str | None = None, tries: int | None = None, usage: Any = None
    ):
        super().__init__(message, hint=hint)
        self.tries = tries
        self.usage = usage


class NotConfigured(LMError):
    """No model, no endpoint or no key is set."""


class RateLimited(LMError):
    """HTTP 429; not retryable if the quota is exhausted. retry_after: the seconds that the endpoint
    asks to wait."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        retry_after: float | None = None,
        quota: bool = False,
        tries: int | None = None,
    ):
        super().__init__(message, hint=hint, tries=tries)
        self.retry_after = retry_after
        self.retryable = not quota


class Refused(LMError):
    """The endpoint rejected the request: key, permission, unknown model, bad request. status: the
    HTTP status."""

    def __init__(
        self, message: str, *, hint: str | None = None, status: int | None = None, usage: Any = None
    ):
        super().__init__(message, hint=hint, usage=usage)
        self.status = status


class BadReply(LMError):
    """The reply is unreadable."""

    retryable = True


class Unreachable(LMError):
    """No connection, time-out or a server error. connected: whether the request reached the
    endpoint."""

    retryable = True

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        connected: bool = True,
        tries: int | None = None,
    ):
        super().__init__(message, hint=hint, tries=tries)
        self.connected = connected


class MissingValues(LMError):
    """Some values are missing, and strict=True. errors: one entry for each."""

    def __init__(self, message: str, *, errors: Sequence[Any] = (), hint: str | None = None):
        super().__init__(message, hint=hint)
        self.errors = tuple(errors)


class BudgetExceeded(BinderError):
    """The budget is exhausted, or the next request would exceed it. partial: the answers so far, as
    JSON data."""

    def __init__(self, message: str, *, spent: float, limit: float, hint: str | None = None):
        super().__init__(message, hint=hint)
        self.spent = spent
        self.limit = limit
        self.partial: dict[str, Any] = {}


class UsageError(BinderError):
    """binder was called with a wrong argument or option."""


class InternalError(BinderError):
    """A bug in binder. The original exception is its __cause__."""


@contextmanager
def contained() -> Iterator[None]:
    """A block in which an exception that is not binder's own becomes an InternalError: one program
    fails, and others go on."""
    try:
        yield
    except BinderError:
        raise
    except Exception as error:
        raise internal(error) from error


def internal(error: Exception) -> InternalError:
    """The InternalError for an unforeseen exception; it says where that was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = ""
    if trace is not None:
        place = f" (in {trace.tb_frame.f_globals.get('__name__')}, line {trace.tb_lineno})"
    fault = InternalError(
        f"binder itself failed: {type(error).__name__}: {error}{place}",
        hint="this is a bug in binder: please report it, with the program and its tables",
    )
    fault.__cause__ = error
    return fault


class DataError(BinderError):
    """A table cannot be loaded. path: the file, if there is one; row: the line in it."""

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        row: int | None = None,
        hint: str | None = None,
    ):
        super().__init__(message, hint=hint)
        self.path = path
        self.row = row


_LONGEST_LINE = 110  # characters of a line that is shown whole
_BEFORE = 50  # characters before the span in a longer one


def caret(text: str, span: Span) -> str:
    """The line of text that holds the span, with carets below it, as further lines of a message."""
    start = min(span.start, len(text))
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    line = text[first : last if last >= 0 else len(text)]
    offset = start - first
    width = min(span.end - start, len(line) - offset)
    if len(line) > _LONGEST_LINE:
        cut = max(0, offset - _BEFORE)
        mark = "…" if cut else ""
        line = mark + line[cut : cut + _LONGEST_LINE]
        offset += len(mark) - cut
        width = min(width, len(line) - offset)
    end = offset + max(1, width)
    # Escaped characters are wider than they were.
    before, within, after = map(printable, (line[:offset], line[offset:end], line[end:]))
    carets = "^" * max(1, len(within))
    return f"\n    {before}{within}{after}\n    {' ' * len(before)}{carets}"


_LONGEST_NAME = 200  # the search for similar names is quadratic in it


def nearest(name: str, known: list[str], most: int = 3) -> list[str]:
    """The known names most similar to a name, best first, for hints."""
    import difflib

    if len(name) > _LONGEST_NAME:
        return []
    folded = {k.casefold(): k for k in reversed(known)}
    close = difflib.get_close_matches(name.casefold(), list(folded), n=most, cutoff=0.5)
    return [folded[match] for match in close]
