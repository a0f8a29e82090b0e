"""What is put in a store is there for everyone, now and later, as it was."""

from __future__ import annotations

import json
import sqlite3
import stat
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from binder.errors import DataError, UsageError
from binder.lm import Choice, Reply, RequestUsage
from binder.lm.store import PackedRequest, Store, Stored

REPLY = Reply((Choice('{"answers": {"r1": "Spain"}}'),), RequestUsage(1, 10, 5, 0.25))


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "folder" / "answers.sqlite"


@pytest.fixture(params=["file", "memory"])
def store(request: pytest.FixtureRequest, path: Path) -> Iterator[Store]:
    opened = Store(path if request.param == "file" else None)
    yield opened
    opened.close()


def put(store: Store, key: str, value: Any = "v", **more: Any) -> None:
    store.put_answers(f"request of {key}", {key: Stored(value, **more)}).result(30)


def test_answers_come_back_as_they_were(store: Store) -> None:
    values = [
        None,
        True,
        1,
        1.5,
        "Zürich \ud800 \0 'x'",
        date(2020, 1, 2),
        Decimal("1.50"),
        ["a", None],
        10**30,
    ]
    answers = {
        f"k{i}": Stored(value, input=[value], question="q \ud800", model="m")
        for i, value in enumerate(values)
    }
    answers["none"] = Stored(fault="no_answer", message="the reply says \ud800", attempts=3)
    store.put_answers("r", answers).result(30)
    found = store.get_answers([*answers, "unknown"])
    assert found.keys() == answers.keys()
    assert [found[key].value for key in answers] == [answer.value for answer in answers.values()]
    assert [type(found[key].value) for key in answers] == [
        type(answer.value) for answer in answers.values()
    ]
    assert (found["none"].fault, found["none"].attempts, found["none"].request) == (
        "no_answer",
        3,
        "r",
    )
    assert found["k1"].created > 1_600_000_000


def test_many_keys_are_found(store: Store) -> None:
    store.put_answers("r", {f"k{i}": Stored(i) for i in range(1_234)}).result(30)
    found = store.get_answers(f"k{i}" for i in range(2_000))
    assert {key: answer.value for key, answer in found.items()} == {
        f"k{i}": i for i in range(1_234)
    }


def test_a_later_answer_replaces_an_earlier_one(store: Store) -> None:
    put(store, "k", 1)
    put(store, "k", 2)
    assert store.get_answers(["k"])["k"].value == 2
    assert store.stats().answers == 1


def test_a_reply_is_there_only_when_it_has_come(store: Store) -> None:
    assert store.get_reply("r") is None
    store.mark_sent("r", "m", "http://e").result(30)
    assert store.get_reply("r") is None and store.stats().unanswered == 1
    store.put_reply("r", REPLY, "m", "http://e").result(30)
    assert store.get_reply("r") == REPLY
    store.mark_sent("r", "m", "http://e").result(30)
    assert store.get_reply("r") == REPLY, "sent once more, it is still here"
    stats = store.stats()
    assert (
        stats.replies,
        stats.unanswered,
        stats.prompt_tokens,
        stats.completion_tokens,
        stats.cost,
    ) == (1, 0, 10, 5, 0.25)
    store.forget(["r"]).result(30)
    assert store.get_reply("r") is None


def test_a_reply_that_nobody_read_is_told(store: Store) -> None:
    wanted = ["a", "b", "c", "d"]
    store.pack("r", PackedRequest(("b", "a"), 2))
    store.mark_sent("r").result(30)
    assert store.unread(wanted) == [], "it has not come"
    store.put_reply("r", REPLY).result(30)
    assert store.unread(wanted) == [PackedRequest(("b", "a"), 2)]
    assert store.unread(["a", "c"]) == [], "not all of it is wanted"
    store.pack("s", PackedRequest(("a", "c")))
    store.mark_sent("s").result(30)
    store.put_reply("s", REPLY).result(30)
    assert sum((pack.inputs for pack in store.unread(wanted)), ()) in [("b", "a"), ("a", "c")], (
        "no input twice"
    )
    store.put_answers("r", {"a": Stored(1)}).result(30)
    assert store.unread(wanted) == [PackedRequest(("a", "c"))], (
        "it was read, though not all of it was there"
    )
    store.put_answers("s", {}).result(30)
    assert store.unread(wanted) == []


def test_handles_of_one_path_share_a_file_until_the_last_is_closed(path: Path) -> None:
    path.parent.mkdir()
    link = path.parent / "link.sqlite"
    link.symlink_to(path)
    first, second, other = Store(path), Store(str(link)), Store(None)
    assert first.flights is second.flights is not other.flights
    put(first, "k")
    first.close()
    first.close()
    put(second, "l")
    assert second.get_answers(["k", "l"]).keys() == {"k", "l"}
    second.close()
    assert {file.name for file in path.parent.iterdir()} == {path.name, link.name}, (
        "nothing is left beside the file"
    )
    third = Store(path)
    assert third.get_answers(["k", "l"]).keys() == {"k", "l"}
    third.close()


def test_what_is_put_is_on_the_disk_for_others(path: Path) -> None:
    store = Store(path)
    put(store, "k", question="which town?", model="m", input=["Zürich"])
    connection = sqlite3.connect(path)
    found = connection.execute("SELECT question, input, value, model FROM answers").fetchall()
    connection.close()
    assert found == [("which town?", '["Zürich"]', '"v"', "m")]
    assert (
        stat.S_IMODE(path.stat().st_mode) == 0o600
        and stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    )
    store.close()


def test_memory_is_not_shared(tmp_path: Path) -> None:
    first, second = Store(None), Store(None)
    put(first, "k")
    assert not second.get_answers(["k"])
    assert first.path is None and first.stats().path is None and first.problem is None


def test_pruning(store: Store) -> None:
    put(store, "a", model="m")
    put(store, "b", model="n")
    store.put_reply("r", REPLY, "m").result(30)
    store.mark_sent("s").result(30)
    with pytest.raises(UsageError, match="nothing selected"):
        store.prune()
    assert store.prune(older_than_days=1) == 0
    assert store.prune(older_than_days=0, model="n") == 1
    assert store.prune(model="m") == 2
    assert store.prune(older_than_days=0) == 1
    assert store.stats().answers == store.stats().replies == 0


def test_what_was_pruned_is_not_on_the_disk(path: Path) -> None:
    store = Store(path)
    put(store, "k", "sensitive" * 1000)
    store.prune(older_than_days=0)
    assert not any(b"sensitive" in file.read_bytes() for file in path.parent.iterdir())
    assert store.stats().bytes < 50_000
    store.close()


def test_export_is_readable(store: Store, tmp_path: Path) -> None:
    put(store, "k", date(2020, 1, 2), question="when, Zürich?", input=["\ud800"], model="m")
    store.put_reply("r", REPLY, "m").result(30)
    out = tmp_path / "out.jsonl"
    assert store.export(out) == 2
    text = out.read_text(encoding="utf-8")
    assert "when, Zürich?" in text
    answer, reply = map(json.loads, text.splitlines())
    assert (answer["table"], answer["value"], answer["input"]) == (
        "answers",
        {"$date": "2020-01-02"},
        ["\ud800"],
    )
    assert (reply["table"], Reply.read(reply["reply"])) == ("replies", REPLY)
    with pytest.raises(DataError):
        store.export(tmp_path)


def test_stats_are_for_people(store: Store) -> None:
    assert "answers   0" in str(store.stats())
    store.put_answers(
        "r", {f"k{i}": Stored(i, model="m", endpoint="http://e/v1") for i in range(1_000)}
    ).result(30)
    store.put_reply("r", REPLY, "m").result(30)
    store.mark_sent("s", "m").result(30)
    text = str(store.stats())
    assert "answers   1,000\n      1,000  m  http://e/v1\n" in text
    assert "replies   1  (10 + 5 tokens, $0.2500); 1 never came\nmade      20" in text
