"""The display of a plan, as text and as JSON data."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sqlglot import exp

from binder.analysis.sql.call_types import CallType
from binder.errors import printable
from binder.language.annotations import site_of
from binder.language.program import PREFIX, Program
from binder.language.sqltree import copied, placeholders, sql_of
from binder.plan.outcomes import Outcome
from binder.results.result import count

if TYPE_CHECKING:
    from binder.plan import Actual, Ask, Estimate, FirstRows, InputCount, Plan, RowFilter


def text_of_plan(plan: Plan) -> str:
    """The program, its asks in order, its repairs and what it costs at most."""
    program = plan.checked.program
    lines = [f"Query    {program.text.strip()}"]
    for step in plan.steps:
        if step.adaptive and len(step.asks) > 1:
            lines.append("  Decide   in the order that the first answers suggest")
        for ask in step.asks:
            lines += _lines(plan, ask)
    lines += program.given.params.lines()
    lines += [f"repaired for free: {each}" for each in program.repairs]
    if plan.bill:
        lines.append(f"It {plan.bill}.")
    return printable("\n".join(lines))


def _lines(plan: Plan, ask: Ask) -> list[str]:
    """An ask, its collect and, after a run, what it used."""
    names = ", ".join(map(repr, ask.columns))
    collect = f"    Collect  {'distinct' if ask.call.per_input else 'rows of'} {names}"
    conditions = _conditions(plan, ask)
    if conditions:
        collect += f"  where {' and '.join(conditions)}"
    if ask.collect.first_rows is not None:
        collect += f"  until {_enough(ask.collect.first_rows)} the condition"
    counted = plan.counts.get(ask.collect.site.number)
    if counted is not None:
        collect += f"  ({counted})"
    if ask.call.function is None:
        asked = f"Ask      {ask.call.kind} {ask.call.question!r}"
    else:
        asked = f"Apply    {ask.call.question}({', '.join(ask.columns)})"
    lines = [f"  {asked} -> {_answers(ask.call_type)}", collect]
    spent = plan.spent.get(ask.call.name)
    if spent is not None:
        lines.append(f"    {spent}")
    return lines


def _enough(first: FirstRows) -> str:
    each = " of each value" if first.each else ""
    verb = "meets" if first.rows == 1 else "meet"
    return f"{count(first.rows, 'row')}{each} surely {verb}"


def _answers(call_type: CallType) -> str:
    if call_type.options:
        return " or ".join(call_type.options)
    spellings = len(call_type.spellings or ())
    told = f", told {count(spellings, 'spelling')}" if spellings else ""
    untold = "".join(f", not told {name}" for name in call_type.untold)
    return call_type.type + told + untold


def _conditions(plan: Plan, ask: Ask) -> list[str]:
    """The filters of an ask, in the words of the program: those that are known when it is asked."""
    answered: set[int] = set()
    for step in plan.steps:
        if ask in step.asks:
            break
        for earlier in step.asks:
            answered.update(earlier.covers)
    conditions: dict[str, None] = {}  # each once, in order
    for condition in ask.collect.filters:
        if all(site_of(call) in answered for call in placeholders(condition.node)):
            conditions[_condition(condition, plan.checked.program)] = None
    return list(conditions)


_SAID = {
    Outcome.FALSE: "{} is false",
    Outcome.NULL: "{} is NULL",
    Outcome.NOT_TRUE: "{} is not true",
    Outcome.NOT_FALSE: "{} is not false",
    Outcome.NOT_NULL: "{} is not NULL",
}


def _condition(condition: RowFilter, program: Program) -> str:
    text = readable(condition.node, program)
    if condition.outcomes == Outcome.TRUE:
        return text
    return _SAID[condition.outcomes].format(f"({text})" if " " in text else text)


def readable(node: exp.Expr, program: Program) -> str:
    """SQL as its author would write it: calls with their questions, without the qualifiers and
    quotes that analysis added."""
    shown = copied(node)
    for column in shown.find_all(exp.Column):
        column.set("table", None)
    for name in shown.find_all(exp.Identifier):
        name.set("quoted", not name.name.isidentifier())
    text = re.sub(r'"((?:[^"]|"")*)"', r"`\1`", sql_of(shown))

    def written(call: re.Match[str]) -> str:
        found = program.calls[int(call[1])]
        if found.function is not None:
            return f"{found.question}("
        return f'QA("{found.question}"; '

    return re.sub(rf"(?i)\b{PREFIX}(\d+)\(", written, text)


def text_of_count(counted: InputCount) -> str:
    """The inputs of one site in words."""
    parts = [f"at most {counted.most:,}"]
    if counted.rows > counted.most:
        parts.append(f"of {counted.rows:,} rows")
    if counted.held:
        parts.append(f"{counted.held:,} answered before")
    return ", ".join(parts)


def text_of_actual(actual: Actual) -> str:
    """What a call used in words."""
    if actual.asked and not actual.requests:
        text = f"applied to {count(actual.asked, 'input')}"
    else:
        text = f"asked {count(actual.asked, 'question')} in {count(actual.requests, 'request')}"
    return text + f", {actual.cached:,} were answered before" if actual.cached else text


def text_of_estimate(estimate: Estimate) -> str:
    """The maximum cost of a plan in words."""
    if not estimate.questions:
        return f"asks the language model nothing{_applied(estimate)}"
    is_sure = estimate.likely in (None, estimate.questions)
    likely = "" if is_sure else f", likely {estimate.likely:,},"
    asked = f"asks at most {count(estimate.questions, 'question')}{likely} in {estimate.spending}"
    return asked + _applied(estimate)


def _applied(estimate: Estimate) -> str:
    """What own functions do, behind what is asked."""
    if not estimate.applied:
        return ""
    text = f" and applies own functions to at most {count(estimate.applied, 'input')}"
    is_told = bool(estimate.questions)  # with the cost of the requests
    return text if is_told or not estimate.cost else f"{text}, ${estimate.cost:.4f}"


def text_of_spending(estimate: Estimate) -> str:
    """Requests, tokens and cost in words."""
    text = f"{count(estimate.requests, 'request')}, about {count(estimate.tokens, 'token')}"
    return text if estimate.cost is None else f"{text}, ${estimate.cost:.4f}"


def data_of_asks(plan: Plan) -> list[dict[str, Any]]:
    """The asks of a plan as JSON data."""
    return [_data_of_ask(plan, ask) for ask in plan.asks]


def _data_of_ask(plan: Plan, ask: Ask) -> dict[str, Any]:
    counted = plan.counts.get(ask.collect.site.number)
    spent = plan.spent.get(ask.call.name)
    return {
        "kind": ask.call.kind,
        "question": ask.call.question,
        "type": ask.call_type.type,
        "options": ask.call_type.options,
        "columns": ask.columns,
        "where": _conditions(plan, ask),
        **({"most": None} if counted is None else vars(counted)),
        "spent": None if spent is None else vars(spent),
    }
