"""The kinds of calls: what stands before the `@` of a question.

A kind is what the languages and the planner know of it; how the language model is asked, and how
its replies are read, stands beside it in binder.prompt.tasks."""

from __future__ import annotations

from dataclasses import dataclass

from binder.errors import UsageError


@dataclass(frozen=True)
class CallKind:
    """One kind of call. per_input: each distinct input has a value of its own; else one answer is
    read off whole tables. function: its name in Binder Python. type: of its answers, where their
    use does not ask for another. reasons: whether replies reason before they answer, by default."""

    name: str
    per_input: bool
    function: str
    type: str = "auto"
    reasons: bool = False


CALL_KINDS: dict[str, CallKind] = {}
FUNCTIONS: dict[str, CallKind] = {}  # the same kinds, by their functions in Binder Python


def register_kind(kind: CallKind) -> CallKind:
    """Makes a kind of call known to the languages; binder.prompt.tasks.register also says how it is
    asked."""
    if kind.name in CALL_KINDS or kind.function in FUNCTIONS:
        raise UsageError(f"duplicate call kind {kind.name!r}", hint="choose another name")
    CALL_KINDS[kind.name] = FUNCTIONS[kind.function] = kind
    return kind


MAP = register_kind(CallKind("map", per_input=True, function="qa_map"))
ANS = register_kind(CallKind("ans", per_input=False, function="qa_ans", reasons=True))
