"""A plan whose inputs are counted comes in; its bill goes out: questions, requests, tokens and
money that it can cost at most.

A run comes in, too; what each of its calls came to goes out.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from binder.language.call_kinds import CALL_KINDS
from binder.language.sqltree import placeholders
from binder.plan import Actual, Ask, Estimate, InputCount, Plan, Step
from binder.plan.three_valued import clause_of
from binder.results.trace import Trace

T = TypeVar("T")
PROMPT, PER_INPUT, PER_ANSWER = (
    420,
    22,
    10,
)  # tokens of the instructions, of one input, of one answer: rough


def bill(plan: Plan, batch_rows: int, price: tuple[float, float] | None = None) -> Estimate:
    """The bill of a plan, its inputs packed batch_rows to a request. price: US dollars per million
    tokens: prompt, completion."""
    told = [(ask.call, plan.counts[ask.collect.site.number]) for ask in plan.asks]
    fresh = Counter[str]()
    for call, count in told:
        fresh[call.name] += count.more - count.held
    calls = {call.name: call for call, _ in told}
    requests = sum(
        len(packs(range(most), batch_rows)) if calls[name].per_input else most
        for name, most in fresh.items()
    )
    questions = fresh.total()
    likely = sum(min(count.likely, count.more - count.held) for _, count in told)
    least = sum(max(0, min(count.least, count.more) - count.held) for _, count in told)
    return replace(billed(questions, requests, price), likely=likely, least=least)


def billed(questions: int, requests: int, price: tuple[float, float] | None = None) -> Estimate:
    """The bill of questions in requests, whatever asks them."""
    prompt, answers = requests * PROMPT + questions * PER_INPUT, questions * PER_ANSWER
    cost = None if price is None else (prompt * price[0] + answers * price[1]) / 1e6
    return Estimate(questions, requests, prompt + answers, cost=cost)


def count_of(
    ask: Ask, step: Step, rows: int, inputs: int, more: int, held: int, window: int | None
) -> InputCount:
    """What can be told of an ask. inputs: distinct ones, with nothing asked; window: those of its
    first reach."""
    site, root = ask.collect.site, ask.collect.site.select
    guessed = sum(bool(placeholders(guard.node)) for guard in ask.collect.where)
    likely = -(-inputs // 2**guessed) if window is None else min(inputs, 2 * window)
    others = [
        part
        for part in placeholders(root)
        if part != site.node and clause_of(part, root) != "expressions"
    ]
    inner = any(placeholders(argument) for argument in site.node.expressions)
    certain = root.parent is None and not (guessed or others or inner) and len(step.asks) == 1
    return InputCount(
        rows, inputs, more, held, likely, (inputs if window is None else window) if certain else 0
    )


def spent_on(trace: Trace) -> dict[str, Actual]:
    """What each call of a run came to, by its name."""
    asked: dict[str, set[str]] = {}
    cached, requests = Counter[str](), Counter[str]()
    for event in trace.of("asked", "recalled"):
        name = event.data["call"]
        if event.kind == "recalled":
            cached[name] += len(event.data["answers"])
            continue
        task = json.loads(event.data["request"]["messages"][-1]["content"])
        inputs = (
            task["rows"].values()
            if CALL_KINDS[task["task"]].per_input
            else [[task["rows"], task.get("more")]]
        )
        asked.setdefault(name, set()).update(map(json.dumps, inputs))
        requests[name] += 1
    return {
        name: Actual(len(asked.get(name, ())), cached[name], requests[name])
        for name in {*asked, *cached}
    }


def packs(inputs: Sequence[T], most: int) -> list[Sequence[T]]:
    """Inputs in as few requests as hold them, `most` in each, and these as equal as can be: the
    last to end decides how long all take (docs/decisions/0004-packing.md)."""
    count = -(-len(inputs) // most)
    return [inputs[len(inputs) * i // count : len(inputs) * (i + 1) // count] for i in range(count)]
