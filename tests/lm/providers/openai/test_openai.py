"""The openai layer against a real HTTP server that fails in the ways endpoints fail."""

from __future__ import annotations

import gc
import gzip
import json
import logging
import time
import traceback
from collections.abc import Iterator
from typing import Any

import pytest

from binder.errors import BadReply, LMError, NotConfigured, RateLimited, Refused, Unreachable
from binder.lm import Message, Reply, Request
from binder.lm.event_loop import run
from binder.lm.providers.openai import Endpoint, OpenAI, endpoint
from tests.server import HANG, Canned, Server, completion, error
from tests.timing import until

KEY = "sk-secret-0123456789"
REQUEST = Request((Message("user", "hello"),), model="m")


@pytest.fixture
def lm(server: Server) -> Iterator[OpenAI]:
    layer = OpenAI(Endpoint("m", server.url, KEY), timeout=60.0)
    yield layer
    run(layer.close())


def ask(lm: OpenAI, request: Request = REQUEST) -> Reply:
    return run(lm.complete(request))


def test_a_reply_has_its_text_and_what_it_used(lm: OpenAI, server: Server) -> None:
    server.script("hi")
    reply = ask(lm)
    assert (reply.text, reply.finish) == ("hi", "stop")
    assert (reply.usage.requests, reply.usage.prompt_tokens, reply.usage.completion_tokens) == (
        1,
        10,
        5,
    )
    assert server.requests == [{"model": "m", "messages": [{"role": "user", "content": "hello"}]}]
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_parameters_are_sent_as_they_are_set(lm: OpenAI, server: Server) -> None:
    schema = {"type": "object"}
    ask(
        lm,
        Request(
            REQUEST.messages,
            "m",
            temperature=0.0,
            max_tokens=7,
            n=2,
            schema=json.dumps(schema),
            seed=3,
        ),
    )
    sent = server.requests[0]
    assert (sent["temperature"], sent["max_tokens"], sent["n"], sent["seed"]) == (0.0, 7, 2, 3)
    assert sent["response_format"]["type"] == "json_schema"
    assert sent["response_format"]["json_schema"] == {
        "name": "answers",
        "strict": True,
        "schema": schema,
    }


def test_several_texts_come_in_one_reply(lm: OpenAI, server: Server) -> None:
    server.script(completion("a", "b", "c"))
    assert [choice.text for choice in ask(lm, Request(REQUEST.messages, "m", n=3)).choices] == [
        "a",
        "b",
        "c",
    ]


BODIES: dict[str, tuple[Canned | dict[str, Any], type[LMError]]] = {
    "empty": (Canned(b""), BadReply),
    "not json": (Canned(b"Internal error"), BadReply),
    "truncated": (Canned(json.dumps(completion("hi"))[:-20]), BadReply),
    "html": (Canned("<html>busy</html>", headers={"content-type": "text/html"}), BadReply),
    "no content": (Canned(status=204), BadReply),
    "bad utf-8": (Canned(b'{"choices": "\xff\xfe"}'), BadReply),
    "a list": (Canned(b"[1]"), BadReply),
    "deep": (Canned(b"[" * 100_000), BadReply),
    "long number": (Canned(b"1" * 10_000), BadReply),
    "no choices": ({"choices": []}, BadReply),
    "strange choices": ({"choices": [7, {"message": [1]}]}, BadReply),
    "null content": (completion(None), BadReply),
    "blank content": (completion("  \n"), BadReply),
    "error with 200": (error("overloaded"), Unreachable),
    "error with 200 and code": (error("slow down", code=429), RateLimited),
    "refusal": ({"choices": [{"message": {"content": None, "refusal": "I will not"}}]}, Refused),
    "filtered": (
        {"choices": [{"message": {"content": ""}, "finish_reason": "content_filter"}]},
        Refused,
    ),
    "bad gzip": (Canned(b"\x1f\x8bnonsense", headers={"content-encoding": "gzip"}), BadReply),
    "huge": (Canned(b" " * 8_100_000), BadReply),
    "gzip bomb": (
        Canned(gzip.compress(b" " * 50_000_000), headers={"content-encoding": "gzip"}),
        BadReply,
    ),
    "cut in the body": (Canned(json.dumps(completion("hi")), cut=150), BadReply),
    "cut in the head": (Canned(json.dumps(completion("hi")), cut=30), Unreachable),
    "closed without a word": (Canned(cut=0), Unreachable),
    "reset": (Canned(json.dumps(completion("hi")), cut=-1), Unreachable),
    "bad chunk": (
        Canned(b"zz\r\nhello", headers={"transfer-encoding": "chunked", "content-length": ""}),
        LMError,
    ),
}


@pytest.mark.parametrize("name", BODIES)
def test_a_broken_reply_is_an_error_of_ours(lm: OpenAI, server: Server, name: str) -> None:
    said, expected = BODIES[name]
    server.script(said)
    with pytest.raises(expected) as caught:
        ask(lm)
    assert caught.value.__context__ is None or caught.value.__suppress_context__
    assert len(server.requests) == 1
    assert ask(lm).text == "no task", "the next request is answered"


STATUSES: dict[str, tuple[Canned | int, type[LMError], bool]] = {
    "400": (400, Refused, False),
    "401": (401, Refused, False),
    "403": (403, Refused, False),
    "404": (404, Refused, False),
    "408": (408, Unreachable, True),
    "409": (409, Unreachable, True),
    "429": (429, RateLimited, True),
    "quota": (
        Canned(error("You exceeded your current quota", code="insufficient_quota"), status=429),
        RateLimited,
        False,
    ),
    "500": (500, Unreachable, True),
    "503 with wait": (Canned(b"", status=503, headers={"retry-after": "3"}), RateLimited, True),
    "529": (529, Unreachable, True),
    "redirect": (
        Canned(b"", status=307, headers={"location": "http://localhost:1/v1"}),
        Refused,
        False,
    ),
    "html 502": (Canned("<html>Bad gateway</html>", status=502), Unreachable, True),
    "huge 500": (Canned(b" " * 8_100_000, status=500), BadReply, True),
}


@pytest.mark.parametrize("name", STATUSES)
def test_a_status_is_an_error_of_ours_and_sent_once(lm: OpenAI, server: Server, name: str) -> None:
    said, expected, retryable = STATUSES[name]
    server.script(said)
    with pytest.raises(expected) as caught:
        ask(lm)
    assert caught.value.retryable is retryable
    assert len(server.requests) == 1
    if isinstance(said, int) and isinstance(caught.value, Refused):
        assert caught.value.status == said


def test_too_long_is_413_whatever_the_endpoint_calls_it(lm: OpenAI, server: Server) -> None:
    message = "This model's maximum context length is 8192 tokens. Reduce max_tokens"
    server.script(Canned(error(message, code="context_length_exceeded"), status=400), 413)
    for _ in range(2):
        with pytest.raises(Refused) as caught:
            ask(lm, Request(REQUEST.messages, "m", max_tokens=5))
        assert caught.value.status == 413
    assert len(server.requests) == 2


def test_filtered_by_the_endpoint_has_no_status(lm: OpenAI, server: Server) -> None:
    server.script(Canned(error("The response was filtered", code="content_filter"), status=400))
    with pytest.raises(Refused) as caught:
        ask(lm)
    assert caught.value.status is None


@pytest.mark.parametrize(
    ("header", "least", "most"),
    [
        ({"retry-after": "7"}, 7, 7),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25, 0.25),
        (
            {
                "retry-after": time.strftime(
                    "%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 3600)
                )
            },
            2400,
            3601,
        ),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0, 0),
        ({"retry-after": "soon"}, None, None),
    ],
)
def test_the_wait_that_is_asked_for(
    lm: OpenAI, server: Server, header: dict[str, str], least: float, most: float
) -> None:
    server.script(Canned(error("slow down"), status=429, headers=header))
    with pytest.raises(RateLimited) as caught:
        ask(lm)
    wait = caught.value.retry_after
    assert wait is None if least is None else wait is not None and least <= wait <= most


GOOD: dict[str, Canned | dict[str, Any]] = {
    "bom": Canned(b"\xef\xbb\xbf" + json.dumps(completion("hi")).encode()),
    "extra bytes": Canned(json.dumps(completion("hi")) + "\r\n garbage"),
    "two choices": completion("hi", "ho"),
    "gzip": Canned(
        gzip.compress(json.dumps(completion("hi")).encode()), headers={"content-encoding": "gzip"}
    ),
    "parts": {
        "choices": [
            {"message": {"content": [{"type": "text", "text": "h"}, {"type": "text", "text": "i"}]}}
        ]
    },
    "function call": {
        "choices": [
            {"message": {"tool_calls": [{"type": "function", "function": {"arguments": "hi"}}]}}
        ]
    },
    "custom call": {
        "choices": [
            {
                "message": {
                    "content": "",
                    "tool_calls": [{"type": "custom", "custom": {"input": "hi"}}],
                }
            }
        ]
    },
}


@pytest.mark.parametrize("name", GOOD)
def test_an_odd_reply_is_read(lm: OpenAI, server: Server, name: str) -> None:
    server.script(GOOD[name])
    reply = ask(lm)
    assert [choice.text for choice in reply.choices] == ["hi"]


def test_usage_that_is_not_told_is_estimated(lm: OpenAI, server: Server) -> None:
    told = {"prompt_tokens": 1, "completion_tokens": 2, "cost": 0.5}
    server.script(completion("one two", usage=None), completion("hi", usage=told))
    first, second = ask(lm).usage, ask(lm).usage
    assert (first.prompt_tokens, first.completion_tokens, first.estimated, first.cost) == (
        1,
        2,
        1,
        None,
    )
    assert first + second == second + first
    assert ((first + second).requests, (first + second).cost, (first + second).estimated) == (
        2,
        0.5,
        1,
    )


LATE = {
    "hang": HANG,
    "drip": Canned(b" " * 100_000, drip=0.05),
    "drip of an error": Canned(b"x" * 100_000, status=500, drip=0.05),
}


@pytest.mark.parametrize("name", LATE)
def test_the_deadline_is_total(server: Server, name: str) -> None:
    lm = OpenAI(Endpoint("m", server.url, KEY), timeout=0.4)
    server.script(LATE[name])
    with pytest.raises(Unreachable, match=r"0\.4 s"):
        ask(lm)
    assert not server.finished, "the client library alone would wait until the last byte"
    run(lm.close())


def test_nobody_there() -> None:
    lm = OpenAI(Endpoint("m", "http://127.0.0.1:9/v1"), timeout=60.0)
    with pytest.raises(Unreachable):
        ask(lm)
    run(lm.close())


@pytest.mark.parametrize("parameter", ["temperature", "seed", "response_format"])
def test_a_parameter_that_is_refused_is_dropped_once(
    lm: OpenAI, server: Server, parameter: str
) -> None:
    def reply(body: dict[str, Any]) -> Canned | str:
        return (
            Canned(error(f"Unsupported parameter: '{parameter}'"), status=400)
            if parameter in body
            else "hi"
        )

    server.reply = reply
    request = Request(REQUEST.messages, "m", temperature=0.5, seed=1, schema="{}")
    assert ask(lm, request).text == ask(lm, request).text == "hi"
    assert [parameter in body for body in server.requests] == [True, False, False]
    ask(lm, Request(REQUEST.messages, "other", temperature=0.5, seed=1, schema="{}"))
    assert parameter in server.requests[3], "another model may take it"


def test_max_tokens_gets_its_newer_name(lm: OpenAI, server: Server) -> None:
    refusal = error(
        "Use 'max_completion_tokens' instead.", param="max_tokens", code="unsupported_parameter"
    )
    server.reply = lambda body: Canned(refusal, status=400) if "max_tokens" in body else "hi"
    assert ask(lm, Request(REQUEST.messages, "m", max_tokens=9)).text == "hi"
    assert server.requests[1]["max_completion_tokens"] == 9


def test_a_refusal_of_something_else_is_not_repeated(lm: OpenAI, server: Server) -> None:
    server.script(Canned(error("Unknown parameter: 'messages[0].name'"), status=400))
    with pytest.raises(Refused):
        ask(lm, Request(REQUEST.messages, "m", temperature=0.5))
    assert len(server.requests) == 1


def test_the_key_is_nowhere_to_be_seen(
    lm: OpenAI, server: Server, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    padding = "x" * 180  # so that the excerpt would end inside the key
    server.script(
        Canned(error(f"Incorrect API key provided: {KEY}"), status=401),
        Canned(padding + KEY),
        Canned(b"", status=307, headers={"location": f"http://localhost:1/?key={KEY}"}),
    )
    shown = [repr(lm), repr(lm.endpoint), str(lm.endpoint)]
    for _ in range(3):
        with pytest.raises(LMError) as caught:
            ask(lm)
        shown += [
            *traceback.format_exception(caught.value),
            repr(caught.value),
            str(caught.value),
            caught.value.message,
        ]
    for text in [*shown, caplog.text]:
        assert KEY[:8] not in text


def test_what_is_not_configured_is_said_before_anything_is_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for where in (
        Endpoint("m"),
        Endpoint("m", "localhost:8000"),
        Endpoint("m", None, "sk\n1"),
        Endpoint("m", None, "schlüssel"),
    ):
        with pytest.raises(NotConfigured) as caught:
            ask(OpenAI(where))
        assert caught.value.hint and not caught.value.retryable
    with pytest.raises(NotConfigured, match="model"):
        ask(OpenAI(Endpoint(None, "http://127.0.0.1:1/v1")), Request(REQUEST.messages, ""))
    assert endpoint() == Endpoint()
    monkeypatch.setenv("OPENAI_API_KEY", KEY + "\n")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://here/v1")
    monkeypatch.setenv("BINDER_MODEL", "m1")
    assert endpoint() == Endpoint("m1", "http://here/v1", KEY)
    assert endpoint("m2", "http://there/v1", "other") == Endpoint("m2", "http://there/v1", "other")


def test_a_layer_that_nobody_closed_leaves_no_connection(server: Server) -> None:
    lm = OpenAI(Endpoint("m", server.url, KEY))
    ask(lm)
    assert server.connections
    del lm
    gc.collect()
    until(lambda: not server.connections)


def _walk(base: type[BaseException]) -> Iterator[type[BaseException]]:
    yield base
    for kind in base.__subclasses__():
        yield from _walk(kind)


def test_every_foreign_exception_has_a_mapping() -> None:
    import aiohttp
    import httpx2
    import openai

    from binder.lm.providers.openai.client import FOREIGN, explain

    bases = [
        openai.OpenAIError,
        httpx2.HTTPError,
        httpx2.StreamError,
        httpx2.InvalidURL,
        aiohttp.ClientError,
    ]
    kinds = [kind for base in bases for kind in _walk(base)]
    assert len(kinds) > 50
    for kind in kinds:
        assert issubclass(kind, FOREIGN)
        plain = type("Plain", (kind,), {"__str__": lambda self: "", "__init__": lambda self: None})
        assert isinstance(explain(plain()), LMError)
    named = [getattr(openai, name) for name in dir(openai) if name.endswith("Error")]
    outside = {kind.__name__ for kind in named if not issubclass(kind, FOREIGN)}
    assert not outside
