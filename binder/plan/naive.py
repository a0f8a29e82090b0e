"""A checked program comes in; the naive plan goes out: every call asked about every row of its
FROM, inner calls first.

The order of asks is the order in which SQL evaluates its clauses, projections last: what was asked
before can spare what comes after."""

from __future__ import annotations

from collections.abc import Iterator

from sqlglot import exp

from binder.analysis.sql import Checked
from binder.analysis.sql.ordering import ROW_ORDER, is_aggregate, is_grouped
from binder.language.annotations import annotate, notes
from binder.language.sqltree import call_of, copied, is_placeholder, nodes, placeholders, sql_of
from binder.plan import Ask, CallSite, Collect, Plan, Query, Step

_CLAUSES = (
    "with_", "from_", "joins", "where", "group", "having", "windows", "qualify", "order", "limit", "offset",
    "expressions",
)  # fmt: skip


def build(checked: Checked) -> Plan:
    """The reference plan of a program."""
    steps = []
    for number, node in enumerate(in_order(checked.query)):
        annotate(node, site=number)
        steps.append(Step((_ask(checked, node, number),)))
    return Plan(checked, tuple(steps), Query(checked.query, tuple(f.name for f in checked.outputs)))


def in_order(node: exp.Expr) -> Iterator[exp.Anonymous]:
    """Placeholders in the order in which their values are needed."""
    if isinstance(node, exp.Select):
        for clause in _CLAUSES:
            value = node.args.get(clause)
            for part in value if isinstance(value, list) else [value] if value is not None else []:
                yield from in_order(part)
        for clause in node.args.keys() - set(_CLAUSES):
            value = node.args.get(clause)
            if isinstance(value, exp.Expr):
                yield from in_order(value)
        return
    ctes = node.args.get("with_")  # of a set operation
    if ctes is not None:
        yield from in_order(ctes)
    for child in node.iter_expressions():
        if child is not ctes:
            yield from in_order(child)
    if is_placeholder(node):
        assert isinstance(node, exp.Anonymous)
        yield node


def _ask(checked: Checked, node: exp.Anonymous, number: int) -> Ask:
    call = call_of(node)
    select = node.find_ancestor(exp.Select)
    assert isinstance(select, exp.Select)
    level, join = level_of(node, select)
    site = CallSite(number, node, select, level, join, notes(node).layer)
    if notes(node).columns is None:
        # what is sent along stays what it is, whatever a rule makes of the tree
        annotate(node, columns=_headers(node), title=_title(checked, node))
    columns, title = notes(node).columns or (), notes(node).title
    return Ask(call, checked.call_types[call.name], columns, title, Collect(site), (number,))


def _headers(node: exp.Anonymous) -> tuple[str, ...]:
    """The names under which arguments are sent; columns of one name are told apart by their
    tables."""
    if all(
        isinstance(argument, exp.Subquery) for argument in node.expressions
    ):  # the tables of ans
        return tuple(
            name
            for argument in node.expressions
            for name in argument.unnest().named_selects
            if name != ROW_ORDER
        )
    names = [_header(argument, index) for index, argument in enumerate(node.expressions)]
    sources = [argument.text("table") for argument in node.expressions]
    return tuple(
        f"{source}.{name}" if names.count(name) > 1 and source else name
        for name, source in zip(names, sources, strict=True)
    )


def _header(argument: exp.Expr, index: int) -> str:
    """The name under which an argument is sent."""
    if isinstance(argument, exp.Column):
        return str(notes(argument).header or argument.name)
    query = argument.unnest()
    if isinstance(query, exp.Query) and query.named_selects[0]:
        return str(query.named_selects[0])
    if placeholders(argument):
        return f"answer_{index + 1}"
    shown = copied(argument)
    for column in shown.find_all(exp.Column):
        column.set("table", None)
    return sql_of(shown).replace('"', "")


def _title(checked: Checked, node: exp.Anonymous) -> str | None:
    """The title of the only table that the arguments come from."""
    names = {table.name for table in node.find_all(exp.Table)}
    tables = {t for t in checked.tables if t.name in names}
    for column in node.find_all(exp.Column):
        held = notes(column).field
        if held is not None and held.origin is not None:
            tables.add(held.origin[0])
    titles = {table.title for table in tables}
    return titles.pop() if len(titles) == 1 else None


def level_of(node: exp.Anonymous, select: exp.Select) -> tuple[str, int | None]:
    """Which rows of its SELECT a call is evaluated on."""
    path: list[exp.Expr] = [node]
    parent = node.parent
    while parent is not None and parent is not select:
        path.append(parent)
        parent = parent.parent
    clause = path[-1]
    key = clause.arg_key
    if key == "joins":
        return "on", select.args["joins"].index(clause)
    if key in ("where", "group", "from_"):
        return "rows", None
    if any(
        isinstance(part, exp.Window)
        for argument in node.expressions
        for part in nodes(argument, (exp.Query,))
    ):
        return "output", None  # a window function sees the rows that are left
    group = select.args.get("group")
    keys = nodes(group) if group else []
    if is_grouped(select) and not any(is_aggregate(step) or step in keys for step in path):
        return "groups", None
    return "rows", None
