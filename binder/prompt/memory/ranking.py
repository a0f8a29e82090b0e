"""BM25, rank fusion and maximal marginal relevance."""

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
        held: Counter[str] = Counter()  # word -> documents that have it
        for counts in self.counts:
            held.update(counts.keys())
        self.worth = {word: self._worth(n) for word, n in held.items()}

    def _worth(self, n: int) -> float:
        """What a word counts that n documents have."""
        return math.log(1 + (len(self.counts) - n + 0.5) / (n + 0.5))

    def scores(self, query: Sequence[str]) -> list[float]:
        """How well each document fits a query; 0 where they share no word."""
        asked = Counter(query)
        documents = zip(self.counts, self.lengths, strict=True)
        return [self._score(asked, counts, length) for counts, length in documents]

    def _score(self, asked: Counter[str], counts: Counter[str], length: int) -> float:
        norm = K1 * (1 - B + B * length / self.mean)
        shared = [word for word in asked if word in counts]
        return sum(
            asked[word] * self.worth[word] * counts[word] * (K1 + 1) / (counts[word] + norm)
            for word in shared
        )


def fused(one: Sequence[float], other: Sequence[float]) -> list[float]:
    """One score for each document from two whose scales differ: reciprocal rank fusion (Cormack,
    Clarke and Buettcher, SIGIR 2009)."""
    fusion = [0.0] * len(one)
    for scores in (one, other):
        best = sorted(range(len(scores)), key=scores.__getitem__, reverse=True)
        for rank, document in enumerate(best, start=1):
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
