"""What one cell of text says: a number, a date, a duration, a truth value, nothing, or just text.

Text comes in, as found on the web or in a CSV file or in a reply of a language model; a value comes
out, or None where the text says no such thing. `Measure` also carries the unit;
binder/tables/readings uses it to decide on whole columns."""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import NamedTuple

MISSING = frozenset(
    [
        "",
        "-",
        "--",
        "---",
        "–",
        "—",
        "−",
        "/",
        "?",
        "...",
        "…",
        "n/a",
        "#n/a",
        "null",
        "nan",
        "<na>",
        "\\n",
    ]
)

_FOOTNOTE = re.compile(  # at the end of a cell, or of a line of it: Benzo[b]fluoranthene has none
    r"(?:\s*\[(?:\d{1,3}|[a-z]{1,2}|(?:note|nb|n|fn)[ .]?\d{1,3}|citation needed)\]|\s*[†‡]+)+(?=\s*(?:\n|$))",
    re.IGNORECASE,
)
_BLANKS = re.compile(r"[^\S\n]+")
_LINES = re.compile(r"[ \t]*\n\s*")
_PLAIN = re.compile(
    r"[!-Z\\^-~]+(?: [!-Z\\^-~]+)*"
)  # printable ASCII, single blanks, no "[": clean already
_DASHES = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("‘’‚′`´", "'"),
        **dict.fromkeys("“”„″«»", '"'),
    }
)
_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))


def clean(text: str) -> str:
    """The text without footnote marks and invisible characters, blanks made single; line breaks
    stay. Never empties a text."""
    if _PLAIN.fullmatch(text):
        return text
    return unmarked(_FOOTNOTE.sub("", text.translate(_UNSEEN))) or unmarked(text)


def unmarked(text: str) -> str:
    """The text without invisible characters, blanks made single."""
    return _LINES.sub("\n", _BLANKS.sub(" ", text.translate(_UNSEEN))).strip()


def fold(text: str) -> str:
    """The text as it is compared leniently: case, accents, kinds of dashes and quotes, and blanks
    do not count."""
    if text.isascii():
        return " ".join(text.casefold().translate(_DASHES).split())
    text = text.translate(_UNSEEN).translate(_DASHES)
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c))
    return " ".join(bare.casefold().translate(_DASHES).split())


def is_missing(text: str) -> bool:
    """Whether the text is a mark for "no value". "None" and "NA" are text here: as cells they may
    be names."""
    return len(text) <= 8 and text.strip().casefold() in MISSING


def read_boolean(text: str) -> bool | None:
    """True or False for true/false/yes/no; case, blanks around and a final full stop do not
    count."""
    return {"true": True, "yes": True, "false": False, "no": False}.get(
        text.strip().removesuffix(".").casefold()
    )


class Measure(NamedTuple):
    """A number and what stands around it. known is False for a unit that is any other word ("12
    monkeys")."""

    number: int | float
    unit: str
    known: bool


_POWERS = {
    2: "hundred",
    3: "thousand k",
    6: "million mil mn m",
    9: "billion bn b",
    12: "trillion t",
}
_SCALES = {word: power for power, words in _POWERS.items() for word in words.split()}
UNITS = frozenset(
    re.findall(
        r"\S+",
        """% ‰ ° °c °f $ € £ percent usd eur gbp dollar dollars euro euros yen
        ft foot feet in inch inches yd yds yard yards mi mile miles nmi km m metre metres meter meters cm mm
        \' " km² km2 sqkm m² m2 ha acre acres sqmi sqft kg g mg lb lbs pound pounds oz ton tons tonne tonnes
        kg/m³ psi rpm cc l litre litres liter liters
        km/h kph mph kn knot knots m/s hz khz mhz ghz w kw mw gw kwh mwh hp bhp v kv gb mb kb tb
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
_CURRENCY = (
    r"(?:US|AU|CA|NZ|HK|[ACRS])?\$|[€£¥₹₩₽₺₱]|Rs\.?|(?:USD|EUR|GBP|INR|CHF|JPY|CAD|AUD)(?=\s?\d)"
)
_DIGITS = r"\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)|\d{1,3}(?:\ \d{3})+(?!\d)|\d+"
_FRACTION = r"(?:(?<=\d)[ -])?(?<!\d)\d{1,2}⁄\d{1,2}|(?<=\d)[ -]\d{1,2}/(?:2|3|4|8|16|32|64)(?!\d)"
_NUMBER = re.compile(
    rf"(?P<mark>[~≈]|c\.|ca\.|\#|№|No\.?|T(?=\d)|=)?\s?(?P<sign>[-+−–])?\s?(?P<currency>{_CURRENCY})?\s?(?P<sign2>[-−])?"
    rf"(?P<whole>{_DIGITS})?(?P<part>\.\d+)?(?P<vulgar>[¼½¾⅓⅔⅛⅜⅝⅞])?(?P<fraction>{_FRACTION})?(?P<power>[eE][-+]?\d{{1,3}})?"
    r"(?:(?P<ordinal>st|nd|rd|th)\b|(?P<tie>=))?"
    r"(?:\s?(?P<scale>hundred|thousand|million|billion|trillion|mil\b|mn\b|bn\b|[kmbKMBT]\b))?"
    r"(?:[\s-]?(?P<unit>[%‰°€£$]|[^\W\d_][\w/²³.°%]*(?:\s[^\W\d_][\w/²³.]*)?|°[CF]|%\s\w+|'|\"))?"
    r"\s*(?P<note>\([^()]*\))?[*#^]*\.?"
)
_NO_UNIT = re.compile(rf"(?:{'|'.join(_NAMES)}|[ap]\.?m|a\.?d|c\.?e)\.?", re.IGNORECASE)
_BEFORE = re.compile(r"b\.?\s?c\.?(?:\s?e\.?)?", re.IGNORECASE)
_SAME = re.compile(
    r"\(\s*[\d.,]+\s?[^\W\d%].*\)|\(\s*[\d.,]+\s?%\s*\)"
)  # the same in other words: "12 (3.7 m)", unlike "12 (3)"
_SIMPLE = re.compile(
    r"(-?)([$€£]?)([1-9]\d{0,2}(?:,\d{3})+|[1-9]\d*|0)(\.\d+)?(%?)"
)  # what most cells look like
_FEATS = re.compile(
    r"\s+\(?(?:(?![MGTPE]B\b)[WNPSOCAGMETU][RB]|WJR|=?NR|Q|q)\)?(?=$|\s)"
)  # marks of records: "9.58 WR", not "500 MB"
_START = re.compile(r"[~≈=#№+\-−–.]|c\.|ca\.|No|T\d|[\d¼½¾⅓⅔⅛⅜⅝⅞]|" + _CURRENCY)


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
        return _compound(text)
    whole, part, broken = (
        found["whole"] or "",
        found["part"] or "",
        found["vulgar"] or found["fraction"] or "",
    )
    if (
        not (whole or part or broken)
        or (len(whole) > 1 and whole[0] == "0" and not part)
        or (found["sign"] and found["sign2"])
    ):
        return None  # also "007": a code, not a number
    scale, unit = found["scale"], found["unit"]
    if (
        scale and len(scale) == 1 and not found["currency"]
    ):  # "5 m" is metres, "12B" a bus: a letter scales money only
        unit, scale = f"{scale} {unit}" if unit else scale, None
    if (note := found["note"]) and not (
        unit or scale or found["currency"] or _SAME.fullmatch(note)
    ):
        return None
    if unit and (
        found["ordinal"] or _NO_UNIT.fullmatch(unit) or (unit == "s" and text.endswith("0s"))
    ):
        return None  # "1st Battalion", "12 May", "1980s"
    digits = whole.replace(",", "").replace(" ", "")
    number = _value(
        digits, part, broken, found["power"] or "", _SCALES[scale.lower()] if scale else 0
    )
    if (found["sign"] or found["sign2"] or "+") in "-−–":
        number = -number
    if unit and _BEFORE.fullmatch(unit):
        return Measure(-number, "", known=True)  # a year
    if found["mark"] == "T" or found["mark"] == "=" or found["tie"]:
        return Measure(number, "tie", known=found["mark"] != "T")
    if found["currency"] and unit:
        return (
            None if unit.casefold() not in UNITS else Measure(number, found["currency"], known=True)
        )
    unit = (found["currency"] or unit or "").rstrip(".")
    return Measure(
        number,
        unit,
        known=not unit or bool(found["currency"]) or unit.casefold().replace(" ", "") in UNITS,
    )


def _value(whole: str, part: str, broken: str, power: str, scale: int) -> int | float:
    """The number that these pieces spell; whole ones are int."""
    if not (part or broken or power or scale):
        return int(whole)
    exact = Decimal(f"{whole or 0}{part}{power}")
    if len(broken) == 1:
        exact += Decimal(unicodedata.numeric(broken))
    elif broken:
        above, below = re.split("[/⁄]", broken.strip(" -"))
        exact += Decimal(above) / (Decimal(below) or 1)
    exact *= 10**scale
    return int(exact) if scale and exact == exact.to_integral_value() else float(exact)


# Measures of two parts: the unit of the first, the unit of the second, how many of these make one
# of the first.
_PARTS = [
    ("ft", "ft|feet|foot|'", "in|inch|inches|\"|''", 12),
    ("years", "years?|yrs?", "months?|mos?", 12),
    ("years", "years?|yrs?", "weeks?", 52),
    ("years", "years?|yrs?", "days?", 365),
    ("months", "months?", "days?", 30),
    ("weeks", "weeks?", "days?", 7),
    ("lb", "lbs?|pounds?", "oz|ounces?", 16),
]
_COMPOUND = (
    r"(\d+)\s?(?:{first})\.?,?\s?(?:and\s|-)?(?P<whole>\d+)(?P<part>\.\d+)?(?P<broken>{fraction}|[¼½¾])?\s?(?:{second})\.?"
    r"(?:\s*\([^()]*\))?"
)
_COMPOUNDS = [
    (
        unit,
        re.compile(_COMPOUND.format(first=first, second=second, fraction=_FRACTION), re.IGNORECASE),
        ratio,
    )
    for unit, first, second, ratio in _PARTS
]


def _compound(text: str) -> Measure | None:
    """A measure of two parts, in the unit of the first: 6'2" is 6.1667 ft."""
    text = text.translate(_DASHES)
    for unit, pattern, ratio in _COMPOUNDS if text[0].isdigit() else ():
        if found := pattern.fullmatch(text):
            rest = _value(found["whole"], found["part"] or "", found["broken"] or "", "", 0)
            return Measure(round(int(found[1]) + rest / ratio, 4), unit, known=True)
    return None


def read_number(text: str) -> int | float | None:
    """The number a text says, if it says nothing else: "$1.5 million", "45%", "12 ft". None for
    ranges, scores, clocks, codes."""
    found = measure(text)
    return found.number if found and found.known and abs(found.number) != float("inf") else None


_DURATION = re.compile(r"\+?(?:(?:(\d{1,3}):)?(\d{1,3}):)?(\d{1,3}):(\d{2}(?:\.\d{1,6})?)")
_SPELT = re.compile(
    r"(?:(\d+)\s?d(?:ays?)?,?\s?)?(?:(\d+)\s?h(?:(?:ou)?rs?)?\.?,?\s?)?(?:and\s)?(?:(\d+)\s?m(?:in(?:ute)?s?)?\.?,?\s?)?(?:and\s)?"
    r"(?:(\d+(?:\.\d+)?)\s?s(?:ec(?:ond)?s?)?\.?)?",
    re.IGNORECASE,
)


def read_duration(text: str) -> float | None:
    """Seconds, for "1:46.30", "2:03:04" (hours), "1:02:03:04" (days), "3m 37s"; the column decides
    whether "4:30" is a clock."""
    text = _FEATS.sub("", clean(text)).strip("* ")
    found = _DURATION.fullmatch(text)
    if (
        found is None
        and text[:1].isdigit()
        and (found := _SPELT.fullmatch(text))
        and sum(map(bool, found.groups())) < 2
    ):
        return None
    if found is None:
        return None
    days, hours, minutes, seconds = (float(part or 0) for part in found.groups())
    if seconds >= 60 or found[2] and minutes >= 60 or found[1] and hours >= 24:
        return None
    return round(days * 86400 + hours * 3600 + minutes * 60 + seconds, 6)


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
_SLASHED = re.compile(
    r"(?P<a>\d{1,2})(?P<sep>[-/])(?P<b>\d{1,2})(?P=sep)(?P<y>\d{4}|\d{2})" + _TAIL, re.IGNORECASE
)


def read_date(text: str, day_first: bool | None = None) -> date | datetime | None:
    """The full date in a text, with its time where there is one (UTC where it names a zone); None
    for partial dates.

    1/2/2003 is January 2 unless day_first; without a word on it, 13/2/2003 is read the only way it
    can be."""
    if len(text) > 60 or not any(c.isdigit() for c in text):
        return None
    text = " ".join(clean(text).split())
    text = _WEEKDAY.sub("", text, count=1) if text[0].isalpha() else text
    for pattern in _DATES:
        if found := pattern.fullmatch(text):
            month = found["m"]
            return _moment(
                found,
                _MONTHS[month[:3].lower()] if month[0].isalpha() else int(month),
                int(found["d"]),
            )
    if (found := _SLASHED.fullmatch(text)) is None:
        return None
    first, second = int(found["a"]), int(found["b"])
    if day_first is None:
        day_first = first > 12
    return _moment(found, second, first) if day_first else _moment(found, first, second)


def _moment(found: re.Match[str], month: int, day: int) -> date | datetime | None:
    """The date or timestamp of a match, or None where the calendar has no such day. Two digits:
    69-99 are 1900s, as in POSIX."""
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
        moment = datetime(
            year,
            month,
            day,
            hour,
            int(found["M"]),
            int(found["S"] or 0),
            int(float(found["F"] or 0) * 1e6 + 0.5),
        )
        if (zone := found["zone"]) and zone[0] in "+-":
            offset = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
            moment = moment - offset if zone[0] == "+" else moment + offset
        return moment
    except (ValueError, OverflowError):  # no such day, hour, or year
        return None


_MONTHS_OF = [
    re.compile(pattern, re.IGNORECASE)
    for pattern in (rf"{_MONTH},?(?:\s+of)?\s+(?P<y>\d{{4}})", rf"(?P<y>\d{{4}}),?\s+{_MONTH}")
]


def read_month(text: str) -> date | None:
    """The first day of a month: "March 1984", "1984 Mar"."""
    text = " ".join(clean(text).split()) if len(text) <= 60 else ""
    found = next(
        (found for pattern in _MONTHS_OF if (found := pattern.fullmatch(text)) and int(found["y"])),
        None,
    )
    return date(int(found["y"]), _MONTHS[found["m"][:3].lower()], 1) if found else None


_ABOUT = re.compile(
    r"(?:[~≈<>≤≥]|(?:c|ca|circa|approx|approximately|about|around|over|under|nearly|almost|est|more than|less than|at least)\b\.?"
    r"|c\.?(?=\d))\s*",
    re.IGNORECASE,
)
_REST = re.compile(r"\s*(?:\n.*|[(\[;].*|±.*|[?+*]+|\s(?!(?:[KMGTP][BW]|HZ|KG|KM)$)[A-Z]{1,2})$", re.DOTALL)
_UP_TO = re.compile(r"(?<=\d)\s?(?:[-–—&]|to|or|and)\s?[$€£]?[\d.,]+", re.IGNORECASE)
_ANY_MONTH = f"(?:{'|'.join(_NAMES)})"
_SPANS = [  # "May 3–5, 2010", "May 3–June 5, 2010", "3–5 May 2010"; then "3 May–5 June 2010"
    re.compile(
        rf"\s?(?:[-–—/&]|to|and)\s?{first}\d{{1,2}}{last}(?=,?\s+(?:{_ANY_MONTH}|\d{{4}}))",
        re.IGNORECASE,
    )
    for first, last in ((rf"{_ANY_MONTH}?\.?\s*", ""), ("", rf"\s+{_ANY_MONTH}"))
]


def lead(text: str) -> str:
    """What is said first, without "about", and without what follows in parentheses, on other lines,
    or after a ±."""
    first = clean(text)
    return _REST.sub("", _ABOUT.sub("", first, count=1)).strip() or first


def range_start(text: str) -> str:
    """The lead, and of a range its beginning: "32 mm" of "32–33 mm"."""
    return _UP_TO.sub("", lead(text), count=1)


def read_first_day(text: str, day_first: bool | None = None) -> date | datetime | None:
    """The date that a text begins with: of a month or a span its first day, of a bare year January
    1; remarks do not count."""
    head = lead(text)
    for spelling in (
        head,
        *(pattern.sub("", head) for pattern in _SPANS),
        re.split(r"\s(?:to|until|[-–—])\s", head)[0],
    ):
        if (day := read_date(spelling, day_first) or read_month(spelling)) is not None:
            return day
    return date(int(head), 1, 1) if re.fullmatch(r"[12]\d{3}", head) else None
