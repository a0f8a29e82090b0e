"""Documents as lists of words come in, with those of a query; which to show comes out: the nearest,
and unlike each other."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable, Sequence

K1, B = 1.2, 0.75
K = 60  # of reciprocal rank fusion


class Index:
    """BM25 over documents (Robertson and Zaragoza, The Probabilistic Relevance Framework: BM25 and
    Beyond, 2009, 3.4.3)."""

    def __init__(self, documents: Sequence[Sequence[str]]):
        self.counts = [Counter(document) for document in documents]
        self.lengths = [len(document) for document in documents]
        self.mean = sum(self.lengths) / max(1, len(documents)) or 1.0
        held = Counter(word for counts in self.counts for word in counts)
        self.worth = {
            word: math.log(1 + (len(documents) - n + 0.5) / (n + 0.5)) for word, n in held.items()
        }

    def scores(self, query: Sequence[str]) -> list[float]:
        """How well each document fits a query; 0 where they share no word."""
        asked = Counter(query)
        return [
            self._score(asked, counts, length)
            for counts, length in zip(self.counts, self.lengths, strict=True)
        ]

    def _score(self, asked: Counter[str], counts: Counter[str], length: int) -> float:
        norm = K1 * (1 - B + B * length / self.mean)
        return sum(
            asked[word] * self.worth[word] * counts[word] * (K1 + 1) / (counts[word] + norm)
            for word in asked
            if word in counts
        )


def fused(one: Sequence[float], other: Sequence[float]) -> list[float]:
    """One score for each document from two whose scales differ: reciprocal rank fusion (Cormack,
    Clarke and Buettcher, SIGIR 2009)."""
    fusion = [0.0] * len(one)
    for scores in (one, other):
        for rank, document in enumerate(
            sorted(range(len(scores)), key=lambda i: -scores[i]), start=1
        ):
            fusion[document] += 1 / (K + rank)
    return fusion


def diverse(
    scores: Sequence[float], alike: Callable[[int, int], float], most: int, weight: float = 0.85
) -> list[int]:
    """The indices of the documents to show, the best first: each the one with the most of weight *
    its score - (1 - weight) * its likeness to the nearest one taken before (maximal marginal
    relevance; Carbonell and Goldstein, SIGIR 1998). scores and alike: from 0 to 1."""
    taken: list[int] = []
    left = list(range(len(scores)))
    nearest = [0.0] * len(scores)
    while left and len(taken) < most:
        best = max(left, key=lambda i: weight * scores[i] - (1 - weight) * nearest[i])
        taken.append(best)
        left.remove(best)
        for i in left:
            nearest[i] = max(nearest[i], alike(best, i))
    return taken
