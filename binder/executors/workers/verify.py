"""The verification of a query on DuckDB's own parse tree: its Shape, or a refusal of what is more
than one SELECT of allowed parts.

The grammar and the checks have allowed the program before. This is the same question asked again of
the parser that counts, and it fails closed: a kind of node that is not listed here is refused."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from binder.language.functions import TABLE_FUNCTIONS, allowed

QUERIES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE"})
TABLES = frozenset("BASE_TABLE SUBQUERY JOIN TABLE_FUNCTION EXPRESSION_LIST EMPTY".split())
JOINS = frozenset({"REGULAR", "NATURAL", "CROSS", "ASOF"})
MODIFIERS = frozenset({"ORDER_MODIFIER", "LIMIT_MODIFIER", "DISTINCT_MODIFIER"})
EXPRESSIONS = frozenset(
    "BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION LAMBDA"
    " LAMBDA_REF OPERATOR STAR SUBQUERY TYPE WINDOW".split()
)
# What DuckDB and binder write for operators, literals, habits of SQLite and comparisons.
WRITTEN = frozenset(
    "+ - * / // % ** ^ & | ~ << >> || ~~ !~~ ~~* !~~* ~~~ -> ->> && @> <@"
    " number_in list_value struct_pack row array_extract map error"
    " like_escape not_like_escape ilike_escape not_ilike_escape".split()
)
_SCANS = (
    "PYTHON_ARROW_SCAN COLUMN_DATA_SCAN CTE_SCAN REC_CTE_SCAN DELIM_SCAN DUMMY_SCAN EMPTY_RESULT"
)
SOURCES = frozenset(_SCANS.split()).union(name.upper() for name in TABLE_FUNCTIONS)
PLAIN = re.compile(r"[\w,-]*")


class NotAllowed(ValueError):
    """DuckDB reads a query as more than a program may be."""


@dataclass
class Shape:
    """What a query is made of, as one parser tells it: the tables it names, how many SELECTs it
    has, the texts it quotes."""

    tables: list[str] = field(default_factory=list)
    selects: int = 0
    texts: list[str] = field(default_factory=list)

    def data(self) -> dict[str, Any]:
        """As JSON data, equal where two parsers agree. A text that is a mere word is left out: it
        reads the same everywhere, and translation adds some, such as units of time."""
        texts = sorted(text for text in self.texts if not PLAIN.fullmatch(text))
        return {
            "tables": sorted(map(str.casefold, self.tables)),
            "selects": self.selects,
            "texts": texts,
        }


def shape(parsed: Mapping[str, Any], tables: frozenset[str]) -> Shape:
    """The Shape of what json_serialize_sql yields. tables: the names, case folded, that a query may
    read."""
    if parsed.get("error"):
        raise NotAllowed(str(parsed.get("error_message")))
    statements = parsed["statements"]
    if len(statements) != 1 or statements[0].get("named_param_map"):
        raise NotAllowed("only one SELECT is allowed")
    found = Shape()
    _query(statements[0]["node"], tables, found)
    return found


def sources(plan: Any) -> None:
    """Refuses a plan, as EXPLAIN tells it, that reads from anything but tables that were shown to
    the engine, and from itself."""
    for node in plan:
        if node["children"]:
            sources(node["children"])
        else:
            _listed(node["name"].strip(), SOURCES, "source")


def _query(node: Mapping[str, Any], tables: frozenset[str], found: Shape) -> None:
    """A query and its WITH: each name of it can be read by what stands after it, and by itself."""
    _listed(node["type"], QUERIES, "query")
    for cte in (node.get("cte_map") or {}).get("map") or ():
        tables |= {cte["key"].casefold()}
        _inside(cte["value"], tables, found)
    if node["type"] == "RECURSIVE_CTE_NODE":
        tables |= {node["cte_name"].casefold()}
    values = (node.get("from_table") or {}).get("type") == "EXPRESSION_LIST"
    found.selects += node["type"] == "SELECT_NODE" and not values
    for modifier in node.get("modifiers") or ():
        _listed(modifier["type"], MODIFIERS, "clause")
    if node.get("sample"):
        raise NotAllowed("TABLESAMPLE is not allowed")
    _inside(
        {key: value for key, value in node.items() if key not in ("cte_map", "sample")},
        tables,
        found,
    )


def _inside(node: Mapping[str, Any], tables: frozenset[str], found: Shape) -> None:
    """Everything below a node, each part by what it is."""
    for key, value in node.items():
        _part(key, value, tables, found)


def _part(key: str, node: Any, tables: frozenset[str], found: Shape) -> None:
    """One part, which is a query, a table, an expression, or holds some."""
    if isinstance(node, list):  # also of lists, as the rows of VALUES are
        for item in node:
            _part(key, item, tables, found)
    elif not isinstance(node, dict):
        return
    elif "class" in node:
        _expression(node, found)
        _inside(node, tables, found)
    elif str(node.get("type", "")).endswith("_NODE"):
        _query(node, tables, found)
    elif key in ("from_table", "left", "right"):
        _table(node, tables, found)
        _inside(node, tables, found)
    elif key == "sample" or key == "at_clause":
        raise NotAllowed(f"{key} is not allowed")
    else:
        _inside(node, tables, found)


def _table(node: Mapping[str, Any], tables: frozenset[str], found: Shape) -> None:
    """What stands in a FROM."""
    kind = node["type"]
    _listed(kind, TABLES, "table")
    if kind == "JOIN":
        _listed(node.get("ref_type", "REGULAR"), JOINS, "join")
    if kind == "TABLE_FUNCTION":
        _listed(
            node["function"].get("function_name", "").lower(), TABLE_FUNCTIONS, "table function"
        )
    if kind == "BASE_TABLE":
        path = node["qualified_name"]["path"]
        if len(path) != 1 or path[0].casefold() not in tables:
            raise NotAllowed(f"table {'.'.join(path)!r} is not a table of this program")
        found.tables.append(path[0])


def _expression(node: Mapping[str, Any], found: Shape) -> None:
    """An expression: its class is listed, and so is its function."""
    _listed(node["class"], EXPRESSIONS, "expression")
    if "function_name" in node:
        path = (node.get("qualified_name") or {}).get("path") or []
        if [name.lower() for name in path] != [node["function_name"].lower()]:
            raise NotAllowed(f"function {'.'.join(path)!r} is not allowed")
        _listed(node["function_name"].lower(), allowed() | WRITTEN, "function")
    if node.get("columns") and node.get("expr"):  # without: ORDER BY ALL
        raise NotAllowed("COLUMNS is not allowed")
    literal = node.get("literal")
    if node["class"] == "CONSTANT" and literal and literal.get("kind") == "STRING":
        found.texts.append(literal.get("text", ""))


def _listed(name: str, names: frozenset[str], what: str) -> None:
    if name not in names:
        raise NotAllowed(f"the {what} {name!r} is not allowed")
