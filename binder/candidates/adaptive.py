"""The author of a question comes in; the candidates among which the answer is voted go out, no more
than can change the vote.

Each round does the cheapest thing that may still change the winner: what costs nothing is executed,
then what asks the language model, all together; then more samples are drawn; then programs that
failed go back to be repaired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace

from binder.candidates.answer import DIRECT, Candidate
from binder.candidates.generate import ProgramWriter, Sample
from binder.candidates.vote import Voting, decided, fewest, groups
from binder.dispatch.failures import gathered, spares
from binder.errors import BinderError, PlanError, ProgramError, ProgramFailed, QueryError

Execute = Callable[[Sequence[Sample]], Awaitable[list[Candidate]]]
REPAIRABLE = (ProgramError, ProgramFailed, PlanError, QueryError)
EMPTY = "The program runs, but what it yields is empty. Perhaps a condition is too narrow, or compares with what no cell holds."


@dataclass
class AdaptiveVote:
    """What is known of one question so far. shares: how many samples of each kind are drawn at
    most."""

    author: ProgramWriter
    execute: Execute
    shares: dict[str, int]
    voting: Voting
    samples: list[Sample] = field(default_factory=list)
    fates: dict[Sample, Candidate] = field(default_factory=dict)
    given_up: set[Sample] = field(default_factory=set)
    repairs: int = 0

    async def run(self) -> list[Candidate]:
        """All candidates, those that were not executed for they could not change the vote
        included."""
        try:
            while not self._decided():
                if not (await self._executed() or await self._sampled() or await self._repaired()):
                    break
        except BinderError as error:
            await self._stopped(error)
        if skipped := [candidate.text for candidate in self.candidates if candidate.skipped]:
            self.author.trace.add("skipped", programs=skipped)
        return self.candidates

    @property
    def candidates(self) -> list[Candidate]:
        """Each sample with its fate so far."""
        return [
            replace(
                self.fates.get(s) or Candidate(s.program, s.language),
                votes=s.votes,
                repaired=s.tries,
            )
            for s in self.samples
        ]

    def _left(self) -> Counter[str]:
        """The samples not drawn yet, by kind."""
        return Counter(self.shares) - self.author.drawn

    def _decided(self) -> bool:
        """Whether the winner stays the winner, whatever becomes of all that is open."""
        if not self.samples:
            return False
        open_ = Counter(self._left())
        for sample in [
            *(sample for sample in self.samples if sample not in self.fates),
            *self._failed(),
        ]:
            open_[sample.language] += sample.votes
        weight = (
            sum(count * self.voting.of(language) for language, count in open_.items())
            * self.voting.most()
        )
        return decided(groups(self.candidates, self.voting), weight)

    async def _executed(self) -> bool:
        """Executes what costs nothing, or else all that asks the language model; False where
        nothing is open."""
        waiting = [sample for sample in self.samples if sample not in self.fates]
        free = [
            sample
            for sample in waiting
            if sample.plan is None or not sample.plan.checked.program.calls
        ]
        ready = free or waiting
        self.fates |= zip(ready, await self.execute(ready), strict=True)
        return bool(ready)

    async def _stopped(self, error: BinderError) -> None:
        """Leaves the question with what is known, where that says something; raises the error where
        it does not.

        What was not executed is, one after the other, as far as that can be done yet; the rest
        counts against the winner, for it could have changed the vote."""
        if not spares(error):
            raise error
        for sample in [sample for sample in self.samples if sample not in self.fates]:
            try:
                self.fates |= zip([sample], await self.execute([sample]), strict=True)
            except BinderError as further:
                self.fates[sample] = Candidate(sample.program, sample.language, error=further)
        if not groups(self.candidates, self.voting):
            raise error
        self.author.trace.add("stopped", message=error.message)

    async def _sampled(self) -> bool:
        """Draws samples: at first all of a kind in one request; of what an endpoint leaves out, the
        fewest that can decide."""
        left = self._left()
        if not left:
            return False
        first = not self.author.drawn
        if not first:
            turns = sorted(
                (number, kind) for kind, count in left.items() for number in range(count)
            )
            left = Counter(
                kind
                for _, kind in turns[: fewest(groups(self.candidates, self.voting), len(turns))]
            )
        for sample in await self.author.write(left, alone=not first):
            self._add(sample)
        return True

    async def _repaired(self) -> bool:
        """Sends back programs that failed, those with the most votes first; False where none is
        worth it."""
        failed = self._failed()
        self.repairs += len(failed)
        sent = [self.author.repair(sample, self._problem(sample)) for sample in failed]
        for sample, repaired in zip(failed, await gathered(sent), strict=True):
            if isinstance(repaired, BaseException):
                continue
            if repaired is None or self._stuck(sample, repaired):
                self.given_up.add(sample)
            else:
                self.samples.remove(sample)
                self._add(repaired)
        return bool(failed)

    def _add(self, sample: Sample) -> None:
        """Takes in a sample; one that is there already has more votes."""
        same = next(
            (s for s in self.samples if (s.text, s.language) == (sample.text, sample.language)),
            None,
        )
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
            and (
                isinstance(fate.error, REPAIRABLE)
                or (fate.error is None and not fate.values and not sample.tries)
            )
        ]
        return sorted(failed, key=lambda sample: -sample.votes)[: settings.repairs - self.repairs]

    def _problem(self, sample: Sample) -> str:
        """What is wrong with a program, for its author."""
        error = self.fates[sample].error
        return (
            EMPTY
            if error is None
            else error.feedback()
            if isinstance(error, ProgramError)
            else str(error)
        )

    def _stuck(self, before: Sample, after: Sample) -> bool:
        """Whether a repair leads nowhere: to the error that there was."""
        old = self.fates[before].error
        return old is not None and after.error is not None and old.message == after.error.message
