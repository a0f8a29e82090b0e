"""Numbers in cells: the value, the unit, and whether the unit is a known one."""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal
from typing import NamedTuple

from binder.tables.cells import one_line, straight
from binder.tables.patterns import (
    BEFORE_CHRIST,
    COMPOUNDS,
    NO_UNIT,
    NUMBER,
    NUMBER_START,
    RECORD_MARK,
    SAME_MEASURE,
    SIMPLE,
)

LONGEST = 60  # characters of a number with its unit and its note
TIE = "tie"  # the unit of a rank that others share

_UNITS = """
% ‰ ° °c °f $ € £ percent usd eur gbp dollar dollars euro euros yen
ft foot feet in inch inches yd yds yard yards mi mile miles nmi ' "
km m metre metres meter meters cm mm
km² km2 sqkm m² m2 ha acre acres sqmi sqft
kg g mg lb lbs pound pounds oz ton tons tonne tonnes
kg/m³ psi rpm cc l litre litres liter liters
km/h kph mph kn knot knots m/s hz khz mhz ghz w kw mw gw kwh mwh hp bhp v kv gb mb kb tb
s sec secs second seconds min mins minute minutes h hr hrs hour hours
day days week weeks month months yr yrs year years
pt pts point points vote votes seat seats goal goals lap laps game games match matches
win wins episode episodes people inhabitants
"""
UNITS = frozenset(_UNITS.split())
_POWERS = {
    2: "hundred",
    3: "thousand k",
    6: "million mil mn m",
    9: "billion bn b",
    12: "trillion t",
}
_SCALES = {word: power for power, words in _POWERS.items() for word in words.split()}


class Measure(NamedTuple):
    """A number and what stands around it. known is False for a unit that is any other word ("12
    monkeys")."""

    number: int | float
    unit: str
    known: bool


def read_number(text: str) -> int | float | None:
    """The number a text says, if it says nothing else: "$1.5 million", "45%", "12 ft". None for
    ranges, scores, clocks, codes."""
    found = measure(text)
    if found is None or not found.known or abs(found.number) == math.inf:
        return None
    return found.number


def measure(text: str) -> Measure | None:
    """The number and the unit in a text that is nothing but one number, or None."""
    simple = SIMPLE.fullmatch(text) if len(text) <= LONGEST else None
    if simple and not (simple["currency"] and simple["percent"]):
        return _simple(simple)
    text = one_line(text)
    if len(text) > LONGEST or not NUMBER_START.match(text):
        return None
    found = NUMBER.fullmatch(RECORD_MARK.sub("", text))
    return _compound(text) if found is None else _general(found, text)


def _general(found: re.Match[str], text: str) -> Measure | None:
    """A number with whatever stands around it, or None where that makes it something else."""
    scale, unit = _scale_and_unit(found)
    if not _is_one_number(found):
        return None
    if unit and not _is_unit(found, unit, text):
        return None
    if found["note"] and not (unit or scale or _explains(found)):
        return None
    return _with_unit(found, _signed(found, scale), unit)


def _simple(found: re.Match[str]) -> Measure:
    """A number as most cells write it."""
    digits = found["whole"].replace(",", "")
    size = float(digits + found["part"]) if found["part"] else int(digits)
    return Measure(-size if found["sign"] else size, found["currency"] or found["percent"], True)


def _scale_and_unit(found: re.Match[str]) -> tuple[str, str]:
    """The word that scales a number and its unit; empty where it has none."""
    scale, unit = found["scale"] or "", found["unit"] or ""
    if len(scale) == 1 and not found["currency"]:
        # A letter scales money only: "5 m" is metres, "12B" a bus.
        return "", f"{scale} {unit}".rstrip()
    return scale, unit


def _is_one_number(found: re.Match[str]) -> bool:
    """Whether digits stand there that are a number; "007" is a code."""
    if not (found["whole"] or found["part"] or found["vulgar"] or found["fraction"]):
        return False
    whole = found["whole"] or ""
    is_code = len(whole) > 1 and whole.startswith("0") and not found["part"]
    two_signs = found["sign"] and found["sign2"]
    return not (is_code or two_signs)


def _is_unit(found: re.Match[str], unit: str, text: str) -> bool:
    """Whether a word after a number can be its unit, unlike in "1st Battalion", "12 May",
    "1980s"."""
    if found["ordinal"] or NO_UNIT.fullmatch(unit):
        return False
    return not (unit == "s" and text.endswith("0s"))


def _explains(found: re.Match[str]) -> bool:
    """Whether a note says the number once more, as in "12 (3.7 m)" and unlike in "12 (3)"."""
    return bool(found["currency"] or SAME_MEASURE.fullmatch(found["note"]))


def _signed(found: re.Match[str], scale: str) -> int | float:
    """The number of a match, with its scale and its sign."""
    number = _value(
        whole=(found["whole"] or "").replace(",", "").replace(" ", ""),
        part=found["part"] or "",
        broken=found["vulgar"] or found["fraction"] or "",
        power=found["power"] or "",
        scale=_SCALES.get(scale.lower(), 0),
    )
    sign = found["sign"] or found["sign2"] or "+"
    return number if sign == "+" else -number


def _with_unit(found: re.Match[str], number: int | float, unit: str) -> Measure | None:
    """A number with the unit that its marks, its currency or the word after it give it."""
    if unit and BEFORE_CHRIST.fullmatch(unit):
        return Measure(-number, "", known=True)
    if found["mark"] in ("T", "=") or found["tie"]:
        # "T5" may be the name of a thing as well as a shared rank.
        return Measure(number, TIE, known=found["mark"] != "T")
    currency = found["currency"]
    if currency and unit and unit.casefold() not in UNITS:
        return None
    if currency:
        return Measure(number, currency if unit else currency.rstrip("."), known=True)
    unit = unit.rstrip(".")
    return Measure(number, unit, known=not unit or unit.casefold().replace(" ", "") in UNITS)


def _value(whole: str, part: str, broken: str, power: str = "", scale: int = 0) -> int | float:
    """The number that these pieces spell; whole ones are int."""
    if not (part or broken or power or scale):
        return int(whole)
    exact = Decimal(f"{whole or 0}{part}{power}") + _broken(broken)
    exact *= 10**scale
    return int(exact) if scale and exact == exact.to_integral_value() else float(exact)


def _broken(text: str) -> Decimal:
    """A fraction: "½", " 1/2", "1⁄2"; 0 where there is none."""
    if not text:
        return Decimal(0)
    if len(text) == 1:
        return Decimal(unicodedata.numeric(text))
    above, below = re.split("[/⁄]", text.strip(" -"))
    return Decimal(above) / (Decimal(below) or 1)


def _compound(text: str) -> Measure | None:
    """A measure of two parts, in the unit of the first: 6'3" is 6.25 ft."""
    text = straight(text)
    if not text[0].isdigit():
        return None
    for unit, ratio, regex in COMPOUNDS:
        found = regex.fullmatch(text)
        if found is not None:
            rest = _value(found["whole"], found["part"] or "", found["broken"] or "")
            whole = int(found["first"]) + rest / ratio
            return Measure(float(f"{whole:.12g}"), unit, known=True)
    return None
