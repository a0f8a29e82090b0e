"""An estimate of the tokens of a text. Tokenisers differ from model to model and are large; this
needs none, and leans to the side of too many."""

from __future__ import annotations

import re

LETTERS = 6  # of a word to a token
DIGITS = 3

_PIECES = re.compile(r"([A-Za-z]+)|(\d+)|(\s+)|([^\W\d_]|[\x80-\U0010ffff])|(?:[^\w\s]|_){1,2}")


def estimate(text: str) -> int:
    """About how many tokens a text has: a word is one for each six letters, digits go by threes,
    signs by twos."""
    total = 0
    for piece in _PIECES.finditer(text):
        match piece.lastindex:
            case 1:
                total += -(-(piece.end() - piece.start()) // LETTERS)
            case 2:
                total += -(-(piece.end() - piece.start()) // DIGITS)
            case 3:
                total += piece.group() != " "  # a space belongs to the word after it
            case _:
                total += 1
    return total
