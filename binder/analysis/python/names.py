"""The names that a Python program gives to things."""

from __future__ import annotations

import ast
from collections.abc import Iterable


def bound(module: ast.Module) -> Iterable[str]:
    """Every name that a program gives to something, wherever it does."""
    for node in ast.walk(module):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, ast.FunctionDef):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.ExceptHandler) and node.name:
            yield node.name
        elif isinstance(node, ast.alias):
            yield (node.asname or node.name).partition(".")[0]


def given(node: ast.stmt) -> Iterable[str]:
    """The names that a statement outside of functions gives, and those that a function declares
    global."""
    for part in ast.walk(node):
        if isinstance(part, ast.Global):
            yield from part.names
    yield from [node.name] if isinstance(node, ast.FunctionDef) else bound(ast.Module([node], []))


def imported(module: ast.Module) -> Iterable[tuple[str, str]]:
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            yield from ((alias.asname or alias.name, alias.name) for alias in node.names)
