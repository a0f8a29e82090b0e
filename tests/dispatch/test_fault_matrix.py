"""A sample of the fault matrix: a value is right, or missing with an entry in errors, or the run
says why it stopped. The whole of it: python -m tests.faults --seeds 200"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults import ALL, EMPTY, FATAL, HARMLESS, PASSING, SPOILING
from tests.matrix import PROGRAMS, SLOW, Matrix
from tests.server import Server


@pytest.fixture(scope="module")
def matrix() -> Iterator[Matrix]:
    with Server() as server, Matrix(server) as running:
        yield running


@pytest.fixture(scope="module")
def small() -> Iterator[Matrix]:
    """A table of few rows: where every request fails, each row is asked for alone in the end."""
    with Server() as server, Matrix(server, batch_rows=8, rows=24) as running:
        yield running


@pytest.fixture(scope="module")
def cached(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Matrix]:
    """The same with a cache and a budget in between."""
    with (
        Server() as server,
        Matrix(server, cache=tmp_path_factory.mktemp("kept") / "answers.sqlite") as running,
    ):
        yield running


def seeds(name: str) -> range:
    return range(1 if name in SLOW else len(PROGRAMS))


@pytest.mark.parametrize("name", HARMLESS)
def test_a_reply_that_is_written_oddly_costs_nothing(matrix: Matrix, name: str) -> None:
    line = matrix.runs([name], 1.0, seeds(name))
    assert (line.wrong, line.short, line.raised, line.overhead) == (0, 0, {}, 0.0)


@pytest.mark.parametrize("name", PASSING)
def test_a_fault_that_passes_changes_nothing(matrix: Matrix, name: str) -> None:
    line = matrix.runs([name], 0.2, seeds(name))
    assert (line.wrong, line.short, line.raised) == (0, 0, {})


@pytest.mark.parametrize("name", [name for name in PASSING if name not in SLOW])
def test_a_fault_that_stays_is_told(small: Matrix, name: str) -> None:
    line = small.runs([name], 1.0, [0])
    assert line.wrong == 0
    assert line.short + line.raised.total() == (name != "http_400_context"), (
        "each input alone is short enough"
    )


@pytest.mark.parametrize("name", EMPTY)
def test_an_answer_that_is_none_is_never_a_value(matrix: Matrix, name: str) -> None:
    for share in (0.2, 1.0):
        line = matrix.runs([name], share, seeds(name))
        assert (line.wrong, line.raised) == (0, {})


@pytest.mark.parametrize("name", FATAL)
def test_a_fault_that_will_not_pass_stops_the_run(matrix: Matrix, name: str) -> None:
    line = matrix.runs([name], 1.0, seeds(name))
    assert line.raised == {FATAL[name][1]: line.runs}
    assert line.requests <= line.runs * matrix.concurrency


@pytest.mark.parametrize(("share", "most"), [(0.05, 0.10), (0.2, 0.35)])
def test_all_faults_together(matrix: Matrix, share: float, most: float) -> None:
    line = matrix.runs([name for name in SPOILING if name not in SLOW], share, range(40))
    assert (line.wrong, line.short, line.raised) == (0, 0, {})
    assert line.overhead <= most


@pytest.mark.parametrize("name", [name for name in SPOILING if name not in SLOW])
def test_a_cache_and_a_budget_change_nothing(cached: Matrix, name: str) -> None:
    line = cached.runs([name], 0.2, [0, 3])
    assert (line.wrong, line.short, line.raised) == (0, 0, {})


def test_every_fault_has_one_class() -> None:
    assert len(ALL) == len(HARMLESS) + len(PASSING) + len(EMPTY) + len(FATAL) >= 75
