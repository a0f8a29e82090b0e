"""A Request comes in and is sent until a Reply comes out, an error that will not pass, or the tries are used up.

Waits grow and are scattered (exponential back-off, full jitter); what the endpoint asks to wait is waited at least.
"""

from __future__ import annotations

import asyncio
import random

from binder.errors import LMError
from binder.lm import LM, Reply, Request

TRIES = 5
FIRST_WAIT, LONGEST_WAIT = 0.5, 20.0  # seconds


class Retry:
    """Sends a request again after an error that may pass."""

    def __init__(self, lm: LM, tries: int = TRIES):
        self.lm = lm
        self.tries = tries

    async def complete(self, request: Request) -> Reply:
        """The reply, or the last error."""
        for number in range(1, self.tries + 1):
            try:
                return await self.lm.complete(request)
            except LMError as error:
                if not error.retryable or number == self.tries:
                    raise
                asked = getattr(error, "retry_after", None) or 0.0
                await asyncio.sleep(max(asked, random.uniform(0, min(LONGEST_WAIT, FIRST_WAIT * 2**number))))
        raise AssertionError("unreachable")

    async def close(self) -> None:
        """Closes the layer below."""
        await self.lm.close()
