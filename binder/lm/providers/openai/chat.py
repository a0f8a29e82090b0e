"""A Request becomes the parameters of a chat completion; what the endpoint answered becomes a Reply
or the LMError it amounts to. Pure functions over status, headers and bytes: the client library lets
broken replies through, so they are judged here."""

from __future__ import annotations

import email.utils
import json
import math
import re
import time
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from binder.errors import BadReply, LMError, RateLimited, Refused, Unreachable
from binder.lm import Choice, Reply, Request, RequestUsage
from binder.lm.tokens import estimate

# Parameters that an endpoint may refuse, and what its words for them are; max_tokens is renamed,
# the others are left out.
OPTIONAL = {
    "max_tokens": r"max_tokens\b",
    "temperature": r"\btemperature\b",
    "response_format": r"response_format|json_schema|structured.outputs?",
    "seed": r"\bseed\b",
    "n": r"[`'\"]n[`'\"]",
    "reasoning_effort": r"reasoning[._]effort",
    "logprobs": r"logprobs",
}
TOO_LONG = re.compile(
    r"context_length|context.length|context window|maximum context"
    r"|too many tokens|prompt is too long",
    re.I,
)
FILTERED = re.compile(r"content_filter|content_policy|content management policy", re.I)
QUOTA = re.compile(r"insufficient_quota|billing_hard_limit|exceeded your current quota", re.I)
HINTS = {
    401: "set OPENAI_API_KEY, or give api_key=",
    403: "check that the key has access to this model and endpoint",
    404: "check the model name and base_url (which usually ends in /v1)",
}


@dataclass(frozen=True, slots=True)
class Response:
    """What the endpoint sent, whatever its status."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def parameters(request: Request, refused: Set[str]) -> dict[str, Any]:
    """The parameters of a chat completion, without those that were refused."""
    sent: dict[str, Any] = {
        "model": request.model,
        "messages": [{"role": each.role, "content": each.content} for each in request.messages],
    }
    if request.schema is not None:
        schema = {"name": "answers", "strict": True, "schema": json.loads(request.schema)}
        sent["response_format"] = {"type": "json_schema", "json_schema": schema}
    optional = {
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
        "reasoning_effort": request.effort,
        "logprobs": request.chances,
    }
    sent |= {name: value for name, value in optional.items() if value is not None}
    if request.n > 1:
        sent["n"] = request.n
    if "max_tokens" in refused and "max_tokens" in sent:
        sent["max_completion_tokens"] = sent["max_tokens"]
    left = {name: value for name, value in sent.items() if name not in refused}
    return left | {"top_logprobs": 10} if "logprobs" in left else left


def refused_parameter(response: Response, sent: Mapping[str, Any]) -> str | None:
    """The parameter, among those that may be left out, for which the endpoint refused a request."""
    if response.status not in (400, 422):
        return None
    said = _said(response.body)
    if TOO_LONG.search(said):  # "... reduce max_tokens": not a refusal of the parameter
        return None
    error = _error(response.body)
    if isinstance(error, dict):
        named = str(error.get("param")).replace("reasoning.effort", "reasoning_effort")
        if named in OPTIONAL and named in sent:
            return named
    for name, words in OPTIONAL.items():
        if name in sent and re.search(words, said):
            return name
    return None


def read(
    response: Response, request: Request, shape: Callable[[dict[str, Any]], dict[str, Any]] = dict
) -> Reply:
    """The reply in a response, or the error that it amounts to. shape: makes a chat completion of
    another kind of body."""
    if response.status != 200:
        raise failure(response, response.status)
    body = shape(read_body(response.body))
    if body.get("error"):
        raise failure(response, _status_in(body["error"]))
    return read_reply(body, request)


def failure(response: Response, status: int) -> LMError:
    """The error for a status; a request that is too long is Refused with 413, one that a filter
    stopped without a status."""
    message = f"the endpoint returned HTTP {status}"
    said, wait = _said(response.body), retry_after(response.headers)
    if status == 429 and QUOTA.search(said):
        return RateLimited(message, hint="the API quota is exhausted", quota=True)
    if status == 429 or (wait is not None and status >= 500):
        return RateLimited(message, retry_after=wait)
    if status in (408, 409, 425) or status >= 500:
        return Unreachable(message)
    if status < 300:
        return BadReply(message)
    return _refusal(message, response, status, said)


def _refusal(message: str, response: Response, status: int, said: Any) -> Refused:
    """The error for a status that says no."""
    if status < 400:
        place = urlsplit(response.headers.get("location", "")).hostname or "another path"
        hint = f"the endpoint redirects to {place}; set base_url to that address"
        return Refused(message, hint=hint, status=status)
    if status == 413 or TOO_LONG.search(said):
        return Refused(message, hint="the request exceeds the model's context window", status=413)
    if status == 400 and FILTERED.search(said):
        return Refused(message, hint="the endpoint's content filter blocked the request")
    return Refused(message, hint=HINTS.get(status), status=status)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that the endpoint asks to wait, told in milliseconds, seconds or as a date."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        told = headers.get(name, "")
        if re.fullmatch(r"\d{1,9}(\.\d+)?", told):
            return float(told) / unit
    try:
        date = email.utils.parsedate_to_datetime(headers.get("retry-after", ""))
    except ValueError:
        return None
    return max(0.0, date.timestamp() - time.time())


def excerpt(body: str) -> str:
    """The first 200 characters of a body, escaped: for messages."""
    return ascii(body[:200])[1:-1] or "(empty)"


def read_body(body: bytes) -> dict[str, Any]:
    """The JSON object in the bytes of a reply; a byte order mark before it and bytes after it are
    let pass."""
    try:
        data, _ = json.JSONDecoder(strict=False).raw_decode(body.decode("utf-8-sig").lstrip())
    except (ValueError, RecursionError):
        raise BadReply("the reply is not JSON") from None
    if not isinstance(data, dict):
        raise BadReply("the reply is not a chat completion")
    return data


def read_reply(body: dict[str, Any], request: Request) -> Reply:
    """The reply in the body of a chat completion; one that holds no text at all is an error."""
    choices = body.get("choices")
    if not isinstance(choices, list) or not choices:
        raise BadReply("the reply has no choices")
    read = [_choice(choice) for choice in choices[: request.n]]
    told = [choice for choice in read if choice.text.strip()]
    if told:
        return Reply(tuple(told), _usage(body.get("usage"), request, told))
    billed = _usage(body.get("usage"), request, [])
    if read[0].finish in ("content_filter", "refusal"):
        raise Refused(f"the model refused to answer ({read[0].finish})", usage=billed)
    raise BadReply(f"the reply is empty (finish_reason: {read[0].finish})", tries=2, usage=billed)


def _choice(choice: Any) -> Choice:
    """One choice; a refusal has no text, the arguments of a tool call stand for the text that is
    missing."""
    choice = choice if isinstance(choice, dict) else {}
    message = choice.get("message")
    message = message if isinstance(message, dict) else {}
    if message.get("refusal"):
        return Choice("", "refusal")
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    text = content if isinstance(content, str) and content else _tool_text(message)
    return Choice(
        text, str(choice.get("finish_reason") or "stop"), _chances(choice.get("logprobs"))
    )


def _chances(told: Any) -> tuple[tuple[str, float], ...] | None:
    """How probable each token was to begin the text."""
    try:
        chances = []
        for entry in told["content"][0]["top_logprobs"]:
            chance = math.exp(min(0.0, float(entry["logprob"])))
            chances.append((str(entry["token"]), chance))
        return tuple(chances) or None
    except (KeyError, IndexError, TypeError, ValueError):
        return None


def _tool_text(message: dict[str, Any]) -> str:
    """The arguments of the first tool call."""
    try:
        call = message["tool_calls"][0]
        text = call[call["type"]].get("arguments") or call[call["type"]].get("input")
    except (KeyError, IndexError, TypeError, AttributeError):
        return ""
    return text if isinstance(text, str) else ""


def _usage(told: Any, request: Request, choices: list[Choice]) -> RequestUsage:
    """What the endpoint says it used, or an estimate."""
    told = told if isinstance(told, dict) else {}
    prompt, completion, cost = (
        told.get("prompt_tokens"),
        told.get("completion_tokens"),
        told.get("cost"),
    )
    price = float(cost) if isinstance(cost, int | float) else None
    if isinstance(prompt, int) and isinstance(completion, int):
        return RequestUsage(1, prompt, completion, price)
    asked, said = (
        (message.content for message in request.messages),
        (choice.text for choice in choices),
    )
    return RequestUsage(1, sum(map(estimate, asked)), sum(map(estimate, said)), price, estimated=1)


def _error(body: bytes) -> Any:
    """The error object in the body of a refusal, or None."""
    try:
        data = json.loads(body.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        return None
    return data.get("error", data) if isinstance(data, dict) else None


def _said(body: bytes) -> str:
    """What a refusal says, as text to search."""
    error = _error(body)
    told = error if isinstance(error, dict) else {"message": error}
    words = [told.get(name) for name in ("message", "detail", "code", "type")]
    return " ".join(str(word) for word in words if word) or body[:2000].decode("utf-8", "replace")


def _status_in(error: Any) -> int:
    """The HTTP status that an error in a 200 body stands for; 502 where it does not say, for it
    came with good headers."""
    code = error.get("code") if isinstance(error, dict) else None
    return (
        int(code) if isinstance(code, int | str) and re.fullmatch(r"[45]\d\d", str(code)) else 502
    )
