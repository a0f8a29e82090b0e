"""Numbers: their signs, their scale, and their unit."""

from __future__ import annotations

import re
from collections import Counter

from binder.tables.cells import lead, range_start
from binder.tables.dates import read_duration, read_first_day
from binder.tables.numbers import UNITS, Measure, measure
from binder.tables.readings.decimals import COMMA_GUESS, CURRENCY, decimal_mark, measure_in
from binder.tables.readings.evidence import SHARE, Conversion, Evidence
from binder.tables.readings.identifiers import names
from binder.tables.readings.times import read_took
from binder.tables.readings.units import SCALES, convert, dimension, kind_of

_ByCell = dict[str, Measure]
_LONGEST = 2**63 - 1  # of a BIGINT
_TOO_LONG = "more digits than a BIGINT or a DOUBLE keeps"

# ---- signs: accounting writes a minus in many ways

_MONEY = re.compile(
    r"\b(?:amounts?|amt|balance|profit|loss|net|income|cash|change|total|payments?|debit|credit|price|cost"
    r"|revenue|earnings|variance|gain|value|betrag|saldo|montant|importe|usd|eur|gbp)\b|[$€£]",
    re.IGNORECASE,
)
_IN_PARENTHESES = re.compile(rf"(-?\s?(?:{CURRENCY})?)\s?\(\s*([^()]*\d[^()]*)\)\s?(%?)")
_BOOKKEPT = re.compile(
    r"\([$€£]?\s?(?:\d{1,3}(?:([.,])\d{3})+(?:(?!\1)[.,]\d+)?|\d+[.,]\d\d)\)|\([$€£].*\)"
)
_BEHIND = re.compile(r"(.*\d[^-−–]*?)\s?[-−]")
_BOOKED = re.compile(r"(.*\d.*?)\s?(CR|DR|Cr|Dr)\.?")
_LAKH = re.compile(r"\b(?:lakhs?|lacs?|crores?)\b|₹|\bINR\b|\bRs\b", re.IGNORECASE)


def _signed(cells: list[str], plain: int, evidence: Evidence) -> dict[str, tuple[str, str]]:
    """Cells with the sign of accounting -> the cell with a plain minus, and the style."""
    booked = _booked(cells, plain, evidence)
    found: dict[str, tuple[str, str]] = {}
    for cell in cells:
        text = cell.strip()
        if (inside := _IN_PARENTHESES.fullmatch(text)) is not None:
            found[cell] = f"-{inside[1].strip()}{inside[2].strip()}{inside[3]}", "parentheses"
        elif cell in booked:
            found[cell] = booked[cell]
        elif (behind := _BEHIND.fullmatch(text)) is not None and (
            evidence.says(_MONEY) or "." in text or "," in text
        ):  # else "1998-" is a beginning
            found[cell] = "-" + behind[1].strip(), "a minus behind"
    return found


def _booked(cells: list[str], plain: int, evidence: Evidence) -> dict[str, tuple[str, str]]:
    """The same for cells with CR or DR behind their number, where these are credit and debit."""
    if any(_LAKH.search(cell) for cell in (*evidence.told, evidence.header)):
        return {}  # 5 Cr are fifty million
    booked = {c: m for c in cells if (m := _BOOKED.fullmatch(c.strip())) is not None}
    marks = {entry[2].upper() for entry in booked.values()}
    if len(marks) < 2 and not (plain and evidence.says(_MONEY)):
        return {}  # a championship record
    negative = "DR" if "DR" in marks else "CR"
    found = {}
    for cell, entry in booked.items():
        minus = "-" if entry[2].upper() == negative else ""
        found[cell] = minus + entry[1].strip(), f"{negative} as a minus"
    return found


def _accounts(measures: _ByCell, evidence: Evidence, decimal: str) -> tuple[_ByCell, set[str]]:
    """The cells whose sign is one of accounting, and the styles that were met."""
    booked = {cell for cell in measures if _BOOKED.fullmatch(cell.strip())}
    rest = [cell for cell in evidence.told if cell not in measures or cell in booked]
    marked = _signed(rest, len(measures) - len(booked), evidence)
    # Elsewhere parentheses mean much: of a shared rank, a game that does not count, an estimate.
    money = _about_money(evidence, measures, rest)
    found: _ByCell = {}
    styles: set[str] = set()
    for cell, (text, style) in marked.items():
        if style == "parentheses" and not (money and measures):
            continue
        if (read := measure_in(text, decimal)) is not None:
            found[cell] = read
            styles.add(style)
    return found, styles


# ---- scales: letters and words that stand for thousands and millions

_SCALED = re.compile(
    rf"(?P<number>[-+−]?\s?(?:{CURRENCY})?\s?(?:\d{{1,3}}(?:,\d{{2,3}})+|\d+)?(?:[.,]\d+)?)\s?"
    r"(?P<scale>[KkMmBbTtGg]|mn|bn|Mio|Mrd|crores?|cr|Cr|CR|lakhs?|Lakhs?|lacs?|Lac|Crores?|[万亿億千])(?P<point>\.?)"
)
_POWERS = {"k": 3, "m": 6, "b": 9, "g": 9, "t": 12, "mn": 6, "bn": 9, "mio": 6, "mrd": 9}
_POWERS |= {"crore": 7, "cr": 7, "lakh": 5, "lac": 5, "万": 4, "亿": 8, "億": 8, "千": 3}


def _scales(evidence: Evidence, decimal: str) -> tuple[_ByCell, str | None]:
    """Numbers with a letter or a word for their size ("12K", "30 Lakh"), where these are what
    tells the cells of the column apart; and a word where that is a guess."""
    parts = {c: m for c in evidence.told if (m := _SCALED.fullmatch(c.strip())) is not None}
    others = [read for c in evidence.told if c not in parts and (read := measure_in(c, decimal))]
    if not parts or any(other.unit not in "$€£" for other in others):
        return {}, None
    scales = {part["scale"] for part in parts.values()}
    fractions = any("." in cell for cell in parts)
    guess = _scale_guess(scales, bool(others), fractions)
    if guess is None:
        return {}, None
    found = {cell: _scaled(part, decimal) for cell, part in parts.items()}
    return {cell: read for cell, read in found.items() if read is not None}, guess


def _scale_guess(scales: set[str], plain: bool, fractions: bool) -> str | None:
    """What is guessed of the letters of a column, "" where they are clear; None where they are
    units. plain, fractions: whether the column has numbers without a letter, and with a point."""
    words = {scale.casefold().removesuffix("s") for scale in scales}
    if words == {"m"}:  # "m" are metres
        return "M is read as million" if plain and "m" not in scales else None
    if len(words) == 1 and words <= {"b", "g", "t", "cr"}:
        return None  # bytes, grams, tonnes, credits
    if words == {"k"} and not plain and not fractions:
        return None  # carats, kilometres of a race
    if "g" in words or words == {"t", "b"}:
        return "K, M, G and T are read as powers of 1,000"
    return ""


def _scaled(part: re.Match[str], decimal: str) -> Measure | None:
    """A number times the power of ten of the letter behind it; whole where it can be."""
    if not part["number"].strip(" +-−"):
        return None
    read = measure_in(part["number"].strip(), decimal)
    if read is None:
        return None
    power = _POWERS[part["scale"].casefold().removesuffix("s")]
    size = float(f"{read.number * 10**power:.15g}")
    return Measure(int(size) if size.is_integer() else size, read.unit, known=True)


# ---- the column

_OUT_OF = re.compile(r"(\d+(?:\.\d+)?)\s?/\s?(5|10|20|50|100)")  # "7.5/10"
# What follows a number in a column where something follows nearly all of them.
_REMARK = re.compile(  # "4220 m\n13,845 ft", "15.0\n(59)", "2.4 (#5)"
    r"[^(\n]*(?:\n\s*(?:\([^()]*\)|[−–-]?[\d.,]+\s?[^\W\d].*)|\s\((?![\d.,−–-]*\))[^()]*\))"
)
_TWICE = re.compile(r"[^(/\n]*\s*(?:\(.*\)|/.*|\n.*)")  # "168 (551)" below "Height m (ft)"
_COMMA = re.compile(r"[+−–-]?\d+,\d{1,2}\s?%?")  # "11,2"


def read_numbers(evidence: Evidence) -> Conversion | None:
    """Numbers of one unit; plain ones may stand between those with the unit."""
    if evidence.said is None and (reason := names(evidence)) is not None:
        return Conversion("identifier", "VARCHAR", {}, note=reason)
    decimal, guess = decimal_mark(evidence)
    found = Conversion("number", "DOUBLE", {}, decimal=decimal, guesses=[guess] if guess else [])
    measures = _measures(evidence, found)
    if evidence.said is None and not evidence.enough(measures):
        return None
    return _united(measures, evidence, found)


def _measures(evidence: Evidence, found: Conversion) -> _ByCell:
    """What each cell of a column of numbers says, by all the styles that the column has."""
    told, decimal = evidence.told, found.decimal
    scaled, guess = _scales(evidence, decimal)
    if scaled and guess:
        found.guesses.append(guess)
    measures = dict(scaled)
    for cell in told:
        # the user says that codes are numbers
        text = re.sub(r"^\s*0+(?=\d)", "", cell) if evidence.said else cell
        if cell not in measures and (read := measure_in(text, decimal)) is not None:
            measures[cell] = read
    accounts, styles = _accounts(measures, evidence, decimal)
    measures |= accounts
    found.guesses += sorted(style for style in styles if " as " in style)
    explained = accounts.keys() | scaled.keys()
    found.in_part |= {cell for cell in told if cell not in explained and _BOOKED.fullmatch(cell)}
    exceptions = 2 * len(measures) >= len(told)
    remarked = _remarked(measures, evidence, decimal, exceptions)
    if exceptions:
        found.in_part |= remarked.keys()
    measures |= remarked
    if not measures:
        return _marks(told)
    measures |= _even(measures, told)
    if commas := _commas(measures, told):
        found.guesses.append(COMMA_GUESS)
    return measures | commas


def _about_money(evidence: Evidence, measures: _ByCell, rest: list[str]) -> bool:
    """Whether a column holds amounts: the header says so, a currency, or the way that accounts
    write them."""
    return (
        evidence.says(_MONEY)
        or any(m.unit in ("$", "€", "£") for m in measures.values())
        or any(_BOOKKEPT.fullmatch(cell.strip()) for cell in rest)
    )


def _united(measures: _ByCell, evidence: Evidence, found: Conversion) -> Conversion | None:
    """The measures in one unit."""
    unit = _unit(measures, evidence)
    found.values = _in_unit(measures, unit)
    if not evidence.said:
        if not found.values or not evidence.enough(found.values):
            return _several(measures, evidence)
        odd = [cell for cell in evidence.told if cell not in found.values]
        if any(read_duration(cell) is not None for cell in odd) or _coded(odd, evidence):
            return None
    found.in_part &= found.values.keys()
    found.unit = unit or None
    bare = [c for c, m in measures.items() if not m.unit and 0 < abs(m.number) < 1]
    if unit == "%" and bare:
        found.guesses.append(f"{bare[0]!r} is read as {bare[0].strip()} %")
    return _typed(found)


def _in_unit(measures: _ByCell, unit: str) -> dict[str, float | int]:
    """The numbers of the measures that have a unit of the same dimension, or none."""
    plain = any(not read.unit for read in measures.values())
    found = {}
    for cell, read in measures.items():
        if not read.unit or (read.unit == "tie" and plain):  # a rank that is shared
            found[cell] = read.number
        elif dimension(read.unit) == dimension(unit):
            found[cell] = convert(read.number, read.unit, unit)
    return found


def _several(measures: _ByCell, evidence: Evidence) -> Conversion | None:
    """Text, where the cells measure several things; None where they are something else."""
    known = any(m.known and m.unit for m in measures.values())
    units = dict.fromkeys(m.unit for m in measures.values() if known and m.unit)
    measured = {dimension(unit) for unit in units if unit != "tie"}
    # "1h 5m" is one time, not hours and minutes.
    if len(measured) < 2 or all(read_took(cell) is not None for cell in evidence.told):
        return None
    return Conversion("text", "VARCHAR", {}, note=f"several units: {', '.join(units)}")


def _coded(odd: list[str], evidence: Evidence) -> bool:
    """Codes of one length, such as "01" to "56"."""
    zeros = any(re.fullmatch(r"0\d+", cell.strip()) for cell in odd)
    return zeros and len({len(cell.strip()) for cell in evidence.told}) == 1


def _typed(found: Conversion) -> Conversion:
    """BIGINT where all values are whole and fit; text where a DOUBLE would lose digits."""
    values = found.values
    if all(isinstance(value, int) for value in values.values()):
        if all(abs(value) <= _LONGEST for value in values.values()):
            found.type = "BIGINT"
            return found
        if any(cell.strip().isdigit() and len(cell.strip()) > 18 for cell in values):
            return Conversion("text", "VARCHAR", {}, note=_TOO_LONG)
    found.values = {cell: float(value) for cell, value in values.items()}
    return found


def _remarked(measures: _ByCell, evidence: Evidence, decimal: str, exceptions: bool) -> _ByCell:
    """Numbers with something after them: exceptions among plain numbers, or most of them remarked,
    or given in two units."""
    told, header = evidence.told, evidence.header
    rest = [c for c in told if c not in measures]
    beginning = range_start
    if not exceptions:
        beginning = lead
        units = [word for word in re.findall(r"[^\W\d_][\w/]*", header) if word.casefold() in UNITS]
        pattern = _TWICE if len(units) > 1 else _REMARK
        rest = [c for c in rest if pattern.fullmatch(c.strip())]
    found = {c: m for c in rest if (m := measure_in(beginning(c), decimal)) is not None}
    if 3 * sum(_is_year(m) for m in measures.values()) > 2 * len(told):
        for cell in rest:
            if cell not in found and (day := read_first_day(cell)) is not None:
                found[cell] = Measure(day.year, "", known=True)
    return found


def _commas(measures: _ByCell, told: list[str]) -> _ByCell:
    """Decimals with a comma, where some cell is surely a number and no other cell is in the way."""
    odd = [c for c in told if c not in measures]
    if not odd or not all(_COMMA.fullmatch(c.strip()) for c in odd):
        return {}
    return {c: m for c in odd if (m := measure(c.replace(",", "."))) is not None}


def _is_year(found: Measure) -> bool:
    """Whether a number may be a year."""
    return not found.unit and isinstance(found.number, int) and 1000 <= found.number <= 2100


def _even(measures: _ByCell, told: list[str]) -> _ByCell:
    """The zero of signed numbers, which golfers call E (even par)."""
    if not all(m.number == 0 or c.strip()[0] in "+-−–" for c, m in measures.items()):
        return {}
    return {c: Measure(0, "", known=True) for c in told if c.strip().casefold() in ("e", "even")}


def _marks(told: list[str]) -> _ByCell:
    """Marks out of the same number, all through: "7.5/10"."""
    parts = {c: found for c in told if (found := _OUT_OF.fullmatch(c.strip()))}
    if len(parts) < len(told) or len({found[2] for found in parts.values()}) > 1:
        return {}
    return {
        cell: Measure(float(found[1]), "/" + found[2], known=True) for cell, found in parts.items()
    }


_IN_HEADER = re.compile(r"[(\[]\s*([^()\[\]]+?)\s*[)\]]|(?:\bin\s+|_)(\S+)\s*$")


def _header_unit(measures: _ByCell, header: str) -> str:
    """The unit of cells without one that a header names: "Height (m)", "weight in kg", "size_mb"."""
    named = _IN_HEADER.search(header)
    if named is None or all(read.unit for read in measures.values()):
        return ""
    unit = named[1] or named[2]
    return unit if kind_of(unit) in SCALES else ""


def _commonest(measures: _ByCell, evidence: Evidence) -> str:
    """The dimension that most rows measure, "" where no row has a unit."""
    kinds: Counter[str] = Counter()
    for cell, read in measures.items():
        if read.unit and read.unit != "tie":
            kinds[dimension(read.unit)] += evidence.counts[cell]
    return max(kinds, key=kinds.__getitem__, default="")


def _unit(measures: _ByCell, evidence: Evidence) -> str:
    """The unit that most rows carry, or that the header names where some rows carry none; one word
    that is no known unit must stand in nearly all cells."""
    wanted = _commonest(measures, evidence)
    if not wanted:
        return ""
    named = _header_unit(measures, evidence.header)
    if dimension(named) == wanted:
        return named  # below "Height (m)" a bare 3 is 3 m, though the other cells say 250 cm
    same = [m for m in measures.values() if m.unit and dimension(m.unit) == wanted]
    often = Counter(m.unit for m in same)
    del often["tie"]  # a column of "ties" counts them
    few = len(same) < max(3, SHARE * len(evidence.told))
    known = any(m.known for m in same)
    if not known and (few or any(" " in spelling for spelling in often)):
        return ""
    return max(often, key=often.__getitem__)


def read_literal(text: str, decimal: str, unit: str | None) -> int | float | None:
    """A number that is compared with a column, in the unit of the column where it has one of the
    same dimension; None where it has another."""
    found = measure_in(text, decimal)
    if found is None and decimal == ",":
        found = measure(text)
    if found is None or not found.known or abs(found.number) == float("inf"):
        return None
    if not unit or found.unit in ("", "tie") or dimension(unit) == dimension(found.unit):
        return convert(found.number, found.unit, unit or found.unit)
    return None
