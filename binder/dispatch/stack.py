"""The stack of layers that answers the requests of a connection:
Record(Cache(Budget(Retry(provider)))).

A recording stands for all of it; an LM of the user's for what is below the budget.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import Enum

from binder.dispatch.answer_cache import AnswerCache
from binder.errors import UsageError
from binder.executors import Input
from binder.lm import LM
from binder.lm.budget import Budget, Budgeted, Price, price_of
from binder.lm.cache import Cache
from binder.lm.providers import Endpoint, open_provider
from binder.lm.replay import Record, Replay
from binder.lm.retry import Retry
from binder.lm.store import Store, default_path
from binder.plan import Ask


class Place(Enum):
    """Where answers are kept by default: in the platform's cache folder."""

    PLATFORM = "the platform's cache folder"


DEFAULT = Place.PLATFORM


@dataclass(frozen=True)
class StackSettings:
    """What a connection says about its language model; see `connect`."""

    endpoint: Endpoint
    lm: LM | None = None
    replay: str | os.PathLike[str] | None = None
    record: str | os.PathLike[str] | None = None
    cache: str | os.PathLike[str] | Place | None = DEFAULT
    timeout: float = 60.0
    budget: Budget = Budget()
    prices: Mapping[str, Price] = field(default_factory=dict)
    embeddings: str | None = None

    @property
    def model(self) -> str:
        """The name of the model; an LM of the user's need not have one."""
        return self.endpoint.model or ("" if self.lm is None else "scripted")


@dataclass(frozen=True)
class Stack:
    """lm: the outermost layer; cache: the answers that are kept; budget: the layer that counts."""

    lm: LM
    cache: AnswerCache | None
    budget: Budgeted

    def reasoning(self, kinds: frozenset[str]) -> Stack:
        """The stack for questions of which these kinds reason first: that changes what their
        answers are kept under."""
        if self.cache is None:
            return self
        return replace(self, cache=replace(self.cache, reasoning=kinds))

    def held(self, ask: Ask, inputs: Sequence[Input]) -> int:
        """How many inputs of an ask were answered before."""
        if self.cache is None or not ask.call.per_input:
            return 0
        return len(self.cache.store.get_answers(self.cache.keys(ask, inputs).values()))


def build_stack(settings: StackSettings) -> tuple[Stack, str]:
    """The layers of a connection, and the name of its model."""
    if settings.replay is not None:
        stack, model = _replayed(settings, settings.replay)
    else:
        stack, model = _live(settings), settings.model
    if settings.record is None:
        return stack, model
    recording, cache = Record(stack.lm, settings.record), stack.cache
    recording.note("started", model=model, endpoint=cache.endpoint if cache else "")
    if cache is not None:
        cache = replace(cache, told=recording.note)
    return replace(stack, lm=recording, cache=cache), model


def _replayed(settings: StackSettings, path: str | os.PathLike[str]) -> tuple[Stack, str]:
    """The layers over a recording, and the name of its model."""
    replay = Replay(path)
    model = replay.model or settings.endpoint.model or ""
    cache = AnswerCache(replay.store(), model, replay.endpoint)
    return Stack(replay, cache, Budgeted(replay, settings.budget, settings.prices)), model


def _live(settings: StackSettings) -> Stack:
    """The layers over an endpoint, or over an LM of the user's."""
    _check_prices(settings)
    file, lm, endpoint = settings.cache, settings.lm, settings.endpoint
    if isinstance(file, Place):
        file = default_path() if lm is None else None
    store = Store(file) if file is not None else None
    if lm is None:
        lm = Retry(open_provider(endpoint, settings.timeout, store))
    budgeted = Budgeted(lm, settings.budget, settings.prices)
    if store is None:
        return Stack(budgeted, None, budgeted)
    cache = AnswerCache(store, settings.model, endpoint.place)
    return Stack(Cache(budgeted, store, endpoint.place), cache, budgeted)


def _check_prices(settings: StackSettings) -> None:
    """Refuses a budget of cost for a model without a price."""
    if settings.budget.cost is None:
        return
    for name in (settings.model, settings.embeddings):
        if name is not None and price_of(name, settings.prices) is None:
            raise UsageError(
                f"Budget(cost=) needs the price of {name!r}",
                hint="pass prices={model: (dollars per million prompt tokens,"
                " per million completion tokens)}",
            )
