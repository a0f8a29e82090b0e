"""Constrained decoding: the path and the body of each form in which endpoints take a request whose
reply must follow a grammar.

tool: a custom tool of OpenAI's chat completions; responses: the same of its responses; vllm:
structured output as vLLM has it, under its name of today and the one before. An endpoint that
refuses all of them is asked in plain text. A request for vectors has a path and a body of its own,
too."""

from __future__ import annotations

import base64
from collections.abc import Callable, Set
from typing import Any
from urllib.parse import urlsplit

from binder.errors import BadReply
from binder.lm import Request
from binder.lm.providers.openai.chat import parameters

CHAT = "/chat/completions"
RESPONSES = "/responses"
EMBEDDINGS = "/embeddings"
NAME = "program"


def form_of(request: Request, refused: Set[str], base_url: str | None) -> str | None:
    """The first form that the endpoint may take, None for plain text; OpenAI's own come first where
    the endpoint is theirs."""
    if request.grammar is None:
        return None
    host = urlsplit(base_url or "https://api.openai.com").hostname or ""
    theirs = host.endswith((".openai.com", ".azure.com"))
    order = ("tool", "responses") if theirs else ("vllm", "tool", "responses")
    return next((form for form in order if form not in refused), None)


def body(request: Request, form: str | None, refused: Set[str]) -> tuple[str, dict[str, Any]]:
    """Where a request is sent, and its parameters without those that were refused."""
    if request.embed:
        texts = [message.content for message in request.messages]
        return EMBEDDINGS, {"model": request.model, "input": texts, "encoding_format": "float"}
    sent = parameters(request, refused)
    if form is None:
        return CHAT, sent
    grammar = {"syntax": "lark", "definition": request.grammar}
    if form == "vllm":
        return CHAT, sent | {
            "structured_outputs": {"grammar": request.grammar},
            "guided_grammar": request.grammar,
        }
    described = {"name": NAME, "description": "Takes the program that answers the question."}
    if form == "tool":
        tool = {
            "type": "custom",
            "custom": {**described, "format": {"type": "grammar", "grammar": grammar}},
        }
        chosen: dict[str, Any] = {"type": "custom", "custom": {"name": NAME}}
        return CHAT, sent | {"tools": [tool], "tool_choice": chosen}
    tool = {"type": "custom", **described, "format": {"type": "grammar", **grammar}}
    return RESPONSES, _responses(sent) | {
        "tools": [tool],
        "tool_choice": {"type": "custom", "name": NAME},
    }


def _responses(sent: dict[str, Any]) -> dict[str, Any]:
    """The parameters of a chat completion as responses have them; n, seed and response_format they
    have not."""
    optional = {
        "temperature": sent.get("temperature"),
        "max_output_tokens": sent.get("max_completion_tokens", sent.get("max_tokens")),
        "reasoning": {"effort": sent["reasoning_effort"]} if "reasoning_effort" in sent else None,
    }
    told = {name: value for name, value in optional.items() if value is not None}
    return {"model": sent["model"], "input": sent["messages"], "store": False, **told}


def as_completion(told: dict[str, Any]) -> dict[str, Any]:
    """The body of a response as that of a chat completion: a call of the tool counts, else the text
    of the messages."""
    calls, parts = [], []
    for item in _dicts(told.get("output")):
        if item.get("type") == "custom_tool_call" and isinstance(item.get("input"), str):
            calls.append(item["input"])
        elif item.get("type") == "message":
            parts += _dicts(item.get("content"))
    text = calls[0] if calls else "".join(str(part.get("text") or "") for part in parts)
    refusals = [part["refusal"] for part in parts if part.get("refusal")]
    used = told.get("usage")
    used = used if isinstance(used, dict) else {}
    usage = {
        "prompt_tokens": used.get("input_tokens"),
        "completion_tokens": used.get("output_tokens"),
    }
    choice = {
        "message": {"content": text, "refusal": refusals[0] if refusals else None},
        "finish_reason": "length" if told.get("status") == "incomplete" else "stop",
    }
    return {"choices": [choice], "usage": usage, "error": told.get("error")}


def _dicts(items: Any) -> list[dict[str, Any]]:
    """The objects in a list of a body, which may hold anything."""
    return [item for item in items or [] if isinstance(item, dict)]


def _packed(embedding: Any) -> bytes:
    """A vector in bytes: its largest component is 127 or -127."""
    vector = [float(component) for component in embedding]
    scale = 127 / (max(map(abs, vector)) or 1.0)
    return bytes(round(component * scale) & 255 for component in vector)


def as_vectors(told: dict[str, Any]) -> dict[str, Any]:
    """The body of an embeddings reply as that of a chat completion whose texts are the vectors, see
    Request."""
    try:
        numbered = {item["index"]: item["embedding"] for item in told["data"]}
        packed = [_packed(numbered[index]) for index in range(len(told["data"]) or 1)]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        if told.get("error"):
            return told
        raise BadReply("the reply lacks a vector for some texts", tries=2) from error
    used = told.get("usage")
    usage = {**used, "completion_tokens": 0} if isinstance(used, dict) else None
    return {
        "choices": [{"message": {"content": base64.b64encode(data).decode()}} for data in packed],
        "usage": usage,
    }


SHAPES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    CHAT: dict,
    RESPONSES: as_completion,
    EMBEDDINGS: as_vectors,
}
