"""A cell of a result comes in; where it came from goes out: the rows of the tables behind it and
what each call was asked for them.

The program is run once more with the inputs of its calls and the row_ids of its tables beside its
columns, over the same mappings."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from sqlglot import exp

from binder.analysis.sql.ordering import is_aggregate, is_grouped
from binder.analysis.sql.scope import Field, Source
from binder.analysis.sql.value_linking import hidden_column
from binder.executors import Input, Said, Value
from binder.language.annotations import notes
from binder.language.sqltree import call_of, copied, placeholders
from binder.plan import Ask, Plan
from binder.results.result import text

MOST = 50  # inputs told of a call that the row does not single out
Known = dict[str, dict[Input, Value]]  # call -> its mapping


def origin(
    plan: Plan,
    known: Known,
    rows_of: Callable[[exp.Expr], Sequence[tuple[Value, ...]]],
    row: int,
    column: int,
    said: Said,
) -> dict[str, Any]:
    """The origin of one cell. rows_of: the rows of a query over the same mappings."""
    asks = {ask.call.name: ask for ask in plan.asks}
    tree = plan.query.tree
    found: dict[str, Any] = {
        "row": row,
        "column": plan.query.columns[column],
        "rows": {},
        "calls": [],
    }
    if not isinstance(tree, exp.Select):
        every = [
            _called(ask, key, value, said)
            for ask in asks.values()
            for key, value in known[ask.call.name].items()
        ]
        return found | {"calls": every}
    select, marks = _with_inputs(tree)
    cells = rows_of(select)[row]
    for (kind, name), cell in zip(marks, cells[len(tree.expressions) :], strict=False):
        items = cell if isinstance(cell, list) else [cell]
        if kind == "rows":
            found["rows"][name] = sorted({item for item in items if item is not None})
            continue
        keys = dict.fromkeys(tuple(item.values()) for item in items if isinstance(item, dict))
        found["calls"] += [
            _called(asks[name], key, known[name][key], said) for key in keys if key in known[name]
        ]
    found["calls"] += [
        _called(ask, (), known[name][()], said) for name, ask in asks.items() if () in known[name]
    ]
    told = {call["call"] for call in found["calls"]}
    shown = plan.checked.outputs[column].call
    for (
        name,
        ask,
    ) in (
        asks.items()
    ):  # calls further inside: those with this value, or else all that the program asked
        if ask.call.question not in told:
            entries = known[name].items()
            kept = [
                (key, value)
                for key, value in entries
                if shown is None
                or name != shown.name
                or (cells and text(value) == text(cells[column]))
            ]
            found["calls"] += [_called(ask, key, value, said) for key, value in kept[:MOST]]
    return found


def _called(ask: Ask, key: tuple[Any, ...], value: Any, said: Said) -> dict[str, Any]:
    inputs = dict(zip(ask.columns, key, strict=False)) if ask.call.per_input else {}
    return {
        "call": ask.call.question,
        "kind": ask.call.kind,
        "inputs": inputs,
        "value": value,
        **said(ask, key),
    }


def _with_inputs(tree: exp.Select) -> tuple[exp.Select, list[tuple[str, str]]]:
    """The SELECT with a list or struct of inputs per call and the row_id of each stored table as
    further columns."""
    marks: list[tuple[str, str]] = []
    if tree.args.get("distinct"):
        return tree, marks
    select = copied(tree)
    grouped = is_grouped(tree)
    joins = tree.args.get("joins") or ()
    unseen = [
        notes(join.this).source for join in joins if join.kind in ("SEMI", "ANTI")
    ]  # only their conditions see them
    added: list[exp.Expr] = []
    for node in {
        call_of(n).name: n for n in placeholders(tree) if n.find_ancestor(exp.Select) is tree
    }.values():
        if any(
            is_aggregate(part) for argument in node.expressions for part in argument.walk()
        ) or not node.find(exp.Column):
            continue
        if node.find(exp.Query) or any(
            notes(column).source in unseen for column in node.find_all(exp.Column)
        ):
            continue
        pieces = [
            exp.PropertyEQ(this=exp.to_identifier(f"k{i}", quoted=True), expression=copied(a))
            for i, a in enumerate(node.expressions)
        ]
        struct: exp.Expr = exp.Struct(expressions=pieces)
        added.append(exp.ArrayAgg(this=struct) if grouped else struct)
        marks.append(("call", call_of(node).name))
    nodes = [tree.args["from_"].this] if tree.args.get("from_") else []
    for item in [*nodes, *(join.this for join in joins if join.kind not in ("SEMI", "ANTI"))]:
        source = notes(item).source
        if isinstance(source, Source) and source.table is not None:
            row_id = hidden_column(source, Field("row_id", "number"))
            added.append(exp.ArrayAgg(this=row_id) if grouped else row_id)
            marks.append(("rows", source.table.name))
    for i, part in enumerate(added):
        select.append("expressions", exp.alias_(part, f"origin {i}", quoted=True))
    return select, marks
