"""The check that functions, types and joins are on the allow-list.

The grammar tells the functions that are written with parentheses. What its tree shows beyond them,
because its parser has words of its own (CURRENT_USER, POSITIONAL, regclass), is held against the
same lists."""

from __future__ import annotations

from sqlglot import exp

from binder.analysis.sql.sqlite_dates import unknown_modifier
from binder.errors import CheckFault, nearest
from binder.language import foreign
from binder.language.functions import TABLE_FUNCTIONS, allowed
from binder.language.program import PREFIX, Program
from binder.language.sqltree import TITLES, nodes, sql_of

_WORDS = (
    exp.CurrentUser,
    exp.CurrentRole,
    exp.CurrentCatalog,
    exp.SessionUser,
)  # functions without parentheses
_TYPES = (exp.DType.USERDEFINED, exp.DType.OBJECT)
_TYPES_OF_DUCKDB = (exp.DType.ENUM, exp.DType.ARRAY, exp.DType.STRUCT, exp.DType.MAP)
_PATHS = (exp.JSONPathRoot, exp.JSONPathKey, exp.JSONPathSubscript, exp.JSONPathWildcard)
_JOINS = ("", "NATURAL", "ASOF")


def check(program: Program, tree: exp.Expr) -> None:
    """Refuses what is unknown or could reach the outside."""
    for name, span in program.functions:
        known = allowed(program.given.dialect)
        if name not in known or name.startswith(PREFIX):
            own = [function.name for function in program.given.functions]
            close = nearest(name, sorted(known.union(own)))
            hint = f"use a standard function of {TITLES[program.given.dialect]}"
            if name in foreign.functions():
                hint = foreign.functions()[name]
            elif close:
                hint = f"did you mean {', '.join(close)}?"
            message = f"function {name!r} is not allowed"
            raise CheckFault(message, text=program.text, span=span, hint=hint)
    for node in nodes(tree):
        found = _unknown(node, program.given.dialect)
        if found:
            message = f"{found} is not allowed"
            raise CheckFault(message, text=program.text, span=program.span(node))


def _unknown(node: exp.Expr, dialect: str) -> str:
    """What a node of the tree brings along that is not on a list; empty where it brings nothing."""
    if isinstance(node, _WORDS):
        return f"function {node.sql_name().lower()!r}"
    if (modifier := unknown_modifier(node)) is not None:
        return f"the modifier {sql_of(modifier)} of a date"
    if isinstance(node, exp.Join) and node.method not in _JOINS:
        return f"a {node.method} join"
    refused = _TYPES if dialect == "duckdb" else (*_TYPES, *_TYPES_OF_DUCKDB)
    if isinstance(node, exp.DataType) and node.this in refused:
        return f"type {sql_of(node)}"
    if isinstance(node, exp.JSONPathPart) and not isinstance(node, _PATHS):
        return "this JSON path"
    if (
        isinstance(node, exp.Table)
        and isinstance(node.this, exp.Func)
        and _name(node.this) not in TABLE_FUNCTIONS
    ):
        return f"table function {_name(node.this)!r}"
    return ""


def _name(function: exp.Expr) -> str:
    return (
        function.name.lower()
        if isinstance(function, exp.Anonymous)
        else str(function.key).replace("generateseries", "range")
    )
