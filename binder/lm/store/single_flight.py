"""Single flight: of equal calls that are made at the same time, one is made, and its reply goes to
all. They may wait in any thread and event loop; nobody's leaving harms the others, and when all
have left the call is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from typing import Any

from binder.errors import BinderError, BudgetExceeded, NotConfigured, Refused
from binder.lm import Reply

Completion = Callable[[], Coroutine[Any, Any, Reply]]


class Flight:
    """One call under way. landed: its reply, its error, or None when it was lost with its event
    loop."""

    task: asyncio.Task[None]

    def __init__(self, loop: asyncio.AbstractEventLoop):
        self.loop = loop
        self.landed: Future[Reply | None] = Future()
        self.landed.set_running_or_notify_cancel()  # from here on nobody can cancel it
        self.waiting = 0
        self.claimed = False


class SingleFlight:
    """The calls under way, by what they ask for."""

    def __init__(self) -> None:
        self._forked()
        _all.add(self)

    async def join(self, key: str, call: Completion) -> tuple[Reply, bool]:
        """The reply to a call, made unless one with this key is under way; True for exactly one of
        those who get it."""
        while True:
            flight, mine = self._board(key, call)
            try:
                # What is awaited can be cancelled, the call cannot: no shield, whose inner future
                # would keep an error that nobody retrieves.
                reply = await asyncio.wrap_future(flight.landed)
            except BinderError as error:
                if mine or not _personal(error):
                    raise
                reply = None
            finally:
                self._leave(key, flight)
            if reply is not None:
                with self._lock:
                    first, flight.claimed = not flight.claimed, True
                return reply, first

    def _board(self, key: str, call: Completion) -> tuple[Flight, bool]:
        """The flight for a key, and whether it starts here because there was none."""
        with self._lock:
            flight = self._flights.get(key)
            mine = flight is None or flight.landed.done()
            if flight is None or mine:
                loop = asyncio.get_running_loop()
                flight = self._flights[key] = Flight(loop)
                flight.task = loop.create_task(self._fly(key, flight, call))
            flight.waiting += 1
            return flight, mine

    def _leave(self, key: str, flight: Flight) -> None:
        """Drops one waiter; cancels the call when none is left."""
        with self._lock:
            flight.waiting -= 1
            if flight.waiting or flight.landed.done():
                return
            self._forget(key, flight)
        with contextlib.suppress(RuntimeError):  # its loop is closed
            flight.loop.call_soon_threadsafe(flight.task.cancel)

    async def _fly(self, key: str, flight: Flight, call: Completion) -> None:
        """Makes the call; whatever happens, those who wait are told."""
        reply = None
        try:
            reply = await call()
        except Exception as error:  # whatever it is, it is theirs
            flight.landed.set_exception(error)
        finally:
            with self._lock:
                self._forget(key, flight)
            if not flight.landed.done():
                flight.landed.set_result(reply)

    def _forget(self, key: str, flight: Flight) -> None:
        if self._flights.get(key) is flight:
            del self._flights[key]

    def _forked(self) -> None:
        """Begins anew: the calls of a parent do not land in its child."""
        self._lock = threading.Lock()
        self._flights: dict[str, Flight] = {}
        # values that someone on binder's loop is asking for
        self.claims: dict[str, asyncio.Future[None]] = {}


def _personal(error: BinderError) -> bool:
    """Whether an error is about who made the call: another, with a budget and a key of their own,
    may succeed."""
    if isinstance(error, Refused):
        return error.status in (401, 403)
    return isinstance(error, BudgetExceeded | NotConfigured)


_all: weakref.WeakSet[SingleFlight] = weakref.WeakSet()


def _in_child() -> None:
    for flights in _all:
        flights._forked()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_in_child)
