"""Refusals of optional features, in the words and the shapes of many servers: one more try, without
the feature, and never again with it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from binder.errors import LMError, RateLimited, Refused
from binder.lm import Message, Request
from binder.lm.event_loop import run
from binder.lm.providers.openai import Endpoint, OpenAI
from binder.lm.providers.openai.chat import Response, failure, wait_in
from binder.lm.providers.openai.features import refused_feature
from tests.server import Canned, Server, completion, error

SENT: dict[str, Any] = {
    "model": "m",
    "messages": [{"role": "system", "content": "do"}, {"role": "user", "content": "it"}],
    "response_format": {"type": "json_schema"},
    "n": 3,
    "temperature": 0.7,
    "seed": 1,
    "max_tokens": 9,
    "logprobs": True,
    "reasoning_effort": "low",
}

WORDS = [
    ("response_format", 400, "This response_format type is unavailable now"),
    ("response_format", 400, "'response_format.type' must be 'json_schema' or 'text'"),
    ("response_format", 400, "Unknown name \"additionalProperties\" at 'generation_config'"),
    ("response_format", 400, "Failed to generate JSON. Please adjust your prompt."),
    ("response_format", 400, "failed to parse grammar"),
    ("response_format", 500, 'invalid format: expected "json" or a JSON schema'),
    ("response_format", 400, "Structured outputs are not supported by this model"),
    ("response_format", 422, "body response_format: Extra inputs are not permitted"),
    ("response_format", 400, "JSON mode is not enabled for this model"),
    ("response_format", 500, "xgrammar compilation error"),
    ("n", 400, "Only one completion choice is allowed"),
    ("n", 400, "Invalid n value (currently only n = 1 is supported)"),
    ("n", 400, "n must be 1 when using greedy sampling, got 3."),
    ("n", 400, "Multiple candidates is not enabled for this model"),
    ("n", 400, "'n' : number must be at most 1"),
    ("n", 400, "best_of must be 1"),
    ("n", 400, "n > 1 is not supported"),
    ("temperature", 400, "Unsupported value: 'temperature' does not support 0.7"),
    ("temperature", 422, "temperature: Input should be less than or equal to 0.5"),
    ("seed", 400, "seed is not supported by this backend"),
    ("logprobs", 400, "You are not allowed to request logprobs from this model"),
    ("reasoning_effort", 400, "Unrecognized request argument supplied: reasoning_effort"),
    ("max_tokens", 400, "Use 'max_completion_tokens' instead of max_tokens"),
    ("system", 400, "System role not supported"),
    ("system", 400, "Developer instruction is not enabled for models/gemma-3"),
    ("system", 400, "Only user and assistant roles are supported!"),
    ("system", 400, "This model does not support system messages"),
    ("thinking", 400, "parameter.enable_thinking must be set to false for non-streaming calls"),
]


@pytest.mark.parametrize(("feature", "status", "words"), WORDS, ids=[one[2] for one in WORDS])
def test_words_name_a_feature(feature: str, status: int, words: str) -> None:
    found = refused_feature(status, words, "", SENT)
    assert found is not None and found.name == feature
    left = found.without(SENT)
    assert refused_feature(status, words, "", left) != found
    assert not found.has(left)


@pytest.mark.parametrize(
    ("status", "words"),
    [
        (400, "This model's maximum context length is 4096 tokens; reduce max_tokens"),
        (400, "The model `gpt-9` does not exist or you do not have access to it"),
        (404, "model 'llama9' not found"),
        (400, "API key not valid. Please pass a valid API key."),
        (400, "The response was filtered due to content_filter"),
        (400, "Your credit balance is too low to access the API"),
        (400, "Unknown parameter: 'messages[0].name'"),
        (401, "no"),
        (500, "internal error"),
    ],
)
def test_a_refusal_of_something_else_names_none(status: int, words: str) -> None:
    assert refused_feature(status, words, "", SENT) is None


def test_where_nothing_is_said_features_are_left_out_in_turn() -> None:
    left, names = SENT, []
    while (feature := refused_feature(400, "Bad Request", "", left)) is not None:
        names.append(feature.name)
        left = feature.without(left)
    assert names == ["response_format", "n", "temperature", "system"]
    taken = {"response_format", "temperature", "system"}
    found = refused_feature(400, "Bad Request", "", SENT, taken)
    assert found is not None and found.name == "n"


REQUEST = Request(
    (Message("system", "do"), Message("user", "it")), "m", temperature=0.7, schema="{}"
)


def ask(server: Server, request: Request = REQUEST, lm: OpenAI | None = None) -> str:
    """The text of a reply."""
    lm = lm or OpenAI(Endpoint("m", server.url, "k"), 10.0)
    try:
        return run(lm.complete(request)).choices[0].text
    finally:
        run(lm.close())


SHAPES: list[Any] = [
    {"error": {"message": "no json_schema here", "code": 400}},
    [{"error": {"code": 400, "message": "no json_schema here", "status": "INVALID_ARGUMENT"}}],
    {"error": "no json_schema here"},
    {"detail": [{"type": "extra_forbidden", "loc": ["body", "response_format"], "msg": "no"}]},
    {"message": {"detail": [{"loc": ["body", "response_format"]}]}, "object": "error"},
    {"error": {"message": "Provider returned error", "metadata": {"raw": '{"m":"json_schema"}'}}},
    {"error": {"message": "no", "param": "response_format"}},
    "response_format is not supported",
    "",
]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_refusal_in_any_shape_is_understood_and_remembered(server: Server, shape: Any) -> None:
    text = shape if isinstance(shape, str) else json.dumps(shape)
    server.reply = lambda body: Canned(text, status=400) if "response_format" in body else "hi"
    lm = OpenAI(Endpoint("m", server.url, "k"), 10.0)
    assert ask(server, lm=lm) == ask(server, lm=lm) == "hi"
    assert len(server.requests) == 3


def test_instructions_without_a_system_role(server: Server) -> None:
    def reply(body: Any) -> Any:
        roles = [message["role"] for message in body["messages"]]
        if "system" in roles:
            return Canned(error("System role not supported"), status=400)
        if roles == ["user", "user"]:
            return Canned(error("Conversation roles must alternate user/assistant"), status=400)
        return body["messages"][0]["content"]

    server.reply = reply
    assert ask(server) == "do\n\nit" and len(server.requests) == 3


def test_what_no_leaving_out_helps_is_told_as_it_was_said_first(server: Server) -> None:
    replies = iter(range(9))
    server.reply = lambda body: Canned(error(f"Bad {next(replies)}"), status=400)
    with pytest.raises(Refused, match="Bad 0"):
        ask(server)
    assert len(server.requests) == 4  # without the schema, the temperature, the system role


def test_a_reply_that_failed_once_leaves_the_next_its_schema(server: Server) -> None:
    failed = error("Failed to generate JSON", code="json_validate_failed")
    server.script(Canned(failed, status=400), "hi", "hi")
    lm = OpenAI(Endpoint("m", server.url, "k"), 10.0)
    assert ask(server, lm=lm) == ask(server, lm=lm) == "hi"
    assert ["response_format" in body for body in server.requests] == [True, False, True]


# limits, loading


@pytest.mark.parametrize(
    ("words", "seconds"),
    [
        ("Please retry in 2s.", 2),
        ("Please try again in 7.2s", 7.2),
        ("try again in 1m30s", 90),
        ("try again in 12m3.5s", 723.5),
        ("Rate limit reached, try again in 350ms", 0.35),
        ("'retryDelay': '34s'", 34),
        ("retry after 20 seconds", 20),
        ("estimated_time: 20.0 ", 20),
        ("you exceeded 3 requests", None),
    ],
)
def test_the_time_to_wait_is_read_from_words(words: str, seconds: float | None) -> None:
    assert wait_in(words) == seconds


def _failure(http: int, message: str, **more: Any) -> LMError:
    body = json.dumps({"error": {"message": message, **more}}).encode()
    return failure(Response(http, {}, body), http)


def test_a_limit_per_minute_is_no_exhausted_quota() -> None:
    quota = "You exceeded your current quota, please check your plan and billing details."
    assert not _failure(429, quota, code="insufficient_quota").retryable
    assert not _failure(429, quota).retryable
    passing = _failure(429, f"{quota} Please retry in 2s.", status="RESOURCE_EXHAUSTED")
    assert isinstance(passing, RateLimited) and passing.retryable and passing.retry_after == 2
    per_minute = _failure(429, quota, quotaId="GenerateRequestsPerMinutePerProject")
    assert per_minute.retryable


@pytest.mark.parametrize("status", [503, 500, 400])
def test_a_model_that_is_loading_is_waited_for(status: int) -> None:
    loading = _failure(status, "Model m is currently loading", estimated_time=20.0)
    assert isinstance(loading, RateLimited) and loading.retryable
    assert loading.retry_after == 5 and loading.tries == 24


# streams


def _stream(*events: Any, end: str = "data: [DONE]\n\n") -> Canned:
    lines = [f"data: {json.dumps(event)}\n\n" for event in events]
    return Canned(
        "".join([": comment\n\n", *lines, end]), headers={"content-type": "text/event-stream"}
    )


def _piece(text: str | None, **more: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text} if text else {}, **more}]}


def test_a_stream_that_nobody_asked_for_is_read(server: Server) -> None:
    usage = {"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}
    server.script(_stream(_piece("Hé"), _piece("llo"), _piece(None, finish_reason="stop"), usage))
    assert ask(server) == "Héllo"


def test_a_stream_of_thoughts_is_read_without_them(server: Server) -> None:
    thought = {"choices": [{"index": 0, "delta": {"reasoning_content": "hm"}}]}
    server.script(_stream(thought, _piece("yes"), _piece(None, finish_reason="stop")))
    assert ask(server) == "yes"


def test_a_stream_that_is_cut_off_is_no_reply(server: Server) -> None:
    server.script(_stream(_piece("Hal"), end=""))
    with pytest.raises(LMError, match="a stream that ends too early"):
        ask(server)


def test_text_in_the_place_of_thoughts_counts_where_nothing_else_is_said(server: Server) -> None:
    server.reply = lambda body: completion(None) | {
        "choices": [{"index": 0, "finish_reason": "stop",
                     "message": {"role": "assistant", "content": None, "reasoning_content": "hi"}}]
    }  # fmt: skip
    assert ask(server) == "hi"
    server.reply = lambda body: completion(None) | {
        "choices": [{"index": 0, "finish_reason": "length",
                     "message": {"role": "assistant", "content": "", "reasoning_content": "h"}}]
    }  # fmt: skip
    with pytest.raises(LMError, match="the reply is empty"):
        ask(server)


# addresses


def test_the_query_of_base_url_goes_with_each_request(server: Server) -> None:
    lm = OpenAI(Endpoint("m", f"{server.url}/d?api-version=1", "k"), 10.0)
    with pytest.raises(Refused, match="/v1/d/chat/completions.api-version=1 "):
        ask(server, lm=lm)  # the endpoint of the tests knows no such path, and says which


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("ALL_PROXY", "socks://127.0.0.1:9", "no connection can be opened: .*socks"),
        ("HTTP_PROXY", "ftp://127.0.0.1:9", "no connection can be opened: .*ftp"),
        ("OPENAI_ORG_ID", "a\nb", "cannot reach the endpoint: .*header"),
    ],
)
def test_settings_that_cannot_be_used_are_an_error_in_one_sentence(
    server: Server, monkeypatch: pytest.MonkeyPatch, name: str, value: str, said: str
) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(LMError, match=said):
        ask(server)
