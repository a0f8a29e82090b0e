"""A question and tables come in; sampled programs go out, each with its plan or with the error that says what is wrong with it.

Equal programs are one sample with several votes.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from binder.errors import BadReply, BinderError, PlanError, ProgramError
from binder.lm import Choice, Reply, Request
from binder.memory import Memory
from binder.plan.python import AnyPlan
from binder.prompt.programs import ROOM, program_request
from binder.table import Table
from binder.tokens import tokens
from binder.trace import Trace

Complete = Callable[[Request], Awaitable[Reply]]
Planned = Callable[[str, str], AnyPlan]  # of a program and its language


@dataclass(frozen=True, eq=False)
class Sample:
    """One program as it was written, and what became of it before it ran."""

    text: str
    language: str
    plan: AnyPlan | None = None
    error: BinderError | None = None
    votes: int = 1


async def generate(
    question: str,
    tables: Sequence[Table],
    memory: Memory,
    model: str,
    samples: int,
    complete: Complete,
    planned: Planned,
    trace: Trace,
    room: int = ROOM,
) -> list[Sample]:
    """Samples programs for a question and checks them against the tables. complete: sends a request; planned: plans a program;
    room: the most tokens of the request."""
    shown = memory.retrieve(question, tables)
    trace.add("retrieved", question=question, exemplars=[exemplar.question for exemplar in shown])
    request = program_request(question, tables, shown, model=model, samples=samples, room=room)
    try:
        texts = [extract(choice.text) for choice in await _sampled(request, complete, samples)]
    except BadReply as error:  # nothing but empty replies: there is no program, and so no answer
        trace.add("failed", message=error.message)
        texts = []
    trace.add("sampled", programs=texts)
    counted = {text: texts.count(text) for text in dict.fromkeys(texts)}
    return [_checked(text, votes, trace, planned) for text, votes in counted.items()]


async def _sampled(request: Request, complete: Complete, samples: int) -> list[Choice]:
    """As many replies as were asked for: in one request where the endpoint can, the rest at the same time."""
    first = await complete(request)
    more = [replace(request, n=1, sample=number) for number in range(len(first.choices), samples)]
    replies = [first, *await asyncio.gather(*(complete(extra) for extra in more), return_exceptions=True)]
    choices: list[Choice] = []
    for reply in replies:
        if isinstance(reply, BaseException):
            raise reply  # once all have ended: none is left running
        choices += reply.choices
    return choices[:samples]


def _checked(text: str, votes: int, trace: Trace, planned: Planned) -> Sample:
    try:
        return Sample(text, "sql", planned(text, "sql"), votes=votes)
    except (ProgramError, PlanError) as error:
        span = error.span if isinstance(error, ProgramError) else None
        trace.add("rejected", program=text, message=error.message, span=list(span) if span else None, hint=error.hint)
        return Sample(text, "sql", error=error, votes=votes)


# Keywords are in one case throughout: "Select the rows ..." and "With this ..." are prose.
_PROGRAM = r"(?:\(\s*)*(?:(?:SELECT|select)\b|(?:WITH|with)\s[^(]+?\s*(?:\([^()]*\)\s*)?(?:AS|as)\b[\w\s]*\(|QA\s*\()"
_START = re.compile(rf"(?:\A|\n|:|`)[ \t]*(?={_PROGRAM})")  # not in the middle of a sentence
_FENCE = re.compile(r"```[ \t]*\w*[ \t]*\n?(.*?)(?:```|\Z)", re.DOTALL)
_CLAUSE = "SELECT|FROM|WHERE|GROUP|ORDER|HAVING|LIMIT|OFFSET|UNION|EXCEPT|INTERSECT|JOIN|LEFT|INNER|AND|OR|ON|QUALIFY|WINDOW"
_FURTHER = re.compile(rf"\s*(?:\Z|[(),]|--|/\*|(?:[A-Z]{{3,}}|{_CLAUSE}|{_CLAUSE.lower()})\b)")  # more of a program


def extract(reply: str) -> str:
    """The program in a reply: without thoughts, fences, labels, JSON and prose around it; a reply without a program as it is."""
    said = re.sub(r"(?s)\A.*</think(?:ing)?>", "", reply).strip()
    fenced = [inner for inner in _FENCE.findall(said) if re.match(rf"(?:--[^\n]*\n|\s)*(?:{_PROGRAM}|\{{)", inner)]
    text = _unwrapped(fenced[-1].strip() if fenced else said)
    start = _START.search(text)
    if start is None:
        return text
    program = text[start.end() :]
    if start.group().startswith("`"):
        program = program.removesuffix("`")
    return _without_remarks(program).strip().rstrip(";").rstrip()


def _unwrapped(text: str) -> str:
    """The program in a JSON object, such as {"program": "SELECT ..."}; any other text as it is."""
    try:
        data = json.loads(text)
    except ValueError:
        return text
    texts = [value for value in data.values() if isinstance(value, str) and _START.match(value)] if isinstance(data, dict) else []
    return texts[0] if texts else text


def _without_remarks(text: str) -> str:
    """A program without the prose below it: after an empty line, or after its `;`."""
    end = next((gap.start() for gap in re.finditer(r"\n[ \t]*\n", text) if not _FURTHER.match(text, gap.end())), None)
    program, depth = text[:end], 0
    for token in tokens(program):
        depth += (token.text == "(") - (token.text == ")")
        if token.text == ";" and depth == 0 and not _FURTHER.match(program, token.end):
            return program[: token.start]
    return program
