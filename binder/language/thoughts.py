"""Thoughts: what a model writes to itself before its reply, between marks that each family of
models has of its own."""

from __future__ import annotations

import re

_WORDS = "think|thinking|thought|thoughts|reasoning|reason|reflection|scratchpad|analysis|rationale"
_OPEN = (
    rf"(?:<(?:\w+:)?(?:{_WORDS})>|\[(?:{_WORDS})\]|◁(?:{_WORDS})▷"
    rf"|<\|(?:begin_of_)?(?:{_WORDS})\|>)"
)
_CLOSE = (
    rf"(?:</(?:\w+:)?(?:{_WORDS})>|\[/(?:{_WORDS})\]|◁/(?:{_WORDS})▷"
    rf"|<\|(?:end_of_|/)(?:{_WORDS})\|>)"
)
_THOUGHT = re.compile(rf"\A.*{_CLOSE}", re.DOTALL | re.IGNORECASE)
_THINKING = re.compile(rf"\A\s*{_OPEN}", re.IGNORECASE)
# Channels: the last one is what is meant for the reader.
_FINAL = re.compile(r"\A.*<\|channel\|>\s*final\s*(?:<\|[^|]*\|>[^<]*)?<\|message\|>", re.DOTALL)
_CHANNEL = re.compile(r"\A\s*(?:<\|start\|>\w*)?<\|channel\|>\s*(?:analysis|commentary)")
_END = re.compile(r"<\|(?:end|return|end_of_text|im_end|eot_id)\|>\s*\Z")


def without_thoughts(text: str) -> str:
    """A reply without the thoughts before it."""
    bare = _THOUGHT.sub("", _FINAL.sub("", text))
    return _END.sub("", bare).strip()


def is_unfinished(text: str) -> bool:
    """Whether a text, its whole thoughts cut off, begins with thoughts that do not end."""
    return bool(_THINKING.match(text) or _CHANNEL.match(text))
