"""A plan and an executor of a few lines go in; execution yields what it needs, is sent what is
known, and frees what it holds."""

from __future__ import annotations

from typing import Any

import pytest

from binder.analysis.sql import check
from binder.errors import CheckFault
from binder.executors import Batch, Mapping, Rows, execute
from binder.language.skeleton import parse
from binder.plan import Ask, Plan
from binder.plan.naive import build
from binder.tables.table import load

PROGRAM = 'SELECT QA("map@a?"; x) FROM w WHERE QA("map@b?"; x) > 3'


class Noted:
    """An executor that notes its verbs; inputs says what each call still needs."""

    def __init__(self, **inputs: tuple[Any, ...]) -> None:
        self.inputs = inputs
        self.notes: list[Any] = []
        self.left = list(inputs.items())

    def check(self) -> None:
        self.notes.append("check")
        if "refused" in self.inputs:
            raise CheckFault("refused")

    def collect(self) -> tuple[Batch, ...]:
        self.notes.append("collect")
        if not self.left:
            return ()
        name, inputs = self.left.pop(0)
        ask = next(ask for ask in plan().asks if ask.call.question[0] == name)
        return (Batch(ask, inputs),)

    def bind(self, ask: Ask, mapping: Mapping) -> None:
        self.notes.append((f"bind {ask.call.question}", mapping.values))

    def query(self) -> Rows:
        self.notes.append("query")
        return Rows(("x",), ("INT",), [(1,)])

    def close(self) -> None:
        self.notes.append("close")


def plan(program: str = PROGRAM) -> Plan:
    return build(check(parse(program), [load([{"x": 1}])]))


def test_calls_are_asked_in_order_and_the_query_comes_last() -> None:
    executor = Noted(b=((2,),), a=((1,),))
    execution = execute(plan(), executor)
    assert [batch.ask.call.question for batch in next(execution)] == ["b?"]
    assert [batch.ask.call.question for batch in execution.send((Mapping({(2,): 5}),))] == ["a?"]
    with pytest.raises(StopIteration) as done:
        execution.send((Mapping({(1,): "y"}),))
    assert done.value.value.rows == [(1,)]
    assert executor.notes == [
        "check", "collect", ("bind b?", {(2,): 5}), "collect", ("bind a?", {(1,): "y"}), "collect", "query", "close",
    ]  # fmt: skip


def test_what_needs_nothing_yields_nothing() -> None:
    executor = Noted()
    with pytest.raises(StopIteration):
        next(execute(plan(), executor))
    assert executor.notes == ["check", "collect", "query", "close"]


def test_it_frees_what_it_holds_when_it_is_stopped_or_refused() -> None:
    executor = Noted(b=((1,),))
    execution = execute(plan(), executor)
    next(execution)
    execution.close()
    assert executor.notes[-1] == "close" and "query" not in executor.notes
    refused = Noted(refused=())
    with pytest.raises(CheckFault):
        next(execute(plan(), refused))
    assert refused.notes == ["check", "close"]


def test_a_program_without_calls_is_not_bound_twice() -> None:
    executor = Noted()
    with pytest.raises(StopIteration):
        next(execute(plan("SELECT x FROM w"), executor))
    assert executor.notes == ["collect", "query", "close"]
