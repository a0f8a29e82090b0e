"""The provenance of a cell: the rows of the tables behind it, and what each call was asked for
them.

The program is run once more with the inputs of its calls and the row_ids of its tables beside its
columns, over the same mappings."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from sqlglot import exp

from binder.analysis.sql.ordering import is_aggregate, is_grouped
from binder.analysis.sql.value_linking import hidden_column
from binder.executors import Input, Said, Value
from binder.language.annotations import notes
from binder.language.relations import Field, Source
from binder.language.sqltree import call_of, copied, placeholders
from binder.plan import Ask, Plan
from binder.results.result import text

MOST = 50  # inputs told of a call that the row does not single out
Mapped = dict[Input, Value]  # the answers of one call
Known = dict[str, Mapped]  # by call


def origin(
    plan: Plan,
    known: Known,
    rows_of: Callable[[exp.Expr], Sequence[tuple[Value, ...]]],
    row: int,
    column: int,
    said: Said,
) -> dict[str, Any]:
    """The origin of one cell. rows_of: the rows of a query over the same mappings."""
    name = plan.query.columns[column]
    found: dict[str, Any] = {"row": row, "column": name, "rows": {}, "calls": []}
    asks = {ask.call.name: ask for ask in plan.asks}
    tree = plan.query.tree
    if not isinstance(tree, exp.Select):  # the rows of a set operation have no single source
        for name, ask in asks.items():
            found["calls"] += _all_of(ask, known[name], said)
        return found
    select, marks = _with_inputs(tree)
    cells = rows_of(select)[row]
    added = cells[len(tree.expressions) :]
    for (kind, name), cell in zip(marks, added, strict=False):
        items = _items(cell)
        if kind == "rows":
            found["rows"][name] = sorted(set(items) - {None})
        else:
            found["calls"] += _calls_of(asks[name], items, known[name], said)
    for name, ask in asks.items():
        if () in known[name]:
            found["calls"].append(called(ask, (), known[name][()], said))
    told = {call["call"] for call in found["calls"]}
    for name, ask in asks.items():
        if ask.call.question not in told:
            reply = text(cells[column]) if _is_shown(plan, column, name) else None
            found["calls"] += _further_inside(ask, known[name], reply, said)
    return found


def _items(cell: Any) -> list[Any]:
    """What one cell tells: several things of a group. SQLite, which has no lists, writes JSON."""
    told = json.loads(cell) if isinstance(cell, str) else cell
    return told if isinstance(told, list) else [told]


def _is_shown(plan: Plan, column: int, name: str) -> bool:
    """Whether an output column is the answers of a call."""
    call = plan.checked.outputs[column].call
    return call is not None and call.name == name


def _calls_of(ask: Ask, items: Sequence[Any], mapping: Mapped, said: Said) -> list[dict[str, Any]]:
    """What a call was asked and answered for the inputs of one row or group."""
    keys = dict.fromkeys(tuple(item.values()) for item in items if isinstance(item, dict))
    return [called(ask, key, mapping[key], said) for key in keys if key in mapping]


def _further_inside(
    ask: Ask, mapping: Mapped, reply: str | None, said: Said
) -> list[dict[str, Any]]:
    """What a call of a sub-select was asked: the inputs with this reply, where a cell shows it."""
    if reply is not None:
        mapping = {key: value for key, value in mapping.items() if text(value) == reply}
    return _all_of(ask, mapping, said)[:MOST]


def _all_of(ask: Ask, mapping: Mapped, said: Said) -> list[dict[str, Any]]:
    """What a call was asked and answered for every input."""
    return [called(ask, key, value, said) for key, value in mapping.items()]


def called(ask: Ask, key: Input, value: Value, said: Said) -> dict[str, Any]:
    """What a call was asked about one input, and answered."""
    return {
        "call": ask.call.question,
        "kind": ask.call.kind,
        "inputs": dict(zip(ask.columns, key, strict=False)) if ask.call.per_input else {},
        "value": value,
        **said(ask, key),
    }


def _with_inputs(tree: exp.Select) -> tuple[exp.Select, list[tuple[str, str]]]:
    """The SELECT with the inputs of each call and the row_id of each stored table as further
    columns, and what these are. Of a group they are lists."""
    if tree.args.get("distinct"):
        return tree, []
    added = [*_inputs(tree), *_row_ids(tree)]
    select, grouped = copied(tree), is_grouped(tree)
    for i, (_, part) in enumerate(added):
        shown = exp.ArrayAgg(this=part) if grouped else part
        select.append("expressions", exp.alias_(shown, f"origin {i}", quoted=True))
    return select, [mark for mark, _ in added]


def _inputs(tree: exp.Select) -> Iterator[tuple[tuple[str, str], exp.Expr]]:
    """The inputs of each call that stands in the SELECT itself, as a struct."""
    calls: dict[str, exp.Anonymous] = {}
    for node in placeholders(tree):
        if node.find_ancestor(exp.Select) is tree:
            calls[call_of(node).name] = node
    unseen = [notes(join.this).source for join in _joins(tree) if not _is_seen(join)]
    for name, node in calls.items():
        if not _is_told_by_a_row(node, unseen):
            continue
        pieces = []
        for i, argument in enumerate(node.expressions):
            key = exp.to_identifier(f"k{i}", quoted=True)
            pieces.append(exp.PropertyEQ(this=key, expression=copied(argument)))
        yield ("call", name), exp.Struct(expressions=pieces)


def _is_told_by_a_row(node: exp.Anonymous, unseen: Sequence[object]) -> bool:
    """Whether the inputs of a call can be read off a row: they are of columns that it has, and not
    of a whole group or another query."""
    for argument in node.expressions:
        if any(is_aggregate(part) for part in argument.walk()):
            return False
    columns = list(node.find_all(exp.Column))
    if not columns or node.find(exp.Query):
        return False
    return all(notes(column).source not in unseen for column in columns)


def _row_ids(tree: exp.Select) -> Iterator[tuple[tuple[str, str], exp.Expr]]:
    """The row_id of each stored table in FROM."""
    items = [tree.args["from_"].this] if tree.args.get("from_") else []
    items += [join.this for join in _joins(tree) if _is_seen(join)]
    for item in items:
        source = notes(item).source
        if isinstance(source, Source) and source.table is not None:
            yield ("rows", source.table.name), hidden_column(source, Field("row_id", "number"))


def _joins(tree: exp.Select) -> list[exp.Join]:
    return tree.args.get("joins") or []


def _is_seen(join: exp.Join) -> bool:
    """Whether a row has the columns of a joined table: else only the join's condition sees them."""
    return join.kind not in ("SEMI", "ANTI")
