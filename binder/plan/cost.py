"""A plan whose bounds are known comes in; its bill goes out: questions, requests and tokens that it can cost at most."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeVar

from binder.plan import Bill, Plan

T = TypeVar("T")
PROMPT, PER_INPUT, PER_ANSWER = 420, 22, 10  # tokens of the instructions, of one input, of one answer: rough


def bill(plan: Plan, batch_rows: int) -> Bill:
    """The bill of a plan, its inputs packed batch_rows to a request."""
    most: dict[str, int] = {}
    for ask in plan.asks:  # the sites of one call share its answers: the widest counts
        most[ask.call.name] = max(most.get(ask.call.name, 0), plan.bound.get(ask.collect.site.number, 0))
    kinds = {ask.call.name: ask.call.kind for ask in plan.asks}
    questions = sum(most.values())
    requests = sum(count if kinds[name] == "ans" else len(packs(range(count), batch_rows)) for name, count in most.items())
    return Bill(questions, requests, requests * PROMPT + questions * (PER_INPUT + PER_ANSWER))


def packs(inputs: Sequence[T], most: int) -> list[Sequence[T]]:
    """Inputs in as few requests as hold them, `most` in each, and these as equal as can be: the last to end decides how long all
    take (docs/decisions/0004-packing.md).
    """
    count = -(-len(inputs) // most)
    return [inputs[len(inputs) * i // count : len(inputs) * (i + 1) // count] for i in range(count)]
