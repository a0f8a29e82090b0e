"""The retry layer: a request is sent until there is a reply, an error that will not pass, or the
tries are used up.

Waits grow and are scattered (exponential back-off, full jitter). What one request learns about the
endpoint holds for all: how long it asks to wait, and that it is down. An error that concerns the
whole run, not one request, comes out as not retryable."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from dataclasses import replace

from binder.errors import LMError, RateLimited, Unreachable
from binder.lm import LM, Layer, Reply, Request, RequestUsage

STRANGER = 3  # tries where an endpoint that has never answered refuses the connection
# requests given up in a row, over all workers, before the endpoint counts as down if it does not
# answer a probe
DOWN = 3


class Retry(Layer):
    """Sends a request again after an error that may pass."""

    def __init__(
        self,
        lm: LM,
        tries: int = 5,
        first_wait: float = 0.5,
        longest_wait: float = 20.0,
        most_wait: float = 120.0,
    ):
        """tries: of one request; first_wait, longest_wait: seconds of back-off; most_wait: what the
        endpoint may ask for."""
        self.lm = lm
        self.tries = tries
        self.first_wait, self.longest_wait, self.most_wait = first_wait, longest_wait, most_wait
        # raises where a request must not be sent again
        self.allow: Callable[[Request], None] = lambda request: None
        self._not_before = 0.0  # the endpoint asked all to wait until then
        self._answered: Request | None = None  # the last request that was answered
        self._given_up = 0  # requests in a row
        self._down = False

    async def complete(self, request: Request) -> Reply:
        """The reply, or the last error; either has the usage of all tries."""
        failed, number = RequestUsage(), 0
        while True:
            number += 1
            await self._turn()
            try:
                reply = await self.lm.complete(request)
            except LMError as error:
                spoke = error.usage is not None or not error.retryable
                if spoke:
                    self._given_up, self._down = 0, False
                failed += error.usage or RequestUsage(requests=1, estimated=1)
                error.usage = failed
                if not self._again(error, number):
                    raise (error if spoke else await self._given(error)) from None
                self.allow(request)
            else:
                self._answered, self._given_up, self._down = request, 0, False
                return replace(reply, usage=failed + reply.usage) if number > 1 else reply
            await asyncio.sleep(
                random.uniform(0, min(self.longest_wait, self.first_wait * 2 ** (number - 1)))
            )

    async def _turn(self) -> None:
        """Waits until the endpoint wants to hear from anyone again."""
        while (wait := self._not_before - _now()) > 0:
            await asyncio.sleep(wait + random.uniform(0, min(wait, self.first_wait)))

    def _again(self, error: LMError, number: int) -> bool:
        """Whether a request that failed so many times is sent again."""
        wait = isinstance(error, RateLimited) and error.retry_after or 0.0
        if wait > self.most_wait:
            return False
        self._not_before = max(self._not_before, _now() + wait)
        most = error.tries or (STRANGER if self._strange(error) else self.tries)
        return error.retryable and not self._down and number < most

    async def _given(self, error: LMError) -> LMError:
        """The error of a request that is given up; where the endpoint answers nobody any more, the
        one that stops the run."""
        wait = isinstance(error, RateLimited) and error.retry_after or 0.0
        self._given_up += 1
        if wait > self.most_wait:
            error.message = (
                f"the endpoint asks to wait {wait:,.0f} s,"
                f" longer than the maximum of {self.most_wait:g} s: {error.message}"
            )
        elif await self._is_down(error):
            self._down = True
            error.message = f"every request to the endpoint fails: {error.message}"
        else:
            return error
        error.retryable = False
        return error

    async def _is_down(self, error: LMError) -> bool:
        """Whether the endpoint answers nobody."""
        if self._down or self._strange(error):
            return True
        return self._given_up >= DOWN and not await self._probe(error)

    def _strange(self, error: LMError) -> bool:
        """Whether nothing was ever heard from an endpoint, and it cannot be connected to."""
        return self._answered is None and isinstance(error, Unreachable) and not error.connected

    async def _probe(self, error: LMError) -> bool:
        """Whether the endpoint still answers the last request that it answered; if so, it is the
        other requests that fail."""
        self._given_up = 0
        if self._answered is None:
            return False
        await self._turn()
        try:
            reply = await self.lm.complete(self._answered)
        except LMError:
            return False
        error.usage += reply.usage
        return True


def _now() -> float:
    """The time by the clock of the loop, which the waits go by too."""
    return asyncio.get_running_loop().time()
