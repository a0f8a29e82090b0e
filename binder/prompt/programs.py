"""Prompts that ask for programs, for their repair, and for the belief in an answer."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from binder.executors.languages import LANGUAGES
from binder.lm import Message, Request
from binder.lm.tokens import estimate
from binder.prompt import told
from binder.prompt.schema import LEAST, tables_text

if TYPE_CHECKING:
    from binder.language.functions.own import Function
    from binder.prompt.memory import Exemplar
    from binder.tables.table import Table

ROOM = 8_000  # tokens of a prompt
LEAST_ROOM = 2_000  # the instructions have a third of it
SMALL = 1_500  # tokens of an exemplar
TABLES = 0.6  # at most, of the room that the instructions leave, is for the tables

# by language; SQL that SQLite runs has instructions of its own
PROGRAMS = {name: f"{told(name)}\n\n{told('shown')}" for name in (*LANGUAGES, "sqlite")}
BELIEF = told("belief")
OWN = "Functions that the program may call by name, in plain code, once per distinct input:"
REPAIR = told("repair")


def program_request(
    question: str,
    tables: Sequence[Table],
    exemplars: Iterable[Exemplar] = (),
    *,
    model: str,
    language: str = "sql",
    room: int = ROOM,
    functions: Sequence[Function] = (),
    dialect: str = "duckdb",
) -> Request:
    """The request for programs that answer a question.

    The tables are cut and exemplars left out, the first ones first, so that the messages have no
    more than room tokens; the most similar exemplar comes last."""
    system = PROGRAMS["sqlite" if (language, dialect) == ("sql", "sqlite") else language]
    room -= estimate(system)
    asked = asked_text(question, tables, int(room * TABLES), functions)
    room -= estimate(asked)
    shots: list[Message] = []
    for exemplar in reversed(list(exemplars)):
        shown = asked_text(exemplar.question, exemplar.tables)
        room -= estimate(shown) + estimate(exemplar.program)
        if room < 0:
            break
        shots = [Message("user", shown), Message("assistant", exemplar.program), *shots]
    return Request((Message("system", system), *shots, Message("user", asked)), model)


def asked_text(
    question: str, tables: Sequence[Table], room: int = SMALL, functions: Sequence[Function] = ()
) -> str:
    """A question below the tables that it is asked about, all within so many tokens, and the own
    functions that its program may call."""
    asked = f"Question: {' '.join(question.split())}"
    if functions:
        told = "\n".join(f"{one.signature}  {one.doc}".rstrip() for one in functions)
        asked = f"{OWN}\n{told}\n\n{asked}"
    left = max(LEAST, room - estimate(asked))
    return f"{tables_text(tables, question, left)}\n\n{asked}"


def repair_request(asked: Request, program: str, problem: str, number: int) -> Request:
    """The request for another program in place of one that has a problem, in the conversation that
    led to it."""
    said = Message("assistant", program), Message("user", REPAIR.format(problem=problem))
    return replace(asked, messages=(*asked.messages, *said), n=1, sample=number)


def belief_request(
    question: str, tables: Sequence[Table], texts: Sequence[str], *, model: str
) -> Request:
    """The request that asks whether an answer is true."""
    proposed = json.dumps(list(texts), ensure_ascii=False)
    asked = f"{asked_text(question, tables, ROOM)}\nProposed answer: {proposed}"
    messages = Message("system", BELIEF), Message("user", asked)
    return Request(messages, model, temperature=1.0, chances=True)
