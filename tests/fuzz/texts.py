"""A source of chance comes in; a text that is nearly a program of a language goes out.

The texts are drawn from the grammar, or are real programs with tokens deleted, doubled, swapped and
spliced, with noise, with deep nesting, grown to 10 kB, or bytes without sense. Real programs are
those of the fixtures and the solved questions, and those of programs_2026 where BINDER_DATA names
the folder of real data."""

from __future__ import annotations

import functools
import json
import os
import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import lark

from binder.language import grammar
from tests.cases import FIXTURES, records

LONG = 10_000  # bytes
NOISE = "\0\x07\x1b‮​ßİﬁ𝔘٣½\ud800 \t\n\"'`[](){};,.:=<>*-+/\\%$#@?~^&|"
HEADERS = ("Rank", "Cyclist", "Team", "h / a", "span width,\nleaning", "#", "Date", "order")


@dataclass(frozen=True, eq=False)
class Language:
    """What texts of a language are made of. samples: terminal -> texts; nests: what opens, stands
    inside and closes; frames: what stands around a long text."""

    name: str
    samples: dict[str, tuple[str, ...]]
    nests: tuple[tuple[str, str, str], ...]
    frames: tuple[tuple[str, str], ...]


SQL = Language(
    "sql",
    {
        "NAME": (*"abcwvxé", "Rank", "cyclist", "row_id", "SUM", "count", "upper", "date", "order", "day", "call_0"),
        "NUMBER": ("0", "1", "2.5", ".5", "1e9", "1_000", "99999999999999999999", "1e400"),
        "STRING": ("''", "'x'", "'it''s'", "'2008-01-01'", "'%Y'", "'a''; DROP TABLE w'"),
        "ESCAPED_STRING": ("e'x'", r"E'\n\'\x41\U0010FFFF'"),
        "DQ_NAME": ('"a"', '"h / a"', '"no such"', '""'),
        "BACKTICK_NAME": ("`a`", "`h / a`", "`#`", "`x``y`"),
        "BRACKET_NAME": ("[a]", "[1, 2]", "[h / a]"),
        "QUESTION": ('"map@upper?"', "'ans@q'", '"q"', '"map@"', "'@'"),
        "COMPARISON": ("=", "<", ">=", "<>", "=="),
        "OPERATOR": ("||", "->", "->>", "/", "//", "%", "**", "&"),
        "PARAMETER": ("$a", ":a", "?", "$1"),
    },
    (
        ("(", "1", ")"), ("(SELECT ", "1", ")"), ("UPPER(", "a", ")"), ("CASE WHEN ", "a", " THEN 1 END"), ("NOT ", "a", ""),
        ("-", "1", ""), ("QA('map@q';", "a", ")"), ("{'a':", "1", "}"), ("a[", "1", "]"), ("(((", "a", ")"), ("(a,", "a", "))"),
        ("a IN (SELECT a FROM w WHERE ", "a", ")"), ("EXISTS (SELECT ", "1", ")"), ("LIST_FILTER(a, LAMBDA x: ", "x", ")"),
    ),
    (("", ""), ("SELECT ", ""), ("SELECT ", " FROM w"), ("SELECT a FROM w WHERE ", ""), ("SELECT a,", " FROM w")),
)  # fmt: skip
PYTHON = Language(
    "python",
    {
        "NAME": tuple(("a b r row table len sorted sum str min int re " * 5 + "solve qa_map é call_0 _map").split()),
        "NUMBER": ("0", "1", "2.5", ".5", "1e9", "1_000", "007", "0x1F", "1e400", "9" * 400),
        "STRING": ('"Rank"', '"h / a"', "'x'", "''", "'''a\nb'''", r"r'\d+'", r"'\x41\N{DASH}'", "'Rnak'"),
        "FSTRING": ("f'{a}'", "f'{r[\"Rank\"]!r:>{b}}'", "f'{{}}'", "f'{'", "rf'{a:%Y}'"),
        "COMPARISON": ("<", "<=", "==", "!="),
        "OPERATOR": ("//", "%", "<<", "|", "&", "^"),
        "AUGMENTED": ("+=", "//=", "**="),
    },
    (
        ("(", "1", ")"), ("[", "1", "]"), ("{1: ", "1", "}"), ("len(", "table", ")"), ("not ", "1", ""), ("-", "1", ""),
        ("1 + ", "1", ""), ("lambda: ", "1", ""), ("1 if 1 else ", "1", ""), ("[r for r in ", "table", "]"), ("table", "", "[0]"),
        ("''", "", ".strip()"), ("qa_map(", "table", ", 'q?', ['Rank'])"), ("f'{", "1", "}'"), ("(r := ", "1", ")"),
        ("(((", "1", ")"), ("1 < ", "1", ""),
    ),
    (("", ""), ("def solve(table):\n    return [", "]"), ("def solve(table):\n    ", ""), ("def solve(table):\n  return ", "")),
)  # fmt: skip
LANGUAGES = (SQL, PYTHON)


@functools.cache
def seeds(language: Language) -> tuple[str, ...]:
    """Real programs in a language."""
    found = [program for name, program in _seeds() if name == language.name]
    return tuple(program for program in found if 0 < len(program) < 1_000)


def _seeds() -> Iterator[tuple[str, str]]:
    for path in sorted(FIXTURES.glob("*/*.txt")):
        name = "python" if path.parent.name == "python" else "sql"
        for block in path.read_text(encoding="utf-8").split("=== "):
            yield name, block.partition("\n")[2].split("\n--- ")[0].strip()
    for path in sorted(FIXTURES.glob("*/*.tsv")):
        name = "python" if path.parent.name == "python" else "sql"
        for record in records(f"{path.parent.name}/{path.name}"):
            body = record.cells.get("program", "").replace("\\n", "\n")
            whole = name == "sql" or "def solve" in body
            yield name, body if whole else "def solve(table):\n    " + body.replace("\n", "\n    ")
    solved = resources.files("binder").joinpath("data/exemplars.txt").read_text(encoding="utf-8")
    for name, block in re.findall(r"^(sql|python):\n((?:  .*\n)+)", solved, re.MULTILINE):
        yield name, re.sub(r"^  ", "", block, flags=re.MULTILINE).strip()
    if folder := os.environ.get("BINDER_DATA"):
        for line in (
            (Path(folder) / "programs_2026" / "programs_dev.jsonl")
            .read_text(encoding="utf-8")
            .splitlines()
        ):
            yield from (
                (key.removesuffix("2"), text)
                for key, text in json.loads(line).items()
                if key != "id"
            )


@functools.cache
def rules(language: Language) -> tuple[dict[str, list[list[Any]]], dict[str, int], dict[str, str]]:
    """The rules of the grammar: how each name is spelt out, the least depth of each, and the
    terminals that are one text."""
    watch = (grammar._Layout if language is PYTHON else grammar._Watch)(
        grammar.RESERVED[language.name]
    )
    parser: Any = lark.Lark(grammar._source(language.name), parser="lalr", postlex=watch)
    spelt: dict[str, list[list[Any]]] = defaultdict(list)
    for rule in parser.rules:
        spelt[rule.origin.name].append(list(rule.expansion))
    least = dict.fromkeys(spelt, 10**6)
    for _ in range(60):
        for name, options in spelt.items():
            least[name] = min(
                1 + max((_least(least, part) for part in option), default=0) for option in options
            )
    fixed = {t.name: t.pattern.value for t in parser.terminals if t.pattern.type == "str"}
    return spelt, least, fixed


def _least(least: dict[str, int], part: Any) -> int:
    return 0 if part.is_term else least[part.name]


def derived(draw: random.Random, language: Language, depth: int = 24) -> str:
    """A text that the grammar derives; of Python, most often the body of solve."""
    spelt, least, fixed = rules(language)
    out: list[str] = []
    stack: list[tuple[Any, int]] = [(part, depth) for part in reversed(draw.choice(spelt["start"]))]
    indent = ""
    if language is PYTHON and draw.random() < 0.7:
        indent = "    "
        out.append("import re\ndef solve(table):\n    a, b, *r = row = table\n    ")
        stack = [(part, depth) for part in reversed(draw.choice(spelt["statement"]))]
    while stack:
        part, left = stack.pop()
        if part.name == "NEWLINE":
            out.append("\n" + indent)
        elif part.name in ("INDENT", "DEDENT"):  # the line has begun already
            indent = indent[:-4] if part.name == "DEDENT" else indent + "    "
            out.append("\n" + indent)
        elif part.is_term:
            out.append(fixed.get(part.name) or draw.choice(language.samples[part.name]))
        else:
            options = spelt[part.name]
            if left <= least[part.name] or len(out) > 40:
                options = [
                    min(
                        options,
                        key=lambda option: max((_least(least, p) for p in option), default=0),
                    )
                ]
            stack += [(p, left - 1) for p in reversed(draw.choice(options))]
    return re.sub(
        r"\n +(?=\n)| (?=\n)|(?<=\n) (?=\S)", "", re.sub(r"(\n *) ", r"\1", " ".join(out))
    )


def mutated(draw: random.Random, language: Language) -> str:
    """A real program with some tokens deleted, doubled, swapped, or taken from another one."""
    parts = _pieces(_fitted(draw, language))
    for _ in range(draw.choice((1, 1, 1, 2, 3, 8))):
        place, other = draw.randrange(len(parts) + 1), draw.randrange(len(parts) + 1)
        kind = draw.randrange(5)
        if kind == 0:
            del parts[place : place + draw.choice((1, 1, 3))]
        elif kind == 1:
            parts[place:place] = parts[place : place + draw.choice((1, 3, 9))]
        elif kind == 2 and max(place, other) < len(parts):
            parts[place], parts[other] = parts[other], parts[place]
        elif kind == 3:
            donor = _pieces(draw.choice(seeds(language)))
            start = draw.randrange(len(donor) + 1)
            parts[place:place] = donor[start : start + draw.choice((1, 4, 12))]
        else:
            words = tuple(
                word.lower() if language is PYTHON else word
                for word in grammar.RESERVED[language.name]
            )
            parts[place:place] = [draw.choice(words + tuple(NOISE))]
    return "".join(parts)


def _fitted(draw: random.Random, language: Language) -> str:
    """A real program, often with headers of the tables in place of its own."""
    program = draw.choice(seeds(language))
    if draw.random() < 0.4:
        return program
    if language is PYTHON:
        return re.sub(r"""\[(["'])[^"'\n]+\1\]""", lambda _: f"[{draw.choice(HEADERS)!r}]", program)
    return re.sub(r"`[^`\n]+`", lambda _: f"`{draw.choice(HEADERS)}`", program)


def _pieces(text: str) -> list[str]:
    return re.findall(r"\s+|\w+|[^\w\s]", text)


def noisy(draw: random.Random, language: Language) -> str:
    """A real program with characters that do not belong."""
    text = list(draw.choice(seeds(language)))
    for _ in range(draw.choice((1, 2, 5, 20))):
        place = draw.randrange(len(text) + 1)
        text[place : place + draw.randrange(3)] = (
            draw.choice(NOISE) if draw.random() < 0.6 else chr(draw.randrange(0x2FFF))
        )
    return "".join(text)


def nested(draw: random.Random, language: Language) -> str:
    """Something inside itself, balanced or not."""
    opening, middle, closing = draw.choice(language.nests)
    depth = draw.choice((2, 5, 20, 60, 64, 70, 300, 2000))
    times = depth if draw.random() < 0.8 else draw.randrange(depth + 1)
    inside = opening * depth + middle + closing * times
    if language is SQL:
        return "SELECT " + inside + draw.choice(("", " FROM w", " FROM w WHERE a = 1"))
    if draw.random() < 0.2:
        word = draw.choice(("if table", "for r in table", "while 0", "def f(a)", "try"))
        return (
            "def solve(table):\n"
            + "".join(f"{' ' * level} {word}:\n" for level in range(times))
            + " " * times
            + " pass"
        )
    return "def solve(table):\n    return " + inside


def long(draw: random.Random, language: Language) -> str:
    """A text of about 10 kB: one piece or line again and again, or many programs in a row."""
    before, after = draw.choice(language.frames)
    program = draw.choice(seeds(language))
    way = draw.random()
    if way < 0.2:
        line = "\n" + draw.choice(program.split("\n"))
        return program + line * (LONG // len(line))
    if way < 0.6:
        parts = [part.strip() for part in _pieces(program) if part.strip()]
        start = draw.randrange(len(parts))
        piece = draw.choice(("", " ")).join(
            parts[start : start + draw.choice((1, 2, 3, 5, 9))]
        ) + draw.choice(("", " ", ","))
        return before + piece * (LONG // len(piece)) + after
    text = ""
    while len(text) < LONG:
        text += draw.choice((" ", ",", " UNION ", "\n", ";")) + draw.choice((mutated, derived))(
            draw, language
        )
    return text[: LONG + draw.randrange(50)]


def senseless(draw: random.Random, _: Language) -> str:
    """Bytes."""
    return draw.randbytes(draw.choice((1, 10, 100, 1000))).decode(
        draw.choice(("latin-1", "utf-8", "utf-16")), "replace"
    )


KINDS: tuple[tuple[Callable[[random.Random, Language], str], int], ...] = (
    (derived, 250), (mutated, 500), (noisy, 170), (nested, 40), (senseless, 38), (long, 2),
)  # fmt: skip


def drawn(draw: random.Random, language: Language) -> tuple[str, str]:
    """The name of a kind of text, and one text."""
    kinds, weights = zip(*KINDS, strict=True)
    (kind,) = draw.choices(kinds, weights)
    return kind.__name__, kind(draw, language)
