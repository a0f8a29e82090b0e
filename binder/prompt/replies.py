"""The answers in the text of a reply: by key for a map, as a list for an ans, each then cast to its
type.

The reader is tolerant of how a reply is written, not of what it says: what is not certain is left
out or a NoValue, so that it is asked again."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal, TypeAlias

from binder.errors import BadReply
from binder.language.thoughts import is_unfinished, without_thoughts
from binder.prompt.units import CallUnit
from binder.tables.cells import read_boolean
from binder.tables.codec import dump
from binder.tables.dates import read_date
from binder.tables.numbers import read_number

JSON: TypeAlias = "None | bool | int | float | str | list[JSON] | dict[str, JSON]"
Value: TypeAlias = bool | int | float | str | date | datetime

DEEPEST = 32  # containers within containers
LONGEST = 400_000  # characters of a reply that is not plain JSON

_FENCE = re.compile(r"\A```\w*\s*\n(.*)\n\s*```\Z", re.DOTALL)
_BLANK = re.compile(r"\s*")
_NUMBER = re.compile(r"-?(?:0|[1-9]\d{0,399})(\.\d+)?([eE][-+]?\d{1,5})?(?![\w.])")
_WORD = re.compile(r"-?[A-Za-z_]\w*")
_STRINGS = {
    quote: re.compile(rf"{quote}([^{quote}\\]*(?:\\.[^{quote}\\]*)*){quote}", re.DOTALL)
    for quote in "\"'"
}
_ESCAPE = re.compile(r"\\.|\"", re.DOTALL)
_WORDS: dict[str, JSON] = {"true": True, "false": False} | dict.fromkeys(
    ("null", "none", "nan", "infinity", "-infinity")
)
# A task that the reply repeats: its rows have the keys of the answers.
_TASK = {"task", "rows", "columns"}
_TRUTHS = {"y": True, "n": False, "1": True, "0": False, "t": True, "f": False}


def _truth(text: str) -> bool | None:
    """True or False, also in the one letter or figure that is sure where nothing else is asked
    for."""
    found = read_boolean(text)
    return _TRUTHS.get(text.strip().removesuffix(".").casefold()) if found is None else found


_READ: dict[str, Callable[[str], Value | None]] = {
    "boolean": _truth,
    "number": read_number,
    "date": read_date,
}
_ANSWER = ("answer", "value", "result")  # what models call an answer in an object of its own
_MARKS = frozenset({"n/a", "n.a.", "#n/a", "not available", "not applicable", "no answer"})
_UNSURE: Any = object()  # stands for the value of a key that an object holds twice, differently


@dataclass(frozen=True, slots=True)
class NoValue:
    """Why there is no value: no_answer for null, bad_type for what cannot be cast. text is what the
    reply said."""

    kind: Literal["no_answer", "bad_type"]
    text: str = ""


def read_answers(text: str, keys: Collection[str]) -> dict[str, JSON]:
    """The answers to these keys: of the last JSON object in the text that holds all of them, else
    of the last that holds some."""
    wanted = frozenset(keys)
    best: dict[str, JSON] = {}
    for value in _values(text):
        for found in _keyed(value, wanted):
            if len(found) == len(wanted) or len(best) < len(wanted):
                best = found
    if not best and len(wanted) == 1:
        return _only(text, *wanted)
    return best


def _only(text: str, key: str) -> dict[str, JSON]:
    """The answer to a single input, in a reply without its key: of several answers none is
    sure."""
    try:
        answers = read_list(text)
    except BadReply:
        return {}
    return {key: answers[0]} if len(answers) == 1 else {}


def read_list(text: str) -> list[JSON]:
    """The list of answers: of the last JSON object in the text that has one, or the whole text.
    BadReply where there is none."""
    values = _values(text)
    if len(values) == 1 and isinstance(values[0], list):
        return values[0]
    lists = [found for value in values for found in _lists(value)]
    if not lists:
        raise BadReply(f"the reply contains no list of answers: {ascii(text[:200])[1:-1]}")
    return lists[-1]


def read_value(
    value: JSON,
    type: str = "auto",
    options: Sequence[str] | None = None,
    spellings: Sequence[str] | None = None,
    unit: CallUnit | None = None,
) -> Value | NoValue:
    """One answer as a value of its type: one of the options where there are any, written as the
    spelling where it is one; a number with a unit in the unit of its call."""
    value = _single(value)
    listed = [*(options or ()), *(spellings or ())]
    if value is None or value == "" or (_is_mark(value) and value not in listed):
        return NoValue("no_answer")
    if isinstance(value, list | dict):
        return NoValue("bad_type", f"{len(value)} values")
    if isinstance(value, float) and not math.isfinite(value):
        return NoValue("bad_type", str(value))
    read = _read(value, type, options, unit)
    if read is None:
        return NoValue("bad_type", str(value)[:200])
    if spellings and isinstance(read, str):
        return _spelt(read, spellings) or read
    return read


def _read(
    value: Value, type: str, options: Sequence[str] | None, unit: CallUnit | None
) -> Value | None:
    """A single value as one of its type; None where it is none."""
    if unit is not None and type == "number" and isinstance(value, str):
        return unit.number(value)
    return _spelt(value, options) if options and type != "boolean" else _cast(value, type)


def _is_mark(value: JSON) -> bool:
    """Whether a text says that there is no answer, and can mean nothing else."""
    return isinstance(value, str) and value.casefold() in _MARKS


def _single(value: JSON) -> JSON:
    """A value outside of lists of one, a text without blanks around it."""
    while True:
        if isinstance(value, list) and len(value) == 1:
            value = value[0]
        elif isinstance(value, dict) and len(named := [n for n in _ANSWER if n in value]) == 1:
            value = value[named[0]]
        else:
            break
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace").strip()
    return value


def _cast(value: Any, type: str) -> Value | None:
    """A single value as one of a type: a text is read, anything else is true, false or a number
    already; None where it is not."""
    if type in ("auto", "text"):
        return _text(value) if type == "text" else value
    if isinstance(value, str):
        return _READ[type](value)
    if type == "boolean" and value in (0, 1):
        return bool(value)
    return value if type == ("boolean" if isinstance(value, bool) else "number") else None


def _text(value: Value) -> str:
    """A text; other values as JSON writes them."""
    return value if isinstance(value, str) else dump(value)


def _spelt(value: Value, choices: Sequence[str]) -> str | None:
    """The one of the choices that a value is, but for case, blanks and a final full stop; true is
    yes where that is a choice."""
    spoken = {_fold(choice): choice for choice in reversed(choices)}
    names = [_text(value)]
    if set(spoken) == {"yes", "no"}:
        truth = _cast(value, "boolean")
        names += [] if truth is None else ["yes" if truth else "no"]
    elif isinstance(value, bool):
        names.append("yes" if value else "no")
    elif isinstance(value, float) and value.is_integer():
        names.append(str(int(value)))
    if names[0] in choices:
        return names[0]
    for name in names:
        if _fold(name) in spoken:
            return spoken[_fold(name)]
    return None


def _fold(text: str) -> str:
    """A text without what does not tell choices apart."""
    return " ".join(text.split()).removesuffix(".").rstrip().casefold()


def _keyed(value: Any, keys: frozenset[str], depth: int = 0) -> Iterator[dict[str, JSON]]:
    """The objects inside a value that hold answers by key, in order."""
    if depth > DEEPEST:
        return
    if isinstance(value, dict):
        if "answers" in value:
            yield from _keyed(value["answers"], keys, depth + 1)
        elif held := {key: answer for key, answer in value.items() if key in keys}:
            yield {key: answer for key, answer in held.items() if answer is not _UNSURE}
        elif not _TASK & value.keys():
            value = list(value.values())
    if isinstance(value, list):
        if pairs := _pairs(value, keys):
            yield pairs
            return
        for item in value:
            yield from _keyed(item, keys, depth + 1)


def _pairs(items: list[Any], keys: frozenset[str]) -> dict[str, JSON]:
    """The answers of a list of objects, each with a key and its answer; nothing where an item is
    another thing, or a key comes twice."""
    found: dict[str, JSON] = {}
    for item in items:
        if not isinstance(item, dict):
            return {}
        held = [name for name, value in item.items() if isinstance(value, str) and value in keys]
        named = [name for name in _ANSWER if name in item]
        if len(held) != 1 or len(named) != 1 or held == named or item[held[0]] in found:
            return {}
        found[item[held[0]]] = item[named[0]]
    return found


def _lists(value: Any, depth: int = 0) -> Iterator[list[JSON]]:
    """The lists of answers inside a value, in order; a single answer is a list of one."""
    if isinstance(value, dict) and depth <= DEEPEST:
        if "answers" in value:
            answers = value["answers"]
            if answers is not _UNSURE and not isinstance(answers, dict):
                yield answers if isinstance(answers, list) else [answers]
        elif not _TASK & value.keys():
            for item in value.values():
                yield from _lists(item, depth + 1)


def _values(text: str) -> list[Any]:
    """The JSON values in a text: the whole of it, or else the objects that stand in it, in
    order."""
    text = text.lstrip("\ufeff").strip()
    bare = without_thoughts(text)
    fenced = _FENCE.match(bare)
    for whole in dict.fromkeys((text, bare, fenced[1] if fenced else bare)):
        try:
            return [
                json.loads(
                    whole, strict=False, object_pairs_hook=_object, parse_constant=lambda _: None
                )
            ]
        except (ValueError, RecursionError):
            continue
    if is_unfinished(bare) or len(bare) > LONGEST:  # cut off before the answer, or run wild
        return []
    return list(_scan(bare))


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; a key held twice keeps its value only where both are the same."""
    held: dict[str, Any] = {}
    for key, value in pairs:
        held[key] = value if key not in held or repr(held[key]) == repr(value) else _UNSURE
    return held


def _scan(text: str) -> Iterator[dict[str, Any]]:
    """The objects that stand in a text."""
    at = text.find("{")
    while at >= 0:
        reader = _Reader(text, at)
        try:
            yield reader.object(1)
            at = text.find("{", reader.at)
        except ValueError:
            at = text.find("{", at + 1)
        except RecursionError:  # deeper than any answer
            return


class _Reader:
    """Reads one JSON object, repairing what is safe to repair: quotes, trailing commas, Python's
    words, an end that was cut off.

    Of a cut object the members before the cut are kept; a list is whole or not there. ValueError
    says that this is no object, RecursionError that it is too deep."""

    def __init__(self, text: str, at: int):
        self.text = text
        self.at = at
        self.cut = False

    def object(self, depth: int) -> dict[str, Any]:
        """An object, from its brace."""
        pairs: list[tuple[str, Any]] = []
        try:
            more = self.opens("}")
            while more:
                key = self.string() if self.peek() in _STRINGS else self.match(_WORD)
                self.take(":")
                value = self.value(depth)
                # Other values end for certain only where something follows.
                whole = isinstance(value, dict | list)
                if whole:
                    pairs.append((key, value))
                more = not self.cut and self.continues("}")
                if not whole:
                    pairs.append((key, value))
        except EOFError:
            self.cut = True
        return _object(pairs)

    def array(self, depth: int) -> list[Any]:
        """A list, from its bracket."""
        items = []
        more = self.opens("]")
        while more:
            items.append(self.value(depth))
            if self.cut:
                raise EOFError
            more = self.continues("]")
        return items

    def value(self, depth: int) -> Any:
        """Any value inside a container of this depth."""
        mark = self.peek()
        if mark in "{[":
            if depth >= DEEPEST:
                raise RecursionError
            return self.object(depth + 1) if mark == "{" else self.array(depth + 1)
        if mark in _STRINGS:
            return self.string()
        if found := _NUMBER.match(self.text, self.at):
            self.at = found.end()
            return float(found[0]) if found[1] or found[2] else int(found[0])
        word = self.match(_WORD).casefold()
        if word not in _WORDS:
            raise ValueError("no such word")
        return _WORDS[word]

    def string(self) -> str:
        """A string in either kind of quotes."""
        found = _STRINGS[self.text[self.at]].match(self.text, self.at)
        if found is None:
            raise EOFError
        self.at = found.end()
        escaped = _ESCAPE.sub(lambda mark: {'"': '\\"', "\\'": "'"}.get(mark[0], mark[0]), found[1])
        return str(json.loads(f'"{escaped}"', strict=False))

    def opens(self, end: str) -> bool:
        """Steps into a container; whether anything is in it."""
        self.at += 1
        return not self.takes(end)

    def continues(self, end: str) -> bool:
        """Steps behind a member of a container; whether another one follows."""
        if self.takes(end):
            return False
        self.take(",")
        return not self.takes(end)

    def takes(self, mark: str) -> bool:
        """Steps over a mark if it is next."""
        if self.peek() != mark:
            return False
        self.at += 1
        return True

    def take(self, mark: str) -> None:
        """Steps over a mark that has to be next."""
        if not self.takes(mark):
            raise ValueError(f"no {mark}")

    def match(self, pattern: re.Pattern[str]) -> str:
        """Steps over what has to be next."""
        found = pattern.match(self.text, self.at)
        if found is None:
            raise ValueError("neither value nor key")
        self.at = found.end()
        return found[0]

    def peek(self) -> str:
        """The next character behind blanks."""
        found = _BLANK.match(self.text, self.at)
        self.at = found.end() if found else self.at
        if self.at == len(self.text):
            raise EOFError
        return self.text[self.at]
