"""A Request becomes the parameters of a chat completion; what the endpoint answered becomes a Reply
or the LMError it amounts to. Pure functions over status, headers and bytes: the client library lets
broken replies through, so they are judged here."""

from __future__ import annotations

import email.utils
import json
import math
import re
import time
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from binder.errors import BadReply, LMError, RateLimited, Refused, Unreachable
from binder.lm import Choice, Reply, Request, RequestUsage
from binder.lm.providers.openai.features import (
    FILTERED,
    TOO_LONG,
    Feature,
    refused_feature,
    without,
)
from binder.lm.providers.openai.stream import is_stream, whole
from binder.lm.tokens import estimate

QUOTA = re.compile(
    r"insufficient_quota|billing_hard_limit|exceeded your current quota"
    r"|insufficient (?:balance|credit|funds)|out of credits",
    re.I,
)
# "try again in 7.2s", "retryDelay": "34s", "retry after 1m30s", "estimated_time": 20.0
WAIT = re.compile(
    r"(?:(?:try|retry|again|available|wait|reset\w*)\b[^0-9]{0,25}|retry_?delay\W{0,5}|estimated_time\W{0,5})"
    r"(?:(?P<hours>\d+)\s?h(?:ours?)?)?\s?(?:(?P<minutes>\d+)\s?m(?:in(?:ute)?s?)?(?!s))?\s?"
    r"(?:(?P<seconds>\d+(?:\.\d+)?)\s?(?P<unit>ms|s|sec|seconds?|(?=[,}\s])))?",
    re.I,
)
PER_MINUTE = re.compile(r"per.?(?:minute|second)|rpm|tpm|\brate.?limit", re.I)
LOADING = re.compile(
    r"(?:is|are|still|currently) (?:being )?load(?:ed|ing)|loading model|model loading|warming up"
    r"|starting up|cold start|model is not ready",
    re.I,
)
LOAD_WAIT, LOAD_TRIES = 5.0, 24  # a model that is loading is waited for: two minutes
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
    left = without(sent, refused)
    return left | {"top_logprobs": 10} if "logprobs" in left else left


def refusal(
    response: Response, sent: Mapping[str, Any], taken: Set[str] = frozenset()
) -> Feature | None:
    """The feature, among those that a request can do without, for which it was refused. taken:
    those that the endpoint has taken before."""
    error = _error(response.body)
    named = str(error.get("param")) if isinstance(error, dict) else ""
    return refused_feature(response.status, said(response.body), named, sent, taken)


def read(
    response: Response, request: Request, shape: Callable[[dict[str, Any]], dict[str, Any]] = dict
) -> Reply:
    """The reply in a response, or the error that it amounts to. shape: makes a chat completion of
    another kind of body."""
    if response.status != 200:
        raise failure(response, response.status)
    body = whole(response.body) if is_stream(response.body) else read_body(response.body)
    body = shape(body)
    if body.get("error"):
        raise failure(response, _status_in(body["error"]))
    return read_reply(body, request)


def failure(response: Response, status: int) -> LMError:
    """The error for a status; a request that is too long is Refused with 413, one that a filter
    stopped without a status."""
    message = f"the endpoint returned HTTP {status}"
    told = said(response.body)
    limited = _limited(message, response, status, told)
    if limited is not None:
        return limited
    if status in (408, 409, 425) or status >= 500:
        return Unreachable(message)
    if status < 300:
        return BadReply(message)
    return _refusal(message, response, status, told)


def _limited(message: str, response: Response, status: int, told: str) -> RateLimited | None:
    """The error of an endpoint that asks to wait: for its limits, or while it loads the model; or
    whose quota is used up. None for any other."""
    asked = retry_after(response.headers)
    wait = wait_in(told) if asked is None else asked
    if status in (402, 429) and QUOTA.search(told):
        # limits per minute come in the same words, and with a time to wait
        passes = wait is not None or PER_MINUTE.search(told)
        if "insufficient_quota" in told or not passes:
            return RateLimited(message, hint="the API quota is exhausted", quota=True)
    if status >= 400 and LOADING.search(told):
        seconds = LOAD_WAIT if wait is None else min(wait, LOAD_WAIT)
        return RateLimited(message, retry_after=seconds, tries=LOAD_TRIES)
    if status == 429 or (asked is not None and status >= 500):
        return RateLimited(message, retry_after=wait)
    return None


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


def wait_in(told: str) -> float | None:
    """The seconds that the text of a refusal asks to wait."""
    for found in WAIT.finditer(told):
        hours, minutes = float(found["hours"] or 0), float(found["minutes"] or 0)
        seconds = float(found["seconds"] or 0)
        if found["unit"] is not None and found["unit"].casefold() == "ms":
            seconds /= 1000
        if hours or minutes or seconds:
            return 3600 * hours + 60 * minutes + seconds
    return None


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
    chances = _chances(choice.get("logprobs"))
    return Choice(_text(choice, message), str(choice.get("finish_reason") or "stop"), chances)


def _text(choice: dict[str, Any], message: dict[str, Any]) -> str:
    """The text of a message: its content, else the arguments of a call, else what a server took for
    thoughts although nothing else was said."""
    content = message.get("content")
    if isinstance(content, list):
        content = "".join(str(part.get("text") or "") for part in content if isinstance(part, dict))
    if isinstance(content, str) and content:
        return content
    text = _tool_text(message)
    if text or choice.get("finish_reason") == "length":
        return text
    thoughts = message.get("reasoning_content") or message.get("reasoning")
    return thoughts if isinstance(thoughts, str) else ""


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
    while isinstance(data, list) and data:  # as Google has it
        data = data[0]
    return data.get("error", data) if isinstance(data, dict) else None


def said(body: bytes) -> str:
    """All that a refusal says, as text to search: each text inside of the error, wherever it
    is."""
    error = _error(body)
    words = list(_texts(error, 0))
    return " ".join(words) or body[:2000].decode("utf-8", "replace")


def _texts(told: Any, depth: int) -> Iterator[str]:
    """The texts inside a value; a name stands before a text or a number."""
    if depth > 8 or told is None:
        return
    if isinstance(told, dict):
        for name, value in told.items():
            if isinstance(value, (str, int, float)) and name != "message":
                yield f"{name}: {value}"
            else:
                yield from _texts(value, depth + 1)
    elif isinstance(told, list):
        for value in told:
            yield from _texts(value, depth + 1)
    else:
        yield str(told)


def _status_in(error: Any) -> int:
    """The HTTP status that an error in a 200 body stands for; 502 where it does not say, for it
    came with good headers."""
    code = error.get("code") if isinstance(error, dict) else None
    return (
        int(code) if isinstance(code, int | str) and re.fullmatch(r"[45]\d\d", str(code)) else 502
    )
