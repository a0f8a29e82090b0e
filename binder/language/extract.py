"""The program in the text of a reply, and the language it is written in: whatever was asked for, a
reply counts as what it is."""

from __future__ import annotations

import json
import re

from binder.language.lexer import tokens
from binder.language.thoughts import without_thoughts

# Keywords are in one case throughout: "Select the rows ..." and "With this ..." are prose.
_WITH = r"(?:WITH|with)\s[^(]+?\s*(?:\([^()]*\)\s*)?(?:AS|as)\b[\w\s]*\("
_PROGRAM = rf"(?:\(\s*)*(?:(?:SELECT|select)\b|{_WITH}|QA\s*\()"
_START = re.compile(rf"(?:\A|\n|:|`)[ \t]*(?={_PROGRAM})")  # not in the middle of a sentence
_BEGINS = re.compile(rf"(?:--[^\n]*\n|\s)*(?:{_PROGRAM}|\{{)")
_FENCE = re.compile(r"```[ \t]*\w*[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_CLAUSE = (
    "SELECT|FROM|WHERE|GROUP|ORDER|HAVING|LIMIT|OFFSET|UNION|EXCEPT|INTERSECT"
    "|JOIN|LEFT|INNER|AND|OR|ON|QUALIFY|WINDOW"
)
# more of a program
_FURTHER = re.compile(rf"\s*(?:\Z|[(),]|--|/\*|(?:[A-Z]{{3,}}|{_CLAUSE}|{_CLAUSE.lower()})\b)")


def extract(reply: str) -> str:
    """The program in a reply: without thoughts, fences, labels, JSON and prose around it; a reply
    without a program as it is."""
    said = without_thoughts(reply)
    said = _unwrapped(said)
    if _SOLVE.search(said):
        return _python(said)
    fenced = [inner for inner in _FENCE.findall(said) if _BEGINS.match(inner)]
    text = _unwrapped(fenced[-1].strip() if fenced else said)
    start = _START.search(text)
    if start is None:
        return text
    program = text[start.end() :]
    if start.group().startswith("`"):
        program = program.removesuffix("`")
    return _without_remarks(program).strip().rstrip(";").rstrip()


def _unwrapped(text: str) -> str:
    """The program in a JSON object, such as {"program": "SELECT ..."}; any other text as it is."""
    try:
        data = json.loads(text)
    except ValueError:
        return text
    values = data.values() if isinstance(data, dict) else ()
    for value in values:
        if isinstance(value, str) and (_START.match(value) or _SOLVE.search(value)):
            return value
    return text


def _without_remarks(text: str) -> str:
    """A program without the prose below it: after an empty line, or after its `;`."""
    program, depth = text, 0
    for gap in re.finditer(r"\n[ \t]*\n", text):
        if not _FURTHER.match(text, gap.end()):
            program = text[: gap.start()]
            break
    for token in tokens(program):
        depth += (token.text == "(") - (token.text == ")")
        if token.text == ";" and depth == 0 and not _FURTHER.match(program, token.end):
            return program[: token.start]
    return program


_SOLVE = re.compile(r"(?m)^[ \t]*def[ \t]+solve[ \t]*\(")
_CODE = re.compile(r"```[ \t]*\w*[ \t]*\n(.*?)(?:\n[ \t]*```|\Z)", re.DOTALL)
# begins a line of a program
_TOP = re.compile(r"def\b|import\b|from\b|class\b|@|#|[A-Za-z_]\w*\s*(?::[^=\n]+)?=(?!=)|[)\]}]")


def language_of(program: str) -> str | None:
    """The language of a program: a function `solve` is Python, a SELECT or a call SQL; None for
    what is neither."""
    return "python" if _SOLVE.search(program) else "sql" if _START.match(program) else None


def _python(said: str) -> str:
    """The Python program in a text: the last fence that defines solve, else the lines around that
    which are no prose."""
    fenced = [code for code in _CODE.findall(said) if _SOLVE.search(code)]
    lines = (fenced[-1] if fenced else said).strip("\n").split("\n")
    solve = next(number for number, line in enumerate(lines) if _SOLVE.match(line))
    margin = len(lines[solve]) - len(lines[solve].lstrip())
    first = solve
    while first and (not lines[first - 1].strip() or _in_program(lines[first - 1], margin)):
        first -= 1
    last = solve + 1
    while last < len(lines) and (not lines[last].strip() or _in_program(lines[last], margin)):
        last += 1
    return "\n".join(line[margin:] for line in lines[first:last]).strip("\n").rstrip()


def _in_program(line: str, margin: int) -> bool:
    """Whether a line can belong to a program whose statements begin at a margin."""
    return line[margin : margin + 1].isspace() or _TOP.match(line[margin:]) is not None
