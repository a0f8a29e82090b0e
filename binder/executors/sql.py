"""The executor of Binder SQL: runs the collects and the query of a plan in a SQL engine.

A mapping is a narrow table that lives as long as the execution; base tables are never copied or
changed."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
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
    Executor,
    Held,
    Input,
    Mapping,
    Part,
    Rows,
    Said,
    Value,
    execute,
    provenance,
)
from binder.executors.mapping_tables import mapping_table
from binder.executors.mappings import Mappings, Sent, SqlEngine
from binder.executors.schedule import Schedule
from binder.executors.sqlite_forms import for_sqlite
from binder.executors.workers.verify import Shape
from binder.language.annotations import site_of
from binder.language.sqltree import copied, nodes, placeholders, sql_of
from binder.plan import Ask, InputCount, Plan, Step
from binder.plan.blocks import outer_columns
from binder.plan.collect import inputs, key_values, rows_looked_at, share_settled
from binder.plan.correlate import clause_around, derived
from binder.plan.cost import bill, count_of
from binder.plan.mapping_join import looked_up
from binder.plan.three_valued import Knowledge

KEPT = 10_000  # inputs of a collect that are kept for the next run of a plan


class SqlExecutor(Executor):
    """Executes one plan in an engine. known: the answers so far, by call."""

    plan: Plan

    def __init__(self, plan: Plan, engine: SqlEngine):
        self.plan = plan
        self.engine = engine
        self.known: dict[str, dict[Input, Value]] = {ask.call.name: {} for ask in plan.asks}
        tables = {ask.call.name: mapping_table(ask, {}) for ask in plan.asks}
        self.mappings = Mappings(engine, tables)
        self.schedule = Schedule(plan.steps, self)
        self.prepared = engine.memory.of(plan)

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
        return self.schedule.next()

    def unknown(
        self, ask: Ask, reach: int | None = None, among: Sequence[exp.Anonymous] = ()
    ) -> Batch:
        """The inputs of one ask that are unknown. reach: how far its window reaches; among: calls
        that are known on the rows to be looked at."""
        known = self.known[ask.call.name]
        if not ask.call.per_input:
            return self._collect_tables(ask, known)
        rows = self._distinct_inputs(ask, reach, among)
        # An input of NULLs alone is not asked about.
        told = (row for row in rows if any(value is not None for value in row))
        return Batch(ask, tuple(row for row in told if row not in known))

    def _distinct_inputs(
        self, ask: Ask, reach: int | None, among: Sequence[exp.Anonymous]
    ) -> list[Input]:
        """The inputs of one ask; those before anything is known are kept for the next run."""
        knowledge, place = self._knowledge(), (ask.collect.site.number, reach)
        first = knowledge == Knowledge() and not among
        if first and place in self.prepared.inputs:
            return self.prepared.inputs[place]
        found = self._run(inputs(ask.collect, knowledge, reach, among))
        self._sendable(ask, found, ask.collect.site.node.expressions, ask.columns)
        rows = _distinct(found)
        if first and len(rows) <= KEPT:
            self.prepared.inputs[place] = rows
        return rows

    def share(self, ask: Ask, without: frozenset[int]) -> float | None:
        """For what share of the rows on which it is known a call alone settles its WHERE. without:
        sites not to be looked at."""
        query = share_settled(
            ask.collect,
            Knowledge(frozenset(self.schedule.done) - without, frozenset({ask.call.name})),
        )
        return None if query is None else self._run(query).rows[0][0]

    def _knowledge(self) -> Knowledge:
        return Knowledge(
            frozenset(self.schedule.done),
            frozenset(name for name, known in self.known.items() if known),
        )

    def bind(self, ask: Ask, mapping: Mapping) -> None:
        """Adds values to the mapping of a call; the engine is shown the whole of it before the next
        query."""
        known = self.known[ask.call.name]
        known.update(mapping.values)
        self.mappings.put(ask.call.name, mapping_table(ask, known))

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
            self.engine.describe(*self._ready(self.plan.query.tree))
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
        counts: dict[int, InputCount] = {}
        seen: dict[str, set[Input]] = {name: set() for name in self.known}
        for step in self.plan.steps:
            for ask in step.asks:
                inner = _calls_in(ask.collect.site.node)
                if inner and ask.call.per_input:
                    # It is asked about answers: there are at most as many as questions.
                    count = max((counts[number] for number in inner), key=lambda one: one.most)
                else:
                    self.schedule.done.update(inner)
                    count = self._count(ask, step, seen[ask.call.name], held)
                    self.schedule.done.clear()
                counts[ask.collect.site.number] = count
                for number in ask.covers:  # sites that are asked about with this one
                    counts.setdefault(number, count)
        return counts

    def _count(self, ask: Ask, step: Step, seen: set[Input], held: Held) -> InputCount:
        """What can be told of the inputs of one site. seen: those of other sites of the call."""
        asked, first, reach = self.unknown(ask).inputs, ask.collect.first_rows, None
        if first is not None and first.rows:
            reach = len(self.unknown(ask, first.rows).inputs)
        rows = 1
        if key_values(ask.collect.site.node):
            rows = self._run(rows_looked_at(ask.collect, self._knowledge())).rows[0][0]
        more = [value for value in asked if value not in seen]
        seen.update(more)
        return count_of(ask, step, rows, len(asked), len(more), held(ask, more), reach)

    def origin(self, row: int, column: int, said: Said) -> dict[str, Any]:
        """Where a cell of the result came from: row_ids of the tables, and what each call was asked
        and answered for that row."""
        return provenance.origin(self.plan, self.known, self.rows_of, row, column, said)

    def close(self) -> None:
        """Drops the mappings; they are kept here for `origin`."""
        self.mappings.close()

    def _collect_tables(self, ask: Ask, known: dict[Input, Value]) -> Batch:
        """The tables that one ask reads, for each set of outer values that is unknown."""
        node = ask.collect.site.node
        outer = outer_columns(node)
        keys: list[Input] = [()] if self._is_needed(ask) else []
        if outer:
            keys = _distinct(self._run(inputs(ask.collect, self._knowledge())))
        parts: dict[Input, tuple[Part, ...]] = {}
        for key in keys:
            if key in known:
                continue
            given = dict(zip([sql_of(column) for column in outer], key, strict=True))
            tables = tuple(self._part(ask, argument, given) for argument in node.expressions)
            if any(part.rows for part in tables) or not tables:
                parts[key] = tables
        return Batch(ask, tuple(parts), parts)

    def _is_needed(self, ask: Ask) -> bool:
        """Whether there is a row on which an answer can matter; each has filters of its own."""
        if not ask.collect.filters:
            return True
        return bool(self._run(rows_looked_at(ask.collect, self._knowledge())).rows[0][0])

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
        names = []
        if isinstance(query, exp.Query):
            names = [projection.alias_or_name for projection in query.selects]
        shown = [i for i, name in enumerate(names) if name != ROW_ORDER]
        cells = tuple(tuple(row[i] for i in shown) for row in rows.rows)
        return Part(tuple(names[i] for i in shown), cells)

    def _among_ctes(self, ask: Ask, query: exp.Expr) -> exp.Expr:
        """An argument of ans behind the CTEs of the queries around; one with CTEs of its own, which
        may hide these, as a sub-select."""
        clause = clause_around(ask.collect.site.block.select, self._knowledge())
        if clause is not None and query.args.get("with_"):
            query = exp.Select(expressions=[exp.Star()], from_=derived(query))
        if clause is not None:
            query.set("with_", clause)
        return query

    def _ready(self, tree: exp.Expr) -> Sent:
        """A tree as the engine is sent it, which has the mappings by then."""
        tag = self.mappings.show()
        if tree is not self.plan.query.tree:
            return self._sent(tree, tag)
        if tag not in self.prepared.sent:
            self.prepared.sent[tag] = self._sent(tree, tag)
        return self.prepared.sent[tag]

    def _sent(self, tree: exp.Expr, tag: str) -> Sent:
        """A tree over mappings, and what the engine's parser must find in it."""
        made, dialect = looked_up(tree, tag), self.program.given.dialect
        if dialect == "sqlite":
            return sql_of(for_sqlite(made), dialect), {}
        return sql_of(made), shape(made).data()

    def _run(self, tree: exp.Expr) -> Rows:
        table, types = self.engine.run(*self._ready(tree))
        try:
            columns = [[_value(value) for value in column.to_pylist()] for column in table.columns]
        except (OverflowError, ValueError) as error:
            hint = "Python dates cover the years 1 to 9999; cast other dates to VARCHAR"
            message = f"a value of the result cannot be converted to Python: {error}"
            raise QueryError(message, hint=hint) from error
        rows = list(zip(*columns, strict=True)) if columns else []
        return Rows(tuple(table.column_names), tuple(types), rows, tuple(table.schema.types))


def _calls_in(node: exp.Expr) -> list[int]:
    """The sites of the calls among the arguments of a call."""
    return [site_of(part) for argument in node.expressions for part in placeholders(argument)]


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


def _value(value: Value) -> Value:
    """A value as Python has it: whole decimals, as SUM yields them, are integers, and an interval
    without months is a timedelta."""
    if isinstance(value, pa.MonthDayNano) and not value.months and not value.nanoseconds % 1000:
        return datetime.timedelta(value.days, microseconds=value.nanoseconds // 1000)
    if isinstance(value, list):
        return [_value(item) for item in value]
    if isinstance(value, Decimal) and value.as_tuple().exponent == 0:
        return int(value)
    return value


def _hashable(value: Value) -> Value:
    if isinstance(value, dict):
        return tuple((name, _hashable(item)) for name, item in value.items())
    return tuple(_hashable(item) for item in value) if isinstance(value, list) else value
