"""Settings of a connection come in; the stack of layers that answers its requests goes out:
Record(Cache(Budget(Retry(OpenAI)))).

A recording stands for all of it; an LM of the user's for what is below the budget.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum

from binder.dispatch.answer_cache import AnswerCache
from binder.errors import UsageError
from binder.executors import Input
from binder.lm import LM
from binder.lm.budget import Budget, Budgeted, Price, price_of
from binder.lm.cache import Cache, address
from binder.lm.providers.openai import Endpoint, OpenAI
from binder.lm.replay import Record, Replay
from binder.lm.retry import Retry
from binder.lm.store import Store, default_path
from binder.plan import Ask


class Place(Enum):
    """Where answers are kept when nobody says where: in the platform's cache folder."""

    PLATFORM = "the platform's cache folder"


DEFAULT = Place.PLATFORM


@dataclass(frozen=True)
class Stack:
    """lm: the outermost layer; recall: the values that are kept; budget: the layer that counts."""

    lm: LM
    recall: AnswerCache | None
    budget: Budgeted

    def reasoning(self, kinds: frozenset[str]) -> Stack:
        """The stack for questions of which these kinds reason first: that changes what their
        answers are kept under."""
        if self.recall is None:
            return self
        return replace(self, recall=replace(self.recall, reasoning=kinds))

    def held(self, ask: Ask, inputs: Sequence[Input]) -> int:
        """How many inputs of an ask were answered before."""
        if self.recall is None or not ask.call.per_input:
            return 0
        return len(self.recall.store.get_answers(self.recall.keys(ask, inputs).values()))


def build_stack(
    where: Endpoint,
    lm: LM | None,
    replay: str | os.PathLike[str] | None,
    cache: str | os.PathLike[str] | Place | None,
    timeout: float,
    budget: Budget | None,
    prices: Mapping[str, Price],
    record: str | os.PathLike[str] | None = None,
    embeddings: str | None = None,
) -> tuple[Stack, str]:
    """The layers of a connection, and the name of its model."""
    budget = budget or Budget()
    if replay is not None:
        replayed = Replay(replay)
        model = replayed.model or where.model or ""
        recall = AnswerCache(replayed.store(), model, replayed.endpoint)
        stack = Stack(replayed, recall, Budgeted(replayed, budget, prices))
    else:
        model = where.model or ("" if lm is None else "scripted")
        for name in (model, embeddings) if budget.cost is not None else ():
            if name is not None and price_of(name, prices) is None:
                raise UsageError(
                    f"a budget of cost needs the price of {name!r}",
                    hint="give it: prices={model: (dollars per million prompt tokens, completion)}",
                )
        if isinstance(cache, Place):
            cache = default_path() if lm is None else None
        store = Store(cache) if cache is not None else None
        budgeted = Budgeted(
            lm if lm is not None else Retry(OpenAI(where, timeout, store)), budget, prices
        )
        stack = Stack(budgeted, None, budgeted)
        if store is not None:
            place = address(where.base_url, where.api_key)
            stack = Stack(Cache(budgeted, store, place), AnswerCache(store, model, place), budgeted)
    if record is None:
        return stack, model
    recording = Record(stack.lm, record)
    recording.note("started", model=model, endpoint=stack.recall.endpoint if stack.recall else "")
    return replace(
        stack, lm=recording, recall=stack.recall and replace(stack.recall, told=recording.note)
    ), model
