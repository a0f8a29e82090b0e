"""The adaptive vote: run or sample only what can still change the winner.

Each round does the cheapest thing that may still change it: what costs nothing is executed, then
what asks the language model, all together; then more samples are drawn; then programs that failed
go back to be repaired."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from binder.candidates.answer import DIRECT, Candidate
from binder.candidates.execution import Execute
from binder.candidates.generate import ProgramWriter, Sample
from binder.candidates.vote import Voting, decided, fewest, groups
from binder.dispatch.failures import gathered, spares
from binder.errors import BinderError, PlanError, ProgramError, ProgramFailed, QueryError

REPAIRABLE = (ProgramError, ProgramFailed, PlanError, QueryError)
EMPTY = (
    "The program runs, but what it yields is empty. Perhaps a condition is too narrow,"
    " or compares with what no cell holds."
)


@dataclass
class AdaptiveVote:
    """The candidates of one question so far. shares: how many samples of each kind are drawn at
    most; fates: what became of the samples that were executed."""

    writer: ProgramWriter
    execute: Execute
    shares: dict[str, int]
    voting: Voting
    samples: list[Sample] = field(default_factory=list)
    fates: dict[Sample, Candidate] = field(default_factory=dict)
    given_up: set[Sample] = field(default_factory=set)
    repairs: int = 0

    async def run(self) -> list[Candidate]:
        """All candidates, those included that were skipped because they could not change the
        vote."""
        try:
            while not self._decided():
                if not (await self._executed() or await self._sampled() or await self._repaired()):
                    break
        except BinderError as error:
            await self._stopped(error)
        skipped = [candidate.text for candidate in self.candidates if candidate.skipped]
        if skipped:
            self.writer.trace.add("skipped", programs=skipped)
        return self.candidates

    @property
    def candidates(self) -> list[Candidate]:
        """Each sample with its fate so far."""
        found = []
        for sample in self.samples:
            fate = self.fates.get(sample) or Candidate(sample.program, sample.language)
            found.append(replace(fate, votes=sample.votes, repaired=sample.tries))
        return found

    def _waiting(self) -> list[Sample]:
        """The samples that are not executed yet."""
        return [sample for sample in self.samples if sample not in self.fates]

    def _left(self) -> Counter[str]:
        """The samples not drawn yet, by kind."""
        return Counter(self.shares) - self.writer.drawn

    def _decided(self) -> bool:
        """Whether the winner stays the winner, whatever becomes of all that is open: samples to be
        drawn, executed or repaired."""
        if not self.samples:
            return False
        votes = self._left()
        for sample in [*self._waiting(), *self._failed()]:
            votes[sample.language] += sample.votes
        weight = sum(count * self.voting.of(language) for language, count in votes.items())
        return decided(groups(self.candidates, self.voting), weight * self.voting.most())

    async def _executed(self) -> bool:
        """Executes what costs nothing, or else all that asks the language model; False if nothing
        waits."""
        waiting = self._waiting()
        ready = [sample for sample in waiting if _is_free(sample)] or waiting
        await self._execute(ready)
        return bool(ready)

    async def _execute(self, samples: Sequence[Sample]) -> None:
        self.fates |= zip(samples, await self.execute(samples), strict=True)

    async def _stopped(self, error: BinderError) -> None:
        """Leaves the question with what is known, where that says something; raises the error where
        it does not.

        What was not executed is, one after the other, as far as that can be done yet; the rest
        counts against the winner, for it could have changed the vote."""
        if not spares(error):
            raise error
        for sample in self._waiting():
            try:
                await self._execute([sample])
            except BinderError as further:
                self.fates[sample] = Candidate(sample.program, sample.language, error=further)
        if not groups(self.candidates, self.voting):
            raise error
        self.writer.trace.add("stopped", message=error.message)

    async def _sampled(self) -> bool:
        """Draws samples: at first all of a kind in one request; of what an endpoint leaves out, the
        fewest that can decide."""
        left = self._left()
        if not left:
            return False
        again = bool(self.writer.drawn)
        if again:
            left = self._fewest(left)
        for sample in await self.writer.write(left, alone=again):
            self._add(sample)
        return True

    def _fewest(self, left: Counter[str]) -> Counter[str]:
        """The fewest of the samples left that can decide, the kinds in turn."""
        turns = [(number, kind) for kind, count in left.items() for number in range(count)]
        enough = fewest(groups(self.candidates, self.voting), len(turns))
        return Counter(kind for _, kind in sorted(turns)[:enough])

    async def _repaired(self) -> bool:
        """Sends back programs that failed, those with the most votes first; False if none is worth
        it."""
        failed = self._failed()
        self.repairs += len(failed)
        sent = [self.writer.repair(sample, self._problem(sample)) for sample in failed]
        for sample, repaired in zip(failed, await gathered(sent), strict=True):
            if isinstance(repaired, BaseException):
                continue
            if repaired is None or self._stuck(sample, repaired):
                self.given_up.add(sample)
            else:
                self.samples.remove(sample)
                self._add(repaired)
        return bool(failed)

    def _add(self, new: Sample) -> None:
        """Adds a sample; if an equal one is there already, that has more votes."""
        for sample in self.samples:
            if (sample.text, sample.language) == (new.text, new.language):
                sample.votes += new.votes
                return
        self.samples.append(new)

    def _failed(self) -> list[Sample]:
        """The programs that may be sent back, within the repairs that are left."""
        failed = [sample for sample in self.fates if self._can_be_repaired(sample)]
        left = self.writer.sampling.repairs - self.repairs
        return sorted(failed, key=lambda sample: -sample.votes)[:left]

    def _can_be_repaired(self, sample: Sample) -> bool:
        """Whether a program failed in a way that its author may mend."""
        if sample.language == DIRECT or sample in self.given_up or sample not in self.samples:
            return False
        if sample.tries >= self.writer.sampling.tries:
            return False
        fate = self.fates[sample]
        if fate.error is not None:
            return isinstance(fate.error, REPAIRABLE)
        # an empty result may be the answer: it goes back once, not again
        return not fate.values and not sample.tries

    def _problem(self, sample: Sample) -> str:
        """What is wrong with a program, for its author."""
        error = self.fates[sample].error
        if error is None:
            return EMPTY
        return error.feedback() if isinstance(error, ProgramError) else str(error)

    def _stuck(self, before: Sample, after: Sample) -> bool:
        """Whether a repair leads to the error that there was."""
        old = self.fates[before].error
        return old is not None and after.error is not None and old.message == after.error.message


def _is_free(sample: Sample) -> bool:
    """Whether a sample asks the language model nothing when it is executed."""
    return sample.plan is None or not sample.plan.checked.program.calls
