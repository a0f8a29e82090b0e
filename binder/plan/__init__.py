"""Plans as data: what to Collect and Ask, in steps, and the Query that shows the result.

A plan is made in three phases: rewrites simplify the tree of a program (binder.plan.rewrites), the
naive plan asks every call about every row (binder.plan.naive), and rules turn it into one that asks
less (binder.plan.rules). `explain` prints a plan, and an executor runs exactly what is printed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from binder.analysis.sql import Checked
from binder.analysis.sql.call_types import CallType
from binder.language.calls import Call
from binder.plan import explain
from binder.plan.blocks import Blocks, SelectBlock, SelectPlace, Stage
from binder.plan.outcomes import Outcome
from binder.results import html

if TYPE_CHECKING:
    from binder.analysis.python import CheckedPython


@dataclass(frozen=True, eq=False)
class CallSite:
    """One occurrence of a call in the tree. stage: the rows that it is evaluated on; layer: its
    turn among the calls of its WHERE, where these come from sub-selects and joins that were
    evaluated one after the other."""

    number: int
    node: exp.Anonymous
    place: SelectPlace
    stage: Stage
    layer: int = 0

    @property
    def block(self) -> SelectBlock:
        """The SELECT in which it stands."""
        return self.place.block

    @property
    def join(self) -> int | None:
        """The number of the join in whose condition it stands."""
        return self.place.join

    @property
    def is_in_where(self) -> bool:
        """Whether it decides which rows its SELECT keeps."""
        return self.stage is Stage.ROWS and self.place.clause == "where"


@dataclass(frozen=True, eq=False)
class RowFilter:
    """A condition that must still be undecided for a value to matter: node, in a clause of block,
    can still come out as one of the outcomes."""

    node: exp.Expr
    outcomes: Outcome
    block: SelectBlock
    clause: str


@dataclass(frozen=True, eq=False)
class FirstRows:
    """Early exit: stop after `rows` rows pass the WHERE of a SELECT.

    match: a further condition for such a row; within: which rows to consider; open: the condition
    around the SELECT that must still be undecided; order: the scan order (default: row order);
    each: apply the limit per distinct value of these."""

    rows: int
    match: exp.Expr | None = None
    within: exp.Expr | None = None
    open: RowFilter | None = None
    order: tuple[exp.Ordered, ...] = ()
    each: tuple[exp.Expr, ...] = ()


@dataclass(frozen=True, eq=False)
class Collect:
    """The distinct inputs of a call at one site. filters: what rows must meet to be asked about;
    first_rows: how many are enough."""

    site: CallSite
    filters: tuple[RowFilter, ...] = ()
    first_rows: FirstRows | None = None


# A Python program collects inputs while it runs: its asks point nowhere into a tree.
_NOWHERE = CallSite(
    -1, exp.Anonymous(), SelectPlace(Blocks().block(exp.Select()), (exp.Where(),)), Stage.ROWS
)


@dataclass(frozen=True, eq=False)
class Ask:
    """A question to the language model about the collected inputs. columns: the names that are
    sent; title: of the table, if there is one; covers: the numbers of all sites that this ask
    serves."""

    call: Call
    call_type: CallType
    columns: tuple[str, ...]
    title: str | None
    collect: Collect = Collect(_NOWHERE)
    covers: tuple[int, ...] = ()


@dataclass(frozen=True, eq=False)
class Step:
    """Asks that run together. where_of: the SELECT whose WHERE they decide, so an answer to one can
    save questions of the others, and they are asked in turn; adaptive: the first answers tell in
    which order, else it is the order listed."""

    asks: tuple[Ask, ...]
    where_of: SelectBlock | None = None
    adaptive: bool = False


@dataclass(frozen=True, eq=False)
class Query:
    """The whole program as plain SQL over mappings."""

    tree: exp.Expr
    columns: tuple[str, ...]


@dataclass(frozen=True)
class InputCount:
    """The inputs of one site, estimated before the run.

    rows: rows looked at; most: distinct inputs at most; more: those that no earlier site has; held:
    those of them with a cached answer; likely: a rule of thumb (half of the rows pass a condition
    with a call, and an early exit reads twice the rows it needs); least: asked in any case."""

    rows: int
    most: int
    more: int
    held: int
    likely: int
    least: int

    def __str__(self) -> str:
        return explain.text_of_count(self)


@dataclass(frozen=True)
class Actual:
    """What a call actually used. asked: inputs; cached: inputs with a cached answer; requests: all
    tries."""

    asked: int
    cached: int
    requests: int

    def __str__(self) -> str:
        return explain.text_of_actual(self)


@dataclass(frozen=True)
class Estimate:
    """The maximum cost of a plan: questions (map inputs and ans), requests, and a rough number of
    tokens; likely and least: questions, see InputCount; cost: US dollars at most, if the price of
    the model is known; applied: inputs of own functions."""

    questions: int
    requests: int
    tokens: int
    likely: int | None = None
    least: int = 0
    cost: float | None = None
    applied: int = 0

    def __str__(self) -> str:
        return explain.text_of_estimate(self)

    @property
    def spending(self) -> str:
        """The requests, the tokens and the cost in words."""
        return explain.text_of_spending(self)


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
        """A line for each value that the program was given, and for each repair of it."""
        program = self.checked.program
        repairs = [f"repaired for free: {repair}" for repair in program.repairs]
        return [*program.given.params.lines(), *repairs]

    def data(self) -> dict[str, Any]:
        """The plan as JSON data."""
        params = self.checked.program.given.params
        return {
            "program": self.checked.program.text,
            "asks": self._asks_data(),
            "bill": vars(self.bill) if self.bill else None,
            "repairs": list(self.checked.program.repairs),
            **({"params": params.data()} if params.values else {}),
        }

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return html.code(str(self))


@dataclass(frozen=True, eq=False, repr=False)
class Plan(ProgramPlan):
    """The steps in the order in which they run, then the query. counts (by site) and bill are there
    once it was explained, spent (by the name of a call) once it was run."""

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
        return explain.text_of_plan(self)

    def _asks_data(self) -> list[dict[str, Any]]:
        """The calls as JSON data."""
        return explain.data_of_asks(self)


# A rewrite edits the tree of a program, which stands in a sub-select so that its top can be
# replaced as well, and tells whether it changed anything. A plan rule turns a plan into another.
Rewrite = Callable[[exp.Subquery], bool]
PlanRule = Callable[[Plan], Plan]
Rule = Rewrite | PlanRule
