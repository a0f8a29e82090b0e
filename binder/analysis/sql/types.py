"""Type families of expressions, called kinds: number, text, date, boolean, or None where unknown.

sqlglot's table of DuckDB's functions says what most classes of nodes return. OVERRIDES and RULES
hold what it leaves open or has wrong. An unknown kind changes nothing: no comparison is aligned and
no call typed by it.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from sqlglot import exp

from binder.language.annotations import notes
from binder.language.sqltree import DuckDBDialect, sql_of

NUMBERS = (
    "TINYINT",
    "SMALLINT",
    "INT",
    "INTEGER",
    "BIGINT",
    "HUGEINT",
    "INT128",
    "UTINYINT",
    "USMALLINT",
    "UINT",
    "UINTEGER",
    "UBIGINT",
    "UHUGEINT",
    "FLOAT",
    "DOUBLE",
    "REAL",
    "DECIMAL",
)

COMPUTED = (  # numbers of numbers
    exp.Sum,
    exp.Avg,
    exp.Add,
    exp.Sub,
    exp.Mul,
    exp.Div,
    exp.IntDiv,
    exp.Mod,
    exp.Neg,
    exp.Abs,
    exp.Round,
    exp.Floor,
    exp.Ceil,
    exp.Sqrt,
    exp.Median,
    exp.Stddev,
    exp.Variance,
)
DATE_PARTS = (
    exp.Year,
    exp.Month,
    exp.Day,
    exp.Quarter,
    exp.Week,
    exp.DayOfWeek,
    exp.DayOfYear,
    exp.Hour,
    exp.Minute,
    exp.Second,
    exp.Extract,
)
TEXT_READERS = (
    exp.Like,
    exp.ILike,
    exp.Glob,
    exp.Lower,
    exp.Upper,
    exp.Trim,
    exp.Substring,
    exp.Left,
    exp.Right,
    exp.Replace,
    exp.SplitPart,
    exp.Split,
    exp.Contains,
    exp.StartsWith,
    exp.EndsWith,
    exp.DPipe,
    exp.Concat,
    exp.RegexpLike,
    exp.RegexpExtract,
    exp.Length,
    exp.StrPosition,
    exp.GroupConcat,
    exp.Collate,
)
PICKING = (  # one of the values of their operand
    exp.Min,
    exp.Max,
    exp.AnyValue,
    exp.First,
    exp.Last,
    exp.Lag,
    exp.Lead,
    exp.Paren,
    exp.FirstValue,
    exp.LastValue,
    exp.ArgMax,
    exp.ArgMin,
)
_SAME = (  # all that yields values of its first operand
    *PICKING,
    exp.NthValue,
    exp.Filter,
    exp.Window,
    exp.IgnoreNulls,
    exp.Nullif,
    exp.Mode,
    exp.Order,
    exp.Any,
    exp.All,
    exp.Subquery,
    exp.Alias,
)
_CHOICES = (exp.Coalesce, exp.Greatest, exp.Least)

_BOOLEAN = (exp.Predicate, exp.Connector, exp.Not, exp.RegexpLike)
_TEXT = (
    exp.Replace,
    exp.RegexpReplace,
    exp.RegexpExtract,
    exp.Left,
    exp.Right,
    exp.SplitPart,
    exp.Pad,
)
_DATE = (exp.DateTrunc, exp.TimestampTrunc)
_NUMBER = (*COMPUTED, exp.Count, exp.RegexpCount)
_TEXT_NAMES = {
    "STRING_AGG",
    "FORMAT",
    "PRINTF",
    "SUBSTR",
    "LTRIM",
    "RTRIM",
    "STRIP_ACCENTS",
    "LPAD",
    "RPAD",
    "LISTAGG",
    "MONTHNAME",
    "DAYNAME",
    "REGEXP_EXTRACT",
    "STRFTIME_OF",
}
_DATED = {  # SQLite's date functions with modifiers
    "DATE_OF": "date",
    "DATETIME_OF": "date",
    "TIME_OF": "time",
    "JULIANDAY_OF": "number",
    "UNIXEPOCH_OF": "number",
}


def column_kind(type_name: str) -> str | None:
    """The kind of a DuckDB column type."""
    name = type_name.upper().split("(")[0].strip()
    if name.endswith("]"):
        return None
    if name in NUMBERS:
        return "number"
    if name in ("VARCHAR", "TEXT", "STRING", "CHAR", "BPCHAR"):
        return "text"
    if name == "DATE" or name.startswith(("TIMESTAMP", "DATETIME")):
        return "date"
    if name == "TIME":
        return "time"
    return "boolean" if name in ("BOOLEAN", "BOOL") else None


def holds_bytes(type_name: str) -> bool:
    """Whether values of a DuckDB type are bytes, or hold some."""
    # the names of fields and the values of an ENUM are quoted, and may be any word
    bare = re.sub(r"\"[^\"]*\"|'[^']*'", "", type_name)
    return re.search(r"\bBLOB\b", bare) is not None


def kind(node: exp.Expr | None) -> str | None:
    """The kind of an expression of a resolved tree."""
    if node is None:
        return None
    return _rule(node.__class__)(node)  # type: ignore[arg-type]  # any class can be hashed


def handed_on(node: exp.Expr) -> list[exp.Expr]:
    """The parts of which an expression yields a value as it is: x of MAX(x), what CASE chooses
    from, the column of a scalar sub-select."""
    parts = _handing_on(node.__class__)  # type: ignore[arg-type]  # any class can be hashed
    return [part for part in parts(node) if part is not None] if parts else []


def values(node: exp.Expr) -> list[exp.Expr]:
    """The expressions of which one is the value, but for NULL: the node itself where it hands on
    none."""
    parts = handed_on(node)
    if not parts:
        return [] if isinstance(node, exp.Null) else [node]
    found: list[exp.Expr] = []
    for part in parts:
        found += values(part)
    return found


def picked(node: exp.Expr) -> exp.Expr:
    """What an expression picks a value of, such as x of MAX(x)."""
    picking = (exp.Paren, exp.Min, exp.Max, exp.AnyValue, exp.First, exp.Last, exp.IgnoreNulls)
    while isinstance(node, picking) and node.this is not None:
        node = node.this
    return node


# which parts a node hands on


def _operand(node: exp.Expr) -> list[Any]:
    return [node.this]


def _distinct(node: exp.Distinct) -> list[Any]:
    return node.expressions if len(node.expressions) == 1 else []


def _choice(node: exp.Expr) -> list[Any]:
    return [node.this, *node.expressions]


def _case(node: exp.Case) -> list[Any]:
    return [*(branch.args["true"] for branch in node.args["ifs"]), node.args.get("default")]


def _if(node: exp.If) -> list[Any]:
    return [node.args.get("true"), node.args.get("false")]


def _select(node: exp.Select) -> list[Any]:
    return node.expressions if len(node.expressions) == 1 else []


def _sides(node: exp.SetOperation) -> list[Any]:
    return [node.this, node.expression]


Parts = Callable[[Any], list[Any]]
HANDING_ON: dict[type[Any], Parts] = {
    **dict.fromkeys(_SAME, _operand),
    **dict.fromkeys(_CHOICES, _choice),
    exp.Distinct: _distinct,
    exp.Case: _case,
    exp.If: _if,
    exp.Select: _select,
    exp.SetOperation: _sides,
}


@cache
def _handing_on(node: type[Any]) -> Parts | None:
    """How the expressions of a class hand on values."""
    return next((HANDING_ON[base] for base in node.__mro__ if base in HANDING_ON), None)


# of what kind a node is


def _common(node: exp.Expr) -> str | None:
    """The kind that all values have which an expression hands on, but for NULL."""
    kinds = {kind(part) for part in handed_on(node) if not isinstance(part, exp.Null)}
    return kinds.pop() if len(kinds) == 1 else None


def _column(node: exp.Column) -> str | None:
    held = notes(node).field
    return held.kind if held else None


def _literal(node: exp.Literal) -> str:
    return "text" if node.is_string else "number"


def _cast(node: exp.Cast | exp.TryCast) -> str | None:
    # the labels of an ENUM are its own, so each list is a kind
    return sql_of(node.to) if node.to.this == exp.DType.ENUM else column_kind(sql_of(node.to))


def _anonymous(node: exp.Anonymous) -> str | None:
    name = node.name.upper()
    return "text" if name in _TEXT_NAMES else _DATED.get(name, notes(node).family)


def _noted(node: exp.Expr) -> str | None:
    return notes(node).family


def _sum(node: exp.Add) -> str | None:
    # a chain of sums would be asked again at each of its links
    if (noted := notes(node).family) is not None:
        return noted or None
    sides = [node.this, node.expression]
    kinds = {_summand(side) for side in sides}
    if "date" in kinds or sum(map(_is_interval, sides)) == 1:
        return "date"
    return "number" if kinds <= {"number", "text"} else None


def _summand(node: exp.Expr) -> str | None:
    """The kind of a summand; a call that is computed with is asked for a number."""
    return kind(node) or ("number" if shows_call(node) else None)


def _difference(node: exp.Sub) -> str | None:
    if (noted := notes(node).family) is not None:
        return noted or None
    if _is_interval(node.expression):
        return None if _is_interval(node.this) else "date"
    # days between dates, but an interval between time stamps
    return None if "date" in (kind(node.this), kind(node.expression)) else "number"


def _is_interval(node: exp.Expr) -> bool:
    return isinstance(node, (exp.Interval, exp.MakeInterval))


def shows_call(node: exp.Expr) -> bool:
    """Whether the value of an expression may be that of a call as it is."""
    for value in values(node):
        held = notes(value).field
        if notes(value).call is not None or (held is not None and held.calls):
            return True
    return False


Rule = Callable[[Any], str | None]
RULES: dict[type[Any], Rule] = {
    **dict.fromkeys(HANDING_ON, _common),
    exp.Add: _sum,
    exp.Sub: _difference,
    exp.Column: _column,
    exp.Literal: _literal,
    exp.Cast: _cast,
    exp.TryCast: _cast,
    exp.Anonymous: _anonymous,
}


def _returned() -> dict[type[Any], str | None]:
    """The kind of each class whose type does not depend on its operands."""
    found: dict[type[Any], str | None] = {}
    for node, entry in DuckDBDialect.EXPRESSION_METADATA.items():
        if (type_ := entry.get("returns")) is not None:
            found[node] = column_kind(exp.DataType.build(type_).this.value)
    for classes, name in OVERRIDES:
        found |= dict.fromkeys(classes, name)
    return found


# silent in sqlglot's table, or typed there by the operands, which need no look at
OVERRIDES: tuple[tuple[tuple[type[Any], ...], str], ...] = (
    (_BOOLEAN, "boolean"),
    (_NUMBER, "number"),
    (_TEXT, "text"),
    (_DATE, "date"),
)
RETURNED = _returned()


@cache
def _rule(node: type[Any]) -> Rule:
    """How the kind of the expressions of a class is found."""
    for base in node.__mro__:
        if base in RULES:
            return RULES[base]
        if base in RETURNED:
            always = RETURNED[base]
            return lambda _: always
    return _noted
