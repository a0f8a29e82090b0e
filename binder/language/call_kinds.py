"""The kinds of calls: what stands before the `@` of a question."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class CallKind:
    """One kind of call. per_input: each distinct input has a value of its own; else one answer is
    read off whole tables."""

    name: str
    per_input: bool


MAP = CallKind("map", per_input=True)
ANS = CallKind("ans", per_input=False)
CALL_KINDS = {kind.name: kind for kind in (MAP, ANS)}
