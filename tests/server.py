"""A scripted OpenAI-compatible endpoint on loopback: what to answer goes in, replies and a log of
all requests come out. It understands the wire format of questions, and can fail as endpoints do.
Alone: python -m tests.server --port 8000"""

from __future__ import annotations

import argparse
import asyncio
import json
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Self

from binder.lm.tokens import estimate

Task = dict[str, Any]
Body = dict[str, Any]


@dataclass(frozen=True)
class Canned:
    """One HTTP reply and how it is sent: after wait seconds, drip seconds between bytes, closed
    after cut bytes.

    A cut of -1 - n resets the connection after n bytes.
    """

    body: str | bytes | dict[str, Any] = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    wait: float = 0.0
    drip: float = 0.0
    cut: int | None = None

    def wire(self) -> tuple[bytes, bytes]:
        """The head and the body as they go over the wire."""
        body = json.dumps(self.body) if isinstance(self.body, dict) else self.body
        data = body.encode() if isinstance(body, str) else body
        headers = {
            "content-type": "application/json",
            "content-length": str(len(data)),
        } | self.headers
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        return f"HTTP/1.1 {self.status} Said\r\n{lines}\r\n".encode(), data


SAID = 20  # tokens of a reply, where they are told
HANG = Canned(wait=3600.0)
Said = (
    str | int | Canned | dict[str, Any] | None
)  # the text, a status, the reply, a completion, or None: see answer


def first_value(task: Task) -> Any:
    """The first value of each row, or of the first row: answers that need no script."""
    if task["task"] == "map":
        return {key: row[0] for key, row in task["rows"].items()}
    return [row[0] for row in task["rows"][:1]]


def completion(*texts: str | None, **more: Any) -> dict[str, Any]:
    """A chat completion with these texts; more overrides its fields."""
    messages = [{"role": "assistant", "content": text} for text in texts]
    choices = [
        {"index": index, "finish_reason": "stop", "message": message}
        for index, message in enumerate(messages)
    ]
    usage = {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 15}
    return {
        "id": "c",
        "object": "chat.completion",
        "created": 0,
        "model": "m",
        "choices": choices,
        "usage": usage,
    } | more


def embeddings(*vectors: Sequence[float]) -> Canned:
    """A reply with these vectors, the last first, as no endpoint must but may."""
    data = [
        {"object": "embedding", "index": index, "embedding": list(vector)}
        for index, vector in enumerate(vectors)
    ]
    return Canned(
        {
            "object": "list",
            "data": data[::-1],
            "model": "e",
            "usage": {"prompt_tokens": 9, "total_tokens": 9},
        }
    )


def error(message: str, **more: Any) -> dict[str, Any]:
    """The body of a refusal."""
    return {
        "error": {"message": message, "type": "invalid_request_error", "param": None, "code": None}
        | more
    }


def task_of(body: Body) -> Task | None:
    """The task in the last message of a request, where it is one."""
    try:
        task = json.loads(body["messages"][-1]["content"])
    except ValueError:
        return None
    return task if isinstance(task, dict) and "task" in task else None


def tokens_of(body: Body) -> int:
    """The tokens of a request, as estimated."""
    return sum(estimate(message["content"]) for message in body["messages"])


class Server:
    """Answers tasks with `answer`; `reply`, a function of the body, comes before it. Both may be
    changed at any time. Where one of them fails, so does the `with` of the server."""

    def __init__(
        self, answer: Callable[[Task], Any] = first_value, latency: float = 0.0, port: int = 0
    ):
        self.answer = answer
        self.reply: Callable[[Body], Said] | None = None
        self.embed: Callable[[list[str]], Canned] | None = (
            None  # what to say to a request for vectors
        )
        self.metered = (
            False  # whether replies tell what was used: the prompt as estimated, and SAID tokens
        )
        self.latency = latency
        self.port = port
        self.connections: set[Connection] = set()
        self.failure: Exception | None = None  # of a script: the test is at fault
        self.stopped = False
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, name="server", daemon=True)
        self.forget()

    def __enter__(self) -> Self:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self.loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._stop(), self.loop).result()
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join()
        self.loop.close()
        if self.failure is not None:
            raise self.failure

    @property
    def url(self) -> str:
        """The base_url of the endpoint."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def active(self) -> int:
        """The requests that are being answered now."""
        return sum(connection.task is not None for connection in list(self.connections))

    @property
    def tasks(self) -> list[Task]:
        """The tasks in the requests so far, in the order of arrival."""
        return [task for body in self.requests if (task := task_of(body))]

    @property
    def questions(self) -> int:
        """The inputs of maps and the ans asked so far, each as often as it was asked."""
        return sum(len(task["rows"]) if task["task"] == "map" else 1 for task in self.tasks)

    def script(self, *replies: Said) -> None:
        """Gives these replies first, one a request, and what `answer` says afterwards."""
        series: Iterator[Said] = iter(replies)
        self.reply = lambda body: next(series, None)

    def forget(self) -> None:
        """Empties the log."""
        self.requests: list[Body] = []
        self.embedded: list[list[str]] = []
        self.paths: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.queries: list[str] = []
        self.started: list[float] = []
        self.finished = 0  # replies that were sent whole
        self.most_active = 0

    def say(self, body: Body) -> Canned:
        """The reply to a request."""
        said = self.reply(body) if self.reply else None
        if said is None:
            task = task_of(body)
            said = (
                json.dumps({"answers": self.answer(task)}, ensure_ascii=False)
                if task
                else "no task"
            )
        if isinstance(said, int):
            said = Canned(error(f"status {said}"), status=said)
        if isinstance(said, str):
            said = completion(*[said] * body.get("n", 1))
        canned = said if isinstance(said, Canned) else Canned(said)
        if self.metered and isinstance(canned.body, dict):
            used = {"prompt_tokens": tokens_of(body), "completion_tokens": SAID}
            canned = replace(canned, body=canned.body | {"usage": used})
        return canned

    async def _listen(self) -> None:
        """Opens the port."""
        self._listener = await self.loop.create_server(
            lambda: Connection(self), "127.0.0.1", self.port, backlog=1024
        )
        self.port = self._listener.sockets[0].getsockname()[1]

    async def _stop(self) -> None:
        """Closes the port and all connections."""
        self.stopped = True
        self._listener.close()
        tasks = [connection.task for connection in self.connections if connection.task]
        for connection in list(self.connections):
            connection.transport.abort()
        await asyncio.sleep(0.01)  # connection_lost is called on each, also on one just let in
        await asyncio.gather(*tasks, return_exceptions=True)


class Connection(asyncio.Protocol):
    """One client: requests one after the other; when it goes away, its request is no longer
    active."""

    transport: asyncio.Transport

    def __init__(self, server: Server):
        self.server = server
        self.received = bytearray()
        self.task: asyncio.Task[None] | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """A client has come."""
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport
        self.server.connections.add(self)
        if self.server.stopped:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client has gone."""
        self.server.connections.discard(self)
        if self.task:
            self.task.cancel()

    def data_received(self, data: bytes) -> None:
        """More of a request; once it is whole, it is answered."""
        self.received += data
        head, end, rest = self.received.partition(b"\r\n\r\n")
        first, *lines = head.decode("latin-1").split("\r\n")
        headers = {
            name.lower(): value.strip()
            for name, _, value in (line.partition(":") for line in lines)
        }
        if not end or len(rest) < int(headers.get("content-length", "0")):
            return
        self.received.clear()
        self.task = self.server.loop.create_task(self.answer(first, headers, bytes(rest)))
        self.server.most_active = max(self.server.most_active, self.server.active)

    async def answer(self, first: str, headers: dict[str, str], data: bytes) -> None:
        """Answers one request."""
        path, _, query = first.removeprefix("POST /v1").split(" ")[0].partition("?")
        if path in ("/chat/completions", "/responses"):
            body = json.loads(data)
            self.server.requests.append(body)
            self.server.paths.append(path)
            self.server.headers.append(headers)
            self.server.queries.append(query)
            self.server.started.append(time.monotonic())
            canned = self.scripted(lambda: self.server.say(body))
        elif path == "/embeddings" and self.server.embed is not None:
            body = json.loads(data)
            self.server.embedded.append(body["input"])
            embed = self.server.embed
            canned = self.scripted(lambda: embed(body["input"]))
        else:
            canned = Canned(error(f"no such path: {first}"), status=404)
        if self.server.latency or canned.wait:
            await asyncio.sleep(self.server.latency + canned.wait)
        await self.send(canned)
        self.server.finished += 1
        self.task = None

    def scripted(self, say: Callable[[], Canned]) -> Canned:
        """What a script says; one that fails is no reason to wait for it."""
        try:
            return say()
        except Exception as failure:
            self.server.failure = failure
            return Canned(error(f"the script of the test failed: {failure!r}"), status=400)

    async def send(self, canned: Canned) -> None:
        """Sends a reply in the way it asks for."""
        head, body = canned.wire()
        if canned.cut is not None and canned.cut < 0:
            self.transport.write((head + body)[: -1 - canned.cut])
            self.transport.get_extra_info("socket").setsockopt(
                socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0)
            )
            self.transport.abort()
        elif canned.cut is not None:
            self.transport.write((head + body)[: canned.cut])
            self.transport.close()
        elif canned.drip:
            self.transport.write(head)
            for byte in body:
                self.transport.write(bytes((byte,)))
                await asyncio.sleep(canned.drip)
        else:
            self.transport.write(head + body)


def main(arguments: Iterable[str] | None = None) -> None:
    """Serves until it is interrupted."""
    parser = argparse.ArgumentParser(
        description="an endpoint that answers each question with the first value of the row"
    )
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--latency", type=float, default=0.0, help="seconds before each reply")
    options = parser.parse_args(None if arguments is None else list(arguments))
    with Server(latency=options.latency, port=options.port) as server:
        print(server.url, flush=True)
        try:
            threading.Event().wait()
        except KeyboardInterrupt:
            print(f"{len(server.requests)} requests, {server.questions} questions")


if __name__ == "__main__":
    main()
