"""A budget goes in; requests go out while it lasts, and none after."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

import binder
from binder.errors import BadReply, BudgetExceeded, Unreachable, UsageError
from binder.lm import Choice, Message, Reply, Request, RequestUsage
from binder.lm.budget import Budget, Budgeted, price_of, priced, shipped
from binder.lm.retry import Retry
from tests.scripted import Scripted
from tests.server import SAID, Server, tokens_of

REQUEST = Request((Message("user", "?"),), "gpt-6.1-terra")
REPLY = Reply((Choice("!"),), RequestUsage(1, 1000, 500))
TABLE = [{"town": f"town {i}"} for i in range(10)]
PROGRAM = 'SELECT QA("map@which town?"; town) AS said FROM w'


def send(layer: Budgeted, times: int) -> list[Reply | BaseException]:
    """So many requests at the same time."""

    async def all_of_them() -> list[Reply | BaseException]:
        return await asyncio.gather(
            *(layer.complete(REQUEST) for _ in range(times)), return_exceptions=True
        )

    return asyncio.run(all_of_them())


@pytest.mark.parametrize(("budget", "sent"), [(Budget(requests=3), 3), (Budget(), 5)])
def test_no_more_requests_than_allowed(budget: Budget, sent: int) -> None:
    lm = Scripted(lambda _: REPLY)
    outcomes = send(Budgeted(lm, budget, {}), 5)
    assert len(lm.requests) == sent
    assert sum(isinstance(outcome, BudgetExceeded) for outcome in outcomes) == 5 - sent


def test_a_request_that_fails_is_not_sent_again_past_the_budget() -> None:
    sent = []

    class Failing:
        async def complete(self, request: Request) -> Reply:
            sent.append(request)
            raise Unreachable("no")

        async def close(self) -> None:
            """Nothing is open."""

    layer = Budgeted(Retry(Failing(), first_wait=0.001), Budget(requests=3), {})
    for _ in range(2):
        (outcome,) = send(layer, 1)
        assert isinstance(outcome, BudgetExceeded)
    assert (len(sent), layer.spent.requests) == (3, 3)


def test_tokens_and_dollars_close_the_budget_once_they_are_spent() -> None:
    for budget in (Budget(tokens=1500), Budget(cost=0.001)):
        layer = Budgeted(Scripted(lambda _: REPLY), budget, {})
        first, second, third = (send(layer, 1)[0] for _ in range(3))
        assert (
            isinstance(first, Reply)
            and isinstance(second, BudgetExceeded)
            and isinstance(third, BudgetExceeded)
        )
        assert second.spent == pytest.approx(1500 if budget.tokens else 0.0035)


def test_failed_attempts_are_counted() -> None:
    def fail(_: Request) -> str:
        raise BadReply("empty", usage=RequestUsage(2, 10, 0))

    layer = Budgeted(Scripted(fail), Budget(requests=2), {})
    assert [type(send(layer, 1)[0]) for _ in range(2)] == [BadReply, BudgetExceeded]


def test_a_reply_tells_its_cost() -> None:
    assert priced(
        RequestUsage(1, 1_000_000, 100_000), "gpt-6.1-terra-2026-10-01", {}
    ).cost == pytest.approx(1.0 + 0.5)
    assert priced(
        RequestUsage(1, 1_000_000, 100_000), "openai/gpt-5.6-terra", {}
    ).cost == pytest.approx(2.0 + 1.2)
    assert priced(RequestUsage(1, 10, 10), "unknown", {}).cost is None
    assert price_of("vendor/mine", {"mine": (1.0, 2.0)}) == (1.0, 2.0)
    assert price_of("gpt-6.1-terra", {"gpt-6.1-terra": (9.0, 9.0)}) == (9.0, 9.0)
    assert all(prompt <= completion for prompt, completion in shipped().values())


def test_another_model_has_no_price_of_one_whose_name_it_begins_with() -> None:
    dated = ("gpt-4.1-2025-04-14", "gpt-4.1-20250414", "openai/gpt-4.1-2025-04-14")
    assert {price_of(name, {}) for name in dated} == {price_of("gpt-4.1", {})}
    assert price_of("gpt-4.1x", {}) is None
    assert price_of("gpt-4.1-large", {}) is None
    assert price_of("o3-pro", {}) is None


def test_a_run_that_needs_more_is_refused_before_the_first_request(server: Server) -> None:
    with binder.connect(
        TABLE, "m", server.url, cache=None, batch_rows=2, budget=Budget(requests=4)
    ) as db:
        with pytest.raises(BudgetExceeded, match="0 of 4 requests used, 5 more needed"):
            db.run(PROGRAM)
        assert server.requests == []
        assert len(db.run(PROGRAM + " LIMIT 8")) == 8


def test_a_stop_tells_what_is_known(server: Server) -> None:
    server.metered = True
    settings: dict[str, Any] = {"cache": None, "batch_rows": 2}
    with binder.connect(TABLE, "m", server.url, **settings) as db:
        db.run(PROGRAM)
    each = max(map(tokens_of, server.requests)) + SAID
    server.forget()
    for concurrency in (
        1,
        16,
    ):  # what is under way is waited for, is within the limit, and what it says is not lost
        budget = Budget(tokens=3 * each + 2 * SAID)
        with (
            binder.connect(
                TABLE, "m", server.url, concurrency=concurrency, budget=budget, **settings
            ) as db,
            pytest.raises(
                BudgetExceeded, match="budget exceeded: .* tokens used, .* more needed"
            ) as caught,
        ):
            db.run(PROGRAM)
        partial = caught.value.partial
        assert (len(server.requests), partial["wanted"], partial["answered"]) == (3, 10, 6)
        assert {(entry["input"][0], entry["value"]) for entry in partial["answers"]} == {
            (f"town {i}",) * 2 for i in range(6)
        }
        assert (
            db.stack.budget.spent.prompt_tokens + db.stack.budget.spent.completion_tokens
            <= 3 * each
        )
        server.forget()


def test_a_budget_of_cost_needs_a_price() -> None:
    with pytest.raises(UsageError, match="needs the price of 'mine'"):
        binder.connect(TABLE, "mine", "http://127.0.0.1:9/v1", budget=Budget(cost=1.0))
    with pytest.raises(UsageError, match="needs the price of 'own-vectors'"):
        binder.connect(
            TABLE,
            "gpt-6.1-terra",
            "http://127.0.0.1:9/v1",
            budget=Budget(cost=1.0),
            embeddings="own-vectors",
        )
