"""Tools of an MCP server as own functions (Model Context Protocol; the extra `mcp`)."""

from __future__ import annotations

import asyncio
import contextlib
import json
import shlex
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future
from datetime import date
from typing import TYPE_CHECKING, Any

from binder.errors import UsageError
from binder.language.functions.own import LIST, Function, Parameter

if TYPE_CHECKING:
    from mcp.types import CallToolResult, Tool

PATIENCE = 30.0  # seconds that a server has to start and to list its tools
# JSON type -> the type of a value in a program, and the Python type that the server is sent
_TYPES = {
    "string": ("text", str),
    "number": ("number", float),
    "integer": ("number", int),
    "boolean": ("boolean", bool),
}


def mcp(
    server: str | Sequence[str],
    only: Iterable[str] | None = None,
    *,
    keep: bool = True,
    cost: float = 0.0,
    limit: int = 16,
    timeout: float = 60.0,
) -> list[Function]:
    """The tools of an MCP server as functions of a connection.

    server: the address of one (https://.../mcp), or the command that starts one. only: the names of
    the tools to take. By default these are all tools that say that they only read, and whose
    arguments are texts, numbers, truths, dates or lists of these. The rest is as in Function."""
    session = _Session(server)
    tools = {tool.name: tool for tool in session.tools()}
    wanted = list(only) if only is not None else [name for name in tools if _reads(tools[name])]
    unknown = [name for name in wanted if name not in tools]
    if unknown:
        raise UsageError(
            f"the MCP server has no tool {unknown[0]!r}",
            hint=f"available tools: {', '.join(tools) or 'none'}",
        )
    functions = []
    for name in wanted:
        parameters = _parameters(tools[name])
        if parameters is None:
            if only is None:
                continue
            raise UsageError(
                f"the arguments of the MCP tool {name!r} are no texts, numbers, truths or dates",
                hint="write a Python function that calls it",
            )
        function = Function(
            _Tool(session, tools[name], parameters),
            name=_name(name),
            keep=keep,
            version=session.version,
            cost=cost,
            limit=limit,
            timeout=timeout,
            doc=(tools[name].description or tools[name].title or "").strip().partition("\n")[0],
            parameters=parameters,
            returns=_returns(tools[name]),
        )
        functions.append(function)
    return functions


class _Session:
    """An open session with a server, on an event loop in a thread of its own. It ends when nothing
    refers to it any more."""

    def __init__(self, server: str | Sequence[str]):
        client = _client_of(server)
        self._loop = asyncio.new_event_loop()
        self._client: Any = None
        self.version = ""
        opened: Future[None] = Future()
        self._stop = asyncio.Event()
        work = _hold(weakref.proxy(self), client, opened, self._stop)
        arguments = self._loop, work
        threading.Thread(target=_serve, args=arguments, name="binder-mcp", daemon=True).start()
        try:
            opened.result(PATIENCE)
        except Exception as error:  # noqa: BLE001  of the transport, of the server, of the network
            _end(self._loop, self._stop)  # where it opens too late
            told = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
            raise UsageError(f"the MCP server {_shown(server)} cannot be used: {told}") from error
        weakref.finalize(self, _end, self._loop, self._stop)

    def opened(self, client: Any) -> None:
        """Takes the client once the server has answered."""
        self._client = client
        info = client.server_info
        self.version = f"{info.name} {info.version}" if info is not None else ""

    def tools(self) -> list[Tool]:
        """All tools of the server."""
        found: list[Tool] = []
        cursor: str | None = None
        while True:
            page = self._run(self._client.list_tools(cursor=cursor), PATIENCE)
            found += page.tools
            cursor = page.next_cursor
            if not cursor:
                return found

    def call(self, name: str, arguments: Mapping[str, Any]) -> CallToolResult:
        """What a tool returns."""
        result: CallToolResult = self._run(self._client.call_tool(name, dict(arguments)))
        return result

    def _run(self, work: Any, seconds: float | None = None) -> Any:
        try:
            return asyncio.run_coroutine_threadsafe(work, self._loop).result(seconds)
        except TimeoutError:
            hint = "check that it is running"
            raise UsageError("the MCP server does not answer", hint=hint) from None


class _Tool:
    """One tool as a callable; it holds the session open."""

    def __init__(self, session: _Session, tool: Tool, parameters: Sequence[Parameter]):
        self.session, self.tool = session, tool
        self.names = [parameter.name for parameter in parameters]
        self.returns = _returns(tool)

    def __call__(self, *arguments: Any) -> Any:
        sent = dict(zip(self.names, map(_sent, arguments), strict=False))
        result = self.session.call(self.tool.name, sent)
        texts = [part.text for part in result.content if part.type == "text"]
        if result.is_error:
            raise RuntimeError(" ".join(texts) or "the tool failed")
        structured = result.structured_content
        if isinstance(structured, dict) and structured.keys() == {"result"}:
            structured = structured["result"]
        if self.returns != "text" or isinstance(structured, str):
            return structured
        if texts:
            return "\n".join(texts)
        return None if structured is None else json.dumps(structured, ensure_ascii=False)


def _client_of(server: str | Sequence[str]) -> Any:
    """The client of a server, not yet opened."""
    try:
        from mcp import Client, StdioServerParameters
    except ImportError as error:
        raise UsageError(
            "mcp() needs the package mcp", hint="pip install 'binder-lm[mcp]'"
        ) from error
    if isinstance(server, str) and server.startswith(("http://", "https://")):
        return Client(server)
    words = shlex.split(server) if isinstance(server, str) else list(server)
    if not words:
        raise UsageError("the command of the MCP server is empty")
    return Client(StdioServerParameters(command=words[0], args=words[1:]))


async def _hold(session: Any, client: Any, opened: Future[None], stop: asyncio.Event) -> None:
    """Holds a session open in one task, as its cancel scopes demand, until it is stopped."""
    try:
        async with client as ready:
            session.opened(ready)
            opened.set_result(None)
            await stop.wait()
    except BaseException as error:  # noqa: BLE001  whoever opened it is told
        if not opened.done():
            opened.set_exception(_innermost(error))


def _serve(loop: asyncio.AbstractEventLoop, work: Any) -> None:
    """Runs a session to its end."""
    try:
        loop.run_until_complete(work)
    finally:
        loop.close()


def _innermost(error: BaseException) -> BaseException:
    """The error itself, where groups of tasks are wrapped around it."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error


def _end(loop: asyncio.AbstractEventLoop, stop: asyncio.Event) -> None:
    with contextlib.suppress(RuntimeError):  # the session has ended by itself
        loop.call_soon_threadsafe(stop.set)


def _shown(server: str | Sequence[str]) -> str:
    return server if isinstance(server, str) else shlex.join(server)


def _reads(tool: Tool) -> bool:
    """Whether a tool says that it changes nothing."""
    return tool.annotations is not None and bool(tool.annotations.read_only_hint)


def _name(name: str) -> str:
    """The name of a tool as a program writes it."""
    written = "".join(sign if sign.isalnum() else "_" for sign in name.lower())
    return written if written[:1].isalpha() else f"tool_{written}"


def _parameters(tool: Tool) -> tuple[Parameter, ...] | None:
    """What a tool takes, required arguments first; None where an argument is of no plain type."""
    schema = tool.input_schema or {}
    required = set(schema.get("required") or ())
    found = []
    for name, described in (schema.get("properties") or {}).items():
        typed = _type(described)
        if typed is None and name in required:
            return None
        if typed is not None:
            type_name, python, takes_null = typed
            found.append(Parameter(name, type_name, python, name in required, takes_null))
    return tuple(sorted(found, key=lambda one: not one.required))


def _returns(tool: Tool) -> str:
    """The type of what a tool returns: that of its only result, else text."""
    properties = (tool.output_schema or {}).get("properties") or {}
    typed = _type(properties["result"]) if properties.keys() == {"result"} else None
    return typed[0] if typed is not None else "text"


def _type(schema: Mapping[str, Any]) -> tuple[str, Any, bool] | None:
    """The type, the Python type and whether null is allowed, of a JSON schema of one plain type."""
    options = schema.get("anyOf") or schema.get("oneOf") or [schema]
    kinds = [one for one in options if one.get("type") != "null"]
    takes_null = len(kinds) < len(options)
    if len(kinds) != 1:
        return None
    kind = kinds[0]
    if kind.get("type") == "array":
        inner = _type(kind.get("items") or {})
        return None if inner is None else (inner[0] + LIST, inner[1], takes_null)
    if kind.get("type") == "string" and kind.get("format") == "date":
        return "date", date, takes_null
    name = kind.get("type")
    return (*_TYPES[name], takes_null) if name in _TYPES else None


def _sent(value: Any) -> Any:
    """An argument as JSON."""
    return value.isoformat() if isinstance(value, date) else value
