"""A seed and a count come in; so many texts that are nearly programs go through parse and check, and what is wrong goes out.

Wrong is an exception that is not one of the project's own; a parse that takes longer than 50 ms per 10 kB (50 ms are
everybody's), free repairs and the search for the cause of an error included; a check of what the grammar let through that takes
longer than 0.1 ms a token (50 ms are everybody's). It is the processor's time that counts, the least of four. The texts are
drawn from the grammar, or are real programs with tokens deleted, doubled, swapped and spliced, with noise, with deep nesting,
grown to 10 kB, or bytes without sense.

    python -m tests.fuzz --count 100000 --seed 1
"""

from __future__ import annotations

import argparse
import functools
import random
import re
import sys
import time
import traceback
from collections import Counter, defaultdict
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import lark

from binder import grammar
from binder.check import check
from binder.check.repair import parsed
from binder.errors import BinderError
from binder.table import Table, tidy
from binder.tokens import tokens

FIXTURES = Path(__file__).parent / "fixtures"
LIMIT, PER = 0.050, 10_000  # seconds of parse for so many bytes
TOKEN = 0.000_1  # seconds of check for a token of a text that the grammar has let through
TABLES: tuple[tuple[Table, ...], ...] = (
    (
        tidy(
            ["Rank", "Cyclist", "Team", "h / a", "span width,\nleaning", "#", "Date", "order"],
            [["1", "Alejandro Valverde (ESP)", "Caisse d'Epargne", "home", "1,200 m", "3", "May 5, 2008", "a"],
             ["2", "Alexandr Kolobnev (RUS)", "CSC", "away", "", "4", "2009-01-02", "b"]],
            "w", "2008 Clásica de San Sebastián",
        ),
    ),
    (tidy(["a", "b"], [["1", "x"], ["2", "y"]], "w"), tidy(["b", "c", "row_id"], [["x", "1", "2"]], "v")),
)  # fmt: skip
SAMPLES = {
    "NAME": (
        "a",
        "b",
        "c",
        "Rank",
        "cyclist",
        "w",
        "v",
        "x",
        "row_id",
        "SUM",
        "count",
        "upper",
        "date",
        "order",
        "day",
        "é",
        "call_0",
    ),
    "NUMBER": ("0", "1", "2.5", ".5", "1e9", "1_000", "99999999999999999999", "1e400"),
    "STRING": ("''", "'x'", "'it''s'", "'2008-01-01'", "'%Y'", "'a''; DROP TABLE w'"),
    "ESCAPED_STRING": ("e'x'", r"E'\n\'\x41\U0010FFFF'"),
    "DQ_NAME": ('"a"', '"h / a"', '"no such"', '""'),
    "BACKTICK_NAME": ("`a`", "`h / a`", "`#`", "`x``y`"),
    "BRACKET_NAME": ("[a]", "[1, 2]", "[h / a]"),
    "QUESTION": ('"map@upper?"', "'ans@q'", '"q"', '"map@"', "'@'"),
    "COMPARISON": ("=", "<", ">=", "<>", "=="),
    "OPERATOR": ("||", "->", "->>", "/", "//", "%", "**", "&"),
}
NOISE = "\0\x07\x1b‮​ßİﬁ𝔘٣½\ud800 \t\n\"'`[](){};,.:=<>*-+/\\%$#@?~^&|"


class Slow(NamedTuple):
    """A text that took too long, and how many times as long as it may."""

    excess: float
    text: str


def attempt(text: str, tables: tuple[Table, ...]) -> tuple[str, float, float]:
    """What became of a text (checked, or the name of the fault), and the seconds that parse and check took."""
    start = middle = time.thread_time()
    try:
        program = parsed(text, tables)
        middle = time.thread_time()
        check(program, tables)
    except BinderError as error:
        str(error)
        end = time.thread_time()
        parse = (end if middle == start else middle) - start
        return type(error).__name__, parse, end - start - parse
    return "checked", middle - start, time.thread_time() - middle


def timed(text: str, tables: tuple[Table, ...]) -> tuple[str, float]:
    """What became of a text, and by what factor it was too slow, if above 1; the least of four, since machines are busy."""
    found, parse, checked = attempt(text, tables)
    for _ in range(3):
        if excess(text, parse, checked) <= 1:
            break
        _, again, once_more = attempt(text, tables)
        parse, checked = min(parse, again), min(checked, once_more)
    return found, excess(text, parse, checked)


def excess(text: str, parse: float, checked: float) -> float:
    """The share of what a text may take that it took, of parse or of check, whichever is more."""
    size = len(text.encode("utf-8", "replace"))
    return max(parse / (LIMIT * max(1.0, size / PER)), checked / (LIMIT + TOKEN * len(tokens(text))) if checked > LIMIT else 0.0)


# ---- texts


@functools.cache
def seeds() -> tuple[str, ...]:
    """Real programs: those of the fixtures."""
    found: list[str] = []
    for path in sorted(FIXTURES.glob("*/*.txt")):
        text = path.read_text(encoding="utf-8")
        if path.parent.name == "safety":
            found += [
                line.partition(" => ")[0].replace("\\n", "\n") for line in text.splitlines() if line[:1] not in ("", "#", "=")
            ]
        else:
            found += [block.partition("\n")[2].split("\n--- ")[0].strip() for block in text.split("=== ") if "\n" in block]
    return tuple(program for program in found if 0 < len(program) < 1_000)


@functools.cache
def rules() -> tuple[dict[str, list[list[Any]]], dict[str, int], dict[str, str]]:
    """The rules of the grammar: how each name is spelt out, the least depth of each, and the terminals that are one text."""
    parser = lark.Lark(grammar.text("sql"), parser="lalr", postlex=grammar._Watch(grammar.RESERVED["sql"]))
    spelt: dict[str, list[list[Any]]] = defaultdict(list)
    for rule in parser.rules:
        spelt[rule.origin.name].append(list(rule.expansion))
    least = dict.fromkeys(spelt, 10**6)
    for _ in range(60):
        for name, options in spelt.items():
            least[name] = min(1 + max((_least(least, part) for part in option), default=0) for option in options)
    fixed = {t.name: t.pattern.value for t in parser.terminals if t.pattern.type == "str"}
    return spelt, least, fixed


def _least(least: dict[str, int], part: Any) -> int:
    return 0 if part.is_term else least[part.name]


def derived(draw: random.Random, depth: int = 24) -> str:
    """A text that the grammar derives."""
    spelt, least, fixed = rules()
    out: list[str] = []
    stack: list[tuple[Any, int]] = [(part, depth) for part in reversed(draw.choice(spelt["start"]))]
    while stack:
        part, left = stack.pop()
        if part.is_term:
            out.append(fixed.get(part.name) or draw.choice(SAMPLES[part.name]))
            continue
        options = spelt[part.name]
        if left <= least[part.name] or len(out) > 40:
            options = [min(options, key=lambda option: max((_least(least, p) for p in option), default=0))]
        stack += [(p, left - 1) for p in reversed(draw.choice(options))]
    return " ".join(out)


def mutated(draw: random.Random) -> str:
    """A real program with some tokens deleted, doubled, swapped, or taken from another one."""
    parts = _pieces(draw.choice(seeds()))
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
            donor = _pieces(draw.choice(seeds()))
            start = draw.randrange(len(donor) + 1)
            parts[place:place] = donor[start : start + draw.choice((1, 4, 12))]
        else:
            parts[place:place] = [draw.choice(tuple(grammar.RESERVED["sql"]) + tuple(NOISE))]
    return "".join(parts)


def _pieces(text: str) -> list[str]:
    return re.findall(r"\s+|\w+|[^\w\s]", text)


def noisy(draw: random.Random) -> str:
    """A real program with characters that do not belong."""
    text = list(draw.choice(seeds()))
    for _ in range(draw.choice((1, 2, 5, 20))):
        place = draw.randrange(len(text) + 1)
        text[place : place + draw.randrange(3)] = draw.choice(NOISE) if draw.random() < 0.6 else chr(draw.randrange(0x2FFF))
    return "".join(text)


def nested(draw: random.Random) -> str:
    """Something inside itself, balanced or not."""
    opening, middle, closing = draw.choice((
        ("(", "1", ")"), ("(SELECT ", "1", ")"), ("UPPER(", "a", ")"), ("CASE WHEN ", "a", " THEN 1 END"), ("NOT ", "a", ""),
        ("-", "1", ""), ("QA('map@q';", "a", ")"), ("{'a':", "1", "}"), ("a[", "1", "]"), ("(((", "a", ")"), ("(a,", "a", "))"),
        ("a IN (SELECT a FROM w WHERE ", "a", ")"), ("EXISTS (SELECT ", "1", ")"), ("LIST_FILTER(a, LAMBDA x: ", "x", ")"),
    ))  # fmt: skip
    depth = draw.choice((2, 5, 20, 60, 64, 70, 300, 2000))
    times = depth if draw.random() < 0.8 else draw.randrange(depth + 1)
    return "SELECT " + opening * depth + middle + closing * times + draw.choice(("", " FROM w", " FROM w WHERE a = 1"))


def long(draw: random.Random) -> str:
    """A text of about 10 kB: one piece again and again, or many programs in a row."""
    if draw.random() < 0.5:
        parts = [part.strip() for part in _pieces(draw.choice(seeds())) if part.strip()]
        start = draw.randrange(len(parts))
        piece = draw.choice(("", " ")).join(parts[start : start + draw.choice((1, 2, 3, 5, 9))]) + draw.choice(("", " ", ","))
        return (
            draw.choice(("", "SELECT ", "SELECT a FROM w WHERE ", "SELECT a,"))
            + piece * (PER // len(piece))
            + draw.choice(("", " FROM w"))
        )
    text = ""
    while len(text) < PER:
        text += draw.choice((" ", ",", " UNION ", "\n", ";")) + draw.choice((mutated, derived))(draw)
    return text[: PER + draw.randrange(50)]


def senseless(draw: random.Random) -> str:
    """Bytes."""
    return draw.randbytes(draw.choice((1, 10, 100, 1000))).decode(draw.choice(("latin-1", "utf-8", "utf-16")), "replace")


KINDS: tuple[tuple[Callable[[random.Random], str], int], ...] = (
    (derived, 250), (mutated, 500), (noisy, 170), (nested, 40), (senseless, 38), (long, 2),
)  # fmt: skip


def drawn(draw: random.Random) -> str:
    """One text."""
    kinds, weights = zip(*KINDS, strict=True)
    text: str = draw.choices(kinds, weights)[0](draw)
    return text


def fuzz(count: int, seed: int, shown: Callable[[str], None] = print) -> tuple[Counter[str], dict[str, str], list[Slow]]:
    """How often what became of the texts; a text for each place where something broke; the texts that took too long."""
    fates: Counter[str] = Counter()
    broken: dict[str, str] = {}
    slow: list[Slow] = []
    for number in range(count):
        draw = random.Random(f"{seed} {number}")
        text, tables = drawn(draw), draw.choice(TABLES)
        try:
            fate, share = timed(text, tables)
        except Exception as error:  # noqa: BLE001  what is looked for
            place = traceback.extract_tb(error.__traceback__)[-1]
            key = f"{type(error).__name__} at {place.filename}:{place.lineno}"
            fates["broken"] += 1
            if len(text) < len(broken.get(key, " " * 10**6)):
                broken[key] = text
                shown(f"BROKEN {key}: {error!s:.100} {text!r:.3000}")
            continue
        fates[fate] += 1
        if share > 1:
            slow.append(Slow(share, text))
            shown(f"SLOW {share:.2f} times what {len(text)} characters may take: {text!r:.300}")
        if number and number % 10_000 == 0:
            shown(f"{number} {dict(fates)}, {len(slow)} slow")
    return fates, broken, slow


def main() -> int:
    """Prints what was found; 0 where nothing was."""
    parser = argparse.ArgumentParser(description="Sends texts that are nearly programs through parse and check.")
    parser.add_argument("--count", type=int, default=10_000)
    parser.add_argument("--seed", type=int, default=0)
    options = parser.parse_args()
    start = time.monotonic()
    fates, broken, slow = fuzz(options.count, options.seed, lambda line: print(line, flush=True))
    print(f"{options.count} texts in {time.monotonic() - start:.0f} s: {dict(fates)}; {len(broken)} broken, {len(slow)} slow")
    return 1 if broken or slow else 0


if __name__ == "__main__":
    sys.exit(main())
