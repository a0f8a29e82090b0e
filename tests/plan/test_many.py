"""WHEREs of many conditions with a call each go in; what they cost besides questions is counted:
queries and their length."""

from __future__ import annotations

from typing import Any

import pytest

from binder.analysis.sql import check
from binder.executors import execute
from binder.executors.sql import SqlExecutor
from binder.language.skeleton import parse
from binder.plan.rules import optimize
from tests.plan.differential import Near, answers, table

ROWS = [("Oslo", "NO", 1), ("Paris", "FR", 2), ("Bergen", "NO", 3), (None, "IT", 4)]


class Counting(Near):
    """A worker that counts the characters of each query that it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.lengths: list[int] = []

    def _ask(self, header: dict[str, Any], payload: Any = b"") -> tuple[dict[str, Any], bytes]:
        if header["verb"] == "run":
            self.lengths.append(len(header["sql"]))
        return super()._ask(header, payload)


def condition(number: int) -> str:
    return f"""QA("map@yesno?"; b || 'x{number % 7}' || '{number}') = 'no'"""


def conditions(count: int, how: str) -> str:
    each = [condition(number) for number in range(count)]
    if how == "mixed":
        return " AND ".join(
            f"({one} OR {two})" for one, two in zip(each[::2], each[1::2], strict=True)
        )
    return f" {how} ".join(each)


def cost(count: int, how: str) -> tuple[int, int]:
    """How many queries so many conditions take, and their length in all."""
    worker = Counting()
    tables = (table("w", ROWS),)
    worker.use(tables)
    plan = optimize(check(parse(f"SELECT a FROM w WHERE {conditions(count, how)}"), tables))
    execution = execute(plan, SqlExecutor(plan, worker))
    asked: set[tuple[object, ...]] = set()
    try:
        batches = next(execution)
        while True:
            batches = execution.send(tuple(answers(batch, asked) for batch in batches))
    except StopIteration:
        return len(worker.lengths), sum(worker.lengths)


@pytest.mark.parametrize("how", ["AND", "OR", "mixed"])
def test_queries_are_in_proportion_to_the_conditions(how: str) -> None:
    queries, length = cost(10, how)
    more, longer = cost(40, how)
    assert more <= 6 * queries, f"{queries} queries for 10 conditions, {more} for 40"
    assert longer <= 30 * length, f"{length} characters for 10 conditions, {longer} for 40"
