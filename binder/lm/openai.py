"""A Request goes in, a Reply of an OpenAI-compatible endpoint comes out, or the LMError that says what went wrong.
One HTTP exchange a request, within one deadline; the key stays out of all that can be shown."""

from __future__ import annotations

import asyncio
import concurrent.futures
import ctypes
import os
import re
import weakref
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from binder.errors import LMError, NotConfigured, Unreachable
from binder.lm import Reply, Request
from binder.lm.chat import excerpt, parameters, read, refused_parameter
from binder.lm.loop import current_loop

if TYPE_CHECKING:
    from openai import AsyncOpenAI


@dataclass(frozen=True)
class Endpoint:
    """Where a language model is, what it is called, and the key to it; no base_url means OpenAI's own."""

    model: str | None = None
    base_url: str | None = field(default=None, repr=False)
    api_key: str | None = field(default=None, repr=False)

    def redact(self, text: str) -> str:
        """A text without the key in it."""
        return text.replace(self.api_key, "[key]") if self.api_key and len(self.api_key) > 5 else text

    def check(self, model: str) -> None:
        """Raises NotConfigured where a request cannot be sent."""
        if not model:
            raise NotConfigured("no language model is set", hint="give model=, or set BINDER_MODEL")
        if not (self.api_key or self.base_url):
            raise NotConfigured("no key for the language model is set", hint="set OPENAI_API_KEY, or base_url= of a local server")
        if self.api_key and not re.fullmatch(r"[!-~]+", self.api_key):
            raise NotConfigured("the key for the language model holds characters that no key has", hint="set OPENAI_API_KEY anew")
        if self.base_url and not re.match(r"https?://[^/\s]+", self.base_url):
            raise NotConfigured("base_url is not the address of an endpoint", hint="it looks like http://localhost:8000/v1")


def endpoint(model: str | None = None, base_url: str | None = None, api_key: str | None = None) -> Endpoint:
    """The endpoint of these settings; what is not given is taken from the environment, which is read here and nowhere else."""
    return Endpoint(
        (model or os.environ.get("BINDER_MODEL") or "").strip() or None,
        (base_url or os.environ.get("OPENAI_BASE_URL") or "").strip() or None,
        (api_key or os.environ.get("OPENAI_API_KEY") or "").strip() or None,
    )


class OpenAI:
    """The lowest layer of the stack; only a request with a parameter that was refused is sent again, without it."""

    def __init__(self, endpoint: Endpoint, timeout: float = 60.0):
        self.endpoint = endpoint
        self.timeout = timeout
        self._clients: dict[asyncio.AbstractEventLoop, AsyncOpenAI] = {}  # a connection belongs to its loop, also after a fork
        self._refused: dict[str, frozenset[str]] = {}  # model -> parameters that it does not take

    async def complete(self, request: Request) -> Reply:
        """One reply; sending, dropping what is refused, and reading to the last byte all happen within the timeout."""
        client = self._client(request.model)
        try:
            async with asyncio.timeout(self.timeout):
                return await self._exchange(client, request)
        except TimeoutError:
            raise Unreachable(f"the endpoint sent no complete reply within {self.timeout:g} s", tries=2) from None
        except LMError as error:
            error.message = self.endpoint.redact(error.message)
            raise

    async def close(self) -> None:
        """Closes the connections."""
        client = self._clients.pop(asyncio.get_running_loop(), None)
        if client is not None:
            await client.close()

    async def _exchange(self, client: AsyncOpenAI, request: Request) -> Reply:
        """Sends a request; a parameter that the endpoint refuses is dropped, and remembered for its model."""
        from binder.lm.client import post

        while True:
            sent = parameters(request, self._refused.get(request.model, frozenset()))
            response = await post(client, sent)
            refused = refused_parameter(response, sent)
            if refused is None:
                break
            self._refused[request.model] = self._refused.get(request.model, frozenset()) | {refused}
        try:
            return read(response, request)
        except LMError as error:
            body = response.body.decode("utf-8", "backslashreplace")
            error.message = f"{error.message}: {excerpt(self.endpoint.redact(body))}"  # cut last: half a key is a key
            raise

    def _client(self, model: str) -> AsyncOpenAI:
        """The client of the running loop, opened when first needed."""
        loop = asyncio.get_running_loop()
        if loop not in self._clients:
            self.endpoint.check(model)
            from binder.lm.client import open_client

            client = open_client(self.endpoint.base_url, self.endpoint.api_key or "none")
            self._clients[loop] = client
            weakref.finalize(self, _abandon, os.getpid(), loop, client)
        return self._clients[loop]


def _abandon(process: int, loop: asyncio.AbstractEventLoop, client: AsyncOpenAI) -> None:
    """Closes the connections of an OpenAI that nobody closed; at the end of the process, waits for it."""
    if process != os.getpid():  # they are the parent's, which still uses them: not even the collector may close them here
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(client))
        return
    if not loop.is_running() or client.is_closed():
        return
    closing = asyncio.run_coroutine_threadsafe(client.close(), loop)
    if current_loop() is None:
        concurrent.futures.wait([closing], 1.0)
