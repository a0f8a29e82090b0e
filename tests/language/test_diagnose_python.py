"""Python that is not in the language: the word that is named is the one that is marked."""

from __future__ import annotations

import pytest

from binder.errors import SyntaxFault
from binder.language import grammar

FAULTS = {  # a program -> what the message names, the text that is marked
    "from . import re\ndef solve(w):\n    return 1": (". cannot stand here", "."),
    "def solve(w):\n    return b'a'": ("' cannot stand here", "'a'"),
    "@f\ndef solve(w):\n    return 1": ("@ is not in the language", "@"),
    "def solve(w):\n    with w as x:\n        return 1": ("with is not in the language", "with"),
}


@pytest.mark.parametrize("text", FAULTS)
def test_the_word_at_fault_is_marked(text: str) -> None:
    message, marked = FAULTS[text]
    with pytest.raises(SyntaxFault) as caught:
        grammar.parse(text, "python")
    assert message in caught.value.message and caught.value.span is not None
    start, end = caught.value.span
    assert marked.startswith(text[start:end]) and start == text.index(marked)
