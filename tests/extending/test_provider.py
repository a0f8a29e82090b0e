"""A provider of its own wire format: `echo://` answers each input with itself, over HTTP or not."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import binder
from binder.errors import BudgetExceeded, Unreachable
from binder.lm import LM, Choice, Reply, Request, RequestUsage
from binder.lm.budget import Budget
from binder.lm.providers import Endpoint, register
from binder.lm.store import Store

ROWS = [{"town": "Bern"}, {"town": "Rome"}, {"town": "Oslo"}]
PROGRAM = 'SELECT QA("map@which?"; town) AS said FROM w'


class Echo(LM):
    """Repeats the first value of each row; its first request fails."""

    def __init__(self, endpoint: Endpoint, timeout: float, store: Store | None):
        self.model, self.failed = endpoint.model, False

    async def complete(self, request: Request) -> Reply:
        if not self.failed:
            self.failed = True
            raise Unreachable("asleep")
        rows = json.loads(request.messages[-1].content)["rows"]
        answers = {key: f"{self.model}: {row[0]}" for key, row in rows.items()}
        text = json.dumps({"answers": answers})
        return Reply((Choice(text),), RequestUsage(1, len(rows), len(rows)))


register("echo", Echo)


def test_a_provider_is_chosen_by_scheme_and_has_all_layers(tmp_path: Path) -> None:
    cache = tmp_path / "answers.sqlite"
    with binder.connect(ROWS, "parrot", "echo://here", cache=cache) as db:
        first, again = db.run(PROGRAM), db.run(PROGRAM)
    assert first.rows == [("parrot: Bern",), ("parrot: Rome",), ("parrot: Oslo",)]
    assert first.usage.requests == 2  # it was asked again
    assert again.rows == first.rows and again.usage.requests == 0


def test_a_budget_holds_for_any_provider() -> None:
    budget = Budget(requests=1)
    with (
        binder.connect(ROWS, "parrot", "echo://here", cache=None, budget=budget) as db,
        pytest.raises(BudgetExceeded),
    ):
        db.run(PROGRAM)
