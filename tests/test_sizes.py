"""What keeps the package readable: modules of one sitting, functions of few branches, few
tokens."""

from __future__ import annotations

import ast
import io
import tokenize
from collections import Counter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "binder"
TEXTS = {
    path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8")
    for path in sorted(PACKAGE.rglob("*.py"))
}
TREES = {name: ast.parse(text) for name, text in TEXTS.items()}

LINES = 520  # of a module at 100 columns
BRANCHES = 40  # of a function
TOKENS = 165_000  # of the package, without docstrings and comments: a roof that falls

CODE = (
    tokenize.NAME, tokenize.OP, tokenize.NUMBER, tokenize.STRING,
)  # fmt: skip
BRANCHING = (
    ast.If, ast.For, ast.AsyncFor, ast.While, ast.IfExp, ast.ExceptHandler, ast.comprehension,
    ast.BoolOp,
)  # fmt: skip
DOCUMENTED = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)


def _tokens(name: str) -> int:
    """The tokens of a module that are code."""
    docstrings = {
        node.body[0].lineno
        for node in ast.walk(TREES[name])
        if isinstance(node, DOCUMENTED) and ast.get_docstring(node, clean=False) is not None
    }
    tokens = tokenize.generate_tokens(io.StringIO(TEXTS[name]).readline)
    code = [token for token in tokens if token.type in CODE]
    return sum(token.type != tokenize.STRING or token.start[0] not in docstrings for token in code)


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


def test_the_package_stays_a_package_that_a_person_can_know() -> None:
    assert sum(map(_tokens, TEXTS)) <= TOKENS  # see docs/decisions/0003-size.md


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
