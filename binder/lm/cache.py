"""The cache of requests: a reply is taken from the ledger of a Store where it is paid, else from
the layer below, paid once. Equal requests that are made at the same time, on any connection of the
process, wait for one call."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from functools import lru_cache
from urllib.parse import urlsplit

from binder.errors import BudgetExceeded, NotConfigured
from binder.lm import LM, Layer, Reply, Request, RequestUsage
from binder.lm.store import Store
from binder.tables.codec import value_key

USELESS = ("refusal", "content_filter")  # why a text ended that is no answer


class Cache(Layer):
    """The layer above the budget: what comes from the store costs nothing. Takes over the store:
    closes it with itself."""

    def __init__(self, lm: LM, store: Store, endpoint: str = ""):
        self.lm = lm
        self.store = store
        self.endpoint = endpoint

    async def complete(self, request: Request) -> Reply:
        """The reply; one of those who wait for the same call gets the usage with it, for the others
        it is cached."""
        key = request_key(request, self.endpoint)
        reply, first = await self.store.flights.join(key, lambda: self._fetch(key, request))
        return reply if first else _free(reply)

    async def close(self) -> None:
        """Closes the layer below and the store."""
        await super().close()
        await asyncio.to_thread(self.store.close)

    async def _fetch(self, key: str, request: Request) -> Reply:
        """The reply in the ledger, or a paid one that is in it before anyone uses it."""
        kept = self.store.get_reply(key)
        if kept is not None:
            return _free(kept)
        await asyncio.wrap_future(self.store.mark_sent(key, request.model, self.endpoint))
        try:
            reply = await self.lm.complete(request)
        except (BudgetExceeded, NotConfigured):  # it was not sent
            self.store.forget([key])
            raise
        if any(choice.text.strip() and choice.finish not in USELESS for choice in reply.choices):
            await asyncio.wrap_future(
                self.store.put_reply(key, reply, request.model, self.endpoint)
            )
        return reply


@lru_cache(maxsize=256)  # it is asked for before, while and after a request is made
def request_key(request: Request, endpoint: str) -> str:
    """What a reply is kept under: all that can change it."""
    return value_key(request=request.key(), endpoint=endpoint)


def address(base_url: str | None, api_key: str | None = None) -> str:
    """The address of an endpoint as it may be kept: without user, password, query and key; empty
    for OpenAI's own."""
    try:
        parts = urlsplit(base_url or "")
        port = f":{parts.port}" if parts.port else ""
    except ValueError:  # no address at all: the layer that sends will say so
        return ""
    if not parts.hostname:
        return ""
    shown = f"{parts.scheme}://{parts.hostname}{port}{parts.path.rstrip('/')}"
    return shown.replace(api_key, "[key]") if api_key else shown


def _free(reply: Reply) -> Reply:
    return replace(reply, usage=RequestUsage(), cached=True)
