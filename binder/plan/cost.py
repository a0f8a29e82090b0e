"""The cost model: packing of inputs into requests, estimates before a run, and what a run used."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from binder.language.call_kinds import CALL_KINDS
from binder.language.sqltree import placeholders
from binder.plan import Actual, Ask, Estimate, InputCount, Plan, Step
from binder.results.trace import Trace
from binder.tables.codec import wire

T = TypeVar("T")
# tokens of the instructions of a request, of one input and of one answer: rough
PROMPT, PER_INPUT, PER_ANSWER = 420, 22, 10


def bill(plan: Plan, batch_rows: int, price: tuple[float, float] | None = None) -> Estimate:
    """The maximum cost of a plan whose inputs are counted, packed batch_rows to a request. price:
    US dollars per million tokens: prompt, completion."""
    fresh = Counter[str]()  # questions that no cache answers, by call
    per_input = {}
    likely = least = applied = 0
    paid = 0.0  # for own functions
    for ask in plan.asks:
        count = plan.counts[ask.collect.site.number]
        if ask.call.function is not None:
            applied += count.more - count.held
            paid += (count.more - count.held) * ask.call.function.cost
            continue
        fresh[ask.call.name] += count.more - count.held
        per_input[ask.call.name] = ask.call.per_input
        likely += min(count.likely, count.more - count.held)
        least += max(0, min(count.least, count.more) - count.held)
    # inputs of equal calls at several sites are packed together; each ans is its own request
    requests = 0
    for name, most in fresh.items():
        requests += len(packs(range(most), batch_rows)) if per_input[name] else most
    asked = billed(fresh.total(), requests, price)
    cost = None if asked.cost is None and not paid else (asked.cost or 0.0) + paid
    return replace(asked, likely=likely, least=least, applied=applied, cost=cost)


def billed(questions: int, requests: int, price: tuple[float, float] | None = None) -> Estimate:
    """The cost of questions in requests, whatever asks them."""
    prompt, answers = requests * PROMPT + questions * PER_INPUT, questions * PER_ANSWER
    cost = None if price is None else (prompt * price[0] + answers * price[1]) / 1e6
    return Estimate(questions, requests, prompt + answers, cost=cost)


def count_of(
    ask: Ask, step: Step, rows: int, inputs: int, more: int, held: int, first_reach: int | None
) -> InputCount:
    """The estimate of one ask. inputs: distinct ones, with nothing asked; first_reach: those among
    the first rows of an early exit."""
    # nothing is known of how selective a call is: one half of the rows is a fair guess
    filters_with_calls = sum(bool(placeholders(one.node)) for one in ask.collect.filters)
    if first_reach is None:
        likely = -(-inputs // 2**filters_with_calls)  # half of the rows pass each, rounded up
    else:
        likely = min(inputs, 2 * first_reach)  # half of the rows pass: twice as many are read
    asked = inputs if first_reach is None else first_reach
    is_certain = not filters_with_calls and _is_asked_alone(ask, step)
    return InputCount(rows, inputs, more, held, likely, asked if is_certain else 0)


def _is_asked_alone(ask: Ask, step: Step) -> bool:
    """Whether no answer to another call can save a question of this one."""
    site = ask.collect.site
    select = site.block.select
    if select.parent is not None or len(step.asks) > 1:
        return False  # a SELECT around, or a call beside it, may settle its rows
    if any(placeholders(argument) for argument in site.node.expressions):
        return False  # its inputs are answers, and equal answers are one input
    for call in placeholders(select):
        *_, place = site.block.blocks.place_of_call(call).outward()  # in the outermost SELECT
        if call != site.node and place.clause != "expressions":
            return False  # it decides which rows there are
    return True


def spent_on(trace: Trace) -> dict[str, Actual]:
    """What each call of a run actually used, by its name."""
    inputs: dict[str, set[str]] = {}
    cached, requests = Counter[str](), Counter[str]()
    for event in trace.of("asked", "recalled", "applied"):
        name = event.data["call"]
        if event.kind == "recalled":
            cached[name] += len(event.data["answers"])
        elif event.kind == "applied":
            applied = (json.dumps(wire(one["input"])) for one in event.data["answers"])
            inputs.setdefault(name, set()).update(applied)
        else:
            requests[name] += 1
            inputs.setdefault(name, set()).update(_inputs_of(event.data["request"]))
    calls = {*inputs, *cached}
    return {name: Actual(len(inputs.get(name, ())), cached[name], requests[name]) for name in calls}


def _inputs_of(request: dict[str, Any]) -> Iterator[str]:
    """The inputs of a request. An input that is sent again, in another request, counts once."""
    task = json.loads(request["messages"][-1]["content"])
    asked = (
        task["rows"].values()
        if CALL_KINDS[task["task"]].per_input
        else [[task["rows"], task.get("more")]]
    )
    return map(json.dumps, asked)


def packs(inputs: Sequence[T], most: int) -> list[Sequence[T]]:
    """Inputs in as few requests as hold them, `most` in each, and these as equal as can be: the
    last to end decides how long all take (docs/decisions/0004-packing.md)."""
    count = -(-len(inputs) // most)
    return [inputs[len(inputs) * i // count : len(inputs) * (i + 1) // count] for i in range(count)]
