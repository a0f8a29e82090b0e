"""Thoughts before a reply, in the marks of many models."""

from __future__ import annotations

import pytest

from binder.language.thoughts import is_unfinished, without_thoughts

MARKED = [
    "<think>a {draft}</think>reply",
    "<thinking>a</thinking>\nreply",
    "a draft without a beginning</think>\n\nreply",
    "[THINK]a[/THINK]reply",
    "<reasoning>a</reasoning> reply",
    "<thought>\na\n</thought>\nreply",
    "<seed:think>a</seed:think>reply",
    "<ns:thinking>a</ns:thinking>reply",
    "<reflection>a</reflection>reply",
    "◁think▷a◁/think▷reply",
    "<|begin_of_thought|>a<|end_of_thought|>reply",
    "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>reply",
    "<|channel|>analysis<|message|>a<|end|><|start|>assistant<|channel|>final<|message|>reply<|return|>",
    "<think>a</think><think>b</think>reply",
    "reply<|im_end|>",
]


@pytest.mark.parametrize("text", MARKED)
def test_thoughts_are_cut_off(text: str) -> None:
    assert without_thoughts(text) == "reply"


@pytest.mark.parametrize(
    "text", ["<think>a", "[THINK] a", "<reasoning>a", "◁think▷a", "<|channel|>analysis<|message|>a"]
)
def test_thoughts_without_an_end_are_told(text: str) -> None:
    assert is_unfinished(without_thoughts(text))


@pytest.mark.parametrize("text", ["I think a", '{"answers": {}}', "a < b", "<b>think</b>"])
def test_other_texts_stay(text: str) -> None:
    assert without_thoughts(text) == text and not is_unfinished(text)
