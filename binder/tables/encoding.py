"""The text of bytes: their encoding is what the user says, what a mark says, or UTF-8.

Another encoding is not guessed, for a wrong guess is silent: the error shows how the first such
line reads in those that are common, and the user picks one."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from typing import NamedTuple

from binder.errors import DataError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
_COMMON = ("cp1252", "cp1250", "cp1251", "cp1253", "cp1254", "shift_jis", "gb18030", "big5")
_SHOWN = 4  # readings of a line in an error


class Decoded(NamedTuple):
    """The text of a file, what had to be replaced in it, and whether its bytes are UTF-8."""

    text: str
    notes: Sequence[str] = ()
    is_utf8: bool = False


def decode(data: bytes, path: str, encoding: str | None = None) -> Decoded:
    """The text of a file."""
    if encoding is not None:
        return Decoded(_decoded(data, path, encoding))
    for mark, name in _MARKS:
        if data.startswith(mark):
            return Decoded(_decoded(data, path, name))
    if (wide := _wide(data)) is not None:
        return Decoded(_decoded(data, path, wide))
    try:
        return Decoded(data.decode("utf-8"), is_utf8=True)
    except UnicodeDecodeError as error:
        text = data.decode("utf-8", "replace")
        bad = text.count("\ufffd")
        good = sum(map(text.count, {c for c in text if not c.isascii()})) - bad
        if good < 10 * bad:
            raise _unknown(data, path, error) from error
        line = data.count(b"\n", 0, error.start) + 1
        told = f"{bad:,} bytes are not UTF-8, first in line {line}; each reads as \ufffd"
        return Decoded(text, [told])


def _decoded(data: bytes, path: str, encoding: str) -> str:
    """The text in an encoding that was named."""
    try:
        return data.decode(encoding).removeprefix("\ufeff")
    except LookupError as error:
        raise DataError(
            f"there is no encoding {encoding!r}", path=path, hint="cp1252 and utf-16 are two"
        ) from error
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise DataError(
            f"{path} is not {encoding}: byte {error.start} (line {line}) is"
            f" 0x{data[error.start]:02x}",
            path=path,
            row=line,
            hint="name the encoding that it has, or write it as UTF-8",
        ) from error


def _wide(data: bytes) -> str | None:
    """UTF-16 without a mark, where every other byte of a Latin text is zero."""
    some = data[:4096]
    half = len(some) // 2
    if half < 2 or b"\0" not in some:
        return None
    if some[1::2].count(0) > 0.6 * half and not some[::2].count(0):
        return "utf-16-le"
    if some[::2].count(0) > 0.6 * half and not some[1::2].count(0):
        return "utf-16-be"
    return None


def _unknown(data: bytes, path: str, error: UnicodeDecodeError) -> DataError:
    """Says where a text is not UTF-8, and how that place reads in common encodings."""
    start = max(data.rfind(b"\n", 0, error.start) + 1, error.start - 20)
    end = data.find(b"\n", error.start)
    piece = data[start : min(end if end >= 0 else len(data), error.start + 20)].strip(b"\r")
    shown: dict[str, str] = {}
    for name in _COMMON:
        try:
            shown.setdefault(piece.decode(name), name)
        except UnicodeDecodeError:
            continue
    readings = [f"encoding={name!r} reads {text!r}" for text, name in shown.items()]
    line = data.count(b"\n", 0, error.start) + 1
    return DataError(
        f"{path} is not UTF-8: byte {error.start} (line {line}) is 0x{data[error.start]:02x}",
        path=path,
        row=line,
        hint="; ".join(readings[:_SHOWN]) or "write it as UTF-8",
    )
