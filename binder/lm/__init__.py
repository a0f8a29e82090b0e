"""Requests to and replies of a language model, and the LM protocol that every layer implements.
Knows no Program, Table or Trace."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class Message:
    """One message of a conversation."""

    role: Literal["system", "user", "assistant"]
    content: str


@dataclass(frozen=True, slots=True)
class Request:
    """One completion to ask for. sample tells apart equal requests of a vote; schema is the JSON
    schema of the reply, as text; grammar the Lark grammar that the reply follows where the endpoint
    can see to that; effort how much a reasoning model reasons; chances whether to tell what else
    the reply could have begun with; embed asks for the vectors of the messages, one a choice, each
    as base64 of components of one byte, the largest 127."""

    messages: tuple[Message, ...]
    model: str
    temperature: float | None = None
    max_tokens: int | None = None
    n: int = 1
    sample: int = 0
    schema: str | None = None
    seed: int | None = None
    grammar: str | None = None
    effort: str | None = None
    chances: bool | None = None
    embed: bool | None = None

    def data(self) -> dict[str, Any]:
        """The request as JSON data, without what is not set."""
        told = {
            name: value for name in self.__slots__ if (value := getattr(self, name)) is not None
        }
        return told | {
            "messages": [
                {"role": message.role, "content": message.content} for message in self.messages
            ]
        }

    def key(self) -> str:
        """The digest of all that can change the reply."""
        canonical = json.dumps(self.data(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(canonical.encode("ascii")).hexdigest()

    @classmethod
    def read(cls, data: dict[str, Any]) -> Request:
        """The request that data() came from."""
        return cls(**data | {"messages": tuple(Message(**message) for message in data["messages"])})


@dataclass(frozen=True, slots=True)
class RequestUsage:
    """What requests used; estimated counts those whose tokens the endpoint did not tell, cost is
    None where nobody told it."""

    requests: int = 0
    prompt_tokens: int = 0
    completion_tokens: int = 0
    cost: float | None = None
    estimated: int = 0

    def __add__(self, other: RequestUsage) -> RequestUsage:
        costs = [cost for cost in (self.cost, other.cost) if cost is not None]
        return RequestUsage(
            self.requests + other.requests,
            self.prompt_tokens + other.prompt_tokens,
            self.completion_tokens + other.completion_tokens,
            sum(costs) if costs else None,
            self.estimated + other.estimated,
        )


@dataclass(frozen=True, slots=True)
class Choice:
    """One of the texts of a reply; finish is the endpoint's word for why it ended: stop, length,
    content_filter, refusal, ...

    chances: how probable it was for the text to begin with this token or that, where that was asked
    for and told."""

    text: str
    finish: str = "stop"
    chances: tuple[tuple[str, float], ...] | None = None

    def data(self) -> dict[str, Any]:
        """The choice as JSON data, without what was not told."""
        told = {"text": self.text, "finish": self.finish}
        return told if self.chances is None else {**told, "chances": dict(self.chances)}

    @classmethod
    def read(cls, data: dict[str, Any]) -> Choice:
        """The choice that data() came from."""
        chances = data.get("chances")
        return cls(
            data["text"],
            data.get("finish", "stop"),
            None if chances is None else tuple(chances.items()),
        )


@dataclass(frozen=True, slots=True)
class Reply:
    """The texts of one request, at least one and at most request.n, and what they used: nothing
    where they were cached."""

    choices: tuple[Choice, ...]
    usage: RequestUsage = RequestUsage()
    cached: bool = False

    @property
    def text(self) -> str:
        """The first text."""
        return self.choices[0].text

    @property
    def finish(self) -> str:
        """Why the first text ended."""
        return self.choices[0].finish

    def data(self) -> dict[str, Any]:
        """The reply as JSON data."""
        usage = {
            name: value for name in self.usage.__slots__ if (value := getattr(self.usage, name))
        }
        return {"choices": [choice.data() for choice in self.choices], "usage": usage}

    @classmethod
    def read(cls, data: dict[str, Any]) -> Reply:
        """The reply that data() came from."""
        return cls(
            tuple(Choice.read(choice) for choice in data["choices"]),
            RequestUsage(**data.get("usage", {})),
        )


class LM(Protocol):
    """A language model, or a layer around one."""

    async def complete(self, request: Request) -> Reply:
        """The reply to a request, or an LMError."""
        ...

    async def close(self) -> None:
        """Lets go of connections and files."""
        return  # nothing is open, unless a layer says so


class Layer(LM):
    """A layer around another, which it closes with itself."""

    lm: LM

    async def close(self) -> None:
        """Closes the layer below."""
        await self.lm.close()
