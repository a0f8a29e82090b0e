"""The one door to the openai package: parameters of a chat completion, and the bytes that an
endpoint sent back. Importing it costs a second, so it is done for the first request; what the bytes
mean is decided in binder.lm.providers.openai.chat."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl

import aiohttp
import httpx2
import openai
from aiohttp.http_exceptions import HttpProcessingError

from binder.errors import BadReply, LMError, NotConfigured, Unreachable
from binder.lm.providers.openai.chat import Response

if TYPE_CHECKING:
    from binder.lm.providers.openai import Endpoint

LARGEST = 8_000_000  # bytes of a reply
CONNECT = 10.0  # seconds for a connection to be made

# What goes wrong below the level of HTTP; OSError holds TimeoutError and the errors of TLS.
FOREIGN = (
    openai.OpenAIError,
    httpx2.HTTPError,
    httpx2.InvalidURL,
    httpx2.StreamError,
    aiohttp.ClientError,
    HttpProcessingError,
    OSError,
    EOFError,
    ValueError,  # of a header or an address that cannot be sent
)
BROKEN = (
    httpx2.DecodingError,
    openai.APIResponseValidationError,
    HttpProcessingError,
    aiohttp.ClientResponseError,
)
ENCODED = {b"content-encoding", b"content-length", b"transfer-encoding"}


class CappedClient(openai.DefaultAioHttpClient):
    """An HTTP client that reads each reply itself, so that no status and no encoding gets past the
    cap."""

    async def send(
        self, request: httpx2.Request, *, stream: bool = False, **options: Any
    ) -> httpx2.Response:
        """Sends a request and reads its reply, up to the cap."""
        response = await super().send(request, stream=True, **options)
        body = bytearray()
        try:
            async for chunk in response.aiter_bytes():
                body += chunk
                if len(body) > LARGEST:
                    raise BadReply(f"the reply exceeds {LARGEST:,} bytes", tries=2)
        finally:
            await response.aclose()
        headers = [pair for pair in response.headers.raw if pair[0].lower() not in ENCODED]
        return httpx2.Response(
            response.status_code, headers=headers, content=bytes(body), request=request
        )


def open_client(endpoint: Endpoint) -> openai.AsyncOpenAI:
    """A client that never repeats a request (another layer does) and follows no redirect (it would
    hand out the key)."""
    address, _, written = (endpoint.base_url or "").partition("?")
    query = dict(parse_qsl(written, keep_blank_values=True)) | dict(endpoint.extras.query)
    try:
        http = CappedClient(follow_redirects=False, timeout=httpx2.Timeout(None, connect=CONNECT))
        return openai.AsyncOpenAI(
            base_url=address or None,
            api_key=endpoint.api_key or "none",
            max_retries=0,
            http_client=http,
            default_query=query or None,
            default_headers=dict(endpoint.extras.headers) or None,
        )
    except (ValueError, ImportError) as error:
        reason = " ".join(str(error).split())[:200]
    raise NotConfigured(
        f"no connection can be opened: {reason}",
        hint="check the proxy in ALL_PROXY, HTTPS_PROXY or HTTP_PROXY",
    )


async def post(client: openai.AsyncOpenAI, path: str, parameters: dict[str, Any]) -> Response:
    """Sends one request and reads all that comes back."""
    try:
        got = await client.post(path, cast_to=httpx2.Response, body=parameters)
        return Response(got.status_code, got.headers, got.content)
    except openai.APIStatusError as error:
        return Response(error.response.status_code, error.response.headers, error.response.content)
    except FOREIGN as error:
        failure = explain(error)
    # outside the except clause: the foreign exception may quote the key and must not ride along
    raise failure


def explain(error: BaseException) -> LMError:
    """Our exception for a foreign one: a reply that came but is broken, or no reply."""
    causes = [error]
    while (cause := causes[-1].__cause__) is not None:
        causes.append(cause)
    reason = " ".join(f"{type(causes[-1]).__name__}: {causes[-1]}".split()).rstrip(": ")[:200]
    if any(isinstance(cause, BROKEN) for cause in causes):
        return BadReply(f"the reply does not match its headers: {reason}")
    connected = not any(isinstance(cause, aiohttp.ClientConnectorError) for cause in causes)
    hint = "check that it is running and that base_url (OPENAI_BASE_URL) is right"
    return Unreachable(f"cannot reach the endpoint: {reason}", hint=hint, connected=connected)
