"""What keeps the package readable: modules of one sitting, functions of few branches, few tokens in
all and on a line, and comments where the thinking is."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

PACKAGE = Path(__file__).parent.parent / "binder"
TEXTS = {
    path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(PACKAGE.rglob("*.py"))
}
TREES = {name: ast.parse(text) for name, text in TEXTS.items()}

# Roofs: whoever makes something smaller lowers its roof. See docs/decisions/0003-size.md.
LINES = 450  # of a module at 100 columns
BRANCHES = 12  # of a function
TOKENS = 237_700  # of code in the package: a capability raises it by what it costs
DENSITY = 9.8  # tokens of a line of code, over the package

# A floor: whoever explains more raises it.
COMMENTS = {"analysis": 50, "plan": 84}  # comments of a room for 1,000 lines of its code

CODE = (tokenize.NAME, tokenize.OP, tokenize.NUMBER, tokenize.STRING)
BRANCHING = (
    ast.If, ast.For, ast.AsyncFor, ast.While, ast.IfExp, ast.ExceptHandler, ast.comprehension,
    ast.BoolOp,
)  # fmt: skip
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


class Size(NamedTuple):
    """What a reader takes in: tokens of code, the lines they stand in, and comments."""

    tokens: int
    lines: int
    comments: int


def _size(name: str) -> Size:
    """The size of a module."""
    docstrings = {
        node.body[0].lineno
        for node in ast.walk(TREES[name])
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None
    }
    code: list[int] = []  # the line of each token
    comments = 0
    for token in _tokens(TEXTS[name]):
        line = token.start[0]
        comments += token.type == tokenize.COMMENT
        if token.type in CODE and not (token.type == tokenize.STRING and line in docstrings):
            code.append(line)
    return Size(len(code), len(set(code)), comments)


def _tokens(text: str) -> Iterator[tokenize.TokenInfo]:
    """The tokens of a text. An f-string is one, as it is for Python 3.11."""
    depth = 0
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        kind = tokenize.tok_name[token.type]
        depth += kind == "FSTRING_START"
        if not depth:
            yield token
        elif kind == "FSTRING_END":
            depth -= 1
            if not depth:
                yield token._replace(type=tokenize.STRING)


def _sum(names: Iterable[str]) -> Size:
    """The size of some modules together."""
    return Size(*map(sum, zip(*map(_size, names), strict=True)))


def _functions(tree: ast.Module) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [n for n in ast.walk(tree) if isinstance(n, (ast.FunctionDef, ast.AsyncFunctionDef))]


def _branches(function: ast.AST) -> int:
    return sum(isinstance(node, BRANCHING) for node in ast.walk(function))


@pytest.mark.parametrize("module", TEXTS)
def test_a_module_is_read_in_one_sitting(module: str) -> None:
    assert TEXTS[module].count("\n") <= LINES


@pytest.mark.parametrize("module", TEXTS)
def test_a_function_has_few_branches(module: str) -> None:
    branches = {function.name: _branches(function) for function in _functions(TREES[module])}
    assert not {name: count for name, count in branches.items() if count > BRANCHES}


def test_the_package_stays_one_that_a_person_can_know() -> None:
    assert _sum(TEXTS).tokens <= TOKENS


def test_a_line_is_one_thought() -> None:
    size = _sum(TEXTS)
    assert size.tokens / size.lines <= DENSITY


@pytest.mark.parametrize("room", COMMENTS)
def test_where_the_thinking_is_the_code_says_why(room: str) -> None:
    size = _sum(name for name in TEXTS if name.startswith(f"{room}/"))
    assert 1_000 * size.comments / size.lines >= COMMENTS[room]


@pytest.mark.parametrize("module", TEXTS)
def test_a_module_says_what_it_is_for(module: str) -> None:
    assert ast.get_docstring(TREES[module]), f"{module} has no docstring"


def test_a_name_means_one_class() -> None:
    classes = Counter(
        node.name
        for tree in TREES.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    )
    assert not [name for name, count in classes.items() if count > 1]


@pytest.mark.parametrize("module", TEXTS)
def test_what_is_known_of_a_node_has_a_type(module: str) -> None:
    """Notes of language/annotations.py instead of strings as keys of sqlglot's `meta`; `start` is
    where sqlglot itself says that a token begins."""
    keys = [
        node.slice.value
        for node in ast.walk(TREES[module])
        if isinstance(node, ast.Subscript)
        and isinstance(node.value, ast.Attribute)
        and node.value.attr == "meta"
        and isinstance(node.slice, ast.Constant)
    ]
    assert set(keys) <= {"start"}
