"""The answer comparison of WikiTableQuestions.

It has its own reading of numbers and dates, apart from the engine's: sharing the two would bend the
score."""

from __future__ import annotations

import math
import re
import unicodedata
from dataclasses import dataclass, field

from binder.benchmarks import Example

Date = tuple[int | None, int | None, int | None]

PLAIN = str.maketrans(
    {**dict.fromkeys("‘’´`", "'"), **dict.fromkeys("“”", '"'), **dict.fromkeys("‐‑‒–—−", "-")}
)
# cut off the end of a text until nothing changes; none of them is cut where it is the whole text
ENDINGS = (
    re.compile(
        r"(?:(?<=.)\[[^\]]*\]|\[\d+\]|[•♦†‡*#+])$", re.DOTALL
    ),  # a citation or a mark; a lone [12] is cut too
    re.compile(r" \([^)]*\)$"),  # details in parentheses
)
QUOTED = re.compile(r'"([^"]*)"')
MIDNIGHT = " 00:00:00"
WITH_UNIT = re.compile(r"[$£€]?[+-]?\d*\.?\d+(?: ?%| [^\W\d]+)?")  # 12, $3.5, 40 %, 28 days
FIGURE = re.compile(r"[+-]?[\d,]*\.?\d+")
SEPARATORS = re.compile(r"(?<=\w)-|[$£€%]")  # a minus sign stays
DATED = re.compile(r"(?:\d{4}|xxxx)-\d{1,2}(?:-(?:\d{1,2}|xx))?")
MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
MONTH = (
    r"(?P<month>jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?"
    r"|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\.?"
)
DAY, YEAR = r"(?P<day>\d{1,2})(?:st|nd|rd|th)?", r"(?P<year>\d{4})"
CALENDAR = re.compile(rf"{MONTH}(?: {DAY})?(?:,? {YEAR})?", re.IGNORECASE)
CALENDAR_DAY_FIRST = re.compile(rf"{DAY} {MONTH}(?:,? {YEAR})?", re.IGNORECASE)
AMOUNT = re.compile(
    r"[$£€]? ?(?P<number>[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)?(?:\.\d+)?)(?<=\d)"
    r"(?:st|nd|rd|th|%| ?(?P<unit>[a-z]+))?",
    re.IGNORECASE,
)
SCALE = {"thousand": 1e3, "million": 1e6, "billion": 1e9}


@dataclass(frozen=True)
class Denotation:
    """One value as the metric reads it. Equality, for sets, ignores how it is written."""

    content: float | Date | str
    written: str = field(compare=False)


def official_match(example: Example, answer: list[str]) -> bool:
    """The official metric: as many different values, and each gold value is matched by some value
    of the answer."""
    gold = set(map(read_value, example.gold, example.canonical))
    answered = set(map(read_value, answer))
    return len(gold) == len(answered) and all(any(same(g, a) for a in answered) for g in gold)


def read_value(text: str, canonical: str | None = None) -> Denotation:
    """Read a text, as what its canonical form says where there is one: a number, a date, else
    text."""
    written = normalise(text)
    reading = canonical or text
    number = read_number(reading)
    if number is not None:
        return Denotation(number, written)
    date = read_date(reading)
    if date is None:
        return Denotation(written, written)
    year, month, day = date
    if year is not None and month is None and day is None:
        return Denotation(float(year), written)
    return Denotation(date, written)


def same(gold: Denotation, answered: Denotation) -> bool:
    """Equal as written, or equal numbers (to 1e-6), or equal dates."""
    if gold.written == answered.written:
        return True
    if isinstance(gold.content, float) and isinstance(answered.content, float):
        return abs(gold.content - answered.content) < 1e-6
    return isinstance(gold.content, tuple) and gold.content == answered.content


def read_number(text: str) -> float | None:
    """The number that a text is as a whole; a whole number to 1e-6 is that whole number."""
    if "_" in text:  # Python reads 1_000 as a number, the metric does not
        return None
    try:
        number = float(text)
    except ValueError:
        return None
    if not math.isfinite(number):
        return None
    return float(round(number)) if abs(number - round(number)) < 1e-6 else number


def read_date(text: str) -> Date | None:
    """The date in yyyy-mm-dd, where xxxx and xx stand for unknown parts, not for all of them."""
    parts = text.lower().split("-")
    if len(parts) != 3 or "_" in text:
        return None
    year, month, day = parts
    try:
        date = (
            None if year in ("xx", "xxxx") else int(year),
            None if month == "xx" else int(month),
            None if day == "xx" else int(day),
        )
    except ValueError:
        return None
    fits = (date[1] is None or 1 <= date[1] <= 12) and (date[2] is None or 1 <= date[2] <= 31)
    return date if fits and date != (None, None, None) else None


def normalise(text: str) -> str:
    """The text without accents, typographic signs, trailing citations and details, outer quotes,
    final period and case."""
    text = "".join(
        c for c in unicodedata.normalize("NFKD", text) if unicodedata.category(c) != "Mn"
    ).translate(PLAIN)
    before = None
    while text != before:
        before = text
        for ending in ENDINGS:
            text = cut_all(ending, text.strip())
        quoted = QUOTED.fullmatch(text.strip())
        text = quoted[1] if quoted else text.strip()
    return " ".join(text.removesuffix(".").split()).lower()


def cut_all(ending: re.Pattern[str], text: str) -> str:
    """The text without an ending, however often it stands there."""
    while found := ending.search(text):
        text = text[: found.start()]
    return text


def lenient_match(example: Example, answer: list[str]) -> bool:
    """The official metric with what the original Binder's evaluator lets pass as well; never
    stricter than the official one.

    A time of midnight does not count. A single 0 or 1 stands for no or yes, and, where the question
    offers "this or that", 1 for this and 0 for that. Of a single number with a unit, and of a
    single date, one side may say less (28 for 28 days, 2008 for 2008-01-01). That evaluator also
    reads words and durations with a recogniser of its own, which is not imitated."""
    trimmed = [text.removesuffix(MIDNIGHT) for text in answer]
    if official_match(example, trimmed) or official_match(example, answer):
        return True
    if len(set(trimmed)) != 1 or len(example.gold) != 1:
        return False
    given, gold = trimmed[0].strip().lower(), example.gold[0].strip().lower()
    if given in ("0", "1"):
        return gold in offered(example.question, given == "1")
    canonical = example.canonical[0].lower()
    dated = DATED.match(given) or DATED.match(canonical)
    if not dated and not WITH_UNIT.fullmatch(given) and not WITH_UNIT.fullmatch(gold):
        return False
    said = words(given)
    return any(said <= asked or asked <= said for asked in (words(gold), words(canonical)))


def offered(question: str, first: bool) -> list[str]:
    """What 1 (first) or 0 may stand for: yes or no, and the word before or after "or" in the
    question."""
    around = re.search(r"(\S+) or (\S+)", question.lower())
    offers = ["yes" if first else "no"]
    if around:
        offers.append(around[1 if first else 2].rstrip("?"))
    return offers


def words(text: str) -> set[str]:
    """The words of a text; numbers by their value, unknown parts of a date left out."""
    found = set()
    for word in SEPARATORS.sub(" ", text).split():
        if FIGURE.fullmatch(word):
            found.add(f"{float(word.replace(',', '')):g}")
        elif set(word) != {"x"}:
            found.add(word)
    return found


def canonical_of(text: str) -> str:
    """The canonical form of a gold value for which the release has none: a number, a date in
    yyyy-mm-dd, else the text itself.

    A number may have a currency sign, commas, an ordinal ending, and one word after it: 6th, 17
    years, $24.86 million."""
    plain = " ".join(text.split())
    date = CALENDAR.fullmatch(plain) or CALENDAR_DAY_FIRST.fullmatch(plain)
    if date:
        month = MONTHS.index(date["month"][:3].lower()) + 1
        return (
            f"{date['year'] or 'xxxx'}-{month:02d}-{date['day'].zfill(2) if date['day'] else 'xx'}"
        )
    amount = AMOUNT.fullmatch(plain)
    if amount is None:
        return text
    return str(
        float(amount["number"].replace(",", "")) * SCALE.get((amount["unit"] or "").lower(), 1)
    )
