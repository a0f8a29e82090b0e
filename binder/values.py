"""What one cell of text says: a number, a date, a duration, a truth value, nothing, or just text.

Text comes in, as found on the web or in a CSV file or in a reply of a language model; a value comes out, or None where the
text says no such thing. `Measure` also carries the unit; binder/columns.py uses it to decide on whole columns.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

MISSING = frozenset(["", "-", "--", "---", "–", "—", "−", "/", "?", "...", "…", "n/a", "#n/a", "null", "nan", "<na>", "\\n"])

_FOOTNOTE = re.compile(r"\s*\[(?:\d{1,3}|[a-z]{1,2}|(?:note|nb|n|fn)[ .]?\d{1,3}|citation needed)\]|\s*[†‡]+", re.IGNORECASE)
_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"[ \t]*\n\s*")
_PLAIN = re.compile(r"[!-Z\\^-~]+(?: [!-Z\\^-~]+)*")  # printable ASCII, single blanks, no "[": clean already
_DASHES = str.maketrans({**dict.fromkeys("‐‑‒–—―−", "-"), **dict.fromkeys("‘’‚′`´", "'"), **dict.fromkeys("“”„″«»", '"')})


def clean(text: str) -> str:
    """The text without footnote marks, blanks made single; line breaks inside a cell stay. Never empties a text."""
    if _PLAIN.fullmatch(text):
        return text
    bare = _BLANKS.sub(" ", _FOOTNOTE.sub("", text)) if text.strip() else ""
    bare = _LINES.sub("\n", bare).strip()
    return bare or _BLANKS.sub(" ", text).strip()


def fold(text: str) -> str:
    """The text as it is compared leniently: case, accents, kinds of dashes and quotes, and blanks do not count."""
    if text.isascii():
        return " ".join(text.casefold().translate(_DASHES).split())
    bare = "".join(c for c in unicodedata.normalize("NFKD", text.translate(_DASHES)) if not unicodedata.combining(c))
    return " ".join(bare.casefold().translate(_DASHES).split())


def is_missing(text: str) -> bool:
    """Whether the text is a mark for "no value". "None" and "NA" are text here: as cells they may be names."""
    return len(text) <= 8 and text.strip().casefold() in MISSING


def read_boolean(text: str) -> bool | None:
    """True or False for true/false/yes/no; case, blanks around and a final full stop do not count."""
    return {"true": True, "yes": True, "false": False, "no": False}.get(text.strip().removesuffix(".").casefold())


class Measure(NamedTuple):
    """A number and what stands around it. known is False for a unit that is any other word ("12 monkeys")."""

    number: int | float
    unit: str
    known: bool


_POWERS = {2: "hundred", 3: "thousand k", 6: "million mil mn m", 9: "billion bn b", 12: "trillion t"}
_SCALES = {word: power for power, words in _POWERS.items() for word in words.split()}
_UNITS = frozenset(
    re.findall(
        r"\S+",
        """% ‰ ° °c °f $ € £ percent usd eur gbp dollar dollars euro euros yen
        ft foot feet in inch inches yd yds yard yards mi mile miles nmi km m metre metres meter meters cm mm
        km² km2 sqkm m² m2 ha acre acres sqmi sqft kg g mg lb lbs pound pounds oz ton tons tonne tonnes
        cc l litre litres liter liters km/h kph mph kn knot knots m/s hz khz mhz ghz w kw mw gw kwh mwh hp bhp v kv gb mb kb tb
        s sec secs second seconds min mins minute minutes h hr hrs hour hours day days week weeks month months yr yrs year years
        pt pts point points vote votes seat seats goal goals lap laps game games match matches win wins episode episodes
        people inhabitants""",
    )
)
_NAMES = (
    *("jan(?:uary)?", "feb(?:ruary)?", "mar(?:ch)?", "apr(?:il)?", "may", "june?", "july?"),
    *("aug(?:ust)?", "sept?(?:ember)?", "oct(?:ober)?", "nov(?:ember)?", "dec(?:ember)?"),
)
_MONTHS = {name[:3]: number for number, name in enumerate(_NAMES, 1)}
_CURRENCY = r"(?:US|AU|CA|NZ|HK|[ACRS])?\$|[€£¥₹₩₽₺₱]|Rs\.?|(?:USD|EUR|GBP|INR|CHF|JPY|CAD|AUD)(?=\s?\d)"
_DIGITS = r"\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)|\d{1,3}(?:\ \d{3})+(?!\d)|\d+"
_NUMBER = re.compile(
    rf"(?P<mark>[~≈]|c\.|ca\.|\#|No\.?|T(?=\d)|=)?\s?(?P<sign>[-+−–])?\s?(?P<currency>{_CURRENCY})?\s?(?P<sign2>[-−])?"
    rf"(?P<whole>{_DIGITS})?(?P<part>\.\d+)?(?P<vulgar>[¼½¾⅓⅔⅛⅜⅝⅞])?(?P<power>[eE][-+]?\d{{1,3}})?"
    r"(?:(?P<ordinal>st|nd|rd|th)\b|(?P<tie>=))?"
    r"(?:\s?(?P<scale>hundred|thousand|million|billion|trillion|mil\b|mn\b|bn\b|[kmbKMBT]\b))?"
    r"(?:[\s-]?(?P<unit>[%‰°€£$]|[^\W\d_][\w/²³.°%]*(?:\s[^\W\d_][\w/²³.]*)?|°[CF]|%\s\w+))?"
    r"\s*(?P<note>\([^()]*\))?[*#^]*\.?"
)
_NO_UNIT = re.compile(rf"(?:{'|'.join(_NAMES)}|[ap]\.?m|b\.?c\.?e?|a\.?d|c\.?e)\.?", re.IGNORECASE)
_SAME = re.compile(r"\(\s*[\d.,]+\s?[^\W\d].*\)")  # the same measure in other words: "12 (3.7 m)", unlike "12 (3)"
_SIMPLE = re.compile(r"(-?)([$€£]?)([1-9]\d{0,2}(?:,\d{3})+|[1-9]\d*|0)(\.\d+)?(%?)")  # what most cells look like
_FEATS = re.compile(r"\s+\(?(?:[WNPSOCAGMETU][RB]|WJR|=?NR|Q|q)\)?(?=$|\s)")  # marks of records: "9.58 WR"
_START = re.compile(r"[~≈=#+\-−–.]|c\.|ca\.|No|T\d|[\d¼½¾⅓⅔⅛⅜⅝⅞]|" + _CURRENCY)


def measure(text: str) -> Measure | None:
    """The number and the unit in a text that is nothing but one number, or None."""
    if len(text) <= 60 and (simple := _SIMPLE.fullmatch(text)) and not (simple[2] and simple[5]):
        digits = simple[3].replace(",", "")
        size = float(digits + simple[4]) if simple[4] else int(digits)
        return Measure(-size if simple[1] else size, simple[2] or simple[5], known=True)
    text = " ".join(clean(text).split())
    if len(text) > 60 or not _START.match(text):
        return None
    if (found := _NUMBER.fullmatch(_FEATS.sub("", text))) is None:
        return None
    whole, part, vulgar = found["whole"] or "", found["part"] or "", found["vulgar"] or ""
    if not (whole or part or vulgar) or (len(whole) > 1 and whole[0] == "0") or (found["sign"] and found["sign2"]):
        return None  # also "007": a code, not a number
    scale, unit = found["scale"], found["unit"]
    if scale and len(scale) == 1 and not found["currency"]:  # "5 m" is metres, "12B" a bus: a letter scales money only
        unit, scale = f"{scale} {unit}" if unit else scale, None
    if (note := found["note"]) and not (unit or scale or found["currency"] or _SAME.fullmatch(note)):
        return None
    if unit and (found["ordinal"] or _NO_UNIT.fullmatch(unit) or (unit == "s" and text.endswith("0s"))):
        return None  # "1st Battalion", "12 May", "1980s"
    digits = whole.replace(",", "").replace(" ", "")
    number = _value(digits, part, vulgar, found["power"] or "", _SCALES[scale.lower()] if scale else 0)
    if (found["sign"] or found["sign2"] or "+") in "-−–":
        number = -number
    if found["mark"] == "T" or found["mark"] == "=" or found["tie"]:
        return Measure(number, "tie", known=found["mark"] != "T")
    if found["currency"] and unit:
        return None if unit.casefold() not in _UNITS else Measure(number, found["currency"], known=True)
    unit = (found["currency"] or unit or "").rstrip(".")
    return Measure(number, unit, known=not unit or bool(found["currency"]) or unit.casefold().replace(" ", "") in _UNITS)


def _value(whole: str, part: str, vulgar: str, power: str, scale: int) -> int | float:
    """The number that these pieces spell; whole ones are int."""
    if not (part or vulgar or power or scale):
        return int(whole)
    exact = Decimal(f"{whole or 0}{part}{power}") + (Decimal(unicodedata.numeric(vulgar)) if vulgar else 0)
    exact *= 10**scale
    return int(exact) if scale and exact == exact.to_integral_value() else float(exact)


def read_number(text: str) -> int | float | None:
    """The number a text says, if it says nothing else: "$1.5 million", "45%", "12 ft". None for ranges, scores, clocks, codes."""
    found = measure(text)
    return found.number if found and found.known and abs(found.number) != float("inf") else None


_DURATION = re.compile(r"\+?(?:(\d{1,3}):)?(\d{1,3}):(\d{2}(?:\.\d{1,6})?)")


def read_duration(text: str) -> float | None:
    """Seconds, for "1:46.30" (minutes and seconds) and "2:03:04" (hours); the column decides whether "4:30" is a clock."""
    found = _DURATION.fullmatch(_FEATS.sub("", clean(text)).strip("* "))
    if found is None or float(found[3]) >= 60 or (found[1] and int(found[2]) >= 60):
        return None
    return round(int(found[1] or 0) * 3600 + int(found[2]) * 60 + float(found[3]), 6)


_MONTH = rf"(?P<m>{'|'.join(_NAMES)})\.?"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
_WEEKDAY = re.compile(r"(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,?\s+(?=\w)", re.IGNORECASE)
_TAIL = (
    r"(?:(?:,?\s+(?:at\s+)?|t)(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?P<F>\.\d{1,9})?)?\s?(?P<half>[ap])?(?(half)\.?m\.?)"
    r"\s?(?P<zone>z|utc|gmt|[+-]\d{2}:?\d{2})?)?"
)
_DATES = [
    re.compile(pattern + _TAIL, re.IGNORECASE)
    for pattern in (
        r"(?P<y>\d{4})(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})",
        rf"{_MONTH}\s*{_DAY}(?:\s*,\s*|\s+)(?P<y>\d{{4}})",
        rf"{_DAY}(?:\s+of)?[\s-]*{_MONTH}[\s,-]*(?P<y>\d{{4}}|(?<=-)\d{{2}})",
        rf"(?P<y>\d{{4}})[\s,-]+{_MONTH}[\s-]*{_DAY}",
        r"(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?(?P<y>\d{4}|\d{2})",
    )
]
_SLASHED = re.compile(r"(?P<a>\d{1,2})(?P<sep>[-/])(?P<b>\d{1,2})(?P=sep)(?P<y>\d{4}|\d{2})" + _TAIL, re.IGNORECASE)


def read_date(text: str, day_first: bool | None = None) -> date | datetime | None:
    """The full date in a text, with its time where there is one (UTC where it names a zone); None for partial dates.

    1/2/2003 is January 2 unless day_first; without a word on it, 13/2/2003 is read the only way it can be.
    """
    if len(text) > 60 or not any(c.isdigit() for c in text):
        return None
    text = " ".join(clean(text).split())
    text = _WEEKDAY.sub("", text, count=1) if text[0].isalpha() else text
    for pattern in _DATES:
        if found := pattern.fullmatch(text):
            month = found["m"]
            return _moment(found, _MONTHS[month[:3].lower()] if month[0].isalpha() else int(month), int(found["d"]))
    if (found := _SLASHED.fullmatch(text)) is None:
        return None
    first, second = int(found["a"]), int(found["b"])
    if day_first is None:
        day_first = first > 12
    return _moment(found, second, first) if day_first else _moment(found, first, second)


def _moment(found: re.Match[str], month: int, day: int) -> date | datetime | None:
    """The date or timestamp of a match, or None where the calendar has no such day. Two digits: 69-99 are 1900s, as in POSIX."""
    year = int(found["y"])
    if len(found["y"]) == 2:
        year += 1900 if year >= 69 else 2000
    try:
        if found["H"] is None:
            return date(year, month, day)
        hour = int(found["H"])
        if half := found["half"]:
            if not 1 <= hour <= 12:
                return None
            hour = hour % 12 + (12 if half in "pP" else 0)
        moment = datetime(year, month, day, hour, int(found["M"]), int(found["S"] or 0), int(float(found["F"] or 0) * 1e6 + 0.5))
        if (zone := found["zone"]) and zone[0] in "+-":
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
            moment = moment - offset if zone[0] == "+" else moment + offset
        return moment
    except (ValueError, OverflowError):  # no such day, hour, or year
        return None
