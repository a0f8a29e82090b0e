"""OpenAI-compatible endpoints: one HTTP exchange a request, within one deadline, that ends in a
Reply or in the LMError that says what went wrong. The key stays out of all that can be shown."""

from __future__ import annotations

import asyncio
import concurrent.futures
import ctypes
import os
import re
import weakref
from collections.abc import Set
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from binder.errors import LMError, NotConfigured, Unreachable
from binder.lm import Reply, Request
from binder.lm.cache import address
from binder.lm.event_loop import current_loop
from binder.lm.providers.openai.chat import excerpt, read
from binder.lm.providers.openai.constrained import CHAT, SHAPES, body, form_of
from binder.lm.providers.openai.exchange import Exchange
from binder.lm.providers.openai.extras import NO_EXTRAS, Extras

if TYPE_CHECKING:
    from openai import AsyncOpenAI

    from binder.lm.store import Store


@dataclass(frozen=True)
class Endpoint:
    """Where a language model is, what it is called, and the key to it; no base_url means OpenAI's
    own. extras: what goes with every request."""

    model: str | None = None
    base_url: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)
    extras: Extras = field(default=NO_EXTRAS, repr=False)

    @property
    def place(self) -> str:
        """What replies are kept under: the address, and the fields that every request has."""
        return address(self.base_url, self.api_key) + self.extras.mark

    def redact(self, text: str) -> str:
        """A text without the key in it, and without the values of headers."""
        for secret in (self.api_key, *self.extras.headers.values()):
            if secret and len(secret) > 5:
                text = text.replace(secret, "[key]")
        return text

    def check(self, model: str) -> None:
        """Raises NotConfigured where a request cannot be sent."""
        if not model:
            raise NotConfigured(
                "no language model configured", hint="pass model= or set BINDER_MODEL"
            )
        if not (self.api_key or self.base_url):
            raise NotConfigured(
                "no API key configured", hint="set OPENAI_API_KEY, or base_url= for a local server"
            )
        if self.api_key and not re.fullmatch(r"[!-~]+", self.api_key):
            raise NotConfigured(
                "the API key contains invalid characters", hint="check OPENAI_API_KEY"
            )
        if self.base_url and not re.match(r"https?://[^/\s]+", self.base_url):
            raise NotConfigured(
                "base_url is not a valid URL", hint="for example http://localhost:8000/v1"
            )


def endpoint(
    model: str | None = None,
    base_url: str | None = None,
    api_key: str | None = None,
    extras: Extras = NO_EXTRAS,
) -> Endpoint:
    """The endpoint of these settings; what is not given is taken from the environment, which is
    read here and nowhere else."""
    return Endpoint(
        (model or os.environ.get("BINDER_MODEL") or "").strip() or None,
        (base_url or os.environ.get("OPENAI_BASE_URL") or "").strip() or None,
        (api_key or os.environ.get("OPENAI_API_KEY") or "").strip() or None,
        extras,
    )


class OpenAI:
    """The lowest layer of the stack; only a request of which something was refused is sent again,
    without that."""

    def __init__(self, endpoint: Endpoint, timeout: float = 60.0, store: Store | None = None):
        """store: where is kept what the endpoint refuses, for later processes."""
        self.endpoint = endpoint
        self.timeout = timeout
        self.store = store
        self.place = endpoint.place
        # a connection belongs to its loop, also after a fork
        self._clients: dict[asyncio.AbstractEventLoop, AsyncOpenAI] = {}
        self._taken: dict[str, set[str]] = {}  # model -> the features that it took
        self._known: dict[str, frozenset[str]] = {}  # model -> what it does not take

    async def complete(self, request: Request) -> Reply:
        """One reply; sending, dropping what is refused, and reading to the last byte all happen
        within the timeout."""
        client = self._client(request.model)
        try:
            async with asyncio.timeout(self.timeout):
                return await self._exchange(client, request)
        except TimeoutError:
            raise Unreachable(f"no complete reply within {self.timeout:g} s", tries=2) from None
        except LMError as error:
            error.message = self.endpoint.redact(error.message)
            raise

    async def close(self) -> None:
        """Closes the connections."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()

    async def _exchange(self, client: AsyncOpenAI, request: Request) -> Reply:
        """Sends a request; what the endpoint refuses of it, features and forms of constraint, is
        left out and remembered."""
        from binder.lm.providers.openai.client import post

        taken = self._taken.setdefault(request.model, set())
        exchange = Exchange(self._refused(request.model), taken)
        while True:
            form = form_of(request, exchange.refused, self.endpoint.base_url)
            path, sent = body(request, form, exchange.refused)
            response = await post(client, path, self.endpoint.extras.added(path, sent))
            if path == CHAT and form is None and exchange.leaves_out(response, sent):
                continue
            response = exchange.counted(response)
            try:
                reply = read(response, request, SHAPES[path])
            except LMError as error:
                if exchange.drops(form, response, error):
                    continue
                told = response.body.decode("utf-8", "backslashreplace")
                # cut last: half a key is a key
                error.message = f"{error.message}: {excerpt(self.endpoint.redact(told))}"
                raise
            self._remember(request.model, exchange.learnt(sent))
            return replace(reply, usage=exchange.spent + reply.usage)

    def _refused(self, model: str) -> frozenset[str]:
        """What the endpoint does not take for a model: names of parameters and of forms."""
        if model not in self._known:
            kept = self.store.get_refused(self.place, model) if self.store is not None else ()
            self._known[model] = frozenset(kept)
        return self._known[model]

    def _remember(self, model: str, names: Set[str]) -> None:
        """Notes what was refused, also for later processes."""
        if new := names - self._refused(model):
            self._known[model] |= new
            if self.store is not None:
                self.store.put_refused(self.place, model, new)

    def _client(self, model: str) -> AsyncOpenAI:
        """The client of the running loop, opened when first needed."""
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self.endpoint.check(model)
            from binder.lm.providers.openai.client import open_client

            client = open_client(self.endpoint)
            self._clients[loop] = client
            weakref.finalize(self, _abandon, os.getpid(), loop, client)
        return self._clients[loop]


def _abandon(process: int, loop: asyncio.AbstractEventLoop, client: AsyncOpenAI) -> None:
    """Closes the connections of an OpenAI that nobody closed; at the end of the process, waits for
    it."""
    if process != os.getpid():
        # they are the parent's, which still uses them: not even the collector may close them here
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(client))
        return
    if not loop.is_running() or client.is_closed():
        return
    closing = asyncio.run_coroutine_threadsafe(client.close(), loop)
    if current_loop() is None:
        concurrent.futures.wait([closing], 1.0)
