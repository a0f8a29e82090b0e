"""Cells that read like orders to a language model, found so that a person can be told.

Nothing is changed or left out because of it: what keeps answers apart is the form of requests, JSON
with a key for each input."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

_ORDERS = re.compile(
    r"""
      \b(?:ignore|disregard|forget|override|bypass)\s+
          (?:(?:all|any|every|of|the|your|my|these|those|other)\s+)*
          (?:(?:previous|prior|above|earlier|preceding|foregoing|existing|original)\s+)?
          (?:(?:of|the|your|system)\s+)*
          (?:instructions?|prompts?|directions|guidelines|system\s+message)\b
    | <\|\s*(?:im_start|im_end|im_sep|system|user|assistant|endoftext|eot_id|start_header_id)\s*\|>
    | \[/?INST\] | <</?SYS>> | </?(?:system|assistant|developer)>
    | (?:^|\n)\s*(?:\#+\s*)?(?:system|assistant|developer)\s*
          (?:prompt|message|instructions?)?\s*:\s*\S
    | "answers"\s*:\s*[\[{] | "task"\s*:\s*"(?:map|ans)"
    | \byou\s+are\s+(?:now\s+)?(?:an?\s+)?(?:AI|language\s+model|chat\s?bot|assistant|chatgpt|gpt)\b
    | \b(?:reveal|print|show|repeat|leak)\s+(?:\w+\s+){0,3}
          (?:system\s+prompt|api\s+key|your\s+instructions)\b
    | \b(?:answer|reply|respond|return|output)\s+(?:(?:with|only)\s+)*["']?\w+["']?\s+
          (?:for|to|in)\s+(?:all|every|each)\s+
          (?:other\s+)?(?:rows?|questions?|inputs?|items?|keys?|cells?)\b
    """,
    re.IGNORECASE | re.VERBOSE,
)
_READ = 10_000  # characters of a text that are looked at


def orders(values: Iterable[Any]) -> list[str]:
    """The texts among values that read like orders to a language model: an attempt to steer it, or
    a cell about such attempts."""
    return [value for value in values if isinstance(value, str) and _ORDERS.search(value, 0, _READ)]
