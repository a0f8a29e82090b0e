"""What makes two calls the same question: whatever program they stand in, it is asked once."""

from __future__ import annotations

import json
from typing import Any

from binder.executors import Batch, Input
from binder.plan import Ask
from binder.prompt.wire import wire
from binder.tables.cells import read_boolean

QuestionKey = tuple[str, ...]

# Words that begin a question and are no names.
LEADING = frozenset(
    "is are was were does do did which what who whose when where how".split()  # noqa: SIM905
)


def question_key(ask: Ask) -> QuestionKey:
    """What equal questions share, however their programs use the answer: true and yes are one."""
    if ask.call.function is not None:
        return ask.call.kind, ask.call.function.name
    call_type = ask.call_type
    wanted = "truth" if _is_truth(ask) else [call_type.type, call_type.options]
    details = [ask.columns, wanted, call_type.spellings, ask.title]
    return ask.call.kind, same_question(ask.call.question), json.dumps(details)


def same_question(question: str) -> str:
    """A question without what cannot change its answer: white space, a final question mark, the
    case of a leading word."""
    text = " ".join(question.split()).rstrip("? ")
    first, space, rest = text.partition(" ")
    lower = first.casefold()
    if lower not in LEADING or first == first.upper():  # WHO is another question
        return text
    return f"{lower}{space}{rest}"


def input_key(batch: Batch, value: Input) -> Input:
    """What equal inputs share: their values; for whole tables, all that is read."""
    if not batch.parts:
        return value
    read = []
    for part in batch.parts[value]:
        rows = [list(map(wire, row)) for row in part.rows]
        read.append([part.columns, rows])
    return (json.dumps(read),)


def as_wanted(ask: Ask, value: Any) -> Any:
    """A truth in the spelling of this program, where it was asked for another one."""
    if not _is_truth(ask):
        return value
    if isinstance(value, list):
        return [as_wanted(ask, item) for item in value]
    if ask.call_type.type == "boolean":
        return read_boolean(value) if isinstance(value, str) else value
    if isinstance(value, bool):
        value = "yes" if value else "no"
    if not isinstance(value, str):
        return value
    options = {option.casefold(): option for option in ask.call_type.options or ()}
    return options.get(value.casefold(), value)


def _is_truth(ask: Ask) -> bool:
    """Whether the answers are true or false, or yes or no: one can be told from the other."""
    options = ask.call_type.options
    if ask.call_type.type == "boolean":
        return True
    return options is not None and {option.casefold() for option in options} == {"yes", "no"}
