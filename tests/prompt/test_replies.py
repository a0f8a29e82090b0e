"""Replies as models write them: what is certain is read, what is not is left out."""

from __future__ import annotations

import json
from datetime import date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from binder.errors import BadReply
from binder.prompt.replies import JSON, NoValue, read_answers, read_list, read_value
from tests.timing import grows_in_proportion

KEYS = ["r1", "r2"]
BOTH: dict[str, JSON] = {"r1": "Spain", "r2": None}
PLAIN = '{"answers": {"r1": "Spain", "r2": null}}'
ECHO = '{"task": "map", "question": "q?", "columns": ["c"], "rows": {"r1": ["Rome"], "r2": ["Oslo"]}, "type": "text"}'

WHOLE = {
    "plain": PLAIN,
    "bom": "\ufeff" + PLAIN,
    "fence": f"```json\n{PLAIN}\n```",
    "fence in prose": f"Here you are:\n\n```\n{PLAIN}\n```\nAnything else?",
    "prose": f"Sure! It's easy {{really}}: {PLAIN} Hope that helps :-}}",
    "think": f'<think>maybe {{"answers": {{"r1": "Italy", "r2": "x"}}}}</think>\n{PLAIN}',
    "think without start": f'maybe {{"answers": {{"r1": "Italy", "r2": "x"}}}}</think>{PLAIN}',
    "echo before": ECHO + "\n" + PLAIN,
    "echo after": PLAIN + "\n" + ECHO,
    "example before": '{"answers": {"r1": "e.g."}} ' + PLAIN,
    "draft before": '{"answers": {"r1": "Italy", "r2": "Italy"}}\nNo, wait.\n' + PLAIN,
    "mention after": PLAIN + ' where {"r1": "..."} is my best guess',
    "bare": '{"r1": "Spain", "r2": null}',
    "nested": json.dumps({"result": {"data": [json.loads(PLAIN)]}}),
    "answers twice nested": json.dumps({"answers": json.loads(PLAIN)}),
    "reordered": '{"answers": {"r2": null, "r1": "Spain"}}',
    "unknown key": '{"answers": {"r1": "Spain", "r2": null, "r3": "x", "R1": "y"}}',
    "same key twice": '{"answers": {"r1": "Spain", "r2": null, "r1": "Spain"}}',
    "single quotes": "{'answers': {'r1': 'Spain', 'r2': None}}",
    "trailing commas": '{"answers": {"r1": "Spain", "r2": null,},}',
    "bare keys": "{answers: {r1: 'Spain', r2: null}}",
    "nan": '{"answers": {"r1": "Spain", "r2": NaN}}',
    "nan and comma": '{"answers": {"r1": "Spain", "r2": -Infinity,}}',
    "brace is missing": '{"answers": {"r1": "Spain", "r2": null}',
    "line breaks": '{"answers":\r\n\t{"r1"  :"Spain",\n"r2":null}\n}\n',
}


@pytest.mark.parametrize("name", WHOLE)
def test_a_reply_is_read_however_it_is_written(name: str) -> None:
    assert read_answers(WHOLE[name], KEYS) == BOTH


PARTS: dict[str, tuple[str, dict[str, JSON]]] = {
    "missing": ('{"answers": {"r2": "x"}}', {"r2": "x"}),
    "nothing": ("I cannot answer that.", {}),
    "empty": ("", {}),
    "renamed": ('{"answers": {"row1": "x", "row2": "y"}}', {}),
    "a list": ('{"answers": ["Spain", null]}', {}),
    "echo only": (ECHO, {}),
    "echo without task": ('{"columns": ["c"], "rows": {"r1": ["Rome"], "r2": ["Oslo"]}}', {}),
    "conflict": ('{"answers": {"r1": "Spain", "r2": "x", "r1": "Italy"}}', {"r2": "x"}),
    "conflict of types": ('{"answers": {"r1": 1, "r2": "x", "r1": true}}', {"r2": "x"}),
    "cut in a string": ('{"answers": {"r1": "Spain", "r2": "Ita', {"r1": "Spain"}),
    "cut in a number": ('{"answers": {"r1": 1, "r2": 12', {"r1": 1}),
    "cut in a list": ('{"answers": {"r1": 1, "r2": ["a"', {"r1": 1}),
    "cut in an escape": ('{"answers": {"r1": 1, "r2": "a\\', {"r1": 1}),
    "cut after a colon": ('{"answers": {"r1": 1, "r2":', {"r1": 1}),
    "cut at once": ('{"answers": {', {}),
    "cut while thinking": ('<think>perhaps {"answers": {"r1": "x", "r2": "y"}}', {}),
    "quotes in quotes": ('{"answers": {"r1": "the "best" one", "r2": "x"}}', {}),
    "bare words": ('{"answers": {"r1": Spain, "r2": "x"}}', {}),
    "thousands": ('{"answers": {"r1": 1,234, "r2": 5}}', {}),
    "too deep": ('{"answers": ' * 40 + '{"r1": 1, "r2": 2}' + "}" * 40, {}),
    "far too deep": ('{"answers": ' * 5000 + '{"r1": 1, "r2": 2}' + "}" * 5000, {}),
}


@pytest.mark.parametrize("name", PARTS)
def test_what_is_not_certain_is_left_out(name: str) -> None:
    text, known = PARTS[name]
    assert read_answers(text, KEYS) == known


def test_code_in_a_reply_is_never_run() -> None:
    assert read_answers("{'answers': {'r1': __import__('os').getcwd(), 'r2': 1}}", KEYS) == {}


def test_strings_keep_their_characters() -> None:
    odd = "'; DROP TABLE w; -- \x00\x1b[31m\u2028</think>```{}"
    assert read_answers(json.dumps({"answers": {"r1": odd, "r2": "\ud800"}}), KEYS)["r1"] == odd
    mixed = "{'answers': {'r1': 'it\\'s \"so\" \\u00e9', 'r2': \"it\\'s\"}}"
    assert read_answers(mixed, KEYS) == {"r1": 'it\'s "so" é', "r2": "it's"}
    assert read_answers('{"answers": {"r1": "a\nb\tc", "r2": 1,}}', KEYS) == {
        "r1": "a\nb\tc",
        "r2": 1,
    }


Scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
Json = st.recursive(Scalars, st.lists)


@given(
    st.dictionaries(st.sampled_from(KEYS), Json, min_size=1),
    st.text(max_size=20).filter(lambda prose: "{" not in prose),
)
def test_any_answers_come_back_through_prose(answers: dict[str, JSON], prose: str) -> None:
    assert read_answers(json.dumps({"answers": answers}), KEYS) == answers
    if "</think" not in prose.lower() and "<think" not in prose.lower():
        assert read_answers(f"{prose}{json.dumps({'answers': answers})}{prose}", KEYS) == answers


@given(st.dictionaries(st.sampled_from(KEYS), Json, min_size=1), st.data())
def test_a_cut_reply_gives_whole_answers_only(
    answers: dict[str, JSON], draw: st.DataObject
) -> None:
    text = json.dumps({"answers": answers})
    cut = text[: draw.draw(st.integers(0, len(text)))]
    read = read_answers(cut, KEYS)
    assert all(key in answers and read[key] == answers[key] for key in read)


@given(st.text(alphabet="{}[]\"'\\:,r12 anEe-.`<>/think", max_size=200))
def test_no_text_is_too_strange(text: str) -> None:
    assert set(read_answers(text, KEYS)) <= set(KEYS)


@pytest.mark.parametrize(
    "piece", ["{", "[", '{"', "{'", '{"a":', "{'a':[", '{"r1": "x"}', '{"a": 1, ', "{\\", '{"{']
)
def test_strange_texts_take_time_in_proportion(piece: str) -> None:
    def read(size: int) -> None:
        read_answers("x" + piece * (size // len(piece)), KEYS)

    assert grows_in_proportion(read, 12_500, 100_000)


@pytest.mark.parametrize(
    ("text", "items"),
    [
        ('{"answers": ["a", 1, null]}', ["a", 1, None]),
        ('{"answers": []}', []),
        ('{"answers": "a"}', ["a"]),
        ('{"answers": null}', [None]),
        ('["a", "b"]', ["a", "b"]),
        ('```json\n["a"]\n```', ["a"]),
        ('So [1] says: {"answers": ["a",]}', ["a"]),
        ('{"task": "ans", "rows": [["x"]], "more": []} {"answers": ["a"]}', ["a"]),
        ('{"result": {"answers": ["a"]}}', ["a"]),
        ('{"answers": ["e.g."]} so {"answers": ["a"]}', ["a"]),
    ],
)
def test_a_list_is_read(text: str, items: list[JSON]) -> None:
    assert read_list(text) == items


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Spain [1]",
        '{"answers": ["a", "b',
        '{"answers": ["a", "b"',
        '{"answers": ["a", {"b": 1}',
        '{"answers": ["a"], "answers": ["b"]}',
        '{"answers": {"r1": "a"}}',
        '{"task": "ans", "columns": ["c"], "rows": [["x"]]}',
    ],
)
def test_a_list_that_is_not_whole_is_a_bad_reply(text: str) -> None:
    with pytest.raises(BadReply):
        read_list(text)


@pytest.mark.parametrize(
    ("value", "type", "expected"),
    [
        (True, "boolean", True),
        ("Yes.", "boolean", True),
        (" NO ", "boolean", False),
        ("false", "boolean", False),
        (["yes"], "boolean", True),
        (12, "number", 12),
        (-0.5, "number", -0.5),
        ("1,234", "number", 1234),
        ("12 km", "number", 12),
        ("3.5", "number", 3.5),
        ("2008-07-05", "date", date(2008, 7, 5)),
        ("2008-07-05T09:30:00", "date", datetime(2008, 7, 5, 9, 30)),
        ("5 July 2008", "date", date(2008, 7, 5)),
        ("Spain ", "text", "Spain"),
        (5, "text", "5"),
        (2.5, "text", "2.5"),
        (True, "text", "true"),
        ("a\x00b", "text", "a\x00b"),
        ("a\ud800", "text", "a\ufffd"),
        ("Spain", "auto", "Spain"),
        ("12", "auto", "12"),
        (12, "auto", 12),
        (False, "auto", False),
        ([["x"]], "auto", "x"),
    ],
)
def test_a_value_is_cast(value: JSON, type: str, expected: object) -> None:
    read = read_value(value, type)
    assert read == expected and read.__class__ is expected.__class__


@pytest.mark.parametrize(
    ("value", "type", "kind"),
    [
        (None, "text", "no_answer"),
        ("  ", "text", "no_answer"),
        ([None], "number", "no_answer"),
        ("je ne sais pas", "boolean", "bad_type"),
        (2, "boolean", "bad_type"),
        ("about twelve", "number", "bad_type"),
        ("12 or 13", "number", "bad_type"),
        (True, "number", "bad_type"),
        (float("inf"), "number", "bad_type"),
        ("1e999", "number", "bad_type"),
        ("the 5th", "date", "bad_type"),
        ("2008-13-45", "date", "bad_type"),
        (2008, "date", "bad_type"),
        (["a", "b"], "text", "bad_type"),
        ([], "text", "bad_type"),
        ({"a": 1}, "auto", "bad_type"),
    ],
)
def test_what_cannot_be_cast_is_a_fault(value: JSON, type: str, kind: str) -> None:
    read = read_value(value, type)
    assert isinstance(read, NoValue) and read.kind == kind


def test_options_are_closed_and_spellings_are_not() -> None:
    options = ["yes", "no"]
    assert [read_value(said, "text", options) for said in ("Yes.", " NO", True, False)] == [
        "yes",
        "no",
        "yes",
        "no",
    ]
    assert read_value("maybe", "text", options) == NoValue("bad_type", "maybe")
    assert read_value(1.0, "auto", ["1", "2"]) == "1"
    assert read_value("yes", "boolean", options) is True
    spellings = ["South Korea", "U.S."]
    assert read_value("south  korea.", "text", spellings=spellings) == "South Korea"
    assert read_value("u.s.", "auto", spellings=spellings) == "U.S."
    assert read_value("Italy.", "auto", spellings=spellings) == "Italy."
    assert read_value(5, "number", spellings=["five"]) == 5
    assert read_value("Us", "text", ["us", "US", "Us"]) == "Us"
