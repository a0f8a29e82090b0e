"""Nothing comes in; requests a second of binder and of the bare client go out, measured in turns in
one run: a table.

One input a request, 64 at a time, a server without latency. Alone: python -m tests.speed.throughput
"""

from __future__ import annotations

import asyncio
import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import openai

import binder
from binder.lm import Choice, Reply, Request
from binder.lm.providers.openai.chat import parameters
from tests.scripted import Scripted

INPUTS, CONCURRENCY, TURNS = 1500, 64, 3
HEADER = ["client", "requests a second", "of AsyncOpenAI", "of AsyncOpenAI with aiohttp"]
ROWS = [{"name": f"name {i}"} for i in range(INPUTS)]
PROGRAM = 'SELECT COUNT(QA("map@{}?"; name)) FROM w'


def measured() -> tuple[list[str], list[list[str]]]:
    """All clients in turns, the median of each."""
    server = subprocess.Popen(
        [sys.executable, "-m", "tests.server", "--port", "0"], stdout=subprocess.PIPE, text=True
    )
    assert server.stdout is not None
    try:
        url, bodies = server.stdout.readline().strip(), asked()
        clients: dict[str, Callable[[], float]] = {
            "AsyncOpenAI": lambda: asyncio.run(bare(url, bodies, None)),
            "AsyncOpenAI with aiohttp": lambda: asyncio.run(
                bare(url, bodies, openai.DefaultAioHttpClient())
            ),
            "binder, cache=None": lambda: ours(url, None),
            "binder, cache=FILE": lambda: kept(url),
        }
        rates: dict[str, list[float]] = {name: [] for name in clients}
        for _ in range(TURNS):
            for name, client in clients.items():
                rates[name].append(client())
    finally:
        server.kill()
        server.wait()
    medians = {name: statistics.median(rate) for name, rate in rates.items()}
    plain, aiohttp = list(medians.values())[:2]
    return HEADER, [
        [name, f"{rate:,.0f}", f"{rate / plain:.2f}", f"{rate / aiohttp:.2f}"]
        for name, rate in medians.items()
    ]


def asked() -> list[dict[str, Any]]:
    """The parameters of the requests that binder makes."""

    def answer(request: Request) -> Reply:
        return Reply((Choice(json.dumps({"answers": {"r1": "x"}})),))

    script = Scripted(answer)
    with binder.connect({"w": ROWS}, "m", lm=script, batch_rows=1) as db:
        db.run(PROGRAM.format("who"))
    return [parameters(request, frozenset()) for request in script.requests]


async def bare(url: str, bodies: list[dict[str, Any]], http: Any) -> float:
    """Requests a second of the client alone, each reply read as JSON."""
    slots = asyncio.Semaphore(CONCURRENCY)
    async with openai.AsyncOpenAI(
        base_url=url, api_key="none", max_retries=0, http_client=http
    ) as client:

        async def one(body: dict[str, Any]) -> None:
            async with slots:
                completion = await client.chat.completions.create(**body)
                json.loads(completion.choices[0].message.content or "")

        await one(bodies[0])
        started = time.perf_counter()
        await asyncio.gather(*(one(body) for body in bodies))
        return len(bodies) / (time.perf_counter() - started)


def ours(url: str, cache: Path | None) -> float:
    """Requests a second of a run."""
    settings = {"cache": cache, "concurrency": CONCURRENCY, "batch_rows": 1}
    with binder.connect({"w": ROWS}, "m", url, "none", **settings) as db:
        db.run(PROGRAM.format("warm") + " WHERE name = 'name 1'")
        started = time.perf_counter()
        result = db.run(PROGRAM.format("who"))
        seconds = time.perf_counter() - started
    assert result.usage.requests == INPUTS
    return INPUTS / seconds


def kept(url: str) -> float:
    """The same with a cache file, empty at first."""
    with tempfile.TemporaryDirectory() as folder:
        return ours(url, Path(folder, "answers.sqlite"))


if __name__ == "__main__":
    header, lines = measured()
    for line in [header, *lines]:
        print(*(f"{cell:>28}" for cell in line))
