"""The steps of a plan come in; what to ask next goes out, time and again, until nothing is unknown
that matters.

Where several calls decide one WHERE, each answer can spare questions of the others: they are asked
one after the other, the one first that settles most rows for least, which a small first try of each
tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

from binder.executors import Batch, Input
from binder.language.annotations import site_of
from binder.language.sqltree import placeholders
from binder.plan import Ask, Step

TRY = 20  # inputs of a call that is tried: about one request
# calls that are weighed against each other: each costs a query whenever an answer may have changed
# what is open
BESIDE = 4


class AskState(Protocol):
    """What a course is told by the executor whose steps it takes."""

    known: dict[str, dict[Input, Any]]

    def unknown(self, ask: Ask, reach: int | None = None, among: Sequence[Any] = ()) -> Batch:
        """The inputs of an ask that are unknown; see SqlExecutor."""

    def share(self, ask: Ask, without: frozenset[int]) -> float | None:
        """For what share of rows a call alone settles its WHERE; see SqlExecutor."""


class Schedule:
    """How far an execution has come. done: sites of which nothing more is needed."""

    def __init__(self, steps: Sequence[Step], executor: AskState):
        self.left = list(steps)
        self.executor = executor
        self.done: set[int] = set()
        self._begin()

    def next(self) -> tuple[Batch, ...]:
        """What has to be asked next, of the first step that needs anything."""
        while self.left:
            step = self.left[0]
            batches = self._decide(step) if step.decides is not None else self._all(step)
            if step.decides is None or not batches:
                self.done.update(number for ask in step.asks for number in ask.covers)
                self.left.pop(0)
                self._begin()
            if batches:
                return batches
        return ()

    def _begin(self) -> None:
        """Nothing is known of the next step: how many rows its window reaches, what was asked since
        it did, what was tried, and what share of rows a call settles, by site."""
        self.reach: int | None = None
        self.asked: list[Ask] = []
        self.widened = False
        self.tried: set[int] = set()
        self.shares: dict[int, float] = {}

    def _all(self, step: Step) -> tuple[Batch, ...]:
        """All inputs of asks that cannot spare each other's."""
        batches = [self.executor.unknown(ask) for ask in step.asks]
        return tuple(batch for batch in batches if batch.inputs)

    def _decide(self, step: Step) -> tuple[Batch, ...]:
        """The next inputs of one ask."""
        window = step.asks[0].collect.window
        if window is not None:
            return self._look(step, window.rows)
        batches = self._open(step, step.asks)
        if len(batches) > 1:
            return self._try(step, batches) or (self._cheapest(step, batches),)
        return tuple(batches)

    def _look(self, step: Step, rows: int) -> tuple[Batch, ...]:
        """The next inputs as far as the window reaches: of each call in turn, on rows on which
        those before are known. Then it reaches twice as far, but no call is asked more than it was
        before."""
        self.reach = self.reach or max(1, rows)
        while not (
            batches := self._open(step, [ask for ask in step.asks if ask not in self.asked])
        ):
            if not self.asked:
                return ()
            self.asked, self.reach, self.widened = [], self.reach * 2, True
        batch = self._cheapest(step, batches)
        self.asked.append(batch.ask)
        most = max(1, len(self.executor.known[batch.ask.call.name])) if self.widened else None
        return (Batch(batch.ask, batch.inputs[:most]),)

    def _open(self, step: Step, asks: Sequence[Ask]) -> list[Batch]:
        """What is unknown of some asks that need anything; of the first of them alone, where they
        stand in order, and of none of a later layer."""
        among, batches = [ask.collect.site.node for ask in self.asked], list[Batch]()
        for ask in sorted(asks, key=lambda ask: ask.collect.site.layer):
            if batches and (
                not step.ranked or ask.collect.site.layer > batches[0].ask.collect.site.layer
            ):
                break
            if len(batches) == BESIDE:
                break
            if self.done.issuperset(ask.covers):
                continue
            batch = self.executor.unknown(ask, self.reach, among)
            if batch.inputs:
                batches.append(batch)
            elif self._is_settled(ask):
                self.done.update(ask.covers)
        return batches

    def _is_settled(self, ask: Ask) -> bool:
        """Whether an ask that needs nothing now needs nothing later: answers to others only leave
        fewer rows open. It would where a window may reach further, or a call among its arguments is
        unknown."""
        arguments = [
            call
            for argument in ask.collect.site.node.expressions
            for call in placeholders(argument)
        ]
        return self.reach is None and all(site_of(call) in self.done for call in arguments)

    def _cheapest(self, step: Step, batches: Sequence[Batch]) -> Batch:
        return (
            min(batches, key=lambda batch: self._cost(step, batch))
            if len(batches) > 1
            else batches[0]
        )

    def _try(self, step: Step, batches: Sequence[Batch]) -> tuple[Batch, ...]:
        """A few inputs of each call that was not tried yet, each call's among other rows: in any
        order they would cost much the same. All inputs of one call, where they are few."""
        smallest = min(batches, key=lambda batch: len(batch.inputs))
        if len(smallest.inputs) <= TRY:
            return (smallest,)
        fresh = [batch for batch in batches if batch.ask.collect.site.number not in self.tried]
        self.tried.update(batch.ask.collect.site.number for batch in fresh)
        starts = [min(i * TRY, len(batch.inputs) - TRY) for i, batch in enumerate(fresh)]
        return tuple(
            Batch(batch.ask, batch.inputs[at : at + TRY])
            for at, batch in zip(starts, fresh, strict=True)
        )

    def _cost(self, step: Step, batch: Batch) -> float:
        """What it costs to settle a row with a call: its outstanding questions by the share of rows
        that it settles."""
        number = batch.ask.collect.site.number
        if number not in self.shares and len(self.executor.known[batch.ask.call.name]) >= TRY:
            share = self.executor.share(
                batch.ask, frozenset(number for ask in step.asks for number in ask.covers)
            )
            self.shares[number] = 0.5 if share is None else share
        return len(batch.inputs) / max(self.shares.get(number, 0.5), 1e-3)
