"""The author of a question comes in; the candidates among which the answer is voted go out, no more than can change the vote.

Each round does the cheapest thing that may still change the winner: what costs nothing is executed, then what asks the language
model, all together; then more samples are drawn; then programs that failed go back to be repaired.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from binder.answer import DIRECT, Candidate
from binder.asking import about_inputs
from binder.errors import BinderError, BudgetExceeded, PlanError, ProgramError, ProgramFailed, QueryError
from binder.generate import Author, Sample
from binder.vote import Voting, decided, fewest, groups

Execute = Callable[[Sequence[Sample]], Awaitable[list[Candidate]]]
REPAIRABLE = (ProgramError, ProgramFailed, PlanError, QueryError)
EMPTY = "The program runs, but what it yields is empty. Perhaps a condition is too narrow, or compares with what no cell holds."


@dataclass
class Poll:
    """What is known of one question so far. shares: how many samples of each kind are drawn at most."""

    author: Author
    execute: Execute
    shares: dict[str, int]
    voting: Voting
    samples: list[Sample] = field(default_factory=list)
    fates: dict[Sample, Candidate] = field(default_factory=dict)
    given_up: set[Sample] = field(default_factory=set)
    repairs: int = 0

    async def run(self) -> list[Candidate]:
        """All candidates, those that were not executed for they could not change the vote included."""
        try:
            while not self._decided():
                if not (await self._executed() or await self._sampled() or await self._repaired()):
                    break
        except BinderError as error:
            if not (isinstance(error, BudgetExceeded) or about_inputs(error)) or not groups(self.candidates, self.voting):
                raise
            self.author.trace.add("stopped", message=error.message)
            for sample in self.samples:  # what could have changed the vote and was not executed counts against the winner
                self.fates.setdefault(sample, Candidate(_program(sample), sample.language, error=error))
        if skipped := [candidate.text for candidate in self.candidates if candidate.skipped]:
            self.author.trace.add("skipped", programs=skipped)
        return self.candidates

    @property
    def candidates(self) -> list[Candidate]:
        """Each sample with its fate so far."""
        return [
            replace(
                self.fates.get(sample) or Candidate(_program(sample), sample.language), votes=sample.votes, repaired=sample.tries
            )
            for sample in self.samples
        ]

    def _left(self) -> Counter[str]:
        """The samples not drawn yet, by kind."""
        return Counter(self.shares) - self.author.drawn

    def _decided(self) -> bool:
        """Whether the winner stays the winner, whatever becomes of all that is open."""
        if not self.samples:
            return False
        open_ = Counter(self._left())
        for sample in [*(sample for sample in self.samples if sample not in self.fates), *self._failed()]:
            open_[sample.language] += sample.votes
        weight = sum(count * self.voting.of(language) for language, count in open_.items()) * self.voting.most()
        return decided(groups(self.candidates, self.voting), weight)

    async def _executed(self) -> bool:
        """Executes what costs nothing, or else all that asks the language model; False where nothing is open."""
        waiting = [sample for sample in self.samples if sample not in self.fates]
        free = [sample for sample in waiting if sample.plan is None or not sample.plan.checked.program.calls]
        ready = free or waiting
        for sample in ready:
            if sample.plan is None:
                self.fates[sample] = Candidate(_program(sample), sample.language, sample.result, sample.error)
        planned = [sample for sample in ready if sample.plan is not None]
        if planned:
            self.fates |= zip(planned, await self.execute(planned), strict=True)
        return bool(ready)

    async def _sampled(self) -> bool:
        """Draws samples: at first all of a kind in one request; of what an endpoint leaves out, the fewest that can decide."""
        left = self._left()
        if not left:
            return False
        first = not self.author.drawn
        if not first:
            turns = sorted((number, kind) for kind, count in left.items() for number in range(count))
            left = Counter(kind for _, kind in turns[: fewest(groups(self.candidates, self.voting), len(turns))])
        for sample in await self.author.write(left, alone=not first):
            self._add(sample)
        return True

    async def _repaired(self) -> bool:
        """Sends back programs that failed, those with the most votes first; False where none is worth it."""
        failed = self._failed()
        self.repairs += len(failed)
        sent = [self.author.repair(sample, self._problem(sample)) for sample in failed]
        outcomes = await asyncio.gather(*sent, return_exceptions=True)
        for sample, repaired in zip(failed, outcomes, strict=True):
            if isinstance(repaired, BaseException):
                raise repaired  # once all have ended: none is left running
            if repaired is None or self._stuck(sample, repaired):
                self.given_up.add(sample)
            else:
                self.samples.remove(sample)
                self._add(repaired)
        return bool(failed)

    def _add(self, sample: Sample) -> None:
        """Takes in a sample; one that is there already has more votes."""
        same = next((s for s in self.samples if (s.text, s.language) == (sample.text, sample.language)), None)
        if same is None:
            self.samples.append(sample)
        else:
            same.votes += sample.votes

    def _failed(self) -> list[Sample]:
        """The programs that may be sent back."""
        settings = self.author.sampling
        failed = [
            sample
            for sample, fate in self.fates.items()
            if sample in self.samples
            and sample.language != DIRECT
            and sample not in self.given_up
            and sample.tries < settings.tries
            and (isinstance(fate.error, REPAIRABLE) or (fate.error is None and not fate.values and not sample.tries))
        ]
        return sorted(failed, key=lambda sample: -sample.votes)[: settings.repairs - self.repairs]

    def _problem(self, sample: Sample) -> str:
        """What is wrong with a program, for its author."""
        error = self.fates[sample].error
        return EMPTY if error is None else error.feedback() if isinstance(error, ProgramError) else str(error)

    def _stuck(self, before: Sample, after: Sample) -> bool:
        """Whether a repair leads nowhere: to the error that there was."""
        old = self.fates[before].error
        return old is not None and after.error is not None and old.message == after.error.message


def _program(sample: Sample) -> str | None:
    return None if sample.language == DIRECT else sample.text
