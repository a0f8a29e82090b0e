"""Every exception of binder: a program, a file or an endpoint goes wrong, and one sentence with the place and a hint comes out.

BinderError
├── ProgramError(span, hint)      the text of a program is at fault; span marks the place
│   ├── SyntaxFault               it is not in the language (grammar)
│   └── CheckFault                it is, but does not fit the tables, or asks for what is not allowed
├── PlanError                     a program that no plan can answer exactly
├── ExecutionError                it was checked, and failed while it ran
│   ├── QueryError                the engine refused a query or failed on it
│   ├── ProgramFailed(kind, line) a Python program raised an exception
│   ├── SandboxError              a worker process died or could not be started
│   └── LimitExceeded(kind, limit)
├── LMError(retryable)            the endpoint of the language model
│   ├── NotConfigured             no model, no endpoint or no key is set
│   ├── RateLimited               429, or the quota is used up
│   ├── Refused                   the endpoint says no: key, permission, unknown model, bad request, content filter
│   ├── BadReply                  a reply that cannot be read
│   ├── Unreachable               no connection, time-out, server error
│   └── MissingValues(errors)     strict: some values are missing
├── BudgetExceeded(spent, limit)
├── UsageError                    binder itself was called wrongly (an argument, an option)
├── InternalError                 binder itself is at fault
└── DataError(path, row)          a table that cannot be loaded
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple


class Span(NamedTuple):
    """Where something stands in a program: offsets of characters, the end not included."""

    start: int
    end: int


def printable(text: str) -> str:
    """A text that is safe to show: characters that steer a terminal, or turn or hide what is written, are escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else repr(c)[1:-1] for c in text)


class BinderError(Exception):
    """Base of all; str() is what a person reads, hint says what to do next."""

    def __init__(self, message: str, *, hint: str | None = None):
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return printable(self.message + (f"\n  hint: {self.hint}" if self.hint else ""))


class ProgramError(BinderError):
    """A fault in the text of a program. `feedback()` is the same for the language model that shall repair it."""

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
        return (
            printable(self.message)
            + place
            + printable(f"\n  hint: {self.hint}" if self.hint else "")
        )

    def feedback(self) -> str:
        """The error as a message to the author of the program."""
        return f"{type(self).__name__}: {self}"


class SyntaxFault(ProgramError):
    """The text is not in the language."""


class CheckFault(ProgramError):
    """The text is in the language but does not fit the tables, or asks for what is not allowed."""


class PlanError(BinderError):
    """No plan answers this program exactly."""


class ExecutionError(BinderError):
    """A checked program failed while it ran."""


class QueryError(ExecutionError):
    """The engine refused a query or failed on it."""


class ProgramFailed(ExecutionError):
    """A Python program raised an exception. kind: its class; line: where, counted from 1; text and span mark the place."""

    def __init__(self, kind: str, message: str, line: int | None = None):
        super().__init__(
            f"the program failed: {kind}: {message}" if kind else f"the program failed: {message}"
        )
        self.kind, self.cause, self.line = kind, message, line
        self.text: str | None = None
        self.span: Span | None = None

    def __str__(self) -> str:
        return self.message + (caret(self.text, self.span) if self.text and self.span else "")

    def __reduce__(self) -> tuple[type, tuple[str, str, int | None]]:
        return type(self), (self.kind, self.cause, self.line)


class SandboxError(ExecutionError):
    """A worker process died or could not be started."""


class LimitExceeded(ExecutionError):
    """A limit of the engine's own work was reached: kind is one of seconds, memory_mb, rows, ..."""

    def __init__(self, kind: str, limit: float, *, hint: str | None = None):
        super().__init__(f"the program was stopped: it needs more than {kind}={limit:g}", hint=hint)
        self.kind = kind
        self.limit = limit

    def __reduce__(self) -> tuple[type, tuple[str, float]]:
        return type(self), (self.kind, self.limit)


class LMError(BinderError):
    """The endpoint of the language model failed; retryable says whether the same request may succeed later.

    tries: how often such a request is worth sending at most, None for as often as usual. usage: what the failure was billed,
    where that is known; above the retry layer, what all tries were billed.
    """

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
    """HTTP 429; not retryable when the quota is used up. retry_after: seconds the endpoint asks to wait."""

    def __init__(
        self,
        message: str,
        *,
        hint: str | None = None,
        retry_after: float | None = None,
        quota: bool = False,
    ):
        super().__init__(message, hint=hint)
        self.retry_after = retry_after
        self.retryable = not quota


class Refused(LMError):
    """The endpoint says no: key, permission, unknown model, bad request. status is the HTTP status."""

    def __init__(
        self, message: str, *, hint: str | None = None, status: int | None = None, usage: Any = None
    ):
        super().__init__(message, hint=hint, usage=usage)
        self.status = status


class BadReply(LMError):
    """A reply that cannot be read."""

    retryable = True


class Unreachable(LMError):
    """No connection, time-out or a server error. connected: whether the request got as far as the endpoint."""

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
    """With strict=True: some values are missing. errors: an entry for each."""

    def __init__(self, message: str, *, errors: Sequence[Any] = (), hint: str | None = None):
        super().__init__(message, hint=hint)
        self.errors = tuple(errors)


class BudgetExceeded(BinderError):
    """The budget is used up, or what is left to ask would exceed it. partial: what is known so far, as JSON data."""

    def __init__(self, message: str, *, spent: float, limit: float, hint: str | None = None):
        super().__init__(message, hint=hint)
        self.spent = spent
        self.limit = limit
        self.partial: dict[str, Any] = {}


class UsageError(BinderError):
    """binder was called wrongly."""


class InternalError(BinderError):
    """An exception in binder that is a fault of binder and of nobody else. The original is its __cause__."""


@contextmanager
def contained() -> Iterator[None]:
    """A block in which an exception that is not binder's own becomes an InternalError: one program fails, and others go on."""
    try:
        yield
    except BinderError:
        raise
    except Exception as error:
        raise internal(error) from error


def internal(error: Exception) -> InternalError:
    """The InternalError for an exception that nobody foresaw; it says where that was raised."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = (
        f" (in {trace.tb_frame.f_globals.get('__name__')}, line {trace.tb_lineno})"
        if trace is not None
        else ""
    )
    fault = InternalError(
        f"binder itself failed: {type(error).__name__}: {error}{place}",
        hint="this is a fault of binder: please report it, with the program and its tables",
    )
    fault.__cause__ = error
    return fault


class DataError(BinderError):
    """A table cannot be loaded. path: the file, where there is one; row: the line in it."""

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


def caret(text: str, span: Span) -> str:
    """The line of text that holds the span, with carets below it, as further lines of a message."""
    start = min(span.start, len(text))
    first = text.rfind("\n", 0, start) + 1
    last = text.find("\n", start)
    line = text[first : last if last >= 0 else len(text)]
    offset = start - first
    width = max(1, min(span.end - start, len(line) - offset))
    if len(line) > 110:  # a window around the place
        cut = max(0, offset - 50)
        line, offset = (
            ("…" if cut else "") + line[cut : cut + 110],
            offset - cut + (1 if cut else 0),
        )
        width = max(1, min(width, len(line) - offset))
    before, within, after = line[:offset], line[offset : offset + width], line[offset + width :]
    before, within = printable(before), printable(within)
    return f"\n    {before}{within}{printable(after)}\n    {' ' * len(before)}{'^' * max(1, len(within))}"


def nearest(name: str, known: list[str], most: int = 3) -> list[str]:
    """The known names that look most like a name, best first: for hints."""
    import difflib

    if len(name) > 200:  # the search is quadratic
        return []
    folded = {k.casefold(): k for k in reversed(known)}
    return [
        folded[m]
        for m in difflib.get_close_matches(name.casefold(), list(folded), n=most, cutoff=0.5)
    ]
