"""The schedule of an execution: what to ask next, until nothing is unknown that matters.

If several calls decide one WHERE, an answer to one can save questions of the others. They are asked
one after the other, and first the one that settles most rows at the least cost, which a small try
of each tells.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from binder.executors import Batch, Input
from binder.language.annotations import site_of
from binder.language.sqltree import placeholders
from binder.plan import Ask, Step
from binder.plan.blocks import is_one_question

TRY = 20  # inputs of a call that is tried: about one request
# Calls that are weighed against each other: each costs a query whenever an answer may have changed
# which rows are open.
BESIDE = 4


class AskState(Protocol):
    """What an executor tells the schedule of its asks."""

    known: dict[str, dict[Input, Any]]

    def unknown(self, ask: Ask, reach: int | None = None, among: Sequence[Any] = ()) -> Batch:
        """The inputs of an ask that are unknown; see SqlExecutor."""

    def share(self, ask: Ask, without: frozenset[int]) -> float | None:
        """For what share of rows a call alone settles its WHERE; see SqlExecutor."""


@dataclass
class _StepState:
    """How far the current step has come. reach: the rows that an early exit looks at; asked: what
    was asked at this reach; tried: sites whose call was tried; shares: site -> the share of rows
    that its call settles."""

    reach: int | None = None
    is_widened: bool = False
    asked: list[Ask] = field(default_factory=list)
    tried: set[int] = field(default_factory=set)
    shares: dict[int, float] = field(default_factory=dict)

    def widen(self) -> None:
        """Looks at twice as many rows, at which nothing was asked yet."""
        assert self.reach is not None
        self.reach *= 2
        self.is_widened = True
        self.asked = []


class Schedule:
    """How far an execution has come. done: sites of which nothing more is needed."""

    def __init__(self, steps: Sequence[Step], executor: AskState):
        self.left = list(steps)
        self.executor = executor
        self.done: set[int] = set()
        self.state = _StepState()

    def next(self) -> tuple[Batch, ...]:
        """What has to be asked next, of the first step that needs anything."""
        while self.left:
            step = self.left[0]
            is_in_turn = step.where_of is not None
            batches = self._in_turn(step) if is_in_turn else self._all(step)
            if not is_in_turn or not batches:
                self._finish(step)
            if batches:
                return batches
        return ()

    def _finish(self, step: Step) -> None:
        for ask in step.asks:
            self.done.update(ask.covers)
        self.left.pop(0)
        self.state = _StepState()

    def _all(self, step: Step) -> tuple[Batch, ...]:
        """All inputs of asks that cannot save each other's."""
        batches = [self.executor.unknown(ask) for ask in step.asks]
        return tuple(batch for batch in batches if batch.inputs)

    def _in_turn(self, step: Step) -> tuple[Batch, ...]:
        """The next inputs of asks that can."""
        first_rows = step.asks[0].collect.first_rows
        if first_rows is not None:
            return self._within_reach(step, first_rows.rows)
        batches = self._open(step, step.asks)
        if len(batches) < 2:
            return tuple(batches)  # there is no choice, so nothing to weigh
        own = [batch for batch in batches if batch.ask.call.function is not None]
        if own:  # what no model is paid for narrows the rest
            return (min(own, key=lambda batch: self._cost(step, batch)),)
        return self._tries(batches) or (self._cheapest(step, batches),)

    def _within_reach(self, step: Step, rows: int) -> tuple[Batch, ...]:
        """The next inputs of an early exit: of each call in turn, on rows on which those before are
        known. Then it reaches twice as far, but asks a call no more than it did before."""
        state = self.state
        if state.reach is None:
            state.reach = max(1, rows)
        batches = self._open(step, self._not_asked(step))
        while not batches:
            if not state.asked:
                return ()
            state.widen()
            batches = self._open(step, self._not_asked(step))
        batch = self._cheapest(step, batches)
        state.asked.append(batch.ask)
        if not state.is_widened:
            return (batch,)  # the first rows must be asked about in any case
        before = max(1, len(self.executor.known[batch.ask.call.name]))
        return (Batch(batch.ask, batch.inputs[:before]),)

    def _not_asked(self, step: Step) -> list[Ask]:
        return [ask for ask in step.asks if ask not in self.state.asked]

    def _open(self, step: Step, asks: Sequence[Ask]) -> list[Batch]:
        """What is unknown of the asks whose turn it is: of the first that needs anything or, if the
        step is adaptive, of several of its layer."""
        among = [ask.collect.site.node for ask in self.state.asked]
        most = BESIDE if step.adaptive else 1
        batches: list[Batch] = []
        for ask in sorted(asks, key=_turn):
            layer = _layer(ask)
            if len(batches) == most or (batches and layer > _layer(batches[0].ask)):
                break
            if self.done.issuperset(ask.covers):
                continue
            batch = self.executor.unknown(ask, self.state.reach, among)
            if batch.inputs:
                batches.append(batch)
            elif self._is_settled(ask):
                self.done.update(ask.covers)
        return batches

    def _is_settled(self, ask: Ask) -> bool:
        """Whether an ask that needs nothing now needs nothing later: answers to others only leave
        fewer rows open. Not if an early exit may reach further, or a call among its arguments is
        unknown."""
        if self.state.reach is not None:
            return False
        for argument in ask.collect.site.node.expressions:
            if any(site_of(call) not in self.done for call in placeholders(argument)):
                return False
        return True

    def _tries(self, batches: Sequence[Batch]) -> tuple[Batch, ...]:
        """A few inputs of each call that was not tried yet, or all inputs of a call with few. Each
        call is tried on other rows: in any order these questions would cost much the same."""
        smallest = min(batches, key=lambda batch: len(batch.inputs))
        if len(smallest.inputs) <= TRY:
            return (smallest,)
        tries: list[Batch] = []
        for batch in batches:
            number = batch.ask.collect.site.number
            if number in self.state.tried:
                continue
            self.state.tried.add(number)
            start = min(len(tries) * TRY, len(batch.inputs) - TRY)
            tries.append(Batch(batch.ask, batch.inputs[start : start + TRY]))
        return tuple(tries)

    def _cheapest(self, step: Step, batches: Sequence[Batch]) -> Batch:
        """The batch that settles rows at the least cost; if there is only one, no query is spent on
        the choice."""
        if len(batches) == 1:
            return batches[0]
        return min(batches, key=lambda batch: self._cost(step, batch))

    def _cost(self, step: Step, batch: Batch) -> float:
        """The cost of settling a row with a call: its outstanding questions, divided by the share
        of rows that it settles."""
        ask, shares = batch.ask, self.state.shares
        if ask.call.function is not None:
            return len(batch.inputs) * ask.call.function.cost
        number = ask.collect.site.number
        if number not in shares and len(self.executor.known[ask.call.name]) >= TRY:
            covered = frozenset[int]().union(*(other.covers for other in step.asks))
            # half is a fair guess where it cannot be told
            share = self.executor.share(ask, covered)
            shares[number] = 0.5 if share is None else share
        return len(batch.inputs) / max(shares.get(number, 0.5), 1e-3)


def _layer(ask: Ask) -> int:
    """The layer of an ask in its WHERE. An ans that is one question, however many rows there are,
    comes before all: its answer may settle rows that others would be asked about."""
    return -1 if is_one_question(ask.collect.site.node) else ask.collect.site.layer


def _turn(ask: Ask) -> tuple[int, bool]:
    """The turn of an ask among those of its WHERE: by layer, and own functions before questions."""
    return _layer(ask), ask.call.function is None
