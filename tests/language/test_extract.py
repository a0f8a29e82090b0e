"""Replies go in as models write them; the program in each comes out, and its language."""

from __future__ import annotations

import json

import pytest

from binder.language.extract import extract, language_of

PLAIN = "SELECT `a` FROM w WHERE `b` > 1"
MAP = "SELECT COUNT(*) FROM w WHERE QA(\"map@is it red; or pink?\"; `a`) = 'yes'"
ANS = 'QA("ans@which; is best?"; (SELECT `a` FROM w))'
WITH = "WITH best AS (SELECT `a` FROM w)\n\nSELECT * FROM best\n\nORDER BY 1"
ALL = [
    PLAIN,
    MAP,
    ANS,
    WITH,
    "(SELECT 1) UNION (SELECT 2)",
    "select a from w",
    "SELECT a -- SELECT the first\nFROM w",
]

FORMS = [
    "{}",
    "\n  {}  \n",
    "{};",
    "```sql\n{}\n```",
    "```SQL\n{};\n```\n",
    "```\n{}\n```",
    "```sql {} ```",
    "```sql\n{}",  # cut short, or never closed
    "Here is the program:\n\n```sql\n{}\n```\n\nWith this query we select the rows.",
    "SQL: {}",
    "Program:\n{}",
    "**SQL:**\n{}",
    "The program is `{}`",
    "Select the rows first, with care, as asked.\n\n{}",
    "With this table, select a row:\n{}",
    "{}\n\nThis program counts the rows. From it, select what you need.",
    "{}\n\nNote: `b` is a number; it needs no cast.",
    "{};\nIt selects the cells of `a`.",
    "{};\n\nWhere b is missing, no row is found.",
    "<think>\nSELECT nothing FROM w? No.\n```sql\nSELECT 0\n```\n</think>\n\n{}",
    "the first tag is missing: SELECT 0 FROM w</think>{}",
    "<thinking>hm</thinking>\n```sql\n{}\n```",
    "A first attempt:\n```sql\nSELECT 0\n```\nIt forgets a row. Better:\n```sql\n{}\n```",
    "```sql\n{}\n```\nOutput:\n```\n| a |\n| 1 |\n```",
]


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("program", ALL)
def test_the_program_is_found(form: str, program: str) -> None:
    assert extract(form.replace("{}", program)) == program


@pytest.mark.parametrize(
    "form",
    ['{"program": %s}', '```json\n{"program": %s}\n```', '{"language": "sql", "program": %s}'],
)
def test_the_program_in_json(form: str) -> None:
    for program in ALL:
        assert extract(form % json.dumps(program)) == program


NONE = [
    "",
    "I'm sorry, I can't help with that.",
    '{"program": null}',
    "<think>SELECT a",
    "42",
    "```\n```",
    "```\n1\n```",
]


@pytest.mark.parametrize("reply", NONE)
def test_a_reply_without_a_program_stays_as_it_is(reply: str) -> None:
    assert extract(reply) == reply


@pytest.mark.parametrize(
    "reply", ["SELECT 1; SELECT 2", "SELECT 1; DROP TABLE w", "SELECT 1;\nselect 2"]
)
def test_no_statement_is_dropped(reply: str) -> None:
    assert extract(reply) == reply


PYTHON = [
    "def solve(w):\n    return [row['a'] for row in w if row['b'] > 1]",
    "LIMIT = 3\n\n\ndef first(row):\n    return row['a']\n\n\ndef solve(w):\n    # SELECT a\n    return first(w[0])",
]
PROSE = [
    "{}",
    "```python\n{}\n```",
    "```py\n{}\n```\nThis counts the rows.",
    "<think>SELECT 1</think>\n{}",
    "Here is the program:\n\n{}\n\nThis takes the first row, where there is one.",
    "First in SQL:\n```sql\nSELECT a FROM w\n```\nBetter in Python:\n```python\n{}\n```",
]


@pytest.mark.parametrize("form", PROSE)
@pytest.mark.parametrize("program", PYTHON)
def test_a_python_program_is_found(form: str, program: str) -> None:
    assert extract(form.replace("{}", program)) == program
    assert extract(json.dumps({"program": program})) == program


def test_a_program_says_its_language() -> None:
    assert [language_of(program) for program in PYTHON] == ["python", "python"]
    assert {language_of(program) for program in ALL} == {"sql"}
    assert language_of("I cannot do that.") is None
