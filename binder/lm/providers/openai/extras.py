"""What goes with every request to an endpoint besides what binder asks: headers, parameters of the
address, fields of the body."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from binder.errors import UsageError

# Fields that say what is asked for, and the setting that each has.
OWN_FIELDS = {
    "model": "model=",
    "messages": "the question",
    "input": "the question",
    "n": "sampling=",
    "temperature": "sampling=",
    "stream": "none: replies are read whole",
    "response_format": "none: binder says how replies look",
}
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # of a header, by RFC 9110
_EMBEDDINGS = "/embeddings"


@dataclass(frozen=True)
class Extras:
    """headers: name -> value; query: parameters of the address; body: fields of each request for a
    completion."""

    headers: Mapping[str, str] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)

    @property
    def mark(self) -> str:
        """What tells replies with these fields from others; empty without fields."""
        if not self.body:
            return ""
        written = json.dumps(self.body, sort_keys=True, ensure_ascii=False)
        return "#" + hashlib.sha256(written.encode()).hexdigest()[:16]

    def added(self, path: str, sent: dict[str, Any]) -> dict[str, Any]:
        """The body of a request with these fields in it."""
        return sent if path == _EMBEDDINGS else {**sent, **self.body}


NO_EXTRAS = Extras()


def extras(headers: Any = None, query: Any = None, extra_body: Any = None) -> Extras:
    """The extras that a user gives; a UsageError for what no request can carry."""
    _check_mappings({"headers": headers, "query": query, "extra_body": extra_body})
    for name, value in (headers or {}).items():
        _check_header(name, value)
    _check_body(dict(extra_body or {}))
    words = {str(name): _word(value) for name, value in (query or {}).items()}
    return Extras(dict(headers or {}), words, dict(extra_body or {}))


def _check_mappings(given: dict[str, Any]) -> None:
    for name, value in given.items():
        if value is not None and not isinstance(value, Mapping):
            what = type(value).__name__
            raise UsageError(f"{name} is a {what}", hint=f'{name}={{"name": value}}')


def _check_body(body: dict[str, Any]) -> None:
    """Refuses fields that binder sets itself, and what is no JSON."""
    for name in body:
        if name in OWN_FIELDS:
            raise UsageError(
                f"extra_body cannot set {name!r}", hint=f"its setting is {OWN_FIELDS[name]}"
            )
    try:
        json.dumps(body, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise UsageError(f"extra_body is no JSON: {error}") from error


def _check_header(name: object, value: object) -> None:
    """Refuses a header that cannot be sent; its value, which may be a secret, is not shown."""
    if not isinstance(name, str) or not _NAME.fullmatch(name):
        raise UsageError(f"{name!r} is no name of a header", hint='headers={"X-Team": "sales"}')
    if not isinstance(value, str) or not re.fullmatch(r"[\t -~]*", value):
        hint = "a value is one line of ASCII text"
        raise UsageError(f"the value of the header {name} cannot be sent", hint=hint)


def _word(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
