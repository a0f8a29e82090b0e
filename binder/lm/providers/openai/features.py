"""The optional features of a request: what endpoints call each of them when they refuse it, and the
request without it.

A refused feature is left out, one at a time, and what was refused is remembered. Refusals come in
any words and any shape, so the words are looked for in all that the endpoint says."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Set
from typing import Any, NamedTuple

Sent = Mapping[str, Any]


class Feature(NamedTuple):
    """One optional feature. words: what a refusal of it says; has: whether a request has it;
    without: the request without it; guess: whether it is left out where a refusal says nothing."""

    name: str
    words: re.Pattern[str]
    has: Callable[[Sent], bool]
    without: Callable[[Sent], dict[str, Any]]
    guess: bool = False


def _feature(name: str, words: str, guess: bool = False) -> Feature:
    """A parameter that can be left out."""
    return Feature(
        name,
        re.compile(words, re.IGNORECASE),
        lambda sent: name in sent,
        lambda sent: {key: value for key, value in sent.items() if key != name},
        guess,
    )


def _renamed(sent: Sent) -> dict[str, Any]:
    """max_tokens under the name that OpenAI gave it later."""
    left = {key: value for key, value in sent.items() if key != "max_tokens"}
    return {**left, "max_completion_tokens": sent["max_tokens"]}


def _has_system(sent: Sent) -> bool:
    return any(message["role"] == "system" for message in sent.get("messages", ()))


def _told_by_user(sent: Sent) -> dict[str, Any]:
    """The instructions as a message of the user."""
    messages = [
        {**one, "role": "user"} if one["role"] == "system" else one for one in sent["messages"]
    ]
    return {**sent, "messages": messages}


def _has_neighbours(sent: Sent) -> bool:
    roles = [message["role"] for message in sent.get("messages", ())]
    return any(one == other == "user" for one, other in zip(roles, roles[1:], strict=False))


def _alternating(sent: Sent) -> dict[str, Any]:
    """Neighbouring messages of the user as one."""
    messages: list[dict[str, Any]] = []
    for one in sent["messages"]:
        if messages and messages[-1]["role"] == one["role"] == "user":
            text = f"{messages[-1]['content']}\n\n{one['content']}"
            messages[-1] = {**one, "content": text}
        else:
            messages.append(one)
    return {**sent, "messages": messages}


def _unthinking(sent: Sent) -> dict[str, Any]:
    return {**sent, "enable_thinking": False}


# In the order in which they are left out where a refusal does not say which it means.
FEATURES = (
    _feature(
        "response_format",
        r"response_?\s?(?:format|schema)|json.?schema|structured.?output|additional.?properties"
        r"|grammar|json_validate|generate json|invalid format|json (?:mode|object|format)"
        r"|guided.?(?:json|decoding)|outlines|xgrammar",
        guess=True,
    ),
    _feature(
        "n",
        r"[`'\"]n[`'\"]|\bn (?:value|must|parameter|should|is|>|=|!=)|\bn\s?[=>]\s?\d|value of n\b"
        r"|(?:completion|generation)s? choices?|(?:multiple|number of) "
        r"(?:candidates|choices|completions|generations|samples)|candidate_?count|\bbest_of\b",
        guess=True,
    ),
    _feature("logprobs", r"log_?prob"),
    _feature(
        "reasoning_effort", r"reasoning[._ ]?effort|reasoning (?:is|are|not)|[`'\"]reasoning[`'\"]"
    ),
    _feature("seed", r"\bseed\b"),
    _feature("temperature", r"\btemperature\b|greedy|sampling param", guess=True),
    Feature(
        "max_tokens",
        re.compile(r"max_tokens\b|max_output_tokens", re.IGNORECASE),
        lambda sent: "max_tokens" in sent,
        _renamed,
    ),
    _feature("max_completion_tokens", r"max_completion_tokens|max_tokens|max_output_tokens"),
    Feature(
        "system",
        re.compile(
            r"system.{0,3} ?(?:role|message|prompt|instruction)|role.{0,12}system"
            r"|(?:developer|system).?instruction"
            r"|conversation roles|only user and (?:assistant|model) roles|unexpected role",
            re.IGNORECASE,
        ),
        _has_system,
        _told_by_user,
        guess=True,
    ),
    Feature(
        "neighbours",
        re.compile(r"alternat|consecutive|same role", re.IGNORECASE),
        _has_neighbours,
        _alternating,
    ),
    Feature(
        "thinking",
        re.compile(r"enable_thinking|thinking.{0,40}(?:non.?stream|false)", re.IGNORECASE),
        lambda sent: "enable_thinking" not in sent,
        _unthinking,
    ),
)
NAMES = {feature.name: feature for feature in FEATURES}

TOO_LONG = re.compile(
    r"context.?(?:length|window)|maximum context|too many tokens|(?:prompt|input) is too long",
    re.IGNORECASE,
)
FILTERED = re.compile(r"content_filter|content_policy|content management policy", re.IGNORECASE)
# Refusals that are about something else: nothing is gained by leaving a feature out.
_OTHERS = re.compile(
    rf"{FILTERED.pattern}|safety"
    r"|api.?key|authenti|unauthori|permission|forbidden|billing|credit|balance|quota|payment"
    r"|model[`'\" :\w./-]{0,80}(?:not (?:found|exist|available|supported)|does not exist|unknown)"
    r"|(?:unknown|invalid|no such|unsupported) model|tokenizer|embedding"
    r"|(?:parameter|argument|field|property|key):? [`'\"]",
    re.IGNORECASE,
)
# One reply failed, which says nothing of the next: the feature is left out of this request alone.
PASSING = re.compile(r"json_validate|failed to generate json", re.IGNORECASE)

# an endpoint that does not know a feature or a form of a request, or does not take this one
TURNED_DOWN = (400, 404, 405, 415, 422)
UNWELL = (500, 501, 502)  # one that fails over it


def without(sent: Sent, refused: Set[str]) -> dict[str, Any]:
    """A request without the features that are refused."""
    left = dict(sent)
    for feature in FEATURES:
        if feature.name in refused and feature.has(left):
            left = feature.without(left)
    return left


def features_of(sent: Sent) -> set[str]:
    """The names of the optional features that a request has."""
    return {feature.name for feature in FEATURES if feature.has(sent)}


def refused_feature(
    status: int, said: str, named: str, sent: Sent, taken: Set[str] = frozenset()
) -> Feature | None:
    """The feature for which an endpoint refused a request: the one that it names as a parameter,
    else the one that its words speak of; where it says nothing that can be understood, the next
    that the request could do without. taken: features that the endpoint has taken before."""
    if status not in (*TURNED_DOWN, *UNWELL) or TOO_LONG.search(said):
        return None
    present = [feature for feature in FEATURES if feature.has(sent)]
    parameter = NAMES.get(named.replace("reasoning.effort", "reasoning_effort"))
    if parameter in present and status in TURNED_DOWN:
        return parameter
    for feature in present:
        if feature.words.search(said):
            return feature
    if status not in (400, 422) or _OTHERS.search(said):
        return None
    untried = [one for one in present if one.guess and one.name not in taken]
    return untried[0] if untried else None
