"""What to do for a checked program, in order: Collect distinct inputs, Ask the language model, Query plain SQL.

A Plan is data: rules turn one into another, `explain` prints it, and an executor runs exactly what is shown.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from sqlglot import exp

from binder.check import Checked
from binder.check.types import Typing
from binder.program import Call


@dataclass(frozen=True, eq=False)
class Site:
    """One place of a call in the tree. level: `on`, `rows` (before grouping), `groups`, or `output` (all clauses applied)."""

    number: int
    node: exp.Anonymous
    select: exp.Select
    level: str
    join: int | None = None


@dataclass(frozen=True, eq=False)
class Collect:
    """Distinct inputs of a call at one site. where: the conditions that rows must meet to be asked about."""

    site: Site
    where: tuple[exp.Expression, ...] = ()


@dataclass(frozen=True, eq=False)
class Ask:
    """Ask the language model about what was collected. columns: the names sent; title: of the table, where there is one."""

    call: Call
    typing: Typing
    columns: tuple[str, ...]
    title: str | None
    collect: Collect


@dataclass(frozen=True, eq=False)
class Query:
    """The whole program as plain SQL over mappings."""

    tree: exp.Expression
    columns: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Plan:
    """asks in the order in which they are asked, then the query. bound: site number -> most questions it can need."""

    checked: Checked
    asks: tuple[Ask, ...]
    query: Query
    bound: dict[int, int] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"Query    {self.checked.program.text.strip()}"]
        for ask in self.asks:
            most = self.bound.get(ask.collect.site.number)
            bill = "" if most is None else f"   <= {most} question{'' if most == 1 else 's'}"
            lines.append(f"  Ask      {ask.call.kind} {ask.call.question!r} {_answers(ask.typing)}{bill}")
            where = " and ".join(c.sql("duckdb") for c in ask.collect.where)
            lines.append(f"    Collect  distinct {', '.join(ask.columns)}{'   where ' + where if where else ''}")
        return "\n".join([*lines, *[f"  repaired: {repair}" for repair in self.checked.program.repairs]])

    @property
    def questions(self) -> int | None:
        """The most questions that the plan can ask: map inputs and ans; None before it was explained."""
        return sum(self.bound.values()) if len(self.bound) == len(self.asks) else None


Rule = Callable[[Plan], Plan]


def _answers(typing: Typing) -> str:
    if typing.options:
        return "-> " + " or ".join(typing.options)
    return f"-> {typing.type}"
