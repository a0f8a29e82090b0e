"""Voting: answers that mean the same agree, and the one on which the most weight falls wins.

What agrees: numbers by value, with or without their unit and however written; dates in any form;
yes and true, and 1 where it stands alone; texts without case, accents and articles; a list and one
text that lists the same; order never counts."""

from __future__ import annotations

import datetime
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from binder.candidates.answer import Answer, Candidate
from binder.results.result import Usage, plain
from binder.results.trace import Trace
from binder.tables.cells import fold, read_boolean
from binder.tables.dates import read_date
from binder.tables.numbers import measure

Quantity = tuple[float, str]  # a number and its unit
Form = float | str | Quantity  # a value as it is compared
AnswerKey = tuple[Form, ...]

MOST = 50  # values of an answer that are compared leniently
FACTS = {"entailed": "yes", "supported": "yes", "refuted": "no"}
_ARTICLE = re.compile(r"^(?:the|an?)\s+(?=\w)")
_MARKS = re.compile(r"(?<!\d)[.,]|[.,](?!\d)|['\"]")
_LISTED = re.compile(r"\s*(?:,\s*and\b|,(?!\d)|;|\band\b|&|\n)\s*")


@dataclass(frozen=True)
class Voting:
    """How candidates are weighed.

    weights: how much one vote of a kind counts (`sql`, `python`, `direct`), 1 where it is not said.
    bias: how much more an answer counts, as {"yes": 3.0} does for the statements of TabFact (the
    answer-biased vote of "Binding Language Models in Symbolic Languages", appendix: a program that
    goes wrong mostly says no). belief: how often the language model is asked whether the winner is
    true, for the confidence; once where the endpoint tells probabilities; 0 asks nothing."""

    weights: Mapping[str, float] = field(default_factory=dict)
    bias: Mapping[str, float] = field(default_factory=dict)
    belief: int = 0

    def weight(self, candidate: Candidate) -> float:
        """What all votes of a candidate count together."""
        return (
            candidate.votes
            * self.of(candidate.language)
            * self._favour(agreement(candidate.values))
        )

    def of(self, language: str) -> float:
        """What one vote of a kind counts."""
        return float(self.weights.get(language, 1.0))

    def most(self) -> float:
        """The most by which a bias can multiply a vote."""
        return max([1.0, *self.bias.values()])

    def _favour(self, key: AnswerKey) -> float:
        """How much more the answer counts."""
        for said, factor in self.bias.items():
            if key and all(_alike(form, _form(said)) for form in key):
                return factor
        return 1.0


@dataclass(eq=False)
class Group:
    """Candidates that agree. key: the values of those of them that weigh the most."""

    key: AnswerKey
    weight: float
    candidates: list[Candidate]

    @property
    def winner(self) -> Candidate:
        """Who speaks for the group: of those with exactly its values a program before a direct
        answer, then the first."""
        exact = [one for one in self.candidates if agreement(one.values) == self.key]
        return next((one for one in exact if one.program is not None), exact[0])


def groups(candidates: Sequence[Candidate], voting: Voting) -> list[Group]:
    """The candidates that say something by what they say: the heaviest first; of equals those with
    a program, then the first."""
    # equal answers first: then few are left to be compared leniently, each with each
    exact: dict[AnswerKey, Group] = {}
    for candidate in candidates:
        if candidate.values:
            key = agreement(candidate.values)
            group = exact.setdefault(key, Group(key, 0.0, []))
            group.weight += voting.weight(candidate)
            group.candidates.append(candidate)
    merged: list[Group] = []
    for group in sorted(exact.values(), key=_rank):
        same = next((other for other in merged if agree(other.key, group.key)), None)
        if same is None:
            merged.append(group)
        else:
            same.weight += group.weight
            same.candidates += group.candidates
    return sorted(merged, key=_rank)


def _rank(group: Group) -> tuple[float, bool]:
    return -group.weight, all(candidate.program is None for candidate in group.candidates)


def decided(ranked: Sequence[Group], left: float) -> bool:
    """Whether the winner stays the winner, whatever votes of this weight say that are left."""
    first, second = _lead(ranked)
    return not left or first > second + left


def fewest(ranked: Sequence[Group], left: int) -> int:
    """The fewest of the votes left after which it can be decided."""
    first, second = _lead(ranked)
    more = 0
    while more < left and first + more <= second + left - more:
        more += 1
    return more


def _lead(ranked: Sequence[Group]) -> tuple[float, float]:
    first, second, *_ = [*(group.weight for group in ranked), 0.0, 0.0]
    return first, second


def vote(
    question: str,
    candidates: Sequence[Candidate],
    usage: Usage,
    trace: Trace,
    voting: Voting | None = None,
) -> Answer:
    """The values on which the most weight falls. Errors and empty results do not vote, but count
    against the confidence."""
    voting = voting or Voting()
    ranked = groups(candidates, voting)
    winner = ranked[0].winner if ranked else None
    cast = sum(voting.weight(candidate) for candidate in candidates if not candidate.skipped)
    trace.add(
        "voted",
        values=[plain(value) for value in winner.values] if winner else [],
        language=winner.language if winner else None,
        votes=[[list(map(str, group.key)), group.weight] for group in ranked],
        cast=cast,
    )
    if winner is None:
        return Answer.none(question, candidates, usage, trace)
    return Answer(
        question,
        winner.values,
        winner.texts,
        ranked[0].weight / cast,
        tuple(candidates),
        usage,
        trace,
        winner,
    )


def agreement(values: Sequence[Any]) -> AnswerKey:
    """What two equal answers share: each value in its comparable form, in one order."""
    return tuple(sorted((_form(value) for value in values), key=repr))


def agree(one: AnswerKey, other: AnswerKey) -> bool:
    """Whether two answers say the same, one of them with a unit, an article, or as a list in one
    text."""
    if one == other:
        return True
    if len(one) == len(other):
        return _matched(one, other)
    single, several = sorted((one, other), key=len)
    if len(single) != 1 or not isinstance(single[0], str):
        return False
    return _matched(agreement([part for part in _LISTED.split(single[0]) if part]), several)


def _matched(one: AnswerKey, other: AnswerKey) -> bool:
    """Whether each form of one has one of its own in the other that is alike."""
    left = list(other)
    for form in one if len(one) == len(other) <= MOST else ():
        found = next((i for i, candidate in enumerate(left) if _alike(form, candidate)), None)
        if found is None:
            return False
        del left[found]
    return not left


def _alike(one: Form, other: Form) -> bool:
    """Whether two forms may stand for the same value."""
    if one == other:
        return True
    if isinstance(one, str) and isinstance(other, str):
        return _bare(one) == _bare(other)
    if isinstance(one, str) or isinstance(other, str):
        return {one, other} in ({"yes", 1.0}, {"no", 0.0})
    one, other = (form if isinstance(form, tuple) else (form, "") for form in (one, other))
    return one[0] == other[0] and not (one[1] and other[1])


def _bare(text: str) -> str:
    """A text without its article, quotes, and full stops and commas that stand in no number."""
    return " ".join(_MARKS.sub("", _ARTICLE.sub("", text)).split()) or text


def _form(value: Any) -> Form:
    """A value as it is compared."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, datetime.datetime):
        return value.isoformat().removesuffix("T00:00:00")
    if isinstance(value, datetime.date):
        return value.isoformat()
    if not isinstance(value, str):
        try:
            return round(float(value), 6)
        except (TypeError, ValueError):
            return fold(str(value))
    return _form_of_text(value)


def _form_of_text(text: str) -> Form:
    said = fold(text).removesuffix(".")
    truth = read_boolean(said)
    if truth is not None:
        return "yes" if truth else "no"
    found = measure(text)
    if found is not None:
        number, unit = round(float(found.number), 6), fold(found.unit).rstrip(".")
        return (number, unit.removesuffix("s") if len(unit) > 2 else unit) if unit else number
    day = read_date(text)
    return FACTS.get(said, said) if day is None else str(_form(day))
