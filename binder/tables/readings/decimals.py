"""Decimal marks: which of "." and "," stands in front of the fraction of a column, and what its
cells say by it."""

from __future__ import annotations

import re
from collections.abc import Iterable

from binder.tables.numbers import Measure, measure
from binder.tables.readings.evidence import Evidence
from binder.tables.readings.units import SCALES, kind_of

CURRENCY = r"(?:US|AU|CA|NZ|HK|R)?\$|[€£¥₹₩₽₺₱]|USD|EUR|GBP|CHF|kr|zł|Rs\.?"
_BLANK = "[ \u00a0\u202f\u2009'’]"
_AROUND = rf"(?P<before>[-+−–]?\s?(?:{CURRENCY})?\s?[-−]?){{}}(?P<after>\s?(?:[%‰]|[^\W\d_].*|{CURRENCY})?-?\)?)"
_MINUS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\ufe63\uff0d", "-"))
_DAGGERS = re.compile(r"\s*[†‡]+(?!\d)")  # part of no number, wherever they stand
_SURE_COMMA = re.compile(
    _AROUND.format(
        rf"(?P<number>\d{{1,3}}(?:[.]\d{{3}})+,\d+|\d{{1,3}}(?:{_BLANK}\d{{3}})+,\d+"
        r"|\d+,(?:\d{1,2}|\d{4,})|0,\d+|\d{1,3}(?:\.\d{3}){2,})"
    )
)
_MAYBE_COMMA = re.compile(
    _AROUND.format(rf"(?P<number>\d{{1,3}}(?:(?:[.]|{_BLANK})\d{{3}})+(?:,\d+)?|\d+(?:,\d+)?|,\d+)")
)
_SURE_POINT = re.compile(
    _AROUND.format(
        r"(?P<number>\d{1,3}(?:,\d{2,3})*,\d{3}\.\d+|\d+\.(?:\d{1,2}|\d{4,})|0\.\d+"
        r"|\d{1,3}(?:,\d{3}){2,})"
    )
)
_LISTED = re.compile(r"\d+,\d+")  # "1,2" without more may be a list of two
_CENTS = re.compile(r",\d\d(?!\d)")
_MILLIONS = re.compile(r"\d{1,3}(?:\.\d{3}){2,}")  # "1.234.567": the points are no decimal marks
COMMA_GUESS = "a comma is read as the decimal mark"


def decimal_votes(cells: Iterable[str]) -> tuple[int, int, int]:
    """How many cells of a column surely have a decimal comma, how many surely a point, and how
    many are numbers with a comma at all."""
    commas = points = numbers = 0
    for cell in cells:
        cell = cell.strip().lstrip("(")
        if len(cell) > 40 or not any(map(str.isdigit, cell)):
            continue
        commas += _SURE_COMMA.fullmatch(cell) is not None
        points += _SURE_POINT.fullmatch(cell) is not None
        numbers += "," in cell and _MAYBE_COMMA.fullmatch(cell) is not None
    return commas, points, numbers


def decimal_mark(evidence: Evidence) -> tuple[str, str | None]:
    """The decimal mark of a column, and a word where it is a guess."""
    if evidence.said is not None and evidence.said.detail in (",", "."):
        return evidence.said.detail, None
    cells, file = evidence.told, evidence.file
    commas, points, numbers = decimal_votes(cells)
    if commas and not points:
        return _proven_comma(evidence, commas)
    if points or file.decimal != ",":
        return ".", None
    # The other columns of the file have a comma, and this one proves nothing.
    dotted = any("." in cell for cell in cells)
    ambiguous = numbers or dotted and all(_MAYBE_COMMA.fullmatch(cell.strip()) for cell in cells)
    return ",", COMMA_GUESS if ambiguous and not file.sure else None


def _proven_comma(evidence: Evidence, commas: int) -> tuple[str, str | None]:
    """The decimal mark where some cells surely have a comma, and none a point."""
    if evidence.file.decimal == ",":
        return ",", None
    cells = [cell.strip() for cell in evidence.told]
    if not all(_MAYBE_COMMA.fullmatch(cell.lstrip("(")) for cell in cells):
        return ".", None
    if any(_MILLIONS.fullmatch(cell) for cell in cells):
        return ",", None
    # Lists of two look the same: prices are none, and neither is what a list would not have.
    parted = [cell for cell in cells if "," in cell]
    priced = commas >= 2 and all(_CENTS.search(cell) for cell in parted)
    marked = any(not _LISTED.fullmatch(cell) for cell in parted)
    return (",", COMMA_GUESS) if priced or marked else (".", None)


def _with_point(cell: str) -> str:
    """A number with a decimal comma, as it is written with a point."""
    text = cell.strip()
    found = _MAYBE_COMMA.fullmatch(text) or _MAYBE_COMMA.fullmatch(text.strip("()"))
    if found is None:
        return cell
    bare = re.sub(rf"[.]|{_BLANK}", "", found["number"]).replace(",", ".")
    return text.replace(found["number"], bare, 1)


def measure_in(cell: str, decimal: str) -> Measure | None:
    """The number and the unit of a cell, by the decimal mark of its column."""
    if decimal == ",":
        if _SURE_POINT.fullmatch(cell.strip()) and not _MAYBE_COMMA.fullmatch(cell.strip()):
            return None  # a decimal point among decimal commas
        cell = _with_point(cell)
    if "'" in cell or "’" in cell:  # 1'234.50
        cell = re.sub(r"(?<=\d)['’](?=\d{3}(?!\d))", "", cell)
    if not cell.isascii():
        cell = _DAGGERS.sub("", cell.translate(_MINUS))
    found = measure(cell)
    if found is not None and not found.known and kind_of(found.unit) in SCALES:
        return found._replace(known=True)
    return found
