"""What to do for a checked program, in order: Collect distinct inputs, Ask the language model,
Query plain SQL.

A Plan is data: rules turn one into another, `explain` prints it, and an executor runs exactly what
is shown."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from binder.analysis.sql import Checked
from binder.analysis.sql.call_types import CallType
from binder.errors import printable
from binder.language.annotations import site_of
from binder.language.program import PREFIX, Call, Program
from binder.language.sqltree import copied, placeholders, sql_of
from binder.results import html
from binder.results.result import count

if TYPE_CHECKING:
    from binder.analysis.python import CheckedPython


@dataclass(frozen=True, eq=False)
class CallSite:
    """One place of a call in the tree. level: `on`, `rows` (before grouping), `groups`, or `output`
    (all clauses applied); layer: which conditions of its WHERE come before it, as they did in the
    sub-selects and joins where they stood."""

    number: int
    node: exp.Anonymous
    select: exp.Select
    level: str
    join: int | None = None
    layer: int = 0


@dataclass(frozen=True, eq=False)
class RowFilter:
    """A condition under which a value can still matter: node, of a clause of select, can come out
    as one of the outcomes: T (true), F (false), N (NULL)."""

    node: exp.Expr
    outcomes: str
    select: exp.Select
    clause: str


@dataclass(frozen=True, eq=False)
class FirstRows:
    """So many rows that meet the WHERE of a SELECT are enough: the first ones. match: what such a
    row must meet besides; within: what all rows must meet to be looked at; open: what must be so
    around the SELECT for its rows to matter; order: in which they are looked at, if not in row
    order; each: of each of these values so many."""

    rows: int
    match: exp.Expr | None = None
    within: exp.Expr | None = None
    open: RowFilter | None = None
    order: tuple[exp.Ordered, ...] = ()
    each: tuple[exp.Expr, ...] = ()


@dataclass(frozen=True, eq=False)
class Collect:
    """Distinct inputs of a call at one site. where: what rows must meet to be asked about; window:
    how many are enough."""

    site: CallSite
    where: tuple[RowFilter, ...] = ()
    window: FirstRows | None = None


@dataclass(frozen=True, eq=False)
class Ask:
    """Ask the language model about what was collected. columns: the names sent; title: of the
    table, where there is one; collect: what is asked about (a Python program collects by itself);
    covers: the numbers of all sites whose inputs these are."""

    call: Call
    call_type: CallType
    columns: tuple[str, ...]
    title: str | None
    collect: Collect = Collect(CallSite(-1, exp.Anonymous(), exp.Select(), "rows"))
    covers: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Step:
    """Asks that are made together. decides: they decide the WHERE of one SELECT, so each answer can
    spare questions of the others; else none can spare another. ranked: the answers say in which
    order, else they stand in it."""

    asks: tuple[Ask, ...]
    decides: exp.Select | None = None
    ranked: bool = False


@dataclass(frozen=True, eq=False)
class Query:
    """The whole program as plain SQL over mappings."""

    tree: exp.Expr
    columns: tuple[str, ...]


@dataclass(frozen=True)
class InputCount:
    """What can be told of the inputs of one site before anything is asked.

    rows: those looked at; most: distinct inputs; more: those of them that no site before has; held:
    those of these that were answered before; likely: by rule of thumb (half of the rows meet a
    condition that holds a call, a window reaches twice as far as it must); least: what is asked in
    any case."""

    rows: int
    most: int
    more: int
    held: int
    likely: int
    least: int

    def __str__(self) -> str:
        parts = [f"at most {self.most:,}"]
        parts += [f"of {self.rows:,} rows"] if self.rows > self.most else []
        parts += [f"{self.held:,} answered before"] if self.held else []
        return ", ".join(parts)


@dataclass(frozen=True)
class Actual:
    """What a call came to. asked: inputs; cached: inputs answered before; requests: all tries."""

    asked: int
    cached: int
    requests: int

    def __str__(self) -> str:
        asked, requests = count(self.asked, "question"), count(self.requests, "request")
        return f"asked {asked} in {requests}" + (
            f", {self.cached:,} were answered before" if self.cached else ""
        )


@dataclass(frozen=True)
class Estimate:
    """What a plan can cost at most: questions (map inputs and ans), requests, and a rough number of
    tokens; likely and least: questions, see InputCount; cost: in US dollars at most, where the
    price of the model is known."""

    questions: int
    requests: int
    tokens: int
    likely: int | None = None
    least: int = 0
    cost: float | None = None

    def __str__(self) -> str:
        if not self.questions:
            return "asks the language model nothing"
        likely = f", likely {self.likely:,}," if self.likely not in (None, self.questions) else ""
        return f"asks at most {count(self.questions, 'question')}{likely} in {self.spending}"

    @property
    def spending(self) -> str:
        """The requests, the tokens and the cost in words."""
        cost = f", ${self.cost:.4f}" if self.cost is not None else ""
        return f"{count(self.requests, 'request')}, about {count(self.tokens, 'token')}{cost}"


class ProgramPlan(ABC):
    """What plans in all languages share: they print, and say what they cost once explained. bill:
    what the plan can cost at most."""

    checked: Checked | CheckedPython
    bill: Estimate | None

    @abstractmethod
    def __str__(self) -> str:
        """The plan as a person reads it."""

    @abstractmethod
    def _asks_data(self) -> list[dict[str, Any]]:
        """The calls as JSON data."""

    def _repairs(self) -> list[str]:
        """A line for each repair of the program."""
        return [f"repaired for free: {repair}" for repair in self.checked.program.repairs]

    def data(self) -> dict[str, Any]:
        """The plan as JSON data."""
        return {
            "program": self.checked.program.text,
            "asks": self._asks_data(),
            "bill": vars(self.bill) if self.bill else None,
            "repairs": list(self.checked.program.repairs),
        }

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return html.code(str(self))


@dataclass(frozen=True, eq=False, repr=False)
class Plan(ProgramPlan):
    """steps in the order in which they are made, then the query. counts: of each site, and bill:
    once explained; spent: call -> what it came to, once run."""

    checked: Checked
    steps: tuple[Step, ...]
    query: Query
    counts: dict[int, InputCount] = field(default_factory=dict)
    bill: Estimate | None = None
    spent: dict[str, Actual] = field(default_factory=dict)

    @property
    def asks(self) -> tuple[Ask, ...]:
        """The asks of all steps."""
        return tuple(ask for step in self.steps for ask in step.asks)

    def __str__(self) -> str:
        lines = [f"Query    {self.checked.program.text.strip()}"]
        for step in self.steps:
            lines += (
                ["  Decide   in the order that the first answers suggest"]
                if len(step.asks) > 1 and step.ranked
                else []
            )
            for ask in step.asks:
                lines += self._lines(ask)
        lines += self._repairs()
        if self.bill:
            lines.append(f"It {self.bill}.")
        return printable("\n".join(lines))

    def _lines(self, ask: Ask) -> list[str]:
        """An ask and its collect, as a person reads them."""
        told, where, window = (
            self.counts.get(ask.collect.site.number),
            self._where(ask),
            ask.collect.window,
        )
        what = ("distinct " if ask.call.per_input else "rows of ") + ", ".join(
            map(repr, ask.columns)
        )
        rows = (
            f"{count(window.rows, 'row')}{' of each value' if window.each else ''}"
            if window
            else ""
        )
        until = (
            f"  until {rows} surely meet{'s' if window.rows == 1 else ''} the condition"
            if window
            else ""
        )
        shown = f"  where {' and '.join(where)}" if where else ""
        lines = [f"  Ask      {ask.call.kind} {ask.call.question!r} -> {_answers(ask.call_type)}"]
        lines.append(f"    Collect  {what}{shown}{until}" + (f"  ({told})" if told else ""))
        return [*lines, *([f"    {spent}"] if (spent := self.spent.get(ask.call.name)) else [])]

    def _where(self, ask: Ask) -> list[str]:
        """What rows must meet to be asked about, as far as it is known by then, as a person reads
        it."""
        before: set[int] = set()
        for step in self.steps:
            if ask in step.asks:
                break
            before.update(number for other in step.asks for number in other.covers)
        known = [
            g
            for g in ask.collect.where
            if all(site_of(call) in before for call in placeholders(g.node))
        ]
        return list(dict.fromkeys(_readable(guard, self.checked.program) for guard in known))

    def _asks_data(self) -> list[dict[str, Any]]:
        """The calls as JSON data."""
        return [
            {
                "kind": ask.call.kind,
                "question": ask.call.question,
                "type": ask.call_type.type,
                "options": ask.call_type.options,
                "columns": ask.columns,
                "where": self._where(ask),
                **(
                    vars(told)
                    if (told := self.counts.get(ask.collect.site.number))
                    else {"most": None}
                ),
                "spent": vars(self.spent[ask.call.name]) if ask.call.name in self.spent else None,
            }
            for ask in self.asks
        ]


Rule = Callable[[Plan], Plan]


def _answers(call_type: CallType) -> str:
    return " or ".join(call_type.options) if call_type.options else call_type.type


_AS = {
    "F": "{} is false",
    "N": "{} is NULL",
    "FN": "{} is not true",
    "TN": "{} is not false",
    "TF": "{} is not NULL",
}


def _readable(guard: RowFilter, program: Program) -> str:
    """A condition as its author would write it: calls with their questions, without the qualifiers
    and quotes that resolving put in."""
    shown = copied(guard.node)
    for column in shown.find_all(exp.Column):
        column.set("table", None)
    for name in shown.find_all(exp.Identifier):
        name.set("quoted", not name.name.isidentifier())
    text = re.sub(r'"((?:[^"]|"")*)"', r"`\1`", sql_of(shown))
    text = re.sub(
        rf"(?i)\b{PREFIX}(\d+)\(",
        lambda found: f'QA("{program.calls[int(found[1])].question}"; ',
        text,
    )
    return (
        text
        if guard.outcomes == "T"
        else _AS[guard.outcomes].format(f"({text})" if " " in text else text)
    )
