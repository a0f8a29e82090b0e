"""The regular expressions that read cells, as a table: what each one reads, and texts that show it.

The matched part of an example stands between « and »; a text of `others` is not matched as a whole.
tests/tables/test_patterns.py runs the table."""

from __future__ import annotations

import re
from typing import NamedTuple


class Row(NamedTuple):
    """One row of the table."""

    reads: str
    regex: re.Pattern[str]
    examples: tuple[str, ...]
    others: tuple[str, ...]


TABLE: list[Row] = []


def _row(reads: str, pattern: str, *examples: str, others: tuple[str, ...] = ()) -> re.Pattern[str]:
    """A compiled pattern, entered into the table."""
    regex = re.compile(pattern)
    TABLE.append(Row(reads, regex, examples, others))
    return regex


# ---- any text

PLAIN = _row(
    "printable ASCII with single blanks and without `[`: nothing to clean",
    r"[!-Z\\^-~]+(?: [!-Z\\^-~]+)*",
    "«a name, 1990»",
    others=("a  b", "a[1]", "Zoë"),
)
UNCLEAN = _row(
    "what cleaning may change; RE2 reads it too",
    # each as the character itself, for RE2 has no \u
    r"[\[†‡\x00-\x1f\x7f-"
    "\u00a0\u00ad\u1680\u2000-\u200b\u2028\u2029\u202f\u205f\u2060\u3000\ufeff"
    r"]|  |^ | $",
    "a«  »b",
    "a«[»1]",
    "« »a",
    others=("a b", "Zoë"),
)
FOOTNOTE = _row(
    "marks of footnotes, at the end of a cell or of a line of it",
    r"(?i)(?:\s*\[(?:\d{1,3}|[a-z]{1,2}|(?:note|nb|n|fn)[ .]?\d{1,3}|citation needed)\]"
    r"|\s*[†‡]+)+(?=\s*(?:\n|$))",
    "1,234« [12]»",
    "Rome«[note 2]»",
    "Rome«†»",
    others=("[sic]", "Benzo[b]fluoranthene"),
)
BLANKS = _row("blanks within a line", r"[^\S\n]+", "a« \t »b", others=("\n",))
LINES = _row("a line break with the blanks around it", r"[ \t]*\n\s*", "a« \n  »b", others=(" ",))
ABOUT = _row(
    "words before a value that is not exact",
    r"(?i)(?:[~≈<>≤≥]|(?:c|ca|circa|approx|approximately|about|around|over|under|nearly|almost|est"
    r"|more than|less than|at least)\b\.?|c\.?(?=\d))\s*",
    "«approx. »20 km",
    "«c»1968",
    "«<»5",
    others=("overall",),
)
REST = _row(
    "remarks after a value",
    r"(?s)\s*(?:\n.*|[(\[;].*|±.*|[?+*]+"
    r"|\s(?!(?:[KMGTP][BW]|HZ|KG|KM)$)[A-Z]{1,2})$",
    "202« (estimate)»",
    "46« ± 1»",
    "4220 m«\n13,845 ft»",
    "30:43.86« A»",
    others=("20 km", "1 TB"),
)
UP_TO = _row(
    "the end of a range, and what joins it to its beginning",
    r"(?i)(?<=\d)\s?(?:[-–—&]|to|or|and)\s?[$€£]?[\d.,]+",
    "32«–33» mm",
    "1997« to 1999»",
    others=("–33",),
)

# ---- numbers

MONTH_NAMES = (
    *("jan(?:uary)?", "feb(?:ruary)?", "mar(?:ch)?", "apr(?:il)?", "may", "june?", "july?"),
    *("aug(?:ust)?", "sept?(?:ember)?", "oct(?:ober)?", "nov(?:ember)?", "dec(?:ember)?"),
)
_ANY_MONTH = f"(?:{'|'.join(MONTH_NAMES)})"

_CURRENCY = (
    r"(?:US|AU|CA|NZ|HK|[ACRS])?\$|[€£¥₹₩₽₺₱]|Rs\.?"
    r"|(?:USD|EUR|GBP|INR|CHF|JPY|CAD|AUD)(?=\s?\d)"
)
_DIGITS = r"\d{1,3}(?:,\d{2,3})*,\d{3}(?!\d)|\d{1,3}(?:\ \d{3})+(?!\d)|\d+"
_VULGAR = "[¼½¾⅓⅔⅛⅜⅝⅞]"
_FRACTION = (
    r"(?:(?<=\d)[ -])?(?<!\d)\d{1,2}⁄\d{1,2}"
    r"|(?<=\d)[ -]\d{1,2}/(?:2|3|4|8|16|32|64)(?!\d)"
)
_SCALE = r"hundred|thousand|million|billion|trillion|mil\b|mn\b|bn\b|[kmbKMBT]\b"
_UNIT = (
    r"[%‰°€£$]"
    r"|[^\W\d_][\w/²³.°%]*(?:\s[^\W\d_][\w/²³.]*)?"  # one word, or two
    r"|°[CF]|%\s\w+|'|\""
)

SIMPLE = _row(
    "a number as most cells write it",
    r"(?P<sign>-?)(?P<currency>[$€£]?)(?P<whole>[1-9]\d{0,2}(?:,\d{3})+|[1-9]\d*|0)"
    r"(?P<part>\.\d+)?(?P<percent>%?)",
    "«-1,234.5»",
    "«$5»",
    "«12%»",
    others=("007", "5 ft", "+5"),
)
NUMBER_START = _row(
    "how a number begins",
    r"[~≈=#№+\-−–.]|c\.|ca\.|No|T\d|[\d¼½¾⅓⅔⅛⅜⅝⅞]|" + _CURRENCY,
    "«T1»2",
    "«½»",
    "«US$»5",
    others=("about 5",),
)
NUMBER = _row(
    "a number with what may stand around it: marks, signs, money, scale, unit, and a note",
    r"(?P<mark>[~≈]|c\.|ca\.|\#|№|No\.?|T(?=\d)|=)?\s?"
    rf"(?P<sign>[-+−–])?\s?(?P<currency>{_CURRENCY})?\s?(?P<sign2>[-−])?"
    rf"(?P<whole>{_DIGITS})?(?P<part>\.\d+)?(?P<vulgar>{_VULGAR})?(?P<fraction>{_FRACTION})?"
    r"(?P<power>[eE][-+]?\d{1,3})?"
    r"(?:(?P<ordinal>st|nd|rd|th)\b|(?P<tie>=))?"
    rf"(?:\s?(?P<scale>{_SCALE}))?"
    rf"(?:[\s-]?(?P<unit>{_UNIT}))?"
    r"\s*(?P<note>\([^()]*\))?[*#^]*\.?",
    "«1,234 km²»",
    "«US$1.5 million»",
    "«5 1/2 ft»",
    "«T12»",
    "«1st»",
    "«12 (3.7 m)*»",
    others=("3–1", "5 ft 2 in", "1:30", "a 5"),
)
RECORD_MARK = _row(
    "marks of records and of qualification, after a result",
    r"\s+\(?(?:(?![MGT]B\b)[WNPSOCAGMETU][RB]|WJR|=?NR|Q|q)\)?(?=$|\s)",
    "9.58« WR»",
    "49.2« (PB)»",
    others=(" DNF", " MB"),
)
NO_UNIT = _row(
    "words after a number that are no unit: months, halves of a day, eras",
    rf"(?i)(?:{'|'.join(MONTH_NAMES)}|[ap]\.?m|a\.?d|c\.?e)\.?",
    "12 «May»",
    "«p.m.»",
    "«AD»",
    others=("ft",),
)
BEFORE_CHRIST = _row(
    "an era that makes a year negative",
    r"(?i)b\.?\s?c\.?(?:\s?e\.?)?",
    "776 «B.C.»",
    "«BCE»",
    others=("AD",),
)
SAME_MEASURE = _row(
    "a note that says the number in another unit",
    r"\(\s*[\d.,]+\s?[^\W\d%].*\)|\(\s*[\d.,]+\s?%\s*\)",
    "12 «(3.7 m)»",
    "12 «(40%)»",
    others=("(3)",),
)


class Compound(NamedTuple):
    """A measure of two parts: the unit of the first, and how many of the second make one of it."""

    unit: str
    ratio: int
    regex: re.Pattern[str]


def _compound(unit: str, first: str, second: str, ratio: int, *examples: str) -> Compound:
    regex = _row(
        f"{unit} and a smaller unit, {ratio} of which make one",
        rf"(?i)(?P<first>\d+)\s?(?:{first})\.?,?\s?(?:and\s|-)?"
        rf"(?P<whole>\d+)(?P<part>\.\d+)?(?P<broken>{_FRACTION}|[¼½¾])?\s?(?:{second})\.?"
        r"(?:\s*\([^()]*\))?",
        *examples,
        others=("5 km 3 m",),
    )
    return Compound(unit, ratio, regex)


COMPOUNDS = (
    _compound("ft", "ft|feet|foot|'", "in|inch|inches|\"|''", 12, "«6'2\"»", "«5 ft 2½ in»"),
    _compound("years", "years?|yrs?", "months?|mos?", 12, "«2 years, 3 months»"),
    _compound("years", "years?|yrs?", "weeks?", 52, "«2 years 3 weeks»"),
    _compound("years", "years?|yrs?", "days?", 365, "«18 years, 133 days»"),
    _compound("months", "months?", "days?", 30, "«2 months and 3 days»"),
    _compound("weeks", "weeks?", "days?", 7, "«2 weeks 3 days»"),
    _compound("lb", "lbs?|pounds?", "oz|ounces?", 16, "«8 lb 4 oz»"),
)

# ---- durations

CLOCK = _row(
    "a duration with colons: minutes, hours, or days in front",
    r"\+?(?:(?:(?P<days>\d{1,3}):)?(?P<hours>\d{1,3}):)?(?P<minutes>\d{1,3})"
    r":(?P<seconds>\d{2}(?:\.\d{1,6})?)",
    "«1:46.30»",
    "«2:03:04»",
    "«1:02:03:04»",
    others=("1:5", "3:45 pm"),
)
SPELT_DURATION = _row(
    "a duration in words, from days to seconds",
    r"(?i)(?:(?P<days>\d+)\s?d(?:ays?)?,?\s?)?(?:(?P<hours>\d+)\s?h(?:(?:ou)?rs?)?\.?,?\s?)?"
    r"(?:and\s)?(?:(?P<minutes>\d+)\s?m(?:in(?:ute)?s?)?\.?,?\s?)?"
    r"(?:and\s)?(?:(?P<seconds>\d+(?:\.\d+)?)\s?s(?:ec(?:ond)?s?)?\.?)?",
    "«3m 37s»",
    "«1 hour and 5 minutes»",
    others=("5 km",),
)

# ---- dates

_MONTH = rf"(?P<m>{'|'.join(MONTH_NAMES)})\.?"
_DAY = r"(?P<d>\d{1,2})(?:st|nd|rd|th)?"
_TIME = (
    r"(?:(?:,?\s+(?:at\s+)?|t)(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?P<F>\.\d{1,9})?)?"
    r"\s?(?P<half>[ap])?(?(half)\.?m\.?)"
    r"\s?(?P<zone>z|utc|gmt|[+-]\d{2}:?\d{2})?)?"
)
WEEKDAY = _row(
    "a day of the week before a date",
    r"(?i)(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6}\.?,?\s+(?=\w)",
    "«Sunday, »May 3",
    others=("Monday",),
)
DATES = (
    _row(
        "a date that begins with the year, in digits",
        r"(?i)(?P<y>\d{4})(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})" + _TIME,
        "«2010-05-03»",
        "«2010/5/3 10:00»",
        "«2010-05-03T10:00:00Z»",
        others=("2010-05/03",),
    ),
    _row(
        "month, day, year",
        rf"(?i){_MONTH}\s*{_DAY}(?:\s*,\s*|\s+)(?P<y>\d{{4}})" + _TIME,
        "«May 3rd, 2010»",
        "«Sept. 3 2010 at 10:05 p.m.»",
        others=("May 3", "May 2010"),
    ),
    _row(
        "day, month, year",
        rf"(?i){_DAY}(?:\s+of)?[\s-]*{_MONTH}[\s,-]*(?P<y>\d{{4}}|(?<=-)\d{{2}})" + _TIME,
        "«3rd of May, 2010»",
        "«3-May-10»",
        others=("3 May 10",),
    ),
    _row(
        "year, month, day",
        rf"(?i)(?P<y>\d{{4}})[\s,-]+{_MONTH}[\s-]*{_DAY}" + _TIME,
        "«2010, May 3»",
        "«2010-May-03»",
        others=("2010 May",),
    ),
    _row(
        "day, month, year with full stops",
        r"(?i)(?P<d>\d{1,2})\.\s?(?P<m>\d{1,2})\.\s?(?P<y>\d{4}|\d{2})" + _TIME,
        "«3.5.2010»",
        "«3. 5. 10»",
        others=("3.5",),
    ),
)
SLASHED = _row(
    "two numbers and a year: which of them is the day, the column decides",
    r"(?i)(?P<a>\d{1,2})(?P<sep>[-/])(?P<b>\d{1,2})(?P=sep)(?P<y>\d{4}|\d{2})" + _TIME,
    "«3/5/2010»",
    "«3-5-10 10:00»",
    others=("3/5-2010", "3/5"),
)
MONTHS = (
    _row(
        "a month and its year",
        rf"(?i){_MONTH},?(?:\s+of)?\s+(?P<y>\d{{4}})",
        "«March 1984»",
        "«Sept. of 2001»",
        others=("May 3",),
    ),
    _row(
        "a year and its month",
        rf"(?i)(?P<y>\d{{4}}),?\s+{_MONTH}",
        "«1984 Mar»",
        "«1939, May»",
        others=("1984",),
    ),
)


def _span(reads: str, first: str, last: str, example: str) -> re.Pattern[str]:
    """The second day of a span of days, with what joins it to the first."""
    pattern = (
        rf"(?i)\s?(?:[-–—/&]|to|and)\s?{first}\d{{1,2}}{last}(?=,?\s+(?:{_ANY_MONTH}|\d{{4}}))"
    )
    return _row(reads, pattern, example, others=("May 3",))


SPANS = (
    _span(
        "the end of a span, as a day of the month", rf"{_ANY_MONTH}?\.?\s*", "", "May 3«–5», 2010"
    ),
    _span("the end of a span, day before month", "", rf"\s+{_ANY_MONTH}", "3 May«–5 June» 2010"),
)
SPAN_JOINT = _row("what joins two dates", r"\s(?:to|until|[-–—])\s", "1998« to »1999")
YEAR = _row("a year of four digits", r"[12]\d{3}", "«1984»", others=("3000", "984"))
