"""Whole questions against a scripted endpoint that writes wrong programs, prose and split votes;
answers and stories come out."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

import binder
from binder.candidates.answer import Answer
from binder.candidates.sampling import Sampling
from binder.candidates.vote import Voting
from binder.errors import BudgetExceeded, InternalError, QueryError, SyntaxFault, UsageError
from binder.lm.budget import Budget
from binder.plan import Plan
from tests.server import SAID, Body, Said, Server, completion, tokens_of

ROWS = [
    {"city": "Lyon", "country": "France", "wins": 3, "note": "by a goal"},
    {"city": "Rome", "country": "Italy", "wins": 5, "note": "by two goals"},
    {"city": "Pisa", "country": "Italy", "wins": 1, "note": "on penalties"},
]
RIGHT = "SELECT city FROM w WHERE wins = 5"
SAME = "SELECT city FROM w ORDER BY wins DESC LIMIT 1"
OTHER = "SELECT city FROM w WHERE wins = 3"
CALL = "SELECT city FROM w WHERE QA(\"map@is it by two?\"; note) = 'yes'"
BROKEN = "SELECT city FROM w WHERE (wins = 5"
UNKNOWN = "SELECT town_of_the_victor FROM w"
REFUSED = "SELECT list_transform(city, 1) FROM w"
ONE = "SELECT city FROM w WHERE wins < 4 AND QA(\"map@is it a goal?\"; note) = 'yes'"
EMPTY = "SELECT city FROM w WHERE wins = 7"


def ask(
    server: Server,
    programs: Sequence[str],
    repair: Callable[[str], Said] | None = None,
    direct: Said = None,
    **settings: Any,
) -> Answer:
    """Asks a question of an endpoint that writes these programs and says this to what is sent
    back."""
    asked = {"samples": len(programs), "language": "auto" if "sampling" in settings else "sql"} | {
        name: settings.pop(name) for name in ("samples", "language") if name in settings
    }

    def reply(body: Body) -> Said:
        last = body["messages"][-1]["content"]
        if last.startswith("{"):
            return direct if "who won most?" in last else None
        if last.startswith("This cannot be used"):
            assert repair is not None, last
            return repair(last)
        return completion(*programs[: body.get("n", 1)])

    server.reply = reply
    server.answer = lambda task: {
        key: "yes" if "two" in row[0] else "no" for key, row in task["rows"].items()
    }
    with binder.connect(
        settings.pop("rows", ROWS), model="m", base_url=server.url, cache=None, **settings
    ) as db:
        return db.ask("who won most?", **asked)


def story(answer: Answer) -> list[str]:
    return [event.kind for event in answer.trace]


def test_a_fault_of_binder_costs_one_program_its_vote_and_no_more(server: Server) -> None:
    def rule(plan: Plan) -> Plan:
        return plan if plan.checked.program.text != OTHER else plan.nothing  # type: ignore[attr-defined]

    answer = ask(server, [OTHER, RIGHT, SAME], rules=(rule,))
    assert answer.values == ["Rome"]
    error = answer.candidates[0].error
    assert isinstance(error, InternalError) and isinstance(error.__cause__, AttributeError)
    (rejected,) = answer.trace.of("rejected")
    assert rejected.data["program"] == OTHER


def test_what_is_decided_pays_for_nothing_more(server: Server) -> None:
    answer = ask(server, [RIGHT, SAME, RIGHT, CALL, BROKEN])
    assert answer.values == ["Rome"] and answer.usage.requests == 1 and answer.usage.questions == 0
    assert [candidate.skipped for candidate in answer.candidates] == [False, False, True, False]
    assert (
        answer.confidence == 3 / 4
    )  # of the votes cast: the broken program is one, the one that was not executed is none
    (skipped,) = answer.trace.of("skipped")
    assert skipped.data["programs"] == [CALL]


def test_programs_with_calls_are_executed_where_they_can_change_the_vote(server: Server) -> None:
    answer = ask(server, [RIGHT, OTHER, CALL, CALL])
    assert answer.values == ["Rome"] and answer.confidence == 3 / 4 and answer.usage.questions == 3


def test_a_program_that_is_not_in_the_language_is_sent_back_with_the_place_marked(
    server: Server,
) -> None:
    sent = []

    def repair(said: str) -> str:
        sent.append(said)
        return f"```sql\n{RIGHT}\n```"

    answer = ask(server, [BROKEN], repair)
    assert (
        answer.values == ["Rome"] and answer.program == RIGHT and answer.candidates[0].repaired == 1
    )
    assert "SyntaxFault" in sent[0] and "^" in sent[0] and BROKEN in sent[0]
    assert story(answer) == [
        "started",
        "retrieved",
        "asked",
        "sampled",
        "rejected",
        "asked",
        "repaired",
        "executed",
        "voted",
    ]
    conversation = server.requests[1]["messages"]
    assert [message["role"] for message in conversation[-3:]] == ["user", "assistant", "user"]
    assert (
        conversation[-2]["content"] == BROKEN
        and conversation[:-2] == server.requests[0]["messages"]
    )
    assert "repaired once" in answer.candidates[0].fate


def test_a_program_out_of_the_language_is_held_to_the_grammar_of_the_table(server: Server) -> None:
    ask(server, [BROKEN, UNKNOWN], lambda said: RIGHT if BROKEN in said else SAME)
    first, *repairs = server.requests
    assert "structured_outputs" not in first
    by_fault = {"SyntaxFault" in body["messages"][-1]["content"]: body for body in repairs}
    assert (
        '"`country`"' in by_fault[True]["structured_outputs"]["grammar"]
        and "structured_outputs" not in by_fault[False]
    )


@pytest.mark.parametrize(
    ("constrain", "held"), [("always", [True, True]), ("never", [False, False])]
)
def test_when_a_program_is_held_to_the_grammar_is_a_setting(
    server: Server, constrain: Any, held: list[bool]
) -> None:
    ask(server, [BROKEN], lambda said: RIGHT, sampling=Sampling(("sql",), constrain=constrain))
    assert ["structured_outputs" in body for body in server.requests] == held


@pytest.mark.parametrize(
    ("program", "named"),
    [
        (UNKNOWN, "town_of_the_victor"),
        (REFUSED, "list_transform"),
        (EMPTY, "what it yields is empty"),
        ("I cannot.", "SyntaxFault"),
    ],
)
def test_what_goes_wrong_later_is_sent_back_too(server: Server, program: str, named: str) -> None:
    sent = []
    answer = ask(server, [program], lambda said: sent.append(said) or RIGHT)  # type: ignore[func-returns-value]
    assert answer.values == ["Rome"] and len(sent) == 1 and named in sent[0]


def test_a_repair_that_leads_nowhere_is_not_paid_again(server: Server) -> None:
    for repair in (UNKNOWN, "SELECT  town_of_the_victor  FROM w", ""):
        server.forget()
        answer = ask(server, [UNKNOWN], lambda said, repair=repair: repair)  # type: ignore[misc]
        assert (
            answer.values == []
            and answer.confidence == 0
            and answer.candidates[0].error is not None
        )
        assert len(server.requests) - (3 if not repair else 0) <= 2


def test_repairs_have_a_budget_of_rounds_and_of_requests(server: Server) -> None:
    programs = [f"SELECT nosuch{i} FROM w" for i in range(6)]
    numbers = iter(range(100))
    answer = ask(server, programs, lambda said: f"SELECT gone{next(numbers)} FROM w")
    assert len(server.requests) == 1 + 4 and answer.values == []
    server.forget()
    ask(server, programs[:1], lambda said: f"SELECT gone{next(numbers)} FROM w")
    assert len(server.requests) == 1 + 2


def test_an_empty_result_is_sent_back_once(server: Server) -> None:
    answer = ask(server, [EMPTY], lambda said: "SELECT city FROM w WHERE wins = 8")
    assert len(server.requests) == 2 and answer.values == [] and str(answer) == "no answer"


def test_a_repair_that_another_sample_wrote_adds_its_vote(server: Server) -> None:
    answer = ask(server, [RIGHT, BROKEN, OTHER], lambda said: RIGHT)
    assert [(candidate.program, candidate.votes) for candidate in answer.candidates] == [
        (RIGHT, 2),
        (OTHER, 1),
    ]


def test_the_budget_ends_the_story_not_the_answer(server: Server) -> None:
    answer = ask(server, [RIGHT, OTHER, CALL], budget=Budget(requests=1))
    assert answer.values == ["Rome"] and answer.confidence == 1 / 3
    assert isinstance(answer.candidates[2].error, BudgetExceeded) and "stopped" in story(answer)
    with pytest.raises(BudgetExceeded):
        ask(server, [CALL], budget=Budget(requests=1))


def limited(server: Server, programs: Sequence[str], tokens: int | None, **settings: Any) -> Answer:
    """The answer to a question whose tokens are limited, or the stop; only the last replies may
    pass the limit."""
    server.forget()
    server.metered = True
    try:
        return ask(server, programs, budget=Budget(tokens=tokens), **settings)
    finally:
        assert tokens is None or used(server) <= tokens + server.most_active * SAID


def used(server: Server) -> int:
    return sum(tokens_of(body) + SAID for body in server.requests)


def test_a_budget_of_tokens_that_does_not_last_for_the_prompt_sends_nothing(server: Server) -> None:
    with pytest.raises(
        BudgetExceeded, match="0 of 500 tokens used, 2,[0-9]+ more needed"
    ) as caught:
        limited(server, [RIGHT], 500)
    assert server.requests == [] and caught.value.partial["usage"]["requests"] == 0


def test_what_was_drawn_before_the_tokens_were_used_up_is_the_answer(server: Server) -> None:
    settings = {
        "samples": 4,
        "sampling": Sampling(("sql", "direct")),
        "direct": '{"answers": ["Pisa"]}',
    }
    whole = limited(server, [RIGHT, OTHER], None, **settings)
    assert whole.values == ["Pisa"]  # two votes of four
    both = used(server)
    answer = limited(server, [RIGHT, OTHER], both - 2 * SAID - 1, **settings)
    assert len(server.requests) == 1 and answer.values in (["Rome"], ["Pisa"])
    assert answer.usage.prompt_tokens + answer.usage.completion_tokens == used(server)
    assert [event.data["fault"] for event in answer.trace.of("failed")] == ["BudgetExceeded"]
    (stopped,) = answer.trace.of("stopped")
    (warning,) = answer.trace.warnings
    assert "budget exceeded" in stopped.data["message"] and stopped.data["message"] in warning


def test_what_was_repaired_before_the_tokens_were_used_up_is_the_answer(server: Server) -> None:
    repairs = {UNKNOWN: RIGHT, BROKEN: SAME}

    def repair(said: str) -> str:
        return next(after for before, after in repairs.items() if before in said)

    limited(server, [UNKNOWN, BROKEN], None, repair=repair)
    everything, sampled = used(server), tokens_of(server.requests[0]) + SAID
    answer = limited(server, [UNKNOWN, BROKEN], everything - 2 * SAID - 1, repair=repair)
    assert len(server.requests) == 2 and answer.values == ["Rome"] and answer.confidence == 1 / 2
    assert sorted(candidate.error is None for candidate in answer.candidates) == [False, True]
    assert list(answer.trace.of("stopped"))
    with pytest.raises(BudgetExceeded):  # nothing that was drawn says anything
        limited(server, [UNKNOWN, BROKEN], sampled + 100, repair=repair)
    assert len(server.requests) == 1


def test_a_candidate_whose_questions_are_not_all_answered_says_nothing(server: Server) -> None:
    programs = [RIGHT, OTHER, CALL, ONE]
    settings = {"batch_rows": 1, "concurrency": 1, "sampling": Sampling(("sql",), repairs=0)}
    limited(server, programs, None, **settings)
    everything = used(server)
    last = tokens_of(server.requests[-1]) + SAID
    answer = limited(server, programs, everything - SAID - 1, **settings)
    assert [type(candidate.error) for candidate in answer.candidates].count(BudgetExceeded) == 1
    assert answer.values == ["Rome"]
    with pytest.raises(BudgetExceeded) as caught:
        limited(server, [CALL], everything - 3 * last - 1, **settings)
    assert 0 < caught.value.partial["answered"] < caught.value.partial["wanted"]


def test_a_direct_answer_reads_the_whole_table(server: Server) -> None:
    answer = ask(server, [], direct='{"answers": ["Rome"]}', language="direct", samples=2)
    assert (answer.values, answer.program, answer.language, answer.confidence) == (
        ["Rome"],
        None,
        "direct",
        1.0,
    )
    assert answer.result is not None and answer.result.why(0) == {}
    (task,) = server.tasks
    assert task["task"] == "ans" and len(task["rows"]) == 3 and server.requests[0]["n"] == 2


def test_kinds_share_the_samples_and_the_vote(server: Server) -> None:
    answer = ask(
        server,
        [RIGHT, OTHER],
        direct='{"answers": ["rome"]}',
        samples=4,
        sampling=Sampling(mix=("sql", "direct")),
    )
    assert [(c.language, c.votes, c.values) for c in answer.candidates] == [
        ("sql", 1, ["Rome"]),
        ("sql", 1, ["Lyon"]),
        ("direct", 2, ["rome"]),
    ]
    assert (answer.values, answer.confidence, answer.language) == (["Rome"], 0.75, "sql")


def test_what_one_kind_cannot_say_the_others_do(server: Server) -> None:
    for direct in ("I see no answer.", '{"answers": []}', 413):
        answer = ask(
            server,
            [RIGHT],
            direct=direct,
            samples=2,
            sampling=Sampling(mix=("sql", "direct"), repairs=0),
        )
        assert answer.values == ["Rome"], direct


def test_a_table_that_does_not_fit_has_no_direct_answer(server: Server) -> None:
    answer = ask(
        server,
        [RIGHT, SAME],
        samples=2,
        sampling=Sampling(mix=("sql", "direct"), prompt_tokens=2_000),
        rows=ROWS * 150,
    )
    assert [candidate.language for candidate in answer.candidates] == ["sql", "sql"]
    with pytest.raises(binder.BinderError, match="cannot be answered directly"):
        ask(
            server,
            [],
            language="direct",
            samples=1,
            sampling=Sampling(prompt_tokens=2_000),
            rows=ROWS * 150,
        )


def test_weights_decide_when_it_is_decided(server: Server) -> None:
    settings = {
        "samples": 3,
        "sampling": Sampling(mix=("sql", "direct", "sql")),
        "voting": Voting({"direct": 5}),
    }
    answer = ask(server, [RIGHT, SAME], direct='{"answers": ["Pisa"]}', **settings)
    assert (
        answer.values == ["Pisa"]
        and answer.language == "direct"
        and "directly from the table" in answer.summary
    )


def test_a_solved_question_is_kept_and_shown_for_the_next(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "solved.txt"
    ask(server, [RIGHT], memory=path).accept()
    again = ask(server, [RIGHT], memory=path)
    assert RIGHT in [message["content"] for message in server.requests[-1]["messages"]]
    again.correct("def solve(w):\n    return max(w, key=lambda row: row['wins'])['city']")
    assert "who won most?" in path.read_text() and "def solve" in path.read_text()
    with pytest.raises(binder.BinderError, match="town"):
        again.correct("SELECT town FROM w")
    direct = ask(
        server, [], direct='{"answers": ["Rome"]}', language="direct", samples=1, memory=path
    )
    with pytest.raises(UsageError, match="directly from the table"):
        direct.accept()


def test_what_reads_reasons_first_where_that_is_set(server: Server) -> None:
    said = '{"steps": "Rome has 5.", "answers": ["Rome"]}'
    for reasoning, keys in ((None, ["steps", "answers"]), ({"ans": False}, ["answers"])):
        assert ask(
            server, [], direct=said, language="direct", samples=1, reasoning=reasoning
        ).values == ["Rome"]
        body = server.requests[-1]
        assert list(body["response_format"]["json_schema"]["schema"]["properties"]) == keys
        assert ('"steps"' in body["messages"][0]["content"]) == ("steps" in keys)


def test_errors_of_the_engine_are_kept_with_their_candidate(server: Server) -> None:
    answer = ask(server, [REFUSED, RIGHT, RIGHT], sampling=Sampling(("sql",), repairs=0))
    assert isinstance(
        answer.candidates[0].error, QueryError | SyntaxFault | binder.BinderError
    ) and answer.values == ["Rome"]


def test_sql_python_and_direct_answers_vote_together(server: Server) -> None:
    python = (
        "```python\ndef solve(w):\n    return [row['city'] for row in w if row['wins'] == 5]\n```"
    )

    def reply(body: Body) -> Said:
        if body["messages"][-1]["content"].startswith("{"):
            return '{"steps": "Lyon has 3.", "answers": ["Lyon"]}'
        return (
            python if "def solve" in body["messages"][0]["content"] else completion(RIGHT, python)
        )

    server.reply = reply
    with binder.connect(ROWS, model="m", base_url=server.url, cache=None) as db:
        answer = db.ask("who won most?", samples=4)
    assert [(c.language, c.votes, c.values) for c in answer.candidates] == [
        ("sql", 1, ["Rome"]),
        ("python", 2, ["Rome"]),  # one of them was written where SQL was asked for
        ("direct", 1, ["Lyon"]),
    ]
    assert (answer.values, answer.confidence, answer.language) == (["Rome"], 0.75, "sql")


def test_calls_of_sql_and_python_are_asked_once_and_a_split_vote_is_told(server: Server) -> None:
    said = "[city for city, said in zip([row['city'] for row in w], qa_map(w, 'is it by two?', ['note'])) if said == 'yes']"
    python = f"def solve(w):\n    return {said}"
    direct = iter(
        ['{"steps": "3 is least.", "answers": ["Lyon"]}', '{"steps": "?", "answers": ["Pisa"]}']
    )

    def reply(body: Body) -> Said:
        last = body["messages"][-1]["content"]
        if last.startswith("{"):
            return completion(next(direct), next(direct)) if "who won most?" in last else None
        return python if "def solve" in body["messages"][0]["content"] else CALL

    server.reply = reply
    server.answer = lambda task: {
        key: "yes" if "two" in row[0] else "no" for key, row in task["rows"].items()
    }
    with binder.connect(ROWS, model="m", base_url=server.url, cache=None) as db:
        answer = db.ask("who won most?", samples=5)
    assert sorted((c.language, c.votes, c.values) for c in answer.candidates) == [
        ("direct", 1, ["Lyon"]),
        ("direct", 1, ["Pisa"]),
        ("python", 1, ["Rome"]),
        ("sql", 2, ["Rome"]),
    ]
    assert (answer.values, answer.language, answer.confidence) == (["Rome"], "sql", 3 / 5)
    assert answer.usage.questions == 3 and [
        len(task["rows"]) for task in server.tasks if task["task"] == "map"
    ] == [3]
    (voted,) = answer.trace.of("voted")
    assert [weight for _, weight in voted.data["votes"]] == [3, 1, 1] and voted.data["cast"] == 5
