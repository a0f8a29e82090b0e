"""Headers, parameters of the address and fields of the body that go with every request."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

import binder
from binder.errors import Refused, UsageError
from tests.server import Canned, Server, error

ROWS = [{"city": "Oslo"}]
PROGRAM = 'SELECT QA("map@which country?"; city) FROM w'
SECRET = "s3cret-of-the-gateway"


def connected(server: Server, cache: Path | None = None, **settings: Any) -> binder.Binder:
    return binder.connect(ROWS, "m", server.url, "key", cache=cache, **settings)


def test_they_go_with_every_request(server: Server) -> None:
    with connected(
        server,
        headers={"X-Team": "sales", "api-key": SECRET},
        query={"api-version": "2026-01-01", "debug": True},
        extra_body={"top_k": 20, "provider": {"order": ["a"]}},
    ) as db:
        db.run(PROGRAM)
    (headers,), (query,), (body,) = server.headers, server.queries, server.requests
    assert (headers["x-team"], headers["api-key"]) == ("sales", SECRET)
    assert query == "api-version=2026-01-01&debug=true"
    assert (body["top_k"], body["provider"], body["model"]) == (20, {"order": ["a"]}, "m")


def test_the_query_of_an_address_stays(server: Server) -> None:
    with binder.connect(
        ROWS, "m", f"{server.url}?a=1&b=2", "key", cache=None, query={"b": 3}
    ) as db:
        db.run(PROGRAM)
    assert server.queries == ["a=1&b=3"]


def test_answers_are_kept_apart_by_fields_of_the_body_alone(server: Server, tmp_path: Path) -> None:
    cache = tmp_path / "answers.db"
    for settings in (
        {},
        {"headers": {"X-Team": "b"}},
        {"query": {"a": 1}},
        {"extra_body": {"top_k": 20}},
        {"extra_body": {"top_k": 20}},
        {"extra_body": {"top_k": 21}},
    ):
        with connected(server, cache, **settings) as db:
            db.run(PROGRAM)
    assert [body.get("top_k") for body in server.requests] == [None, 20, 21]


def test_a_secret_is_never_shown_or_kept(server: Server, tmp_path: Path) -> None:
    server.reply = lambda body: Canned(error(f"bad key {SECRET}"), status=400)
    record = tmp_path / "session.jsonl"
    with connected(server, tmp_path / "a.db", headers={"api-key": SECRET}, record=record) as db:
        with pytest.raises(Refused) as caught:
            db.run(PROGRAM)
        shown = [str(caught.value), repr(db), repr(db.settings), repr(db.stack)]
    kept = record.read_text(encoding="utf-8")
    assert "[key]" in shown[0] and not any(SECRET in text for text in [*shown, kept])


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"headers": ["X-Team"]}, "headers is a list"),
        ({"headers": {"X Team": "a"}}, "'X Team' is no name of a header"),
        ({"headers": {"X-Team": f"a\r\nX: {SECRET}"}}, "the value of the header X-Team cannot"),
        ({"headers": {"X-Team": None}}, "the value of the header X-Team cannot be sent"),
        ({"query": "a=1"}, "query is a str"),
        ({"extra_body": {"messages": []}}, "extra_body cannot set 'messages'"),
        ({"extra_body": {"stream": True}}, "extra_body cannot set 'stream'"),
        ({"extra_body": {"a": {1, 2}}}, "extra_body is no JSON"),
        ({"extra_body": {"a": float("nan")}}, "extra_body is no JSON"),
    ],
)
def test_what_no_request_can_carry_is_refused(
    server: Server, settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        connected(server, **settings)
    assert SECRET not in str(caught.value) and not server.requests
