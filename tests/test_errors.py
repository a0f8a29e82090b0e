"""The errors go in: the tree is as it is drawn, and the place is marked. That foreign errors end as
one of them is tested at their doors: tests/lm/test_openai.py, tests/executors/test_worker.py."""

from __future__ import annotations

import dataclasses
import inspect
import pickle
import re

import pytest

from binder import errors
from binder.errors import BinderError, CheckFault, LimitExceeded, ProgramError, Span, caret, nearest
from binder.executors.workers.subprocess import Limits

CLASSES = [
    cls for _, cls in inspect.getmembers(errors, inspect.isclass) if issubclass(cls, BinderError)
]


def test_the_drawn_tree_is_the_tree() -> None:
    drawn: dict[str, str] = {}
    above: dict[int, str] = {}
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^([ │├└─]*)(\w+)", line)
        if found is None or not (found[2] == "BinderError" or re.search("[├└]", found[1])):
            continue
        depth = len(found[1]) // 4
        above[depth] = found[2]
        drawn[found[2]] = above[depth - 1] if depth else "Exception"
    assert drawn == {cls.__name__: cls.__base__.__name__ for cls in CLASSES if cls.__base__}


@pytest.mark.parametrize("cls", CLASSES)
def test_every_error_is_documented(cls: type) -> None:
    assert cls.__doc__


@pytest.mark.parametrize(
    ("text", "span", "drawn"),
    [
        ("SELECT x FROM w", Span(7, 8), "\n    SELECT x FROM w\n           ^"),
        ("SELECT a,\n  xyz\nFROM w", Span(12, 15), "\n      xyz\n      ^^^"),
        ("SELECT", Span(6, 6), "\n    SELECT\n          ^"),
        ("SELECT a", Span(20, 30), "\n    SELECT a\n            ^"),
        ("ab\ncd", Span(1, 5), "\n    ab\n     ^"),
        ("ä😀x", Span(2, 3), "\n    ä😀x\n      ^"),
    ],
)
def test_the_place_is_marked(text: str, span: Span, drawn: str) -> None:
    assert caret(text, span) == drawn


def test_of_a_long_line_the_part_around_the_place_is_shown() -> None:
    line, marks = caret("a" * 300 + "b" + "c" * 300, Span(300, 301)).strip("\n").split("\n")
    assert (
        len(line) <= 120 and line[marks.index("^")] == "b" and marks.count("^") == 1 and "…" in line
    )


def test_a_message_has_its_place_and_its_hint() -> None:
    fault = CheckFault(
        "unknown column 'x'", text="SELECT x", span=Span(7, 8), hint="available columns: 'a'"
    )
    assert (
        str(fault)
        == "unknown column 'x'\n    SELECT x\n           ^\n  hint: available columns: 'a'"
    )
    assert fault.feedback() == f"CheckFault: {fault}"
    assert str(ProgramError("broken")) == "broken"


def test_a_limit_can_be_sent_from_process_to_process() -> None:
    limit = pickle.loads(pickle.dumps(LimitExceeded("seconds", 30)))
    assert (limit.kind, limit.limit, str(limit)) == (
        "seconds",
        30,
        "stopped: the program exceeded the limit seconds=30"
        "\n  hint: raise it: limits=Limits(seconds=...)",
    )


def test_the_nearest_names_come_first() -> None:
    assert nearest("citty", ["country", "City", "people"]) == ["City", "country"]
    assert nearest("zzz", ["country"]) == []


@pytest.mark.parametrize(
    ("kind", "hint"),
    [
        ("seconds", "raise it: limits=Limits(seconds=...)"),
        ("memory_mb", "raise it: limits=Limits(memory_mb=...)"),
        ("rows", "raise it: limits=Limits(rows=...)"),
        ("bytes", "raise it: limits=Limits(bytes=...)"),
        ("deadline", "raise it: deadline=..."),
        ("depth", "this limit is fixed; do less in one step"),
    ],
)
def test_a_limit_says_how_to_raise_it(kind: str, hint: str) -> None:
    assert LimitExceeded(kind, 1).hint == hint
    limit = LimitExceeded(kind, 1, hint="the answers are cached")
    assert pickle.loads(pickle.dumps(limit)).hint == f"the answers are cached; {hint}"


def test_a_hint_that_says_how_to_raise_a_limit_is_enough() -> None:
    hint = "take fewer rows, or Limits(memory_mb=4096)"
    assert LimitExceeded("memory_mb", 2048, hint=hint).hint == hint


def test_every_limit_can_be_raised() -> None:
    for limit in dataclasses.fields(Limits):
        assert f"limits=Limits({limit.name}=...)" in str(LimitExceeded(limit.name, 1))
