"""The text of one cell: cleaned, compared, or cut down to what it says first.

Cells come from the web, from CSV files and from replies of a language model. numbers.py and
dates.py read values in them; readings/ decides on whole columns."""

from __future__ import annotations

import html
import unicodedata

from binder.tables.patterns import ABOUT, BLANKS, FOOTNOTE, LINES, PLAIN, REST, UP_TO

# Marks for "no value". "None" and "NA" are not among them: as cells they may be names.
_MARKS = r"- -- --- – — − / ? ... … n/a #n/a null nan <na> \n"
MISSING = frozenset(["", *_MARKS.split()])
_LONGEST_MARK = 8  # of MISSING, with blanks around it

_DASHES = str.maketrans(
    {
        **dict.fromkeys("‐‑‒–—―−", "-"),
        **dict.fromkeys("‘’‚′`´", "'"),
        **dict.fromkeys("“”„″«»", '"'),
    }
)
_UNSEEN = dict.fromkeys(map(ord, "\u00ad\u200b\u2060\ufeff"))
_TRUTHS = {"true": True, "yes": True, "false": False, "no": False}


def clean(text: str) -> str:
    """The text without footnote marks and invisible characters, blanks made single; line breaks
    stay. Never empties a text."""
    if PLAIN.fullmatch(text):
        return text
    return unmarked(FOOTNOTE.sub("", text.translate(_UNSEEN))) or unmarked(text)


def unmarked(text: str) -> str:
    """The text without invisible characters, blanks made single."""
    return LINES.sub("\n", BLANKS.sub(" ", text.translate(_UNSEEN))).strip()


def one_line(text: str) -> str:
    """The clean text on one line."""
    return " ".join(clean(text).split())


def straight(text: str) -> str:
    """The text with one kind of dash and of each quote."""
    return text.translate(_DASHES)


def fold(text: str) -> str:
    """The text as it is compared leniently: case, accents, kinds of dashes and quotes, blanks, and
    how HTML writes a character do not count."""
    if "&" in text:
        text = html.unescape(text)
    if not text.isascii():
        parts = unicodedata.normalize("NFKD", straight(text.translate(_UNSEEN)))
        text = "".join(c for c in parts if not unicodedata.combining(c))
    return " ".join(straight(text.casefold()).split())


def is_missing(text: str) -> bool:
    """Whether the text is a mark for "no value"."""
    return len(text) <= _LONGEST_MARK and text.strip().casefold() in MISSING


def read_boolean(text: str) -> bool | None:
    """True or False for true/false/yes/no; case, blanks around and a final full stop do not
    count."""
    return _TRUTHS.get(text.strip().removesuffix(".").casefold())


def lead(text: str) -> str:
    """What is said first, without "about", and without what follows in parentheses, on other lines,
    or after a ±."""
    first = clean(text)
    exact = ABOUT.sub("", first, count=1)
    return REST.sub("", exact).strip() or first


def range_start(text: str) -> str:
    """The lead, and of a range its beginning: "32 mm" of "32–33 mm"."""
    return UP_TO.sub("", lead(text), count=1)
