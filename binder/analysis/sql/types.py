"""An expression of a resolved tree comes in; its kind goes out: number, text, date, boolean, or
None where it cannot be told.

Kinds decide where SQLite's habits and a call's type come in; an unknown kind changes nothing.
"""

from __future__ import annotations

import re
from functools import cache
from typing import Any

from sqlglot import exp

from binder.language.annotations import notes
from binder.language.sqltree import sql_of

NUMBERS = (
    "TINYINT", "SMALLINT", "INT", "BIGINT", "HUGEINT", "UTINYINT", "USMALLINT", "UINT", "UBIGINT", "UHUGEINT", "FLOAT",
    "DOUBLE", "REAL", "DECIMAL",
)  # fmt: skip

COMPUTED = (  # numbers of numbers
    exp.Sum, exp.Avg, exp.Add, exp.Sub, exp.Mul, exp.Div, exp.IntDiv, exp.Mod, exp.Neg, exp.Abs, exp.Round, exp.Floor,
    exp.Ceil, exp.Sqrt, exp.Median, exp.Stddev, exp.Variance,
)  # fmt: skip
DATE_PARTS = (
    exp.Year, exp.Month, exp.Day, exp.Quarter, exp.Week, exp.DayOfWeek, exp.DayOfYear, exp.Hour, exp.Minute, exp.Second,
    exp.Extract,
)  # fmt: skip
TEXT_READERS = (
    exp.Like, exp.ILike, exp.Glob, exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Left, exp.Right, exp.Replace, exp.SplitPart,
    exp.Split, exp.Contains, exp.StartsWith, exp.EndsWith, exp.DPipe, exp.Concat, exp.RegexpLike, exp.RegexpExtract, exp.Length,
    exp.StrPosition, exp.GroupConcat, exp.Collate,
)  # fmt: skip
_NUMBER = (
    *COMPUTED, *DATE_PARTS, exp.Count, exp.Length, exp.Ln, exp.Log, exp.Exp, exp.Pow, exp.RowNumber, exp.Rank, exp.DenseRank,
    exp.Ntile, exp.PercentRank, exp.CumeDist, exp.Quantile, exp.StddevPop, exp.StddevSamp, exp.StrPosition, exp.Levenshtein,
    exp.ArraySize, exp.Unicode, exp.ApproxDistinct, exp.DateDiff, exp.RegexpCount, exp.Sign, exp.CountIf,
)  # fmt: skip
_TEXT = (
    exp.Lower, exp.Upper, exp.Trim, exp.Substring, exp.Concat, exp.ConcatWs, exp.DPipe, exp.Replace, exp.RegexpReplace,
    exp.RegexpExtract, exp.Left, exp.Right, exp.SplitPart, exp.TimeToStr, exp.GroupConcat, exp.Initcap, exp.Reverse,
    exp.Repeat, exp.Pad, exp.Chr, exp.Format, exp.StrToMap,
)  # fmt: skip
_BOOLEAN = (
    exp.Predicate, exp.Connector, exp.Not, exp.Boolean, exp.RegexpLike, exp.StartsWith, exp.EndsWith, exp.Contains,
    exp.LogicalAnd, exp.LogicalOr,
)  # fmt: skip
_DATE = (
    exp.CurrentDate, exp.CurrentTimestamp, exp.StrToTime, exp.StrToDate, exp.TsOrDsToDate, exp.Date, exp.DateTrunc,
    exp.TimestampTrunc, exp.MakeInterval, exp.LastDay,
)  # fmt: skip
PICKING = (  # one of the values of their operand
    exp.Min, exp.Max, exp.AnyValue, exp.First, exp.Last, exp.Lag, exp.Lead, exp.Paren, exp.FirstValue, exp.LastValue, exp.ArgMax,
    exp.ArgMin,
)  # fmt: skip
_SAME = (
    *PICKING, exp.NthValue, exp.Distinct, exp.Filter, exp.Window, exp.IgnoreNulls, exp.Nullif, exp.Mode, exp.Order,
)  # fmt: skip
_TEXT_NAMES = {
    "STRING_AGG", "FORMAT", "PRINTF", "SUBSTR", "LTRIM", "RTRIM", "STRIP_ACCENTS", "LPAD", "RPAD", "LISTAGG",
    "MONTHNAME", "DAYNAME", "REGEXP_EXTRACT",
}  # fmt: skip


def column_kind(type_name: str) -> str | None:
    """The kind of a DuckDB column type."""
    name = type_name.upper().split("(")[0].strip()
    if name.endswith("]"):
        return None
    if name in NUMBERS or name in ("INTEGER", "UINTEGER"):
        return "number"
    if name in ("VARCHAR", "TEXT", "STRING", "CHAR", "BPCHAR"):
        return "text"
    if name == "DATE" or name.startswith(("TIMESTAMP", "DATETIME")):
        return "date"
    return "boolean" if name in ("BOOLEAN", "BOOL") else None


def holds_bytes(type_name: str) -> bool:
    """Whether values of a DuckDB type are bytes, or hold some."""
    bare = re.sub(
        r"\"[^\"]*\"|'[^']*'", "", type_name
    )  # without the names of fields and the values of an ENUM
    return re.search(r"\bBLOB\b", bare) is not None


def kind(node: exp.Expr | None) -> str | None:
    """What an expression yields."""
    if node is None:
        return None
    if isinstance(node, exp.Column):
        held = notes(node).field
        return held.kind if held else None
    if isinstance(node, exp.Literal):
        return "text" if node.is_string else "number"
    if isinstance(node, (exp.Cast, exp.TryCast)):
        return column_kind(sql_of(node.to))
    if isinstance(node, _SAME):
        return kind(node.this if not isinstance(node, exp.Distinct) else node.expressions[0])
    if (
        isinstance(node, (exp.Add, exp.Sub)) and notes(node).family is not None
    ):  # a chain would be asked again at each of its links
        return notes(node).family or None
    if isinstance(node, exp.Add):
        return _sum(node)
    if isinstance(node, exp.Sub) and "date" in (kind(node.this), kind(node.expression)):
        return "date" if isinstance(node.expression, exp.Interval) else None
    if isinstance(node, (exp.Any, exp.All)):
        return kind(node.this.unnest())
    # any class can be hashed
    if (always := _always(node.__class__)) is not None:  # type: ignore[arg-type]
        return always
    if isinstance(node, (exp.Coalesce, exp.Greatest, exp.Least, exp.Case, exp.If)):
        return _common(branches(node))
    if isinstance(node, exp.Query):
        return kind(node.selects[0].unalias()) if len(node.selects) == 1 else None
    if isinstance(node, exp.Anonymous) and node.name.upper() in _TEXT_NAMES:
        return "text"
    return notes(node).family


def picked(node: exp.Expr) -> exp.Expr:
    """What an expression picks a value of, such as x of MAX(x)."""
    picking = (exp.Paren, exp.Min, exp.Max, exp.AnyValue, exp.First, exp.Last, exp.IgnoreNulls)
    while isinstance(node, picking) and node.this is not None:
        node = node.this
    return node


@cache
def _always(node: type[Any]) -> str | None:
    """The kind of all expressions of a class, where they have one."""
    families = ((_BOOLEAN, "boolean"), (_NUMBER, "number"), (_TEXT, "text"), (_DATE, "date"))
    return next((name for family, name in families if issubclass(node, family)), None)


def _sum(node: exp.Add) -> str | None:
    kinds = {kind(node.this), kind(node.expression)}
    return "date" if "date" in kinds else "number" if kinds <= {"number", "text"} else None


def branches(node: exp.Expr) -> list[exp.Expr]:
    """The expressions of which one with a choice takes its value."""
    if isinstance(node, exp.Case):
        values = [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]
    elif isinstance(node, exp.If):
        values = [node.args.get("true"), node.args.get("false")]
    else:
        values = [node.this, *node.expressions]
    return [value for value in values if value is not None]


def _common(nodes: list[exp.Expr]) -> str | None:
    kinds = {kind(node) for node in nodes if not isinstance(node, exp.Null)}
    return kinds.pop() if len(kinds) == 1 else None
