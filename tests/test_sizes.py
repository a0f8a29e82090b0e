"""The modules of the package go in; none may grow past what a person reads in one go."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "binder"
MODULES = {path.relative_to(PACKAGE).as_posix(): path.read_text(encoding="utf-8") for path in sorted(PACKAGE.rglob("*.py"))}


@pytest.mark.parametrize("module", MODULES)
def test_a_module_has_at_most_350_lines(module: str) -> None:
    assert MODULES[module].count("\n") <= 350


@pytest.mark.parametrize("module", MODULES)
def test_a_function_has_at_most_60_lines(module: str) -> None:
    functions = [
        node for node in ast.walk(ast.parse(MODULES[module])) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
    ]
    long = {node.name: (node.end_lineno or 0) - node.lineno + 1 for node in functions}
    assert not {name: lines for name, lines in long.items() if lines > 60}


def test_the_package_stays_a_package_that_a_person_can_know() -> None:
    lines = [line for text in MODULES.values() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]
    assert len(lines) < 14_000  # see docs/decisions/0003-size.md


@pytest.mark.parametrize("module", MODULES)
def test_a_module_says_what_it_is_for(module: str) -> None:
    assert ast.get_docstring(ast.parse(MODULES[module])), f"{module} has no docstring"
