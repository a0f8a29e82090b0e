"""The retry layer: over a server that fails, and over a layer that fails as it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from itertools import pairwise
from typing import Any, TypeVar

import pytest

from binder.errors import BadReply, LMError, RateLimited, Refused, Unreachable
from binder.lm import Choice, Message, Reply, Request, RequestUsage
from binder.lm.event_loop import run
from binder.lm.providers.openai import Endpoint, OpenAI
from binder.lm.retry import Retry
from tests.server import HANG, Canned, Server, completion, error
from tests.timing import VirtualLoop

T = TypeVar("T")


def asking(text: str = "hello") -> Request:
    return Request((Message("user", text),), "m")


def ask(lm: Retry, text: str = "hello") -> Reply:
    return run(lm.complete(asking(text)))


@pytest.fixture
def lm(server: Server) -> Iterator[Retry]:
    layer = Retry(OpenAI(Endpoint("m", server.url, "sk-test"), timeout=60.0), first_wait=0.005)
    yield layer
    run(layer.close())


class Told:
    """A layer that repeats what it is asked, or fails as errors say for that text. times: when it
    was asked, by the clock of the loop."""

    def __init__(self, **errors: Callable[[], LMError]):
        self.errors = errors
        self.sent: list[str] = []
        self.times: list[float] = []

    async def complete(self, request: Request) -> Reply:
        text = request.messages[-1].content
        self.sent.append(text)
        self.times.append(asyncio.get_running_loop().time())
        await asyncio.sleep(0)
        if text in self.errors:
            raise self.errors[text]()
        return Reply((Choice(text),), RequestUsage(requests=1))

    async def close(self) -> None:
        """Nothing is open."""


@pytest.mark.parametrize(
    "fault",
    [500, 503, 408, 429, Canned(cut=0), Canned(cut=-1), Canned("<html>"), Canned(b"")],
    ids=str,
)
def test_what_may_pass_is_sent_again_and_counted(
    lm: Retry, server: Server, fault: Canned | int
) -> None:
    server.script(fault, fault, "hi")
    reply = ask(lm)
    assert reply.text == "hi"
    assert (reply.usage.requests, reply.usage.prompt_tokens, len(server.requests)) == (3, 10, 3)


def test_it_gives_up_after_five_tries(lm: Retry, server: Server) -> None:
    server.reply = lambda body: 500
    with pytest.raises(Unreachable) as caught:
        ask(lm)
    assert len(server.requests) == 5 and caught.value.usage.requests == 5
    assert caught.value.retryable, "it may be due to this request"


def test_a_request_that_takes_too_long_is_sent_twice(server: Server) -> None:
    lm = Retry(OpenAI(Endpoint("m", server.url, "sk-test"), timeout=0.5), first_wait=0.005)
    server.reply = lambda body: HANG
    with pytest.raises(Unreachable):
        ask(lm)
    assert len(server.requests) == 2


def test_a_reply_without_text_is_paid_and_asked_for_twice(lm: Retry, server: Server) -> None:
    server.reply = lambda body: completion("")
    with pytest.raises(BadReply) as caught:
        ask(lm)
    assert len(server.requests) == 2
    assert (caught.value.usage.requests, caught.value.usage.completion_tokens) == (2, 10)


QUOTA = Canned(error("You exceeded your current quota", code="insufficient_quota"), status=429)
MOVED = Canned(b"", status=308, headers={"location": "http://localhost:1"})


@pytest.mark.parametrize("fault", [400, 401, 403, 404, 413, QUOTA, MOVED], ids=str)
def test_what_will_not_pass_is_sent_once(lm: Retry, server: Server, fault: Canned | int) -> None:
    server.reply = lambda body: fault
    with pytest.raises((Refused, RateLimited)) as caught:
        ask(lm)
    assert len(server.requests) == 1 and not caught.value.retryable


def alone(coroutine: Coroutine[Any, Any, T]) -> T:
    """Runs a coroutine by a clock that only its waits move."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(coroutine)


def test_waits_double_and_are_scattered() -> None:
    gaps: list[list[float]] = []
    for _ in range(20):
        below = Told(hello=lambda: Unreachable("down"))
        with pytest.raises(Unreachable):
            alone(Retry(below, first_wait=0.02, longest_wait=0.08).complete(asking()))
        gaps.append([after - before for before, after in pairwise(below.times)])
    for most, tries in zip((0.02, 0.04, 0.08, 0.08), zip(*gaps, strict=True), strict=True):
        assert most / 2 < max(tries) <= most + 1e-9, "by chance below half once in a million"
        assert len(set(tries)) > 1


def test_all_wait_as_long_as_the_endpoint_asks() -> None:
    def limited() -> RateLimited:
        below.errors.clear()
        return RateLimited("slow down", retry_after=30.0)

    below = Told(first=limited)
    lm = Retry(below, first_wait=0.001)

    async def many() -> list[Reply]:
        first = asyncio.ensure_future(lm.complete(asking("first")))
        while below.errors:
            await asyncio.sleep(0)
        later = [lm.complete(asking(str(number))) for number in range(8)]
        return await asyncio.gather(first, *later)

    texts = [reply.text for reply in alone(many())]
    assert texts == ["first", *map(str, range(8))]
    assert len(below.sent) == 10 and min(below.times[1:]) - below.times[0] >= 30.0


def test_a_wait_that_is_too_long_stops_the_run(lm: Retry, server: Server) -> None:
    server.reply = lambda body: Canned(
        error("come back later"), status=429, headers={"retry-after": "3600"}
    )
    with pytest.raises(
        RateLimited, match="asks to wait 3,600 s, longer than the maximum of 120 s"
    ) as caught:
        ask(lm)
    assert len(server.requests) == 1 and not caught.value.retryable
    server.reply = None
    assert ask(lm).text == "no task", "nobody is kept waiting by an error"


def test_nobody_there_fails_after_three_tries() -> None:
    with pytest.raises(Unreachable, match="cannot reach the endpoint") as caught:
        ask(Retry(OpenAI(Endpoint("m", "http://127.0.0.1:9/v1"))))
    assert not caught.value.retryable and caught.value.usage.requests == 3


def test_an_endpoint_that_goes_down_stops_the_run_and_is_used_when_it_is_back(
    lm: Retry, server: Server
) -> None:
    assert ask(lm).text == "no task"
    server.forget()
    server.reply = lambda body: 502
    for number in range(3):
        with pytest.raises(Unreachable) as caught:
            ask(lm, f"question {number}")
        assert caught.value.retryable is (number < 2)
    assert "every request to the endpoint fails" in caught.value.message
    assert len(server.requests) == 3 * 5 + 1, "the last request that was answered is the probe"
    with pytest.raises(Unreachable, match="every request to the endpoint fails"):
        ask(lm)
    assert len(server.requests) == 3 * 5 + 2, "while it is down, each request is a probe"
    server.reply = None
    assert ask(lm).text == "no task"
    server.script(502, 502)
    assert ask(lm).text == "no task", "and all is as before"


def test_requests_that_fail_on_their_own_do_not_stop_the_others() -> None:
    below = Told(bad=lambda: Unreachable("status 500"))
    lm = Retry(below, first_wait=0.0)
    assert ask(lm, "good").text == "good"
    for _ in range(7):
        with pytest.raises(Unreachable) as caught:
            ask(lm, "bad")
        assert caught.value.retryable
    assert below.sent == ["good"] + (["bad"] * 15 + ["good"]) * 2 + ["bad"] * 5


def test_a_burst_of_failures_is_not_the_end(server: Server) -> None:
    lm = Retry(OpenAI(Endpoint("m", server.url)), first_wait=0.005)
    server.script(*[Canned(cut=-1)] * 16)

    async def many() -> list[Reply]:
        return await asyncio.gather(*(lm.complete(asking(str(number))) for number in range(16)))

    assert len(run(many())) == 16
    assert len(server.requests) == 32


def test_cancelling_ends_a_wait() -> None:
    lm = Retry(Told(hello=lambda: RateLimited("slow down", retry_after=60.0)))

    async def impatient() -> float:
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(lm.complete(asking()), 0.05)
        return asyncio.get_running_loop().time()

    assert alone(impatient()) == pytest.approx(0.05)
