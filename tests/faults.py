"""An endpoint that fails: the names of faults, a share of requests and a seed come in; a function
that spoils replies goes out.

Whether and how a request fails follows from the seed, its body and how often it came before, so
that runs are comparable whatever the order of completion. The whole matrix: python -m tests.faults
--seeds 200"""

from __future__ import annotations

import email.utils
import hashlib
import json
import random
import time
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.server import Body, Canned, Said, Task, completion, error, task_of


@dataclass(frozen=True)
class Good:
    """A request and its right answers, to be spoilt; random decides the details."""

    task: Task
    answers: Any
    random: random.Random

    @property
    def keys(self) -> list[str]:
        """The keys of a map."""
        return list(self.answers) if isinstance(self.answers, dict) else []

    @property
    def text(self) -> str:
        """The right reply."""
        return say(self.answers)

    @property
    def body(self) -> bytes:
        """The right completion, as bytes."""
        return json.dumps(completion(self.text)).encode()

    def some(self) -> list[str]:
        """A part of the keys, at least one; none of an answer without keys."""
        if not self.keys:
            return []
        return self.random.sample(self.keys, self.random.randint(1, len(self.keys)))

    def each(self, change: Callable[[Any], Any]) -> str:
        """The reply with every answer changed."""
        if isinstance(self.answers, dict):
            return say({key: change(value) for key, value in self.answers.items()})
        return say([change(value) for value in self.answers])

    def a_few(self, change: Callable[[Any], Any]) -> str:
        """The reply with some answers of a map changed."""
        some = self.some()
        return (
            say({k: change(v) if k in some else v for k, v in self.answers.items()})
            if self.keys
            else self.each(change)
        )


Fault = Callable[[Good], Said]


def say(answers: Any) -> str:
    """Answers as a reply."""
    return json.dumps({"answers": answers}, ensure_ascii=False)


def refused(status: int, message: str = "no", **more: Any) -> Fault:
    """A reply with a status."""
    return lambda good: Canned(error(message, **more), status=status)


def raw(*bodies: bytes, **more: Any) -> Fault:
    """Bytes in the place of a completion."""
    return lambda good: Canned(good.random.choice(bodies), **more)


def choice(message: dict[str, Any], finish: str = "stop") -> dict[str, Any]:
    """A completion of one choice."""
    return completion() | {
        "choices": [
            {"index": 0, "finish_reason": finish, "message": {"role": "assistant"} | message}
        ]
    }


def rate_limit(good: Good) -> Said:
    """A limit that passes in a moment, told in one of three ways."""
    date = email.utils.formatdate(time.time() + 0.01, usegmt=True)
    header = good.random.choice(
        [{"retry-after-ms": "20"}, {"retry-after": "0.02"}, {"retry-after": date}, {}]
    )
    return Canned(error("slow down", code="rate_limit_exceeded"), status=429, headers=header)


def too_long(good: Good) -> Said:
    """Says that several rows are too many."""
    if len(good.keys) < 2:
        return None
    words = "This model's maximum context length is 8192 tokens"
    return Canned(
        error(words, code="context_length_exceeded"), status=good.random.choice([400, 413])
    )


def cut_text(finish: str) -> Fault:
    """A reply that ends too early."""

    def fault(good: Good) -> Said:
        return choice({"content": good.text[: good.random.randrange(len(good.text))]}, finish)

    return fault


def renamed(good: Good) -> Said:
    """Keys that were not sent."""
    form = good.random.choice(["row{}", "R{}", "{}", "s{}", "r{}.", "r 0{}"])
    return say(
        {form.format(key[1:]): value for key, value in good.answers.items()}
        if good.keys
        else {"r1": good.answers}
    )


def without(good: Good) -> Said:
    """Some keys are missing."""
    dropped = good.some()
    return say(
        {key: value for key, value in good.answers.items() if key not in dropped}
        if good.keys
        else {}
    )


def twice(good: Good, conflict: bool) -> str:
    """A key that stands twice in the reply."""
    if not good.keys:
        return f'{{"answers": {json.dumps([1] if conflict else good.answers)}, "answers": {json.dumps(good.answers)}}}'
    key = good.random.choice(good.keys)
    other = "something else" if conflict else good.answers[key]
    return (
        f'{{"answers": {{{json.dumps(key)}: {json.dumps(other)}, {json.dumps(good.answers)[1:]}}}'
    )


def reordered(good: Good) -> Said:
    """The keys in another order."""
    keys = good.random.sample(good.keys, len(good.keys))
    return say({key: good.answers[key] for key in keys} if good.keys else good.answers)


def extra(good: Good) -> Said:
    """Keys that nobody asked for."""
    return say(
        {"r0": "x", **good.answers, f"r{len(good.keys) + 1}": "y", "note": "z"}
        if good.keys
        else good.answers
    )


def example(good: Good) -> Said:
    """Prose that shows an example before the reply."""
    return f'The form is {{"answers": {{"r1": "e.g."}}}}. Sure, here it is:\n{good.text}\nAnything else?'


def thought(good: Good) -> Said:
    """Thoughts with a draft before the reply."""
    return f"<think>First try: {good.each(lambda value: 'draft')} no...</think>\n{good.text}"


def echo(good: Good) -> Said:
    """The task before the reply."""
    return f"{json.dumps(good.task)}\n{good.text}"


def echo_only(good: Good) -> Said:
    """The task in the place of the reply."""
    return json.dumps(good.task)


def unit(value: Any) -> Any:
    """A number with a unit."""
    return f"{value} km" if isinstance(value, int) and not isinstance(value, bool) else value


def noisy(value: Any) -> Any:
    """A yes or no written otherwise."""
    return f" {value.upper()}. " if value in ("yes", "no") else value


def foreign(value: Any) -> Any:
    """What cannot be a number, a truth value or an option."""
    return value if isinstance(value, str) and value not in ("yes", "no") else "je ne sais pas"


def called(**function: str) -> dict[str, Any]:
    """A message that calls a tool."""
    return {
        "content": None,
        "tool_calls": [{"id": "t", "type": "function", "function": {"name": "answers"} | function}],
    }


SAID = {"content": "I'm sorry, but I can't help with that."}

# The reply is right, or says the same in another way: the first request is enough.
HARMLESS: dict[str, Fault] = {
    "utf8_bom": lambda good: Canned(b"\xef\xbb\xbf" + good.body),
    "extra_bytes": lambda good: Canned(good.body + b"\r\ngarbage"),
    "no_usage": lambda good: completion(good.text, usage=None),
    "two_choices": lambda good: completion(good.text, say({})),
    "unknown_key": extra,
    "reordered": reordered,
    "dup_key": lambda good: twice(good, conflict=False),
    "prose": lambda good: f"Sure! Here you are: {good.text} Hope that helps :-}}",
    "example": example,
    "fence": lambda good: f"```json\n{good.text}\n```",
    "fence_prose": lambda good: f"Here you are:\n\n```\n{good.text}\n```\nAnything else?",
    "think_block": thought,
    "echo_prompt": echo,
    "nested": lambda good: json.dumps({"result": {"data": json.loads(good.text)}}),
    "single_quotes": lambda good: repr({"answers": good.answers}),
    "trailing_comma": lambda good: (
        good.text[:-2] + "," + good.text[-2:] if good.answers else good.text
    ),
    "case_noise": lambda good: good.each(noisy),
    "units": lambda good: good.each(unit),
    "tool_call": lambda good: choice(called(arguments=good.text)),
}
# The same request, or a part of it, is asked again.
PASSING: dict[str, Fault] = {
    "http_429": rate_limit,
    "http_500": refused(500),
    "http_502": lambda good: Canned("<html>Bad gateway</html>", status=502),
    "http_503": lambda good: Canned(b"", status=503, headers={"retry-after-ms": "10"}),
    "http_529": refused(529, "overloaded"),
    "http_408": refused(408),
    "http_409": refused(409),
    "http_400_context": too_long,
    "reset_before": lambda good: Canned(cut=-1),
    "close_before": lambda good: Canned(cut=0),
    "reset_mid_body": lambda good: Canned(good.body, cut=-1 - good.random.randrange(100, 200)),
    "short_body": lambda good: Canned(good.body, cut=good.random.randrange(100, 200)),
    "bad_chunk": raw(
        b"zz\r\nhello", headers={"transfer-encoding": "chunked", "content-length": ""}
    ),
    "truncated_json": lambda good: Canned(
        good.body[: good.random.randrange(1, len(good.body) - 1)]
    ),
    "sse_cut": raw(
        b'data: {"choices": [{"delta": {"content": "{"}}]}\n\n',
        headers={"content-type": "text/event-stream"},
    ),
    "hang": lambda good: Canned(wait=60.0),
    "slow_first_byte": lambda good: Canned(good.body, wait=60.0),
    "slow_drip": lambda good: Canned(good.body, drip=0.05),
    "empty_body": raw(b""),
    "not_json": raw(b"Internal error", b"[1]", b"nul"),
    "html_200": raw(b"<html>busy</html>", headers={"content-type": "text/html"}),
    "http_204": raw(b"", status=204),
    "error_200": lambda good: error("overloaded"),
    "bad_gzip": raw(b"\x1f\x8bnonsense", headers={"content-encoding": "gzip"}),
    "invalid_utf8": lambda good: Canned(good.body.replace(b"answers", b"answers\xff\xfe")),
    "huge_body": raw(b" " * 8_100_000),
    "huge_output": lambda good: "ha" * 210_000,
    "repeat_loop": lambda good: choice({"content": good.text[:-3] + ", and" * 20_000}, "length"),
    "deep_json": lambda good: '{"answers": ' * 5000 + "{}",
    "finish_length": cut_text("length"),
    "truncated_content": cut_text("stop"),
    "content_filter": lambda good: choice({"content": ""}, "content_filter"),
    "filter_400": refused(400, "The response was filtered", code="content_filter"),
    "refusal": lambda good: choice(SAID),
    "refusal_field": lambda good: choice({"content": None, "refusal": "I can't"}),
    "empty": lambda good: choice({"content": ""}),
    "blank": lambda good: choice({"content": " \n "}),
    "null_content": lambda good: choice({"content": None}),
    "no_choices": lambda good: completion(),
    "missing_key": without,
    "wrong_count": lambda good: say(list(good.answers.values())[:-1]) if good.keys else say({}),
    "renamed_keys": renamed,
    "dup_conflict": lambda good: twice(good, conflict=True),
    "echo_only": echo_only,
    "empty_tool_call": lambda good: choice(called()),
    "not_the_answer": lambda good: '{"thoughts": "none"}',
}
# The run stops with the exception of this name.
FATAL: dict[str, tuple[Fault, str]] = {
    "http_429_quota": (
        refused(429, "You exceeded your current quota", code="insufficient_quota"),
        "RateLimited",
    ),
    "http_429_long": (
        lambda good: Canned(error("slow down"), status=429, headers={"retry-after": "3600"}),
        "RateLimited",
    ),
    "http_400": (refused(400, "Unknown parameter: 'messages[0].name'"), "Refused"),
    "http_401": (refused(401), "Refused"),
    "http_403": (refused(403), "Refused"),
    "http_404": (refused(404), "Refused"),
    "redirect_loop": (
        lambda good: Canned(b"", status=307, headers={"location": "http://localhost:1/v1"}),
        "Refused",
    ),
}
# Answers that are none: the value is right, or NULL with an entry in errors.
EMPTY: dict[str, Fault] = {
    "null_items": lambda good: good.a_few(lambda value: None),
    "nan": lambda good: good.a_few(lambda value: None).replace("null", "NaN"),
    "wrong_type": lambda good: good.a_few(lambda value: [value, "and more"]),
    "wrong_language": lambda good: good.a_few(foreign),
}
SPOILING = HARMLESS | PASSING
ALL = SPOILING | EMPTY | {name: fault for name, (fault, _) in FATAL.items()}


@dataclass
class Spoil:
    """Spoils the replies of a server: a share of them, or those to tasks that hold certain inputs.
    Goes into Server.reply."""

    answer: Callable[[Task], Any]
    names: Sequence[str]
    share: float = 1.0
    seed: int = 0
    only: Callable[[Task], bool] = lambda task: True
    injected: Counter[str] = field(default_factory=Counter)
    seen: Counter[bytes] = field(default_factory=Counter)

    def __call__(self, body: Body) -> Said:
        task = task_of(body)
        if task is None or not self.only(task):
            return None
        digest = hashlib.sha256(json.dumps(body, sort_keys=True).encode()).digest()
        self.seen[digest] += 1
        chance = random.Random(
            f"{self.seed} {','.join(self.names)} {digest.hex()} {self.seen[digest]}"
        )
        if chance.random() >= self.share:
            return None
        name = chance.choice(self.names)
        self.injected[name] += 1
        return ALL[name](Good(task, self.answer(task), chance))


if __name__ == "__main__":
    from tests.matrix import main

    main()
