"""The one event loop, in a background thread, on which all coroutines of binder run: a connection
belongs to the loop it was opened in. Code in any thread, also inside a running loop, can wait for
it."""

from __future__ import annotations

import asyncio
import os
import selectors
import threading
from collections.abc import Coroutine
from typing import Any, TypeVar

from binder.errors import BinderError, UsageError

T = TypeVar("T")
PATIENCE = 2.0  # seconds that a cancelled coroutine has to clean up

# Not epoll: a forked child shares its parent's, and would take connections out of it when it ends.
Selector: type[selectors.BaseSelector] = getattr(
    selectors, "PollSelector", selectors.SelectSelector
)

_lock = threading.Lock()
_loops: dict[int, asyncio.AbstractEventLoop] = {}  # by process


def run(coroutine: Coroutine[Any, Any, T]) -> T:
    """Waits for a coroutine; when the wait is interrupted, the coroutine is cancelled and has ended
    before this returns."""
    loop = _running()
    if current_loop() is loop:
        coroutine.close()
        raise UsageError(
            "run() and ask() cannot be called from binder's own event loop",
            hint="await run_async() or ask_async()",
        )
    ended = threading.Event()
    future = asyncio.run_coroutine_threadsafe(_announced(coroutine, ended), loop)
    try:
        return future.result()
    except (
        BinderError
    ) as error:  # it says all: where in binder it was raised is nothing to who asked
        raise error.with_traceback(None) from error.__cause__
    finally:
        if future.cancel():  # false when it is done: only an interrupt comes here earlier
            ended.wait(PATIENCE)


async def await_on_loop(coroutine: Coroutine[Any, Any, T]) -> T:
    """Awaits a coroutine that runs on binder's loop, from whichever loop the caller is in;
    cancelling reaches it."""
    loop = _running()
    if asyncio.get_running_loop() is loop:
        return await coroutine
    return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(coroutine, loop))


def current_loop() -> asyncio.AbstractEventLoop | None:
    """The loop that runs in this thread, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def _announced(coroutine: Coroutine[Any, Any, T], ended: threading.Event) -> T:
    """Tells another thread that a coroutine has ended, however it ended."""
    try:
        return await coroutine
    finally:
        ended.set()


def _running() -> asyncio.AbstractEventLoop:
    """The loop of this process, started in a thread of its own when first asked for."""
    with _lock:
        loop = _loops.get(os.getpid())
        if loop is None:
            loop = _loops[os.getpid()] = asyncio.SelectorEventLoop(Selector())
            threading.Thread(target=loop.run_forever, name="binder-lm", daemon=True).start()
        return loop


def _forked() -> None:
    """Gives a forked child a lock that no lost thread holds; the loop of its parent is kept,
    unused."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
