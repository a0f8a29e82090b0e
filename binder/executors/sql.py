"""The executor of Binder SQL: a plan's collects, mappings and query come in; inputs and rows come
out of a worker.

A mapping is a narrow table that lives as long as the execution; base tables are never copied or
changed."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pyarrow as pa
from sqlglot import exp

from binder.analysis.sql.call_arguments import bytes_fault
from binder.analysis.sql.ordering import ROW_ORDER
from binder.analysis.sql.types import holds_bytes
from binder.errors import CheckFault, QueryError
from binder.executors import (
    Batch,
    Execution,
    Input,
    Mapping,
    Part,
    Rows,
    Value,
    execute,
    provenance,
)
from binder.executors.provenance import Said
from binder.executors.schedule import Schedule
from binder.executors.workers.duckdb_client import Prepared, Worker
from binder.executors.workers.verify import Shape
from binder.language.annotations import site_of
from binder.language.program import Program
from binder.language.sqltree import copied, nodes, placeholders, sql_of
from binder.plan import Ask, InputCount, Plan
from binder.plan.collect import (
    clause_around,
    derived,
    inputs,
    key_name,
    key_values,
    outer_columns,
    rows_looked_at,
    share_settled,
)
from binder.plan.cost import bill, count_of
from binder.plan.mapping_join import looked_up, mapping_name
from binder.plan.three_valued import Knowledge
from binder.tables.cells import read_date, read_number
from binder.tables.table import Table

Held = Callable[[Ask, Sequence[Input]], int]
KEPT = 10_000  # inputs of a collect that are kept for the next run of a plan
_TYPES = {
    "number": pa.float64(),
    "boolean": pa.bool_(),
    "text": pa.string(),
    "date": pa.timestamp("us"),
    "auto": pa.string(),
}


class SqlExecutor:
    """Executes one plan in a worker."""

    def __init__(self, plan: Plan, worker: Worker):
        self.plan = plan
        self.worker = worker
        self.kinds = {ask.call.name: ask.call.kind for ask in plan.asks}
        self.known: dict[str, dict[Input, Value]] = {ask.call.name: {} for ask in plan.asks}
        self.tables = {ask.call.name: self._mapping_table(ask, {}) for ask in plan.asks}
        self.course = Schedule(plan.steps, self)
        self.prepared = worker.prepared.setdefault(plan, Prepared())
        self.tag: str | None = (
            # marks the mappings of this execution in the engine, from the first query to `close`
            None
        )
        self.generation = 0
        self.loaded: set[str] = set()

    @property
    def program(self) -> Program:
        """The program that runs."""
        return self.plan.checked.program

    @property
    def tables_of(self) -> tuple[Table, ...]:
        """The tables that it was checked against."""
        return self.plan.checked.tables

    @property
    def asks(self) -> Sequence[Ask]:
        """What is asked."""
        return self.plan.asks

    def execution(self) -> Execution:
        """Asks in order, then queries."""
        return execute(self.plan, self)

    def explain(self, batch_rows: int, held: Held, price: tuple[float, float] | None) -> Plan:
        """The plan with its bill; asks nothing, refuses what execution refuses. held: how many
        inputs were answered before."""
        try:
            self.check()
            counted = replace(self.plan, counts=self.counts(held))
        finally:
            self.close()
        return replace(counted, bill=bill(counted, batch_rows, price))

    def present(
        self, rows: Sequence[tuple[Value, ...]]
    ) -> tuple[list[tuple[Value, ...]], list[tuple[str, ...]]]:
        """Rows as values of the program's columns, and as a person is shown them."""
        return self.plan.checked.present(rows)

    def collect(self) -> tuple[Batch, ...]:
        """The inputs that have to be known next; an input of NULLs alone is not asked."""
        return self.course.next()

    def unknown(
        self, ask: Ask, reach: int | None = None, among: Sequence[exp.Anonymous] = ()
    ) -> Batch:
        """The inputs of one ask that are unknown. reach: how far its window reaches; among: calls
        that are known on the rows to be looked at."""
        known = self.known[ask.call.name]
        if not ask.call.per_input:
            return self._collect_ans(ask, known)
        knowledge, place = self._knowledge(), (ask.collect.site.number, reach)
        first = knowledge == Knowledge() and not among
        rows = self.prepared.inputs.get(place) if first else None
        if rows is None:
            found = self._run(inputs(ask.collect, knowledge, reach, among))
            self._sendable(ask, found, ask.collect.site.node.expressions, ask.columns)
            rows = _distinct(found)
            if first and len(rows) <= KEPT:
                self.prepared.inputs[place] = rows
        return Batch(
            ask,
            tuple(
                row for row in rows if row not in known and any(value is not None for value in row)
            ),
        )

    def share(self, ask: Ask, without: frozenset[int]) -> float | None:
        """For what share of the rows on which it is known a call alone settles its WHERE. without:
        sites not to be looked at."""
        query = share_settled(
            ask.collect,
            Knowledge(frozenset(self.course.done) - without, frozenset({ask.call.name})),
        )
        return None if query is None else self._run(query).rows[0][0]

    def _knowledge(self) -> Knowledge:
        return Knowledge(
            frozenset(self.course.done),
            frozenset(name for name, known in self.known.items() if known),
        )

    def bind(self, ask: Ask, mapping: Mapping) -> None:
        """Adds values to the mapping of a call; the engine is shown the whole of it before the next
        query."""
        known = self.known[ask.call.name]
        known.update(mapping.values)
        self.tables[ask.call.name] = self._mapping_table(ask, known)
        self.loaded.discard(ask.call.name)

    def query(self) -> Rows:
        """The rows of the whole program."""
        rows = self._run(self.plan.query.tree)
        return Rows(self.plan.query.columns, rows.types, rows.rows, rows.kinds)

    def check(self) -> None:
        """Binds the program over empty mappings: what the engine would refuse is refused before
        anything is asked."""
        if self.prepared.bound:
            return
        try:
            self.worker.describe(*self._ready(self.plan.query.tree))
        except QueryError as error:
            raise CheckFault(error.message, text=self.plan.checked.program.text) from error
        self.prepared.bound = True

    def rows_of(self, tree: exp.Expr) -> list[tuple[Value, ...]]:
        """The rows of another query over the same mappings."""
        try:
            return self._run(tree).rows
        finally:
            self.close()

    def counts(self, held: Held) -> dict[int, InputCount]:
        """Site number -> what can be told of its inputs, with nothing asked."""
        found: dict[int, InputCount] = {}
        seen: dict[str, set[Input]] = {name: set() for name in self.kinds}
        for step in self.plan.steps:
            for ask in step.asks:
                node, window = ask.collect.site.node, ask.collect.window
                inner = [
                    site_of(part)
                    for argument in node.expressions
                    for part in placeholders(argument)
                ]
                if inner and ask.call.per_input:
                    found[ask.collect.site.number] = max(
                        (found[number] for number in inner), key=lambda told: told.most
                    )
                    continue
                self.course.done.update(inner)
                asked = self.unknown(ask).inputs
                reach = (
                    len(self.unknown(ask, window.rows).inputs)
                    if window is not None and window.rows
                    else None
                )
                more = [value for value in asked if value not in seen[ask.call.name]]
                seen[ask.call.name].update(more)
                rows = (
                    self._run(rows_looked_at(ask.collect, self._knowledge())).rows[0][0]
                    if key_values(node)
                    else 1
                )
                self.course.done.clear()
                found[ask.collect.site.number] = count_of(
                    ask, step, rows, len(asked), len(more), held(ask, more), reach
                )
        return found

    def origin(self, row: int, column: int, said: Said) -> dict[str, Any]:
        """Where a cell of the result came from: row_ids of the tables, and what each call was asked
        and answered for that row."""
        return provenance.origin(self.plan, self.known, self.rows_of, row, column, said)

    def close(self) -> None:
        """Drops the mappings; they are kept here for `origin`."""
        if self.tag is None:
            return
        if self.loaded and self.generation == self.worker.generation:
            self.worker.forget([mapping_name(name, self.tag) for name in self.loaded])
        self.worker.tags.append(self.tag)
        self.tag = None

    def _collect_ans(self, ask: Ask, known: dict[Input, Value]) -> Batch:
        node = ask.collect.site.node
        outer = outer_columns(node)
        keys = _distinct(self._run(inputs(ask.collect, self._knowledge()))) if outer else [()]
        parts: dict[Input, tuple[Part, ...]] = {}
        for key in keys:
            if key in known:
                continue
            given = dict(zip([sql_of(column) for column in outer], key, strict=True))
            tables = tuple(self._part(ask, argument, given) for argument in node.expressions)
            if any(part.rows for part in tables):
                parts[key] = tables
        return Batch(ask, tuple(parts), parts)

    def _sendable(
        self, ask: Ask, found: Rows, arguments: Sequence[exp.Expr], names: Sequence[str]
    ) -> None:
        """Refuses arguments that the engine finds to be bytes, before they are sent."""
        for argument, name, type_name in zip(arguments, names, found.types, strict=False):
            if holds_bytes(type_name):
                raise bytes_fault(self.program, ask.call, argument, name)

    def _part(self, ask: Ask, argument: exp.Expr, outer: dict[str, Value]) -> Part:
        """The rows of one argument of ans, for one set of outer values; it can read the CTEs of the
        queries around."""
        query = copied(argument.unnest())
        for column in list(query.find_all(exp.Column)):
            if sql_of(column) in outer:
                column.replace(exp.convert(outer[sql_of(column)]))
        rows = self._run(self._among_ctes(ask, query))
        self._sendable(ask, rows, [argument] * len(rows.types), rows.columns)
        names = (
            [projection.alias_or_name for projection in query.selects]
            if isinstance(query, exp.Query)
            else []
        )
        shown = [i for i, name in enumerate(names) if name != ROW_ORDER]
        return Part(
            tuple(names[i] for i in shown), tuple(tuple(row[i] for i in shown) for row in rows.rows)
        )

    def _among_ctes(self, ask: Ask, query: exp.Expr) -> exp.Expr:
        """An argument of ans behind the CTEs of the queries around; one with CTEs of its own, which
        may hide these, as a sub-select."""
        clause = clause_around(ask.collect.site.select, self._knowledge())
        if clause is not None and query.args.get("with_"):
            query = exp.Select(expressions=[exp.Star()], from_=derived(query))
        if clause is not None:
            query.set("with_", clause)
        return query

    def _mapping_table(self, ask: Ask, known: dict[Input, Value]) -> pa.Table:
        """k0, k1, ... and value; for ans also position."""
        if ask.call.per_input:
            width = len(ask.collect.site.node.expressions)
            columns = {key_name(i): _column([row[i] for row in known]) for i in range(width)}
            return pa.table({**columns, "value": typed(list(known.values()), ask.call_type.type)})
        width = len(outer_columns(ask.collect.site.node))
        flat = [(key, i, value) for key, values in known.items() for i, value in enumerate(values)]
        columns = {key_name(i): _column([key[i] for key, _, _ in flat]) for i in range(width)}
        position = pa.array([i for _, i, _ in flat], pa.int64())
        return pa.table(
            {
                **columns,
                "position": position,
                "value": typed([value for _, _, value in flat], ask.call_type.type),
            }
        )

    def _ready(self, tree: exp.Expr) -> tuple[str, dict[str, Any]]:
        """A tree as the engine is sent it, and what binder takes it to be made of. The engine is
        shown the mappings first, after a kill all of them again."""
        if self.tag is None or self.generation != self.worker.generation:
            self.tag = self.tag or self.worker.tag()
            self.generation = self.worker.generation
            self.loaded = set()
        for name in self.tables.keys() - self.loaded:
            self.worker.load(mapping_name(name, self.tag), self.tables[name])
            self.loaded.add(name)
        whole = tree is self.plan.query.tree
        if not whole or self.tag not in self.prepared.sent:
            made = looked_up(tree, self.tag)
            sent = sql_of(made), shape(made).data()
            if not whole:
                return sent
            self.prepared.sent[self.tag] = sent
        return self.prepared.sent[self.tag]

    def _run(self, tree: exp.Expr) -> Rows:
        table, types = self.worker.run(*self._ready(tree))
        try:
            columns = [[_value(value) for value in column.to_pylist()] for column in table.columns]
        except (OverflowError, ValueError) as error:
            hint = "dates have the years 1 to 9999; cast others to text"
            raise QueryError(
                f"a value of the result cannot be shown: {error}", hint=hint
            ) from error
        return Rows(
            tuple(table.column_names),
            tuple(types),
            list(zip(*columns, strict=True)) if columns else [],
            tuple(table.schema.types),
        )


def _distinct(found: Rows) -> list[Input]:
    """Distinct inputs, in the order in which a query yields them: equal runs make equal
    requests."""
    return list(dict.fromkeys(tuple(_hashable(value) for value in row) for row in found.rows))


def shape(tree: exp.Expr) -> Shape:
    """What the engine's parser must find in a query."""
    found = Shape()
    for node in nodes(tree):
        if isinstance(node, exp.Select):
            found.selects += 1
        elif isinstance(node, exp.Table) and isinstance(node.this, exp.Identifier):
            found.tables.append(node.name)
        elif isinstance(node, exp.Literal) and node.is_string:
            found.texts.append(node.this)
        elif isinstance(node, exp.JSONPath):
            found.texts.append(sql_of(node)[1:-1].replace("''", "'"))
    return found


def typed(values: list[Value], kind: str) -> pa.Array:
    """The values of a mapping as one column; `auto` is read off them: all numbers, all dates, else
    text; with none of them it goes with any type."""
    present = [value for value in values if value is not None]
    if kind == "auto" and not present:
        return pa.nulls(len(values))
    if kind == "auto":
        kind, values = _read(present, values)
        present = [value for value in values if value is not None]
    if kind == "number" and all(
        isinstance(value, int) and -(2**63) <= value < 2**63 for value in present
    ):
        return pa.array(values, pa.int64())
    if kind == "number":
        values = [None if value is None else float(value) for value in values]
    if kind == "date" and all(not isinstance(value, datetime.datetime) for value in present):
        return pa.array(values, pa.date32())
    if kind == "date":
        values = [
            value
            if value is None or isinstance(value, datetime.datetime)
            else datetime.datetime.combine(value, datetime.time())
            for value in values
        ]
    if kind == "text":
        values = [None if value is None else as_string(value) for value in values]
    return pa.array(values, _TYPES[kind])


def _read(present: list[Value], values: list[Value]) -> tuple[str, list[Value]]:
    for kind, read in (("number", _number), ("date", _date)):
        if present and all(read(value) is not None for value in present):
            return kind, [None if value is None else read(value) for value in values]
    return "text", values


def _number(value: Value) -> int | float | None:
    if isinstance(value, bool):
        return None
    if isinstance(value, (int, float)):
        return value
    plain = isinstance(value, str) and not (
        value.strip().startswith("0") and value.strip().isdigit() and len(value.strip()) > 1
    )
    return (
        read_number(value)
        if plain and value.strip().replace(",", "").replace(".", "", 1).lstrip("+-−").isdigit()
        else None
    )


def _date(value: Value) -> datetime.date | None:
    if isinstance(value, datetime.date):
        return value
    return read_date(value) if isinstance(value, str) else None


def as_string(value: Value) -> str:
    """A reply as text."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    return repr(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _column(values: list[Value]) -> pa.Array:
    return (
        pa.array(values)
        if any(value is not None for value in values)
        else pa.array(values, pa.string())
    )


def _value(value: Value) -> Value:
    """A value as Python has it: whole decimals, as SUM yields them, are integers, and an interval
    without months is a timedelta."""
    if isinstance(value, pa.MonthDayNano) and not value.months and not value.nanoseconds % 1000:
        return datetime.timedelta(value.days, microseconds=value.nanoseconds // 1000)
    if isinstance(value, list):
        return [_value(item) for item in value]
    if (
        isinstance(value, Decimal)
        and value == value.to_integral_value()
        and value.as_tuple().exponent == 0
    ):
        return int(value)
    return value


def _hashable(value: Value) -> Value:
    if isinstance(value, dict):
        return tuple((name, _hashable(item)) for name, item in value.items())
    return tuple(_hashable(item) for item in value) if isinstance(value, list) else value
