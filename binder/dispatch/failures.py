"""Errors of requests: which are about their inputs, and what becomes of requests made together."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Coroutine, Iterable, Sequence
from typing import Any, TypeVar

from binder.errors import BadReply, BinderError, BudgetExceeded, LMError, Refused

Came = TypeVar("Came")


def about_inputs(error: BinderError) -> bool:
    """Whether an error may be due to the inputs of the request; otherwise no request can be
    answered."""
    if isinstance(error, Refused):
        return error.status in (None, 413)  # by a filter, or for its length
    return isinstance(error, LMError) and error.retryable


def spares(error: BaseException) -> bool:
    """Whether the replies to other requests can be used after an error: it is about its own
    request, or the budget is used up."""
    if isinstance(error, BudgetExceeded):
        return True
    return isinstance(error, BinderError) and about_inputs(error)


async def gathered(coroutines: Iterable[Awaitable[Came]]) -> list[Came | BaseException]:
    """The outcome of each, once all have ended; an error that spares the others stands for its own.

    Any other error is raised. Where nothing came the first error is raised, unless all replies just
    cannot be read."""
    outcomes = await asyncio.gather(*coroutines, return_exceptions=True)
    errors = [outcome for outcome in outcomes if isinstance(outcome, BaseException)]
    for error in errors:
        if not spares(error):
            raise error
    unread = all(isinstance(error, BadReply) for error in errors)
    if len(errors) == len(outcomes) and not unread:
        raise errors[0]
    return outcomes


async def together(coroutines: Sequence[Coroutine[Any, Any, None]]) -> None:
    """Awaits all; after the first error the others are cancelled and none is left running."""
    tasks = [asyncio.ensure_future(coroutine) for coroutine in coroutines]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
