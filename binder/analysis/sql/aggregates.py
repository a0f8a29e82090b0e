"""Aggregate functions: which expressions hold some, and what they read."""

from __future__ import annotations

from sqlglot import exp

from binder.language.sqltree import nodes

AROUND = (exp.Filter, exp.IgnoreNulls, exp.RespectNulls, exp.WithinGroup)
# those for which sqlglot has no class
_NAMED = {
    "STRING_AGG", "LISTAGG", "FAVG", "FSUM", "PRODUCT", "BOOL_AND", "BOOL_OR", "BIT_AND", "BIT_OR",
    "BIT_XOR", "HISTOGRAM", "ENTROPY", "KURTOSIS", "SKEWNESS", "MAD", "SEM", "GEOMEAN",
    "GEOMETRIC_MEAN", "ARBITRARY", "LIST", "QUANTILE_CONT", "QUANTILE_DISC", "REGR_SLOPE", "CORR",
    "COVAR_POP", "COVAR_SAMP",
}  # fmt: skip


def is_grouped(select: exp.Select) -> bool:
    """Whether the SELECT yields groups rather than rows."""
    if select.args.get("group") or select.args.get("having"):
        return True
    parts = [*select.expressions, select.args.get("order")]
    return any(aggregates_of(part) for part in parts if part is not None)


def aggregates_of(node: exp.Expr) -> list[exp.Expr]:
    """Aggregate functions in an expression that belong to its own SELECT and are no window
    functions."""
    found: list[exp.Expr] = []
    if isinstance(node, exp.Window):
        # the function of a window is none, but it may read some
        for piece in window_parts(node):
            found += aggregates_of(piece)
        return found
    for part in nodes(node, (exp.Query, exp.Window)):
        if isinstance(part, exp.Window):
            found += aggregates_of(part)
        elif isinstance(part, exp.AggFunc) or _is_named(part):
            found.append(part)
    return found


def window_parts(window: exp.Window) -> list[exp.Expr]:
    """What a window function reads: its arguments, its FILTER, PARTITION BY and ORDER BY."""
    function = window.this
    parts = [*(window.args.get("partition_by") or []), window.args.get("order")]
    while isinstance(function, AROUND):
        parts += [part for part in function.iter_expressions() if part is not function.this]
        function = function.this
    return [part for part in (*function.iter_expressions(), *parts) if isinstance(part, exp.Expr)]


def is_aggregate(node: exp.Expr) -> bool:
    """Whether a node is an aggregate, with all that belongs to it: what stands inside sees rows,
    not groups."""
    while isinstance(node, AROUND):
        node = node.this
    return isinstance(node, exp.AggFunc) or _is_named(node)


def _is_named(node: exp.Expr) -> bool:
    return isinstance(node, exp.Anonymous) and node.name.upper() in _NAMED
