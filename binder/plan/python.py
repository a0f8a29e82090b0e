"""A checked Python program comes in; what can be known of its calls before it runs goes out."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from binder.analysis.python import CheckedPython
from binder.analysis.python.dataflow import strings
from binder.analysis.sql.call_types import CallType
from binder.language.diagnose_python import tree
from binder.language.program import Call
from binder.language.python import Text, argument, is_call
from binder.plan import Estimate, Plan
from binder.plan.cost import billed
from binder.results import html
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
        columns = (
            "columns that only the run tells"
            if self.columns is None
            else ", ".join(map(repr, self.columns))
        )
        most = "how many, only the run tells" if self.most is None else f"at most {self.most:,}"
        asked = (
            repr(self.call.question) if self.call.question else "a question that only the run tells"
        )
        what = "distinct" if self.call.per_input else "rows of"
        return f"  Ask      {self.call.kind} {asked}\n    Collect  {what} {columns}  ({most})"


@dataclass(frozen=True, eq=False)
class PythonPlan:
    """A Python program and the places of its calls in the order in which they are written. bill:
    once explained; None also where only the run tells."""

    checked: CheckedPython
    sites: tuple[PythonCallSite, ...]
    bill: Estimate | None = None
    explained: bool = False

    def __str__(self) -> str:
        program = self.checked.program
        lines = [
            "Python   " + program.text.strip().replace("\n", "\n         "),
            *map(str, self.sites),
        ]
        lines += [f"repaired for free: {repair}" for repair in program.repairs]
        if self.explained:
            lines.append(
                f"It {self.bill}." if self.bill else "How much it asks is known only when it runs."
            )
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def data(self) -> dict[str, Any]:
        """The plan as JSON data."""
        asks = [
            {
                "kind": site.call.kind,
                "question": site.call.question,
                "type": self.checked.call_types.get(site.call.name, CallType()).type,
                "columns": site.columns,
                "most": site.most,
            }
            for site in self.sites
        ]
        return {
            "program": self.checked.program.text,
            "asks": asks,
            "bill": vars(self.bill) if self.bill else None,
            "repairs": list(self.checked.program.repairs),
        }

    def _repr_html_(self) -> str:
        return html.code(str(self))


AnyPlan = Plan | PythonPlan


def build(checked: CheckedPython) -> PythonPlan:
    """The plan of a program."""
    module, source = tree(checked.program.text), Text(checked.program.text)
    spans = {call.span: call for call in checked.program.calls}
    nodes = sorted((node for node in ast.walk(module) if is_call(node)), key=source.span)
    return PythonPlan(
        checked, tuple(_site(checked, node, spans[source.span(node)]) for node in nodes)
    )


def _site(checked: CheckedPython, node: ast.AST, call: Call) -> PythonCallSite:
    written, rows = argument(node, 2, "columns"), argument(node, 0, "rows")
    columns = (
        tuple(header for _, header in strings(written, checked.flow)) if written is not None else ()
    )
    table = checked.flow.table_of(rows) if rows is not None else None
    known = table is not None and columns and all(table.column(header) for header in columns)
    most = None
    if known and table is not None:
        stored = [
            column.raw or column.name for column in map(table.column, columns) if column is not None
        ]
        most = (
            table.data.select(stored).group_by(stored).aggregate([]).num_rows
            if call.per_input
            else 1
        )
    return PythonCallSite(call, columns or None, table, most)


def bill(plan: PythonPlan, batch_rows: int) -> Estimate | None:
    """What a plan can cost at most, its inputs packed batch_rows to a request; None where only the
    run tells."""
    if any(site.most is None for site in plan.sites):
        return None
    asked = {
        (site.call.kind, site.call.question, site.columns): (site.call, site.most or 0)
        for site in plan.sites
    }
    requests = sum(
        -(-most // batch_rows) if call.per_input else most for call, most in asked.values()
    )
    questions = sum(most for _, most in asked.values())
    return billed(questions, requests)
