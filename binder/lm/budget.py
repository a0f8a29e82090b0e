"""A Request comes in and is sent only while the budget lasts; what it used is counted, and priced where the model's price is
known.

Once a limit is hit the budget stays closed: nothing is sent any more, whoever asks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib import resources

from binder.errors import BudgetExceeded, LMError
from binder.lm import LM, Reply, Request, Usage
from binder.lm.retry import Retry

Price = tuple[float, float]  # US dollars per million tokens: prompt, completion


@dataclass(frozen=True)
class Budget:
    """The most that may be spent: requests, tokens (prompt and completion), cost in US dollars. None: no limit."""

    requests: int | None = None
    tokens: int | None = None
    cost: float | None = None

    def limits(self) -> dict[str, float]:
        """The limits that are set, by name."""
        return {name: value for name, value in vars(self).items() if value is not None}


class Budgeted:
    """Checks the budget before each request. One stands for one connection: all its runs share it."""

    def __init__(self, lm: LM, budget: Budget, prices: Mapping[str, Price]):
        self.lm = lm
        self.budget = budget
        self.prices = prices
        self.spent = Usage(cost=0.0)
        self.flying = 0
        self.failed: Counter[int] = Counter()  # tries of the requests that are under way
        if isinstance(lm, Retry):
            lm.allow = self._allow

    async def complete(self, request: Request) -> Reply:
        """The reply of the layer below, its cost told; BudgetExceeded where it must not be sent."""
        self.check(request.model)
        self.flying += 1
        try:
            reply = await self.lm.complete(request)
        except LMError as error:  # failed attempts are billed too
            self.spent += priced(error.usage or Usage(), request.model, self.prices)
            raise
        except BudgetExceeded:
            self.spent += Usage(requests=self.failed[id(request)])
            raise
        finally:
            self.flying -= 1
            del self.failed[id(request)]
        usage = priced(reply.usage, request.model, self.prices)
        self.spent += usage
        return replace(reply, usage=usage)

    def check(self, model: str, requests: int = 1) -> None:
        """Raises BudgetExceeded where so many more requests would pass a limit."""
        spent = {
            "requests": self.spent.requests + self.failed.total() + self.flying + requests,
            "tokens": self.spent.prompt_tokens + self.spent.completion_tokens + 1,
            "cost": self.spent.cost or 0.0,
        }
        for name, limit in self.budget.limits().items():
            if spent[name] > limit or (name == "cost" and spent[name] >= limit):
                used = spent[name] - (requests + self.flying if name == "requests" else 1 if name == "tokens" else 0)
                hint = f"raise it: Budget({name}=...)"
                if name == "cost" and price_of(model, self.prices) is None:
                    hint = f"the price of {model!r} is not known: give it with prices="
                needed = f", and {requests} more needed" if name == "requests" and requests else ""
                raise BudgetExceeded(
                    f"the budget of {name} does not last: {used:g} of {limit:g} used{needed}", spent=used, limit=limit, hint=hint
                )

    def _allow(self, request: Request) -> None:
        """Raises BudgetExceeded where a request that failed must not be sent again."""
        self.failed[id(request)] += 1
        self.check(request.model, 0)

    async def close(self) -> None:
        """Closes the layer below."""
        await self.lm.close()


def priced(usage: Usage, model: str, prices: Mapping[str, Price]) -> Usage:
    """The usage with its cost, where the price of the model is known and nobody told the cost."""
    price = price_of(model, prices)
    if usage.cost is not None or price is None:
        return usage
    return replace(usage, cost=(usage.prompt_tokens * price[0] + usage.completion_tokens * price[1]) / 1e6)


def price_of(model: str, prices: Mapping[str, Price]) -> Price | None:
    """The price of a model: that of the longest known name that it begins with."""
    name = model.rpartition("/")[2]
    known = [key for key in {**shipped(), **prices} if name.startswith(key) or model == key]
    return {**shipped(), **prices}[max(known, key=len)] if known else None


@cache
def shipped() -> Mapping[str, Price]:
    """The prices that come with binder."""
    lines = resources.files("binder").joinpath("data/prices.txt").read_text(encoding="utf-8").splitlines()
    fields = [line.split() for line in lines if line.strip() and not line.startswith("#")]
    return {name: (float(prompt), float(completion)) for name, prompt, completion in fields}
