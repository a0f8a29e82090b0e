"""A request with a grammar goes to endpoints that take it in one form, in another, or not at all; a
reply comes out of each."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from binder.errors import Refused
from binder.lm import Message, Reply, Request
from binder.lm.event_loop import run
from binder.lm.providers.openai import Endpoint, OpenAI
from binder.lm.providers.openai.constrained import form_of
from binder.lm.store import Store
from tests.server import Body, Canned, Said, Server, completion, error

GRAMMAR = 'start: "SELECT 1"'
REQUEST = Request(
    (Message("user", "write"),),
    model="m",
    temperature=0.7,
    max_tokens=9,
    n=2,
    grammar=GRAMMAR,
    effort="low",
)
USED = {"input_tokens": 20, "output_tokens": 4}


def ask(
    server: Server, store: Store | None = None, request: Request = REQUEST, times: int = 1
) -> Reply:
    lm = OpenAI(Endpoint("m", server.url, "sk-0123456789"), timeout=60.0, store=store)
    try:
        return [run(lm.complete(request)) for _ in range(times)][-1]
    finally:
        run(lm.close())


def form(body: Body) -> str:
    """The form of a request, by what it holds."""
    if "structured_outputs" in body:
        return "vllm"
    return "plain" if "tools" not in body else "tool" if "messages" in body else "responses"


def taking(*forms: str) -> Any:
    """An endpoint that takes these forms and refuses the others."""

    def reply(body: Body) -> Said:
        if form(body) not in forms:
            return Canned(error("Unrecognized request argument supplied"), status=400)
        if form(body) == "tool":
            call = {"id": "1", "type": "custom", "custom": {"name": "program", "input": "SELECT 1"}}
            choice = {
                "index": 0,
                "finish_reason": "tool_calls",
                "message": {"content": None, "tool_calls": [call]},
            }
            return completion(choices=[choice])
        if form(body) == "responses":
            call = {
                "type": "custom_tool_call",
                "name": "program",
                "call_id": "1",
                "input": "SELECT 1",
            }
            return {
                "status": "completed",
                "output": [{"type": "reasoning", "summary": []}, call],
                "usage": USED,
            }
        return "SELECT 1"

    return reply


@pytest.mark.parametrize(
    ("taken", "tried"),
    [
        ("vllm", ["vllm"]),
        ("tool", ["vllm", "tool"]),
        ("responses", ["vllm", "tool", "responses"]),
        ("plain", ["vllm", "tool", "responses", "plain"]),
    ],
)
def test_one_form_after_the_other_until_there_is_a_reply(
    server: Server, taken: str, tried: list[str]
) -> None:
    server.reply = taking(taken)
    assert ask(server).text == "SELECT 1"
    assert [form(body) for body in server.requests] == tried


def test_what_is_refused_is_remembered_also_by_the_next_process(
    server: Server, tmp_path: Path
) -> None:
    server.reply = taking("tool")
    store = Store(tmp_path / "answers.sqlite")
    ask(server, store, times=2)
    store.close()
    store = Store(tmp_path / "answers.sqlite")
    ask(server, store)
    assert [form(body) for body in server.requests] == ["vllm", "tool", "tool", "tool"]
    ask(server, store, Request((Message("user", "write"),), model="other", grammar=GRAMMAR))
    assert form(server.requests[4]) == "vllm"
    assert store.prune(model="m") == 1
    store.close()


def test_a_table_that_is_too_wide_says_nothing_about_others(server: Server) -> None:
    server.script(Canned(error("the grammar is too large"), status=400), "SELECT 1")
    ask(server, times=2)
    assert [form(body) for body in server.requests] == ["vllm", "tool", "vllm"]


@pytest.mark.parametrize(
    "said", [Canned(error("engine crashed"), status=500), "", Canned("nonsense")]
)
def test_an_endpoint_that_stumbles_over_a_form_still_answers(server: Server, said: Said) -> None:
    server.script(said, said, said, "SELECT 1")
    assert ask(server).text == "SELECT 1"
    ask(server)
    assert [form(body) for body in server.requests] == [
        "vllm",
        "tool",
        "responses",
        "plain",
        "vllm",
    ]


def test_what_is_wrong_with_the_request_itself_is_no_fault_of_a_form(server: Server) -> None:
    server.reply = lambda body: Canned(error("no such model"), status=400)
    with pytest.raises(Refused):
        ask(server)
    server.reply = taking("vllm")
    ask(server)
    assert form(server.requests[-1]) == "vllm"


@pytest.mark.parametrize("status", [401, 403, 429])
def test_a_refusal_of_the_key_is_raised_at_once(server: Server, status: int) -> None:
    server.reply = lambda body: status
    with pytest.raises(Exception, match=str(status)):
        ask(server)
    assert len(server.requests) == 1


def test_the_wire_of_each_form(server: Server) -> None:
    server.reply = taking("plain")
    ask(server)
    vllm, tool, responses, plain = server.requests
    assert vllm["structured_outputs"] == {"grammar": GRAMMAR} and vllm["guided_grammar"] == GRAMMAR
    (custom,) = tool["tools"]
    assert custom["custom"]["format"] == {
        "type": "grammar",
        "grammar": {"syntax": "lark", "definition": GRAMMAR},
    }
    assert tool["tool_choice"] == {"type": "custom", "custom": {"name": "program"}}
    (custom,) = responses["tools"]
    assert custom["format"] == {"type": "grammar", "syntax": "lark", "definition": GRAMMAR}
    assert (responses["max_output_tokens"], responses["reasoning"]) == (
        9,
        {"effort": "low"},
    ) and "n" not in responses
    assert (
        responses["input"] == [{"role": "user", "content": "write"}]
        and server.paths[2] == "/responses"
    )
    assert (plain["max_tokens"], plain["reasoning_effort"], plain["n"]) == (
        9,
        "low",
        2,
    ) and "tools" not in plain


def test_usage_of_responses_is_read(server: Server) -> None:
    server.reply = taking("responses")
    usage = ask(server).usage
    assert (usage.requests, usage.prompt_tokens, usage.completion_tokens) == (3, 20, 4)


def test_openai_is_asked_in_its_own_forms() -> None:
    assert (
        form_of(REQUEST, frozenset(), None) == "tool"
        and form_of(REQUEST, {"tool"}, None) == "responses"
    )
    assert form_of(REQUEST, {"tool", "responses"}, "https://api.openai.com/v1") is None
    assert form_of(REQUEST, frozenset(), "http://localhost:8000/v1") == "vllm"


def test_a_reasoning_model_teaches_its_parameters_once(server: Server) -> None:
    def reply(body: Body) -> Said:
        for name, said in {
            "max_tokens": "Unsupported parameter: 'max_tokens' is not supported with this model. Use 'max_completion_tokens'.",
            "temperature": "Unsupported value: 'temperature' does not support 0.7 with this model.",
            "n": "Unsupported value: 'n' must be 1.",
        }.items():
            if name in body:
                return Canned(error(said, param=name), status=400)
        return "SELECT 1"

    server.reply = reply
    ask(
        server,
        request=Request(REQUEST.messages, "m", temperature=0.7, max_tokens=9, n=2, effort="low"),
        times=2,
    )
    assert len(server.requests) == 5
    assert (
        server.requests[-1].items()
        >= {"max_completion_tokens": 9, "reasoning_effort": "low"}.items()
    )


def test_how_probable_the_first_token_was(server: Server) -> None:
    told = {
        "content": [
            {
                "top_logprobs": [
                    {"token": "true", "logprob": 0.0},
                    {"token": "false", "logprob": -20.0},
                ]
            }
        ]
    }
    choice = {"index": 0, "finish_reason": "stop", "message": {"content": "true"}, "logprobs": told}
    server.script(completion(choices=[choice]))
    reply = ask(server, request=Request(REQUEST.messages, "m", chances=True))
    assert reply.choices[0].chances is not None and dict(reply.choices[0].chances)["true"] == 1.0
    assert Reply.read(reply.data()).choices == reply.choices
    assert (server.requests[0]["logprobs"], server.requests[0]["top_logprobs"]) == (True, 10)
