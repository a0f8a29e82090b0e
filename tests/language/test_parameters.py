"""Parameters: their places, the literals that they become, and what is refused."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import pytest

from binder.errors import CheckFault, SyntaxFault, UsageError
from binder.language import grammar
from binder.language.parameters import parameters, read_value
from binder.language.program import Given, Program
from binder.language.skeleton import parse
from binder.language.sqltree import sql_of


def bound(text: str, params: Any) -> Program:
    return parse(text, given=Given(params=parameters(params)))


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (1, "1"), (-1, "(-1)"), (True, "TRUE"), (None, "NULL"), (1.5, "1.5e0"),
        (Decimal("1.50"), "1.50"), (float("nan"), "CAST('nan' AS DOUBLE)"),
        ("O'Hara; --", "'O''Hara; --'"), ("", "''"),
        (datetime.date(2021, 3, 4), "CAST('2021-03-04' AS DATE)"),
        (datetime.datetime(2021, 3, 4, 5), "CAST('2021-03-04 05:00:00' AS TIMESTAMP)"),
        (datetime.time(5), "CAST('05:00:00' AS TIME)"),
        (datetime.timedelta(seconds=2), "CAST('2000000 microseconds' AS INTERVAL)"),
        (b"\0'", "CAST('\\x00\\x27' AS BLOB)"), ([1, ["a"]], "[1, ['a']]"), ([], "[]"),
    ],
)  # fmt: skip
def test_a_value_becomes_a_literal_of_its_type(value: Any, written: str) -> None:
    assert sql_of(bound("SELECT $x AS a", {"x": value}).tree()) == f"SELECT {written} AS a"


@pytest.mark.parametrize(
    ("text", "params", "same"),
    [
        ("SELECT a FROM w WHERE b = $x OR c = :x", {"x": "q"}, "b = 'q' OR c = 'q'"),
        ("SELECT a FROM w WHERE b = ? AND c = ?", [1, "q"], "b = 1 AND c = 'q'"),
        ("SELECT a FROM w WHERE b = $2 AND c = $1", [1, "q"], "b = 'q' AND c = 1"),
        ("SELECT a FROM w WHERE b IN $x", {"x": [1, 2]}, "b IN (1, 2)"),
        ("SELECT a FROM w WHERE b IN ($x)", {"x": [1, 2]}, "b IN (1, 2)"),
        ("SELECT a FROM w WHERE b IN $x", {"x": 1}, "b IN (1)"),
        ("SELECT a FROM w WHERE NOT (b IN $x)", {"x": [2]}, "NOT (b IN (2))"),
        ("SELECT a FROM w WHERE b IN (3, $x)", {"x": 1}, "b IN (3, 1)"),
        ("SELECT a FROM w WHERE b IN ($x)", {"x": []}, "b IN (SELECT NULL WHERE FALSE)"),
        ("SELECT a FROM w WHERE l[1:b] = {'k':b}", None, "l[1:b] = {'k': b}"),
        ("SELECT a FROM w WHERE b - INTERVAL $x DAY < c", {"x": 3}, "b - INTERVAL '3' DAY < c"),
    ],
)
def test_where_a_parameter_can_stand(text: str, params: Any, same: str) -> None:
    assert sql_of(bound(text, params).tree()) == f"SELECT a FROM w WHERE {same}"


def test_a_question_takes_values_as_text() -> None:
    program = 'SELECT QA("map@in $country, over $$5 or $5?"; city) FROM w WHERE n < $n'
    (call,) = bound(program, {"country": "ans@Spain", "n": 3}).calls
    assert (call.kind, call.question) == ("map", "in ans@Spain, over $5 or $5?")


def test_what_a_language_model_asks_stands_as_it_is() -> None:
    (call,) = parse('QA("map@more than $US 5 or $$6?"; a)', given=Given("lm")).calls
    assert call.question == "more than $US 5 or $$6?"


@pytest.mark.parametrize(
    ("text", "params", "message", "marked"),
    [
        ("SELECT $x", None, "no value is given for the parameter $x", "$x"),
        ("SELECT ?, ?", [1], "no value is given for the parameter ?", "?"),
        ("SELECT $contry", {"country": 1}, "did you mean $country?", "$contry"),
        ('QA("map@in $x?"; a)', None, "no value is given for the parameter $x", "$x"),
        ('QA("map@in $x?"; a)', {"x": None}, "a question needs a text", "$x"),
        ('QA("map@in $x?"; a)', {"x": b"a"}, "a question needs a text", "$x"),
        ("SELECT 1", {"x": 1}, "does not use the parameter 'x'", "SELECT 1"),
        ("SELECT ?", [1, 2], "does not use the parameter '2'", "SELECT ?"),
        ("SELECT $x", {"x": {}}, "a value of type dict", "$x"),
        ("SELECT $x", {"x": [object()]}, "a value of type object", "$x"),
        ("SELECT $x", {"x": 10**38}, "more than 38 digits", "$x"),
        ("SELECT $x", {"x": Decimal("Infinity")}, "no decimal number", "$x"),
        ("SELECT $x", {"x": "a\0"}, "a character that no table can hold", "$x"),
        ("SELECT a FROM w ORDER BY $x", {"x": 1}, "never a column", "$x"),
        ("SELECT a FROM w GROUP BY $x", {"x": "a"}, "never a column", "$x"),
    ],
)
def test_a_fault_marks_the_place(text: str, params: Any, message: str, marked: str) -> None:
    with pytest.raises(CheckFault) as caught:
        bound(text, params)
    assert message in str(caught.value)
    assert caught.value.span is not None
    start, end = caught.value.span
    assert text[start:end].endswith(marked)


@pytest.mark.parametrize(
    "text", ["SELECT a FROM $x", "SELECT a AS $x FROM w", "SELECT w.$x FROM w"]
)
def test_a_parameter_is_no_name(text: str) -> None:
    with pytest.raises(SyntaxFault, match="never a name"):
        bound(text, {"x": "w"})


@pytest.mark.parametrize("params", ["text", 5, {1, 2}])
def test_params_are_named_or_listed(params: Any) -> None:
    with pytest.raises(UsageError, match="params is a"):
        parameters(params)


def test_equal_values_of_other_types_are_other_parameters() -> None:
    kinds = [1, 1.0, True, "1", Decimal(1), [1], None]
    assert len({parameters([value]) for value in kinds}) == len(kinds)


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("5", 5), ("1.50", Decimal("1.50")), ("true", True), ("null", None), ("Spain", "Spain"),
        ("007", "007"), ('"5"', "5"), ("[1, 2]", [1, 2]), ("2021-03-04", datetime.date(2021, 3, 4)),
        ("2021-02-30", "2021-02-30"), ("", ""), ("NaN", "NaN"), ('{"a": 1}', '{"a": 1}'),
        ("2021-03-04 05:06", datetime.datetime(2021, 3, 4, 5, 6)),
    ],
)  # fmt: skip
def test_a_command_line_writes_values(written: str, value: Any) -> None:
    found = read_value(written)
    assert (type(found), found) == (type(value), value)


def test_a_language_model_writes_no_parameters() -> None:
    assert "PARAMETER" not in grammar.text("sql").upper()
