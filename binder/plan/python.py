"""Plans of Python programs: what can be known of their calls before they run."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from binder.analysis.python import CheckedPython
from binder.analysis.python.dataflow import strings
from binder.analysis.sql.call_types import CallType
from binder.errors import Span
from binder.language.calls import APPLY, Call
from binder.language.diagnose_python import tree
from binder.language.python import Text, argument, is_call
from binder.plan import Estimate, Plan, ProgramPlan
from binder.plan.cost import billed
from binder.tables.table import Table


@dataclass(frozen=True)
class PythonCallSite:
    """One place of a call. columns: the headers it sends, where they are written; table: whose rows
    it asks about, where that is certain; most: the most inputs it can have, None where only the run
    tells."""

    call: Call
    columns: tuple[str, ...] | None
    table: Table | None
    most: int | None

    def __str__(self) -> str:
        if (function := self.call.function) is not None:
            return f"  Apply    {function.signature}"
        asked = "a question that only the run tells"
        if self.call.question:
            asked = repr(self.call.question)
        columns = "columns that only the run tells"
        if self.columns is not None:
            columns = ", ".join(map(repr, self.columns))
        most = "how many, only the run tells"
        if self.most is not None:
            most = f"at most {self.most:,}"
        what = "distinct" if self.call.per_input else "rows of"
        return f"  Ask      {self.call.kind} {asked}\n    Collect  {what} {columns}  ({most})"


@dataclass(frozen=True, eq=False, repr=False)
class PythonPlan(ProgramPlan):
    """A Python program and the places of its calls in the order in which they are written. bill:
    once explained; None also where only the run tells."""

    checked: CheckedPython
    sites: tuple[PythonCallSite, ...]
    bill: Estimate | None = None
    explained: bool = False

    def __str__(self) -> str:
        program = self.checked.program.text.strip().replace("\n", "\n         ")
        lines = [f"Python   {program}", *map(str, self.sites), *self._repairs()]
        if self.bill:
            lines.append(f"It {self.bill}.")
        elif self.explained:
            lines.append("How much it asks is known only when it runs.")
        return "\n".join(lines)

    def _asks_data(self) -> list[dict[str, Any]]:
        return [
            {
                "kind": site.call.kind,
                "question": site.call.question,
                "type": self.checked.call_types.get(site.call.name, CallType(site.call.type)).type,
                "columns": site.columns,
                "most": site.most,
            }
            for site in self.sites
        ]


AnyPlan = Plan | PythonPlan


def build(checked: CheckedPython) -> PythonPlan:
    """The plan of a program."""
    module, source = tree(checked.program.text), Text(checked.program.text)
    spans = {call.span: call for call in checked.program.calls}
    nodes = sorted((node for node in ast.walk(module) if is_call(node)), key=source.span)
    sites = [_site(checked, node, spans[source.span(node)]) for node in nodes]
    names = {node.id for node in ast.walk(module) if isinstance(node, ast.Name)}
    for function in checked.program.given.functions:
        if function.name in names:
            call = Call(function.name, APPLY, function.name, Span(0, 0), function)
            taken = tuple(parameter.name for parameter in function.parameters)
            sites.append(PythonCallSite(call, taken, None, None))
    return PythonPlan(checked, tuple(sites))


def _site(checked: CheckedPython, node: ast.AST, call: Call) -> PythonCallSite:
    written, rows = argument(node, 2, "columns"), argument(node, 0, "rows")
    columns: tuple[str, ...] = ()
    if written is not None:
        columns = tuple(header for _, header in strings(written, checked.flow))
    table = checked.flow.table_of(rows) if rows is not None else None
    most = _most_inputs(table, columns, call) if table is not None else None
    return PythonCallSite(call, columns or None, table, most)


def _most_inputs(table: Table, columns: tuple[str, ...], call: Call) -> int | None:
    """The distinct inputs that rows of a table can have; None if a header is not in the table."""
    found = [table.column(header) for header in columns]
    stored = [column.raw or column.name for column in found if column is not None]
    if not stored or len(stored) < len(found):
        return None
    if not call.per_input:
        return 1
    distinct = table.data.select(stored).group_by(stored).aggregate([])
    return int(distinct.num_rows)


def bill(plan: PythonPlan, batch_rows: int) -> Estimate | None:
    """What a plan can cost at most, its inputs packed batch_rows to a request; None where only the
    run tells."""
    sites = [site for site in plan.sites if site.call.function is None]
    if any(site.most is None for site in sites):
        return None
    asked = {
        (site.call.kind, site.call.question, site.columns): (site.call, site.most or 0)
        for site in sites
    }
    requests = sum(
        -(-most // batch_rows) if call.per_input else most for call, most in asked.values()
    )
    questions = sum(most for _, most in asked.values())
    return billed(questions, requests)
