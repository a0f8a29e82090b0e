"""The naive plan: every call is asked about every row of its FROM, inner calls first.

Calls are asked in the order in which SQL evaluates its clauses, projections last: an answer to an
earlier clause can save questions of a later one.
"""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from binder.analysis.sql import Checked
from binder.analysis.sql.ordering import ROW_ORDER
from binder.language.annotations import annotate, notes
from binder.language.sqltree import call_of, copied, is_placeholder, placeholders, sql_of
from binder.plan import Ask, CallSite, Collect, Plan, Query, Step
from binder.plan.blocks import Blocks

_CLAUSES = (
    "with_", "from_", "joins", "where", "group", "having", "windows", "qualify", "order", "limit",
    "offset", "expressions",
)  # fmt: skip


def build(checked: Checked) -> Plan:
    """The naive plan of a program."""
    label(checked)
    blocks = Blocks()
    steps = []
    for number, node in enumerate(in_order(checked.query)):
        # conditions are copied into filters and queries: by its number a copy is known again
        annotate(node, site=number)
        place = blocks.place_of_call(node)
        site = CallSite(number, node, place, place.stage, notes(node).layer)
        call_type = checked.call_types[call_of(node).name]
        columns, title = notes(node).columns or (), notes(node).title
        ask = Ask(call_of(node), call_type, columns, title, Collect(site), covers=(number,))
        steps.append(Step((ask,)))
    query = Query(checked.query, tuple(output.name for output in checked.outputs))
    return Plan(checked, tuple(steps), query)


def in_order(node: exp.Expr) -> Iterator[exp.Anonymous]:
    """The placeholders of a tree in the order in which their values are needed."""
    for child in _children(node):
        yield from in_order(child)
    if is_placeholder(node):
        assert isinstance(node, exp.Anonymous)
        yield node


def _children(node: exp.Expr) -> Iterator[exp.Expr]:
    """The nodes directly below a node, in the order in which SQL evaluates them."""
    if isinstance(node, exp.Select):
        # a clause that sqlglot may add is not lost, whatever its order
        clauses = [*_CLAUSES, *(node.args.keys() - set(_CLAUSES))]
        for clause in clauses:
            value = node.args.get(clause)
            parts = value if isinstance(value, list) else [value]
            yield from (part for part in parts if isinstance(part, exp.Expr))
        return
    ctes = node.args.get("with_")  # of a set operation
    if ctes is not None:
        yield ctes
    yield from (child for child in node.iter_expressions() if child is not ctes)


def label(checked: Checked) -> None:
    """Notes on each call the names and the title that are sent with it: they stay what they are in
    the program as it is written, whatever a rewrite makes of its tree."""
    for node in placeholders(checked.query):
        if notes(node).columns is None:
            annotate(node, columns=_headers(node), title=_title(checked, node))


def _headers(node: exp.Anonymous) -> tuple[str, ...]:
    """The names under which arguments are sent; equal names are told apart by their tables."""
    arguments = node.expressions
    # the hidden column of row order is not sent
    if all(isinstance(argument, exp.Subquery) for argument in arguments):  # the tables of ans
        shown = [name for argument in arguments for name in argument.unnest().named_selects]
        return tuple(name for name in shown if name != ROW_ORDER)
    names = [_header(argument, index) for index, argument in enumerate(arguments)]
    headers = []
    for name, argument in zip(names, arguments, strict=True):
        table = argument.text("table")
        headers.append(f"{table}.{name}" if table and names.count(name) > 1 else name)
    return tuple(headers)


def _header(argument: exp.Expr, index: int) -> str:
    """The name under which an argument is sent."""
    if isinstance(argument, exp.Column):
        return str(notes(argument).header or argument.name)
    query = argument.unnest()
    if isinstance(query, exp.Query) and query.named_selects[0]:
        return str(query.named_selects[0])
    if placeholders(argument):
        return f"answer_{index + 1}"  # the model never sees the placeholder
    shown = copied(argument)
    for column in shown.find_all(exp.Column):
        column.set("table", None)
    return sql_of(shown).replace('"', "")


def _title(checked: Checked, node: exp.Anonymous) -> str | None:
    """The title of the only table that the arguments come from."""
    # tables of the sub-selects of an ans, and of the columns that are sent
    names = {table.name for table in node.find_all(exp.Table)}
    tables = {table for table in checked.tables if table.name in names}
    for column in node.find_all(exp.Column):
        field = notes(column).field
        if field is not None and field.origin is not None:
            tables.add(field.origin[0])
    # two titles would both be wrong for a part of the inputs
    titles = {table.title for table in tables}
    return titles.pop() if len(titles) == 1 else None
