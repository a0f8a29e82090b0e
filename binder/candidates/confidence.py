"""P(True): the language model's own confidence in an answer.

After "Language Models (Mostly) Know What They Know" (2022): from the probability of the first token
where the endpoint tells it, else from how often the model says so."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from binder.candidates.generate import Complete
from binder.dispatch.failures import spares
from binder.errors import BinderError
from binder.lm import Choice
from binder.prompt.programs import belief_request
from binder.tables.cells import read_boolean
from binder.tables.table import Table

LEAST = 0.5  # of the probability must be that of true and false, else the token was another


async def believe(
    question: str,
    tables: Sequence[Table],
    texts: Sequence[str],
    model: str,
    times: int,
    complete: Complete,
) -> float | None:
    """The confidence between 0 and 1; None if the model does not tell. times: the most requests."""
    request = belief_request(question, tables, texts, model=model)
    try:
        first = await complete(request)
        told = _chance(first.choices[0])
        if told is not None:
            return told
        others = [replace(request, sample=number) for number in range(1, times)]
        replies = [first, *await asyncio.gather(*map(complete, others))]
    except BinderError as error:
        if spares(error):  # the answer itself stands
            return None
        raise
    verdicts = [read_boolean(reply.text) for reply in replies]
    said = [verdict for verdict in verdicts if verdict is not None]
    return sum(said) / len(said) if said else None


def _chance(choice: Choice) -> float | None:
    """The probability of true among those of true and false."""
    chances = {True: 0.0, False: 0.0}
    for token, chance in choice.chances or ():
        truth = read_boolean(token)
        if truth is not None:
            chances[truth] += chance
    total = sum(chances.values())
    return chances[True] / total if total > LEAST else None
