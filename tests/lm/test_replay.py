"""Recordings and scripts stand in for an endpoint."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import binder
from binder.errors import DataError, NotConfigured
from binder.lm import Choice, Message, Reply, Request, RequestUsage
from binder.lm.event_loop import run
from binder.lm.replay import Record, Replay
from tests.scripted import Scripted
from tests.server import Server


def request(text: str, sample: int = 0) -> Request:
    return Request((Message("system", "s"), Message("user", text)), "m", sample=sample)


def test_what_was_recorded_is_replayed(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    texts = ["plain", "naïve \u2028 \ud800 \n 'quoted'", ""]
    usage = RequestUsage(1, 2, 3, 0.5)
    record = Record(
        Scripted(lambda asked: Reply((Choice(asked.messages[-1].content, "length"),), usage)), path
    )
    replies = [run(record.complete(request(text))) for text in texts]
    assert path.read_bytes().count(b"\n") == 3
    assert "naïve" in path.read_text(encoding="utf-8"), "a person can read it"
    assert [run(Replay(path).complete(request(text))) for text in texts] == replies


def test_samples_of_one_question_are_told_apart(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    record = Record(Scripted(["a", "b"]), path)
    for sample in (0, 1):
        run(record.complete(request("q", sample)))
    assert [run(Replay(path).complete(request("q", sample))).text for sample in (1, 0)] == [
        "b",
        "a",
    ]


def test_a_line_that_was_cut_short_is_passed_over_and_not_built_on(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    run(Record(Scripted(["a"]), path).complete(request("q")))
    whole = path.read_bytes()
    path.write_bytes(whole + whole[: len(whole) // 2])
    assert len(Replay(path).replies) == 1
    run(Record(Scripted(["b"]), path).complete(request("p")))
    with pytest.raises(DataError, match="line 2"):
        Replay(path)


def test_an_unknown_question_is_named(tmp_path: Path) -> None:
    path = tmp_path / "r.jsonl"
    path.write_text("")
    with pytest.raises(NotConfigured, match="r.jsonl.*which country"):
        run(Replay(path).complete(request("which country?")))
    with pytest.raises(DataError):
        Replay(tmp_path / "none.jsonl")


def test_a_connection_records_what_replays_byte_for_byte(tmp_path: Path, server: Server) -> None:
    """Three runs on one cache: what was kept before, what is asked, what was asked by the run
    before."""
    rows = [
        {"name": name, "born": date(1990, 1, day)}
        for day, name in enumerate(["Ann", "Bo", "Ann", "Cy"], start=1)
    ]
    first, both = (
        'SELECT QA("map@who?"; name, born) FROM w WHERE ' + where
        for where in ("name = 'Bo'", "TRUE")
    )
    path, cache = tmp_path / "r.jsonl", tmp_path / "answers.sqlite"
    with binder.connect(rows, "m", server.url, "sk-test", cache=cache) as db:
        db.run(first)
    with binder.connect(rows, "m", server.url, "sk-test", cache=cache, record=path) as db:
        live = [db.run(both) for _ in range(2)]
    server.forget()
    with binder.connect(rows, replay=path) as db:
        again = [db.run(both) for _ in range(2)]
    assert not server.requests
    told = [
        [(r.rows, r.errors, r.usage.questions, r.usage.cached, r.usage.requests) for r in runs]
        for runs in (live, again)
    ]
    assert told[0] == told[1]
    assert [(r.usage.questions, r.usage.cached) for r in again] == [(3, 1), (0, 4)]
    assert "sk-test" not in path.read_text()


def test_a_recording_that_cannot_be_written_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="cannot write the recording"):
        binder.connect([{"a": 1}], "m", lm=Scripted([]), record=tmp_path)


def test_a_script_keeps_what_it_was_asked() -> None:
    script = Scripted(["one"])
    assert run(script.complete(request("q"))).text == "one"
    assert [asked.messages[-1].content for asked in script.requests] == ["q"]
    with pytest.raises(NotConfigured, match="no more replies"):
        run(script.complete(request("q2")))


def test_the_key_covers_what_can_change_the_reply() -> None:
    plain = request("q")
    others = [
        request("p"),
        request("q", sample=1),
        Request(plain.messages, "n"),
        Request(plain.messages, "m", temperature=0.0),
        Request(plain.messages, "m", max_tokens=1),
        Request(plain.messages, "m", n=2),
        Request(plain.messages, "m", schema="{}"),
        Request(plain.messages, "m", seed=0),
        Request((Message("user", "s"), plain.messages[1]), "m"),
    ]
    assert len({plain.key(), *(other.key() for other in others)}) == len(others) + 1
    assert request("q").key() == plain.key()


@given(
    st.text(),
    st.none() | st.floats(allow_nan=False),
    st.none() | st.integers(),
    st.none() | st.text(),
)
def test_a_request_reads_back(
    text: str, temperature: float | None, seed: int | None, schema: str | None
) -> None:
    asked = Request(
        (Message("user", text),), "m", temperature=temperature, seed=seed, schema=schema
    )
    assert Request.read(asked.data()) == asked
