"""Sampling settings and the mix of candidates."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from binder.candidates.answer import DIRECT
from binder.errors import UsageError
from binder.executors.languages import LANGUAGES
from binder.lm.tokens import estimate
from binder.prompt.programs import LEAST_ROOM, ROOM
from binder.tables.table import Table


@dataclass(frozen=True)
class Sampling:
    """How candidates are asked for.

    mix: the kinds that share the samples of language="auto" in turn, the first of them first;
    `direct` only has a share if the tables fit into a prompt, `python` if the sandbox is
    installed. prompt_tokens: the most that a request may have, as estimated: tables are cut to fit,
    and exemplars left out. temperature: used if several samples of a kind are drawn; one alone is
    drawn at 0. seed, effort (of reasoning), max_tokens: sent if they are set and the endpoint takes
    them. constrain: when a program is held to the grammar and the headers of the tables, on
    endpoints that can do that: `auto` after a program that was not in the language, `always`, or
    `never`. repairs: the most requests for repairs per question; tries: per program."""

    mix: tuple[str, ...] = ("sql", DIRECT, "python")
    temperature: float = 0.7
    seed: int | None = None
    effort: str | None = None
    max_tokens: int | None = None
    constrain: Literal["auto", "always", "never"] = "auto"
    repairs: int = 4
    tries: int = 2
    prompt_tokens: int = ROOM

    def __post_init__(self) -> None:
        if self.prompt_tokens < LEAST_ROOM:
            raise UsageError(
                f"prompt_tokens must be at least {LEAST_ROOM:,}",
                hint="the instructions alone take a third of that",
            )


def shares(
    samples: int, language: str, tables: Sequence[Table], sampling: Sampling
) -> dict[str, int]:
    """How many samples of each kind are drawn for a question."""
    known = (*LANGUAGES, DIRECT)
    if language not in ("auto", *known):
        raise UsageError(
            f"unknown language {language!r}", hint="available languages: auto, " + ", ".join(known)
        )
    if samples < 1:
        raise UsageError("samples must be at least 1")
    fits = fit(tables, sampling.prompt_tokens)
    if language == DIRECT and not fits:
        raise UsageError(
            "the tables do not fit into a prompt, so they cannot be answered directly",
            hint="raise Sampling(prompt_tokens=)",
        )
    kinds = [language]
    if language == "auto":
        possible = {DIRECT} if fits else set()
        possible |= {name for name in LANGUAGES if installed(name)}
        kinds = [kind for kind in sampling.mix if kind in possible] or [next(iter(LANGUAGES))]
    return dict(Counter(kinds[number % len(kinds)] for number in range(samples)))


def installed(language: str) -> bool:
    """Whether programs of a language can run here."""
    try:
        LANGUAGES[language].require()
    except UsageError:
        return False
    return True


def fit(tables: Sequence[Table], room: int) -> bool:
    """Whether all tables fit into a prompt of room tokens."""
    if sum(table.num_rows * len(table.columns) for table in tables) > room:
        return False  # a cell is a token at least, so nothing needs to be read
    tokens = 0
    for table in tables:
        for column in table.columns:
            tokens += sum(1 + estimate(cell or "") for cell in table.texts(column))
    return tokens <= room
