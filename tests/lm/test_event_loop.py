"""The background loop: from threads, from inside other loops, through interrupts, forks and the end
of the process."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from binder.errors import QueryError, UsageError
from binder.lm.event_loop import await_on_loop, run
from tests.server import HANG, Server
from tests.timing import PATIENCE, until

ROOT = Path(__file__).parents[2]


async def loop_and_thread() -> tuple[asyncio.AbstractEventLoop, str]:
    return asyncio.get_running_loop(), threading.current_thread().name


def test_all_coroutines_run_on_one_loop() -> None:
    async def from_inside() -> list[object]:
        nested = await await_on_loop(await_on_loop(loop_and_thread()))
        return [run(loop_and_thread()), await await_on_loop(loop_and_thread()), nested]

    seen = [run(loop_and_thread()), *asyncio.run(from_inside())]
    thread = threading.Thread(target=lambda: seen.append(run(loop_and_thread())))
    thread.start()
    thread.join()
    assert len(seen) == 5 and len(set(seen)) == 1


def test_exceptions_come_out() -> None:
    async def fail() -> None:
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        run(fail())


def test_an_error_of_binder_says_where_it_was_asked_for_and_not_where_inside_it_was_raised() -> (
    None
):
    async def fail() -> None:
        raise QueryError("no") from ValueError("why")

    with pytest.raises(QueryError, match="no") as caught:
        run(fail())
    assert "fail" not in [frame.name for frame in caught.traceback]
    assert isinstance(caught.value.__cause__, ValueError)


def test_waiting_for_the_loop_on_the_loop_is_refused() -> None:
    async def stuck() -> object:
        return run(loop_and_thread())

    with pytest.raises(UsageError):
        run(stuck())


def test_cancelling_reaches_the_coroutine() -> None:
    ended = threading.Event()

    async def endless() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.set()

    async def impatient() -> None:
        await asyncio.wait_for(await_on_loop(endless()), 0.05)

    with pytest.raises(TimeoutError):
        asyncio.run(impatient())
    assert ended.wait(PATIENCE)


def test_an_interrupt_leaves_no_call_running(server: Server) -> None:
    server.script(HANG)
    code = """
        import signal, sys
        from binder.lm import Message, Request
        from binder.lm.event_loop import run
        from binder.lm.providers.openai import Endpoint, OpenAI
        # a shell's background job ignores it
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            run(OpenAI(Endpoint("m", sys.argv[1])).complete(Request((Message("user", "q"),), "m")))
        except KeyboardInterrupt:
            print("interrupted", flush=True)
            sys.stdin.read()
    """
    command = [sys.executable, "-c", textwrap.dedent(code), server.url]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        until(lambda: server.active == 1)
        child.send_signal(signal.SIGINT)
        assert child.stdout and child.stdout.readline() == "interrupted\n"
        until(lambda: server.active == 0)
        child.communicate("")
    assert child.returncode == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork here")
def test_fork_and_end_of_process_are_quiet(server: Server) -> None:
    code = """
        import os, sys
        from binder.lm import Message, Request
        from binder.lm.event_loop import run
        from binder.lm.providers.openai import Endpoint, OpenAI
        lm = OpenAI(Endpoint("m", sys.argv[1]), timeout=60)
        def ask():
            return run(lm.complete(Request((Message("user", "q"),), "m"))).text
        ask()
        child = os.fork()
        print(ask(), flush=True)
        if child:
            print(os.waitpid(child, 0)[1], ask())
    """
    command = [
        sys.executable,
        "-W",
        "error::ResourceWarning",
        "-c",
        textwrap.dedent(code),
        server.url,
    ]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.stdout, done.stderr, done.returncode) == ("no task\nno task\n0 no task\n", "", 0)


def test_the_openai_package_is_imported_for_the_first_request_only() -> None:
    code = "import sys; from binder.lm.providers.openai import OpenAI, endpoint; OpenAI(endpoint()); assert 'openai' not in sys.modules"
    assert subprocess.run([sys.executable, "-c", code], cwd=ROOT).returncode == 0
