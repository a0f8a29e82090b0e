"""A question and tables come in; sampled programs go out, each with its plan or with the error that says what is wrong with it.

Equal programs are one sample with several votes.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from binder.dispatch import Dispatch
from binder.errors import BinderError, ProgramError
from binder.lm import Choice, Request
from binder.memory import Memory
from binder.plan import Plan
from binder.prompt import program_request
from binder.table import Table


@dataclass(frozen=True, eq=False)
class Sample:
    """One program as it was written, and what became of it before it ran."""

    text: str
    language: str
    plan: Plan | None = None
    error: BinderError | None = None
    votes: int = 1


async def generate(
    question: str, tables: Sequence[Table], memory: Memory, dispatch: Dispatch, samples: int, planned: Callable[[str, str], Plan]
) -> list[Sample]:
    """Samples programs for a question and checks them against the tables."""
    shown = memory.retrieve(question)
    dispatch.trace.add("retrieved", question=question, exemplars=[exemplar.question for exemplar in shown])
    request = program_request(question, tables, shown, model=dispatch.model, samples=samples)
    texts = [extract(choice.text) for choice in await _sampled(request, dispatch, samples)]
    dispatch.trace.add("sampled", request=request.messages[-1].content, programs=texts)
    counted = {text: texts.count(text) for text in dict.fromkeys(texts)}
    return [_checked(text, votes, dispatch, planned) for text, votes in counted.items()]


async def _sampled(request: Request, dispatch: Dispatch, samples: int) -> list[Choice]:
    """As many replies as were asked for: in one request where the endpoint can, the rest at the same time."""
    first = await dispatch.lm.complete(request)
    dispatch.spent += first.usage
    choices = list(first.choices)
    more = [replace(request, n=1, sample=number) for number in range(len(choices), samples)]
    for reply in await asyncio.gather(*(dispatch.lm.complete(extra) for extra in more)):
        dispatch.spent += reply.usage
        choices += reply.choices
    return choices[:samples]


def _checked(text: str, votes: int, dispatch: Dispatch, planned: Callable[[str, str], Plan]) -> Sample:
    try:
        return Sample(text, "sql", planned(text, "sql"), votes=votes)
    except ProgramError as error:
        dispatch.trace.add("rejected", program=text, message=error.message, span=list(error.span) if error.span else None, hint=error.hint)
        return Sample(text, "sql", error=error, votes=votes)


def extract(reply: str) -> str:
    """The program in a reply: what a code fence holds, else the text from its first keyword on."""
    without_thoughts = re.sub(r"(?s)\A\s*<think(ing)?>.*?</think(ing)?>", "", reply)
    fences = re.findall(r"```[a-zA-Z]*\s*\n(.*?)```", without_thoughts, re.DOTALL)
    text = fences[-1] if fences else without_thoughts
    start = re.search(r"(?i)\b(select|with)\b\s|\bQA\s*\(", text)
    return text[start.start() :].strip() if start and not fences else text.strip()
