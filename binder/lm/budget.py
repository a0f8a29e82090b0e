"""The budget of a connection: requests are sent only while it lasts; what they use is counted, and
priced where the price is known.

Once it is used up the budget stays closed: nothing is sent any more, whoever asks.
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache

from binder.data import listed
from binder.errors import BudgetExceeded, LMError
from binder.lm import LM, Layer, Reply, Request, RequestUsage
from binder.lm.retry import Retry
from binder.lm.tokens import estimate

Price = tuple[float, float]  # US dollars per million tokens: prompt, completion
_DATE = re.compile(r"-\d{4}-?\d{2}-?\d{2}\Z")  # of a release, at the end of a model's name


@dataclass(frozen=True)
class Budget:
    """Spending limits: requests, tokens (prompt and completion), cost in US dollars. None: no
    limit."""

    requests: int | None = None
    tokens: int | None = None
    cost: float | None = None

    def limits(self) -> dict[str, float]:
        """The limits that are set, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}


class Budgeted(Layer):
    """Checks the budget before each request. One stands for one connection: all its runs share it.

    What a request says is counted before it is sent, as estimated, and what the reply says
    afterwards: only by that can the requests that are under way pass a limit of tokens or cost. One
    that would pass a limit waits for those under way, for what they use is not known yet, and they
    are paid for."""

    def __init__(self, lm: LM, budget: Budget, prices: Mapping[str, Price]):
        self.lm = lm
        self.budget = budget
        self.prices = prices
        self.spent = RequestUsage(cost=0.0)
        # the least that what is under way will use, until it has ended
        self.flying: dict[asyncio.Future[None], RequestUsage] = {}
        self.failed: Counter[int] = Counter()  # tries of the requests that are under way
        if isinstance(lm, Retry):
            lm.allow = self._allow

    async def complete(self, request: Request) -> Reply:
        """The reply of the layer below, its cost told; BudgetExceeded where it must not be sent."""
        needed = self._needed(request)
        await self._turn(needed)
        ended = asyncio.get_running_loop().create_future()
        self.flying[ended] = needed
        try:
            reply = await self.lm.complete(request)
        except LMError as error:  # failed attempts are billed too
            self.spent += priced(error.usage or RequestUsage(), request.model, self.prices)
            raise
        except BudgetExceeded:
            self.spent += RequestUsage(requests=self.failed[id(request)])
            raise
        finally:
            del self.flying[ended], self.failed[id(request)]
            ended.set_result(None)
        usage = priced(reply.usage, request.model, self.prices)
        self.spent += usage
        return replace(reply, usage=usage)

    def check(self, needed: RequestUsage) -> None:
        """Raises BudgetExceeded where what is needed, beside what is under way, would pass a
        limit."""
        used = _measured(self.spent + RequestUsage(self.failed.total()))
        flying = _measured(sum(self.flying.values(), RequestUsage()))
        more = _measured(needed)
        for name, limit in self.budget.limits().items():
            if used[name] + flying[name] + more[name] > limit:
                last = f", {round(more[name], 6):,} more needed" if more[name] else ""
                raise BudgetExceeded(
                    f"budget exceeded: {round(used[name], 6):,} of {limit:,} {name} used{last}",
                    spent=used[name],
                    limit=limit,
                    hint=f"raise it: Budget({name}=...)",
                )

    async def _turn(self, needed: RequestUsage) -> None:
        """Waits until it is sure whether a request may be sent; BudgetExceeded where it must
        not."""
        loop = asyncio.get_running_loop()
        while True:
            try:
                return self.check(needed)
            except BudgetExceeded:
                # not those of the parent after a fork
                others = [ended for ended in self.flying if ended.get_loop() is loop]
                if not others:
                    raise
            await asyncio.wait(others, return_when=asyncio.FIRST_COMPLETED)

    def _needed(self, request: Request) -> RequestUsage:
        """The least that a request will use, priced; its tokens are only worth estimating for a
        limit that counts them."""
        if self.budget.tokens is None and self.budget.cost is None:
            return RequestUsage(1)
        said = sum(estimate(message.content) for message in request.messages)
        return priced(RequestUsage(1, said), request.model, self.prices)

    def _allow(self, request: Request) -> None:
        """Raises BudgetExceeded where a request that failed must not be sent again."""
        self.failed[id(request)] += 1
        self.check(RequestUsage())


def _measured(usage: RequestUsage) -> dict[str, float]:
    """A usage by the names of the limits."""
    return {
        "requests": usage.requests,
        "tokens": usage.prompt_tokens + usage.completion_tokens,
        "cost": usage.cost or 0.0,
    }


def priced(usage: RequestUsage, model: str, prices: Mapping[str, Price]) -> RequestUsage:
    """The usage with its cost, where the price of the model is known and nobody told the cost."""
    price = price_of(model, prices)
    if usage.cost is not None or price is None:
        return usage
    return replace(
        usage, cost=(usage.prompt_tokens * price[0] + usage.completion_tokens * price[1]) / 1e6
    )


def price_of(model: str, prices: Mapping[str, Price]) -> Price | None:
    """The price of a model, by its name with or without vendor and date. Another suffix is another
    model, with another price: gpt-4.1-mini is not gpt-4.1."""
    known = {**shipped(), **prices}
    name = model.rpartition("/")[2]
    for called in (model, name, _DATE.sub("", name)):
        if called in known:
            return known[called]
    return None


@cache
def shipped() -> Mapping[str, Price]:
    """The prices that come with binder."""
    fields = (line.split() for line in listed("prices.txt"))
    return {name: (float(prompt), float(completion)) for name, prompt, completion in fields}
