"""Encodings: what a mark or the user says, UTF-8, and an error that shows the choices."""

import pytest

from binder.errors import DataError
from binder.tables.encoding import decode


@pytest.mark.parametrize(
    "encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"]
)
def test_unicode_is_found(encoding: str) -> None:
    assert decode("name,é\nx,1\n".encode(encoding), "t.csv").text == "name,é\nx,1\n"


def test_a_named_encoding_holds() -> None:
    assert decode(b"caf\xe9", "t.csv", "cp1252") == ("café", (), False)
    with pytest.raises(DataError, match="there is no encoding 'latin-99'"):
        decode(b"x", "t.csv", "latin-99")
    with pytest.raises(DataError, match="is not ascii: byte 0"):
        decode(b"\xe9", "t.csv", "ascii")


def test_another_encoding_is_shown_and_not_guessed() -> None:
    with pytest.raises(DataError, match=r"not UTF-8: byte 5 \(line 2\) is 0xe9") as caught:
        decode(b"a\ncaf\xe9\n", "t.csv")
    assert caught.value.hint is not None
    assert caught.value.hint.startswith("encoding='cp1252' reads 'café'; encoding='cp1251' reads")


def test_a_few_broken_bytes_are_replaced_and_told() -> None:
    text, notes, _ = decode(("é" * 100 + "\n").encode() + b"x\xff", "t.csv")
    assert text.endswith("x\ufffd")
    assert notes == ["1 bytes are not UTF-8, first in line 2; each reads as \ufffd"]
