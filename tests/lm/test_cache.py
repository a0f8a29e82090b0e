"""Equal requests are paid once: now, later, at the same time, from any thread; nobody's failure or
leaving harms others."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from binder.errors import (
    BadReply,
    BinderError,
    BudgetExceeded,
    LMError,
    NotConfigured,
    Refused,
    Unreachable,
)
from binder.lm import Choice, Message, Reply, Request, RequestUsage
from binder.lm.cache import Cache, address, request_key
from binder.lm.event_loop import run
from binder.lm.store import Store
from tests.scripted import Scripted
from tests.timing import PATIENCE, grows_in_proportion, until

PAID = RequestUsage(1, 10, 5, 0.5)
Answer = Callable[[Request, int], Reply | Exception]


class Slow:
    """A language model that takes its time, and counts. held: no call ends before `go` is set."""

    def __init__(
        self,
        seconds: float = 0.05,
        answer: Answer = lambda asked, number: reply(asked.messages[-1].content),
        held: bool = False,
    ):
        self.seconds, self.answer = seconds, answer
        self.go = threading.Event()
        if not held:
            self.go.set()
        self.calls = self.ended = self.cancelled = 0

    async def complete(self, request: Request) -> Reply:
        """What is asked, said again."""
        self.calls += 1
        number = self.calls
        try:
            await asyncio.sleep(self.seconds)
            await happened(self.go.is_set)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        self.ended += 1
        said = self.answer(request, number)
        if isinstance(said, Exception):
            raise said
        return said

    async def close(self) -> None:
        """Nothing is open."""


async def happened(condition: Callable[[], object]) -> None:
    """Waits for a condition; the caller bounds it."""
    while not condition():
        await asyncio.sleep(0.001)


def request(text: str = "q", sample: int = 0, **more: Any) -> Request:
    return Request((Message("system", "s"), Message("user", text)), "m", sample=sample, **more)


def reply(text: str, finish: str = "stop") -> Reply:
    return Reply((Choice(text, finish),), PAID)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "answers.sqlite"


@pytest.fixture
def store(path: Path) -> Iterator[Store]:
    opened = Store(path)
    yield opened
    opened.close()


def test_a_reply_is_paid_once(store: Store) -> None:
    lm = Scripted(lambda asked: reply("a"))
    cache = Cache(lm, store)
    assert run(cache.complete(request())) == reply("a")
    again = run(cache.complete(request()))
    assert (again.text, again.usage, again.cached) == ("a", RequestUsage(), True)
    assert len(lm.requests) == 1


def test_it_is_paid_once_for_all_processes_that_follow(path: Path) -> None:
    for said in ("a", "b"):
        cache = Cache(Scripted([reply(said)]), Store(path))
        assert run(cache.complete(request())).text == "a"
        run(cache.close())


@pytest.mark.parametrize(
    "other",
    [
        request("r"),
        request(sample=1),
        request(temperature=0.5),
        request(max_tokens=9),
        request(n=2),
        request(seed=1),
    ],
)
def test_what_can_change_the_reply_is_asked_anew(store: Store, other: Request) -> None:
    cache = Cache(Scripted([reply("a"), reply("b")]), store)
    assert [run(cache.complete(asked)).text for asked in (request(), other, request(), other)] == [
        "a",
        "b",
        "a",
        "b",
    ]


def test_another_endpoint_is_asked_anew(store: Store) -> None:
    lm = Scripted([reply("a"), reply("b")])
    caches = [Cache(lm, store, "http://one/v1"), Cache(lm, store, "http://two/v1")]
    assert [run(cache.complete(request())).text for cache in caches * 2] == ["a", "b", "a", "b"]


@pytest.mark.parametrize(
    "useless",
    [
        Reply(()),
        reply(""),
        reply(" \n", "length"),
        reply("I cannot", "refusal"),
        reply("some", "content_filter"),
    ],
)
def test_a_useless_reply_is_not_kept(store: Store, useless: Reply) -> None:
    cache = Cache(Scripted([useless, reply("a")]), store)
    assert run(cache.complete(request())) == useless
    assert run(cache.complete(request())) == reply("a")


def test_a_reply_is_on_the_disk_before_it_is_used_and_the_request_before_it_is_sent(
    store: Store, path: Path
) -> None:
    def states() -> list[Any]:
        connection = sqlite3.connect(path)
        found = connection.execute("SELECT key, state, model, endpoint FROM replies").fetchall()
        connection.close()
        return found

    seen: list[Any] = []

    def answer(asked: Request, number: int) -> Reply:
        seen.extend(states())
        return reply("a")

    cache = Cache(Slow(0, answer), store, "http://e/v1")
    run(cache.complete(request()))
    key = request_key(request(), "http://e/v1")
    assert seen == [(key, "sent", "m", "http://e/v1")]
    assert states() == [(key, "received", "m", "http://e/v1")]


def test_those_who_ask_at_the_same_time_wait_for_one_call(store: Store) -> None:
    lm = Slow()

    async def many() -> list[Reply]:
        return await asyncio.gather(*(Cache(lm, store).complete(request()) for _ in range(50)))

    replies = run(many())
    assert lm.calls == 1 and {got.text for got in replies} == {"q"}
    assert sum((got.usage for got in replies), RequestUsage()) == PAID, "it is counted once"
    assert sum(got.cached for got in replies) == 49


def test_threads_with_loops_of_their_own_wait_for_one_call(store: Store) -> None:
    lm, together = Slow(0.2), threading.Barrier(8)

    def one(_: int) -> Reply:
        together.wait()
        return asyncio.run(Cache(lm, store).complete(request()))

    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(one, range(8)))
    assert lm.calls == 1 and sum(got.usage.requests for got in replies) == 1


def test_a_failure_wakes_all_and_is_not_kept(store: Store) -> None:
    lm = Slow(answer=lambda asked, number: Unreachable("down") if number == 1 else reply("a"))
    cache = Cache(lm, store)

    async def many() -> list[Reply | BaseException]:
        return await asyncio.gather(
            *(cache.complete(request()) for _ in range(10)), return_exceptions=True
        )

    assert all(isinstance(got, Unreachable) for got in run(many())) and lm.calls == 1
    assert run(cache.complete(request())).text == "a"


@pytest.mark.parametrize(
    "error",
    [
        BudgetExceeded("no more", spent=1, limit=1),
        NotConfigured("no key"),
        Refused("wrong key", status=401),
    ],
)
def test_the_budget_and_the_key_of_one_do_not_stop_another(
    store: Store, error: BinderError
) -> None:
    poor, rich = Slow(answer=lambda asked, number: error), Slow()

    async def scene() -> list[Reply | BaseException]:
        asked = [Cache(lm, store).complete(request()) for lm in (poor, rich, poor, rich)]
        return await asyncio.gather(*asked, return_exceptions=True)

    got = run(scene())
    assert got[0] is error and isinstance(got[1], Reply) and isinstance(got[3], Reply)
    assert rich.calls == 1 and poor.calls <= 2
    assert store.stats().unanswered == 0


def test_any_failure_wakes_all(store: Store) -> None:
    cache = Cache(Slow(answer=lambda asked, number: ZeroDivisionError()), store)
    with pytest.raises(ZeroDivisionError):
        run(asyncio.wait_for(cache.complete(request()), PATIENCE))


def test_one_that_leaves_does_not_take_the_others_along(store: Store) -> None:
    lm = Slow(held=True)

    async def scene() -> list[Reply | BaseException]:
        waiting = [asyncio.ensure_future(Cache(lm, store).complete(request())) for _ in range(5)]
        await happened(lambda: lm.calls)
        waiting[0].cancel()  # the one that began
        waiting[3].cancel()
        await asyncio.wait([waiting[0], waiting[3]])
        lm.go.set()
        return await asyncio.gather(*waiting, return_exceptions=True)

    got = run(scene())
    assert [isinstance(one, asyncio.CancelledError) for one in got] == [
        True,
        False,
        False,
        True,
        False,
    ]
    assert (lm.calls, lm.cancelled) == (1, 0)
    assert sum(one.usage.requests for one in got if isinstance(one, Reply)) == 1, (
        "who stays has the bill"
    )


def test_a_call_nobody_waits_for_is_cancelled_and_made_again(store: Store) -> None:
    lm = Slow(held=True)
    cache = Cache(lm, store)

    async def scene() -> Reply:
        waiting = [asyncio.ensure_future(cache.complete(request())) for _ in range(3)]
        await happened(lambda: lm.calls)
        for one in waiting:
            one.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)
        await happened(lambda: lm.cancelled)
        lm.go.set()
        return await cache.complete(request())

    assert run(scene()).text == "q"
    assert (lm.calls, lm.cancelled, lm.ended) == (2, 1, 1)


def test_a_call_whose_loop_ends_is_made_again_by_those_who_wait(store: Store) -> None:
    lm, leaving = Slow(held=True), threading.Event()

    async def leave() -> None:
        waiting = asyncio.ensure_future(Cache(lm, store).complete(request()))
        await happened(leaving.is_set)
        del waiting  # asyncio.run cancels it, and the call

    async def stay(thread: threading.Thread) -> Reply:
        waiting = asyncio.ensure_future(Cache(lm, store).complete(request()))
        await asyncio.sleep(0.05)  # it waits for the call of the other loop
        leaving.set()
        await asyncio.to_thread(thread.join)
        lm.go.set()
        return await waiting

    thread = threading.Thread(target=asyncio.run, args=(leave(),))
    thread.start()
    until(lambda: lm.calls)
    assert run(asyncio.wait_for(stay(thread), PATIENCE)).text == "q"
    assert (lm.calls, lm.cancelled) == (2, 1)


def test_an_error_of_the_language_model_is_the_same_for_all(store: Store) -> None:
    error = BadReply("the reply is not JSON")
    with pytest.raises(LMError) as caught:
        run(Cache(Slow(answer=lambda asked, number: error), store).complete(request()))
    assert caught.value is error


def test_a_file_that_cannot_be_used_costs_no_run(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"no database at all" * 100)
    lm = Slow(0)
    cache = Cache(lm, Store(tmp_path / "file"))
    assert [run(cache.complete(request())).cached for _ in range(3)] == [False, True, True]
    assert lm.calls == 1 and cache.store.problem


@pytest.mark.parametrize(
    ("base_url", "shown"),
    [
        (None, ""),
        ("", ""),
        ("no address", ""),
        ("http://[broken", ""),
        ("https://api.example.org/v1/", "https://api.example.org/v1"),
        ("HTTP://Example.org:8000/v1?api-key=sk-123456#x", "http://example.org:8000/v1"),
        ("https://me:sk-123456@example.org/v1", "https://example.org/v1"),
        ("https://example.org/sk-123456/v1", "https://example.org/[key]/v1"),
    ],
)
def test_the_address_that_is_kept_holds_no_secret(base_url: str | None, shown: str) -> None:
    assert address(base_url, "sk-123456") == shown
    assert address("http://localhost/v1") == "http://localhost/v1"


def test_hits_ask_nobody_and_take_time_in_proportion(store: Store) -> None:
    lm = Slow(0)
    cache = Cache(lm, store)

    async def hits(count: int) -> None:
        for _ in range(count):
            await cache.complete(request())

    assert grows_in_proportion(lambda count: asyncio.run(hits(count)), 50, 400)
    assert lm.calls == 1
