"""One own function and inputs whose values are unknown: applies it until each has a value, or a
reason why it has none."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from binder.dispatch.answers import InputAnswer
from binder.dispatch.sender import Sender
from binder.executors import Input
from binder.language.functions.own import Function, apply, is_of
from binder.plan import Ask

WINDOW = 200  # inputs of one call of a function with batch=True


@dataclass
class ApplyTask:
    """The work on one function. answers: what is known about its inputs; keys: of its inputs in
    the cache, where there is one."""

    ask: Ask
    function: Function
    sender: Sender
    slots: asyncio.Semaphore  # the calls of this function at a time
    answers: dict[Input, InputAnswer]
    keys: Mapping[Input, str]

    async def apply_one(self, value: Input) -> None:
        """Applies the function to one input."""
        async with self.slots:
            self._end(await self._tried([value]))

    async def apply_batch(self, inputs: Sequence[Input]) -> None:
        """Applies the function to many inputs at once; if that fails, to halves of them, until the
        input is found that it fails for."""
        async with self.slots:
            answers = await self._tried(inputs)
        if len(inputs) == 1 or any(answer.fault is None for answer in answers.values()):
            self._end(answers)
            return
        middle = len(inputs) // 2
        await self.apply_batch(inputs[:middle])
        await self.apply_batch(inputs[middle:])

    def _end(self, answers: Mapping[Input, InputAnswer]) -> None:
        """Notes what the function returned, in the trace and in the cache."""
        event = self.sender.applied(self.ask, self.function, self.keys, answers)
        for value, one in answers.items():
            self.answers[value] = replace(one, event=event)

    async def _tried(self, inputs: Sequence[Input]) -> dict[Input, InputAnswer]:
        """What comes of some inputs, after as many tries as the function has."""
        taken: dict[Input, list[Any]] = {}
        answers: dict[Input, InputAnswer] = {}
        for value in inputs:
            if self._is_null(value):
                answers[value] = InputAnswer(None, attempts=0)
                continue
            try:
                taken[value] = self._arguments(value)
            except (ValueError, TypeError, OverflowError) as error:
                answers[value] = InputAnswer(None, "bad_type", str(error), attempts=0)
        return answers | await self._applied(taken) if taken else answers

    async def _applied(self, taken: Mapping[Input, list[Any]]) -> dict[Input, InputAnswer]:
        """What the function returns for inputs and their arguments, or how its last try failed."""
        attempt = 0
        while True:
            attempt += 1
            try:
                returned = await self._returned(list(taken.values()))
            except TimeoutError:
                told = f"{self.function.name} took more than {self.function.timeout:g} s"
                failed = InputAnswer(None, "timeout", told, attempt)
            except Exception as error:  # noqa: BLE001  the user's code may raise anything
                told = f"{self.function.name} raised {type(error).__name__}: {error}"
                failed = InputAnswer(None, "raised", told[:400], attempt)
            else:
                pairs = zip(taken, returned, strict=True)
                return {value: self._answer(one, attempt) for value, one in pairs}
            if attempt > self.function.retries:
                return dict.fromkeys(taken, failed)

    async def _returned(self, rows: Sequence[list[Any]]) -> Sequence[Any]:
        """What the function returns for rows of arguments."""
        if not self.function.batch:
            (row,) = rows
            return [await apply(self.function, *row)]
        columns = [list(column) for column in zip(*rows, strict=True)]
        returned = plain_value(await apply(self.function, *columns))
        if not isinstance(returned, (list, tuple)) or len(returned) != len(rows):
            shown = f"{len(returned)} values" if isinstance(returned, (list, tuple)) else "no list"
            raise ValueError(f"{len(rows)} values are needed, and it returned {shown}")
        return returned

    def _is_null(self, value: Input) -> bool:
        """Whether an argument is NULL that the function does not take: then so is its value."""
        parameters = zip(self.function.parameters, value, strict=False)
        return any(cell is None and not one.takes_null for one, cell in parameters)

    def _arguments(self, value: Input) -> list[Any]:
        """An input as the function takes it."""
        parameters = self.function.parameters[: len(value)]
        return [one.value(cell) for one, cell in zip(parameters, value, strict=True)]

    def _answer(self, returned: Any, attempts: int) -> InputAnswer:
        """What the function returned as an answer, where it is of the type that it declares."""
        returned = plain_value(returned)
        if returned is not None and not is_of(returned, self.function.returns):
            told = f"{self.function.name} returned {returned!r:.80}, which is no"
            told = f"{told} {self.function.returns}"
            return InputAnswer(None, "bad_type", told, attempts)
        return InputAnswer(returned, attempts=attempts)


def plain_value(value: Any) -> Any:
    """A value as Python has it: numbers, arrays and series of numpy and pandas are numbers and
    lists, a NaN is no value."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    return None if isinstance(value, float) and value != value else value
