"""BM25 and maximal marginal relevance, on small cases that are worked out by hand."""

from __future__ import annotations

import math

import pytest

from binder.prompt.memory.ranking import K1, B, Index, diverse, fused


def test_a_score_is_that_of_the_formula() -> None:
    index = Index([["a", "b"], ["a", "a", "c", "d"]])
    (first, second) = index.scores(["c"])
    norm = K1 * (1 - B + B * 4 / 3)
    assert first == 0 and second == pytest.approx(math.log(1 + 1.5 / 1.5) * (K1 + 1) / (1 + norm))
    assert index.scores(["nothing"]) == [0, 0] and Index([]).scores(["a"]) == []


def test_rare_words_count_more_and_short_documents_too() -> None:
    index = Index([["a", "b"], ["a", "c"], ["a", "c"], ["a", "b", "x", "y", "z"]])
    scores = index.scores(["a", "b"])
    assert scores[0] > scores[3] > scores[1] == scores[2]


def test_two_rankings_become_one() -> None:
    assert fused([9.0, 1.0, 5.0], [0.1, 0.2, 0.3]) == pytest.approx(
        [1 / 61 + 1 / 63, 1 / 63 + 1 / 62, 1 / 62 + 1 / 61]
    )
    assert fused([], []) == []


def test_what_is_like_one_that_is_taken_waits() -> None:
    twins = {(0, 1), (1, 0)}
    assert diverse([1.0, 0.9, 0.8], lambda i, j: float((i, j) in twins), 3) == [0, 2, 1]
    assert diverse([1.0, 0.9, 0.6], lambda i, j: 0.0, 2) == [0, 1]
    assert diverse([], lambda i, j: 0.0, 2) == []
