"""An MCP server for the tests, started as a process: `python -m tests.language.functions.mcp_server`."""

from __future__ import annotations

import os
import sys

from mcp.server import MCPServer
from mcp.types import ToolAnnotations

READS = ToolAnnotations(read_only_hint=True)
server = MCPServer("cities")


@server.tool(annotations=READS)
def latitude(city: str) -> float:
    """Latitude of a city, in degrees."""
    return {"Oslo": 59.9, "Rome": 41.9}[city]


@server.tool(annotations=READS)
def near(city: str, most: int = 2) -> list[str]:
    """Cities near a city."""
    return [f"{city}-{number}" for number in range(most)]


@server.tool(annotations=READS)
def describe(city: str, options: dict[str, str] | None = None) -> str:
    """A sentence about a city.

    Its second line is not told."""
    return f"{city} is a city."


@server.tool()
def forget(city: str) -> str:
    """Forgets a city: it changes something."""
    return f"forgot {city}"


@server.tool(annotations=READS)
def stop(city: str) -> str:
    """Ends the server."""
    os._exit(3)


@server.tool(annotations=READS)
def merge(options: dict[str, str]) -> str:
    """Takes what no cell is."""
    return str(options)


if __name__ == "__main__":
    server.run(*sys.argv[1:])
