"""Every reply has lines dropped, doubled, reordered and renamed: a value is in its own row, or it
is missing and told; never in another row."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

import binder
from binder.lm.providers.openai import Endpoint, OpenAI
from binder.lm.retry import Retry
from tests.server import Server

ROWS = [{"name": f"name {number}"} for number in range(80)]


def mangled(chance: random.Random, answers: dict[str, Any]) -> str:
    """The answers as a careless writer would put them: as text, because keys may stand in it
    twice."""
    lines = list(answers.items())
    chance.shuffle(lines)
    lines = [line for line in lines if chance.random() > 0.2]
    lines += [line for line in lines if chance.random() < 0.2]
    lines = [(f"row {key}" if chance.random() < 0.1 else key, value) for key, value in lines]
    lines += [(f"r{chance.randrange(900, 999)}", "nobody's")] * (chance.random() < 0.5)
    return (
        '{"answers": {'
        + ", ".join(f"{json.dumps(key)}: {json.dumps(value)}" for key, value in lines)
        + "}}"
    )


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("batch_rows", [3, 20, 80])
def test_a_value_is_in_its_own_row_or_missing(server: Server, seed: int, batch_rows: int) -> None:
    chance = random.Random(seed)

    def reply(body: dict[str, Any]) -> str:
        task = json.loads(body["messages"][-1]["content"])
        return mangled(chance, {key: f"about {values[0]}" for key, values in task["rows"].items()})

    server.reply = reply
    lm = Retry(OpenAI(Endpoint("m", server.url)), first_wait=0.001)
    with binder.connect(ROWS, "m", lm=lm, batch_rows=batch_rows) as db:
        result = db.run('SELECT name, QA("map@what about it?"; name) AS said FROM w')
    wrong = [(name, said) for name, said in result.rows if said not in (f"about {name}", None)]
    assert wrong == []
    assert sum(said is None for _, said in result.rows) == len(result.errors) <= 2
