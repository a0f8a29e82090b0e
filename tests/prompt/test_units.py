"""Numbers with units in replies: all of one call are told in one unit."""

from __future__ import annotations

import pytest

from binder.prompt.replies import NoValue, read_answers, read_value
from binder.prompt.units import CallUnit


@pytest.mark.parametrize(
    ("question", "replies", "numbers"),
    [
        ("how far?", ["5 km", "300 m", "2 km"], [5, 0.3, 2]),
        ("how far in km?", ["300 m", "2 km", "7"], [0.3, 2, 7]),
        ("how far (m)?", ["300 m", "2 km"], [300, 2000]),
        ("how large?", ["500 MB", "2 GB", "1 TB"], [500, 2000, 1000000]),
        ("how long?", ["90 min", "2 h"], [90, 120]),
        ("how heavy in kg?", ["500 g", "1 lb"], [0.5, 0.45359237]),
        ("how far?", ["5 km", "3 kg"], [5, None]),
        ("how many?", ["12 points", "1,200", "$5", "3 million"], [12, 1200, 5, 3000000]),
        ("how much?", ["45%", "50 %"], [45, 50]),
    ],
)
def test_units_are_converted_or_refused(
    question: str, replies: list[str], numbers: list[float | None]
) -> None:
    unit = CallUnit(question)
    read = [read_value(reply, "number", unit=unit) for reply in replies]
    assert [None if isinstance(value, NoValue) else value for value in read] == numbers


@pytest.mark.parametrize(
    ("text", "answers"),
    [
        ('{"answers": [{"key": "r1", "answer": "a"}, {"key": "r2", "answer": "b"}]}', ["a", "b"]),
        ('{"answers": [{"id": "r2", "value": 2}, {"id": "r1", "value": 1}]}', [1, 2]),
        ('[{"row": "r1", "result": "a", "why": "x"}, {"row": "r2", "result": null}]', ["a", None]),
        ('{"answers": [{"key": "r1", "answer": "a"}, {"key": "r1", "answer": "b"}]}', []),
        ('{"answers": ["a", "b"]}', []),
    ],
)
def test_answers_with_their_keys_are_read_in_other_shapes(text: str, answers: list[object]) -> None:
    found = read_answers(text, ["r1", "r2"])
    assert [found[key] for key in sorted(found)] == answers


@pytest.mark.parametrize("text", ['{"answers": ["a"]}', '{"answers": "a"}', '["a"]'])
def test_the_only_answer_is_that_to_the_only_input(text: str) -> None:
    assert read_answers(text, ["r1"]) == {"r1": "a"}
    assert read_answers('{"answers": ["a", "b"]}', ["r1"]) == {}


@pytest.mark.parametrize(
    ("value", "type", "options", "read"),
    [
        ("Y", "boolean", None, True),
        ("n.", "boolean", None, False),
        (1, "boolean", None, True),
        ("0", "boolean", None, False),
        ("N", "text", ("yes", "no"), "no"),
        (1, "text", ("yes", "no"), "yes"),
        ({"answer": "a", "confidence": 0.9}, "text", None, "a"),
        ({"value": ["a"]}, "auto", None, "a"),
        ("N/A", "text", None, "no_answer"),
        ("n/a", "auto", None, "no_answer"),
        ("N/A", "text", ("N/A", "other"), "N/A"),
        ("NA", "text", None, "NA"),  # Namibia
        ("None", "text", None, "None"),
        ({"answer": "a", "value": "b"}, "text", None, "bad_type"),
    ],
)
def test_values_in_the_words_of_models(
    value: object, type: str, options: tuple[str, ...] | None, read: object
) -> None:
    found = read_value(value, type, options)  # type: ignore[arg-type]
    assert (found.kind if isinstance(found, NoValue) else found) == read
