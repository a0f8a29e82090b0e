"""Embedding similarity of questions."""

from __future__ import annotations

import base64
import math
from array import array
from collections.abc import Awaitable, Callable, Sequence

from binder.errors import BadReply
from binder.lm import Message, Reply, Request

# texts in a request: those of a memory that has grown by one are mostly asked for, and kept, as
# before
PACK = 100


async def nearness(
    question: str,
    solved: Sequence[str],
    model: str,
    complete: Callable[[Request], Awaitable[Reply]],
) -> dict[str, float]:
    """Solved question -> its similarity to the question, the cosine of the two vectors. LMErrors
    are raised."""
    texts = list(dict.fromkeys(solved))
    (asked,) = await _vectors([question], model, complete)
    near: dict[str, float] = {}
    for start in range(0, len(texts), PACK):
        pack = texts[start : start + PACK]
        for text, vector in zip(pack, await _vectors(pack, model, complete), strict=True):
            near[text] = _cosine(asked, vector)
    return near


async def _vectors(
    texts: Sequence[str], model: str, complete: Callable[[Request], Awaitable[Reply]]
) -> list[array[int]]:
    """The vectors of texts, as the texts of a reply hold them: components of one byte, in
    base64."""
    messages = tuple(Message("user", text) for text in texts)
    reply = await complete(Request(messages, model, n=len(texts), embed=True))
    try:
        parts = [base64.b64decode(choice.text, validate=True) for choice in reply.choices]
    except ValueError as error:
        raise BadReply(f"the reply has no vectors: {error}") from error
    vectors = [array("b", part) for part in parts]
    if len(vectors) != len(texts):
        raise BadReply(f"the reply has {len(vectors)} vectors for {len(texts)} texts")
    return vectors


def _cosine(one: array[int], other: array[int]) -> float:
    """The cosine of two vectors; 0 where one has no length."""
    if len(one) != len(other):
        raise BadReply("the vectors in the replies are of different lengths")
    lengths = math.sqrt(_dot(one, one) * _dot(other, other))
    return _dot(one, other) / lengths if lengths else 0.0


def _dot(one: array[int], other: array[int]) -> int:
    return sum(map(int.__mul__, one, other))
