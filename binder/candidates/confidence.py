"""A question, its tables and an answer come in; how sure the language model is that the answer is
true goes out.

P(True) of "Language Models (Mostly) Know What They Know" (2022): from the probability of the first
token where the endpoint tells it, else from how often it says so."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from binder.dispatch.failures import spares
from binder.errors import BinderError
from binder.lm import Choice, Reply, Request
from binder.prompt.programs import belief_request
from binder.tables.cells import read_boolean
from binder.tables.table import Table


async def believe(
    question: str,
    tables: Sequence[Table],
    texts: Sequence[str],
    model: str,
    times: int,
    complete: Callable[[Request], Awaitable[Reply]],
) -> float | None:
    """The belief between 0 and 1; None where nothing can be told. times: the most requests."""
    request = belief_request(question, tables, texts, model=model)
    try:
        first = await complete(request)
        told = _chance(first.choices[0])
        if told is not None:
            return told
        others = [replace(request, sample=number) for number in range(1, times)]
        replies = [first, *await asyncio.gather(*map(complete, others))]
    except BinderError as error:
        if spares(error):
            return None
        raise
    said = [truth for reply in replies if (truth := read_boolean(reply.text)) is not None]
    return sum(said) / len(said) if said else None


def _chance(choice: Choice) -> float | None:
    """The probability of true among those of true and false."""
    found = {True: 0.0, False: 0.0}
    for token, chance in choice.chances or ():
        truth = read_boolean(token)
        if truth is not None:
            found[truth] += chance
    total = sum(found.values())
    return found[True] / total if total > 0.5 else None
