"""Numbers: their marks of decimals and groups, their signs, their scale, and their unit."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from binder.tables.cells import lead, range_start
from binder.tables.dates import read_duration, read_first_day
from binder.tables.numbers import UNITS, Measure, measure
from binder.tables.readings.evidence import SHARE, Conversion, Evidence
from binder.tables.readings.identifiers import names
from binder.tables.readings.times import read_took
from binder.tables.readings.units import SCALES, convert, dimension, kind_of

_LONGEST = 2**63 - 1  # of a BIGINT
_MINUS = str.maketrans(dict.fromkeys("\u2010\u2011\u2012\ufe63\uff0d", "-"))
_DAGGERS = re.compile(r"\s*[†‡]+(?!\d)")  # part of no number, wherever they stand
_CURRENCY = r"(?:US|AU|CA|NZ|HK|R)?\$|[€£¥₹₩₽₺₱]|USD|EUR|GBP|CHF|kr|zł|Rs\.?"
_BLANK = "[ \u00a0\u202f\u2009'’]"
_AROUND = rf"(?P<before>[-+−–]?\s?(?:{_CURRENCY})?\s?[-−]?){{}}(?P<after>\s?(?:[%‰]|[^\W\d_].*|{_CURRENCY})?-?\)?)"

# ---- marks: which of "." and "," stands in front of the fraction


_MARKED = {  # decimal mark -> how numbers are written that have it for sure, and how they may be
    ",": (
        re.compile(
            _AROUND.format(
                rf"(?P<number>\d{{1,3}}(?:[.]\d{{3}})+,\d+|\d{{1,3}}(?:{_BLANK}\d{{3}})+,\d+"
                r"|\d+,(?:\d{1,2}|\d{4,})|0,\d+|\d{1,3}(?:\.\d{3}){2,})"
            )
        ),
        re.compile(
            _AROUND.format(
                rf"(?P<number>\d{{1,3}}(?:(?:[.]|{_BLANK})\d{{3}})+(?:,\d+)?|\d+(?:,\d+)?|,\d+)"
            )
        ),
    ),
    ".": (
        re.compile(
            _AROUND.format(
                r"(?P<number>\d{1,3}(?:,\d{2,3})*,\d{3}\.\d+|\d+\.(?:\d{1,2}|\d{4,})|0\.\d+"
                r"|\d{1,3}(?:,\d{3}){2,})"
            )
        ),
        re.compile(
            _AROUND.format(r"(?P<number>\d{1,3}(?:,\d{2,3})*,\d{3}(?:\.\d+)?|\d*(?:\.\d+)?)")
        ),
    ),
}
_LISTED = re.compile(r"\d+,\d+")  # "1,2" without more may be a list of two


def decimal_votes(cells: Iterable[str]) -> tuple[int, int, int]:
    """How many cells of a column surely have a decimal comma, how many surely a point, and how
    many are numbers with a comma at all."""
    commas = points = numbers = 0
    for cell in cells:
        cell = cell.strip().lstrip("(")
        if len(cell) > 40 or not any(map(str.isdigit, cell)):
            continue
        commas += _MARKED[","][0].fullmatch(cell) is not None
        points += _MARKED["."][0].fullmatch(cell) is not None
        numbers += "," in cell and _MARKED[","][1].fullmatch(cell) is not None
    return commas, points, numbers


def _decimal(evidence: Evidence) -> tuple[str, str | None]:
    """The decimal mark of a column, and a word where it is a guess."""
    if evidence.said is not None and evidence.said.detail in (",", "."):
        return evidence.said.detail, None
    cells = evidence.told
    commas, points, numbers = decimal_votes(cells)
    grouped = sum(
        re.fullmatch(r"\d{1,3}(?:\.\d{3}){2,}", cell.strip()) is not None for cell in cells
    )
    file = evidence.file
    if commas and not points:
        fits = sum(
            _MARKED[","][1].fullmatch(cell.strip().lstrip("(")) is not None for cell in cells
        )
        if file.decimal == "," or grouped and fits == len(cells):
            return ",", None
        priced = (
            all(re.search(r",\d\d(?!\d)", cell) for cell in cells if "," in cell) and commas >= 2
        )
        marked = any(not _LISTED.fullmatch(cell.strip()) for cell in cells if "," in cell)
        if fits == len(cells) and (priced or marked):
            return ",", "a comma is read as the decimal mark"
        return ".", None
    if points or file.decimal != ",":
        return ".", None
    dotted = any("." in cell for cell in cells)
    ambiguous = numbers or dotted and all(_MARKED[","][1].fullmatch(cell.strip()) for cell in cells)
    guess = None if file.sure or not ambiguous else "a comma is read as the decimal mark"
    return ",", guess


def _with_point(cell: str) -> str:
    """A number with a decimal comma, as it is written with a point."""
    found = _MARKED[","][1].fullmatch(cell.strip())
    if found is None:
        found = _MARKED[","][1].fullmatch(cell.strip().strip("()"))
        if found is None:
            return cell
    bare = re.sub(rf"[.]|{_BLANK}", "", found["number"]).replace(",", ".")
    return cell.strip().replace(found["number"], bare, 1)


# ---- signs: accounting writes a minus in many ways

_MONEY = re.compile(
    r"\b(?:amounts?|amt|balance|profit|loss|net|income|cash|change|total|payments?|debit|credit|price|cost"
    r"|revenue|earnings|variance|gain|value|betrag|saldo|montant|importe|usd|eur|gbp)\b|[$€£]",
    re.IGNORECASE,
)
_IN_PARENTHESES = re.compile(rf"(-?\s?(?:{_CURRENCY})?)\s?\(\s*([^()]*\d[^()]*)\)\s?(%?)")
_BOOKKEPT = re.compile(
    r"\([$€£]?\s?(?:\d{1,3}(?:([.,])\d{3})+(?:(?!\1)[.,]\d+)?|\d+[.,]\d\d)\)|\([$€£].*\)"
)
_BEHIND = re.compile(r"(.*\d[^-−–]*?)\s?[-−]")
_BOOKED = re.compile(r"(.*\d.*?)\s?(CR|DR|Cr|Dr)\.?")
_LAKH = re.compile(r"\b(?:lakhs?|lacs?|crores?)\b|₹|\bINR\b|\bRs\b", re.IGNORECASE)


def _signed(cells: list[str], plain: int, evidence: Evidence) -> dict[str, tuple[str, str]]:
    """Cells with the sign of accounting -> the cell with a plain minus, and the style."""
    booked = {c: m for c in cells if (m := _BOOKED.fullmatch(c.strip())) is not None}
    marks = {m[2].upper() for m in booked.values()}
    if any(_LAKH.search(c) for c in (*evidence.told, evidence.header)):
        booked = {}  # 5 Cr are fifty million
    elif not (len(marks) == 2 or plain and marks and evidence.says(_MONEY)):
        booked = {}  # a championship record
    negative = "DR" if "DR" in marks else "CR"
    found: dict[str, tuple[str, str]] = {}
    for cell in cells:
        text = cell.strip()
        if (inside := _IN_PARENTHESES.fullmatch(text)) is not None:
            found[cell] = f"-{inside[1].strip()}{inside[2].strip()}{inside[3]}", "parentheses"
        elif cell in booked:
            minus = "-" if booked[cell][2].upper() == negative else ""
            found[cell] = minus + booked[cell][1].strip(), f"{negative} as a minus"
        elif (behind := _BEHIND.fullmatch(text)) is not None and (
            evidence.says(_MONEY) or "." in text or "," in text
        ):  # else "1998-" is a beginning
            found[cell] = "-" + behind[1].strip(), "a minus behind"
    return found


def _accounts(
    measures: dict[str, Measure], evidence: Evidence, decimal: str
) -> tuple[dict[str, Measure], set[str]]:
    """The cells whose sign is one of accounting, and the styles that were met."""
    booked = {cell for cell in measures if _BOOKED.fullmatch(cell.strip())}
    rest = [cell for cell in evidence.told if cell not in measures or cell in booked]
    marked = _signed(rest, len(measures) - len(booked), evidence)
    # Elsewhere parentheses mean much: of a shared rank, a game that does not count, an estimate.
    money = _about_money(evidence, measures, rest)
    found: dict[str, Measure] = {}
    styles: set[str] = set()
    for cell, (text, style) in marked.items():
        if style == "parentheses" and not (money and measures):
            continue
        if (read := _measure(text, decimal)) is not None:
            found[cell] = read
            styles.add(style)
    return found, styles


# ---- scales: letters and words that stand for thousands and millions

_SCALED = re.compile(
    rf"(?P<number>[-+−]?\s?(?:{_CURRENCY})?\s?(?:\d{{1,3}}(?:,\d{{2,3}})+|\d+)?(?:[.,]\d+)?)\s?"
    r"(?P<scale>[KkMmBbTtGg]|mn|bn|Mio|Mrd|crores?|cr|Cr|CR|lakhs?|Lakhs?|lacs?|Lac|Crores?|[万亿億千])(?P<point>\.?)"
)
_POWERS = {"k": 3, "m": 6, "b": 9, "g": 9, "t": 12, "mn": 6, "bn": 9, "mio": 6, "mrd": 9}
_POWERS |= {"crore": 7, "cr": 7, "lakh": 5, "lac": 5, "万": 4, "亿": 8, "億": 8, "千": 3}


def _scales(evidence: Evidence, decimal: str) -> tuple[dict[str, Measure], str | None]:
    """Numbers with a letter or a word for their size ("12K", "30 Lakh"), where these are what
    tells the cells of the column apart; and a word where that is a guess."""
    parts = {c: m for c in evidence.told if (m := _SCALED.fullmatch(c.strip())) is not None}
    words = {m["scale"].casefold().removesuffix("s") for m in parts.values()}
    others = [read for c in evidence.told if c not in parts and (read := _measure(c, decimal))]
    plain = [read for read in others if not read.unit or read.unit in "$€£"]
    if len(plain) < len(others):
        return {}, None
    guess = None
    known = {"k", "mn", "bn", "mio", "mrd", "lakh", "lac", "crore", "万", "亿", "億", "千"}
    if not parts or words == {"m"} and any(m["scale"] == "m" for m in parts.values()):
        return {}, None  # metres
    if len(words) == 1 and not words <= known:
        if words != {"m"} or not plain:
            return {}, None
        guess = "M is read as million"
    if words == {"k"} and not plain and not any("." in cell for cell in parts):
        return {}, None  # carats, kilometres of a race
    if "g" in words or words <= {"t", "b"}:
        guess = "K, M, G and T are read as powers of 1,000"
    found = {}
    for cell, part in parts.items():
        if not part["number"].strip(" +-−"):
            continue
        read = _measure(part["number"].strip(), decimal)
        if read is not None:
            power = _POWERS[part["scale"].casefold().removesuffix("s")]
            size = float(f"{read.number * 10**power:.15g}")
            found[cell] = Measure(int(size) if size.is_integer() else size, read.unit, known=True)
    return found, guess


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
    decimal, guess = _decimal(evidence)
    found = Conversion("number", "DOUBLE", {}, decimal=decimal, guesses=[guess] if guess else [])
    measures = _measures(evidence, found)
    if evidence.said is None and not evidence.enough(measures):
        return None
    return _united(measures, evidence, found)


def _measure(cell: str, decimal: str) -> Measure | None:
    """The number and the unit of a cell, by the decimal mark of its column."""
    if decimal == ",":
        if _MARKED["."][0].fullmatch(cell.strip()) and not _MARKED[","][1].fullmatch(cell.strip()):
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


def _measures(evidence: Evidence, found: Conversion) -> dict[str, Measure]:
    """What each cell of a column of numbers says, by all the styles that the column has."""
    told, decimal = evidence.told, found.decimal
    scaled, guess = _scales(evidence, decimal)
    if scaled and guess:
        found.guesses.append(guess)
    measures = dict(scaled)
    for cell in told:
        # the user says that codes are numbers
        text = re.sub(r"^\s*0+(?=\d)", "", cell) if evidence.said else cell
        if cell not in measures and (read := _measure(text, decimal)) is not None:
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
        found.guesses.append("a comma is read as the decimal mark")
    return measures | commas


def _about_money(evidence: Evidence, measures: dict[str, Measure], rest: list[str]) -> bool:
    """Whether a column holds amounts: the header says so, a currency, or the way that accounts
    write them."""
    return (
        evidence.says(_MONEY)
        or any(m.unit in ("$", "€", "£") for m in measures.values())
        or any(_BOOKKEPT.fullmatch(cell.strip()) for cell in rest)
    )


def _united(
    measures: dict[str, Measure], evidence: Evidence, found: Conversion
) -> Conversion | None:
    """The measures in one unit."""
    unit = _unit(measures, evidence)
    wanted = dimension(unit) if unit else ""
    known = {dimension(m.unit) for m in measures.values() if m.unit and m.unit != "tie" and m.known}
    plain = any(not m.unit for m in measures.values())
    found.values = {
        c: convert(m.number, m.unit, unit) if m.unit and m.unit != "tie" else m.number
        for c, m in measures.items()
        if not m.unit or (m.unit == "tie" and plain) or dimension(m.unit) == wanted
    }
    if not evidence.said and (not found.values or not evidence.enough(found.values)):
        if len(known) > 1 and not all(read_took(cell) is not None for cell in evidence.told):
            spelt = dict.fromkeys(m.unit for m in measures.values() if m.known and m.unit)
            return Conversion("text", "VARCHAR", {}, note=f"several units: {', '.join(spelt)}")
        return None
    odd = [cell for cell in evidence.told if cell not in found.values]
    if not evidence.said and (
        any(read_duration(c) is not None for c in odd) or _coded(odd, evidence)
    ):
        return None
    found.in_part &= found.values.keys()
    found.unit = unit or None
    bare = [c for c, m in measures.items() if not m.unit and 0 < abs(m.number) < 1]
    if unit == "%" and bare:
        found.guesses.append(f"{bare[0]!r} is read as {bare[0].strip()} %")
    return _typed(found)


def _coded(odd: list[str], evidence: Evidence) -> bool:
    """Codes of one length, such as "01" to "56"."""
    zeros = any(re.fullmatch(r"0\d+", cell.strip()) for cell in odd)
    return zeros and len({len(cell.strip()) for cell in evidence.told}) == 1


def _typed(found: Conversion) -> Conversion | None:
    """BIGINT where all values are whole and fit."""
    values = found.values
    if all(isinstance(value, int) for value in values.values()):
        if all(abs(value) <= _LONGEST for value in values.values()):
            found.type = "BIGINT"
            return found
        if any(cell.strip().isdigit() and len(cell.strip()) > 18 for cell in values):
            return None  # an identifier: a DOUBLE would lose its last digits
    found.values = {cell: float(value) for cell, value in values.items()}
    return found


def _remarked(
    measures: dict[str, Measure], evidence: Evidence, decimal: str, exceptions: bool
) -> dict[str, Measure]:
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
    found = {c: m for c in rest if (m := _measure(beginning(c), decimal)) is not None}
    if 3 * sum(_is_year(m) for m in measures.values()) > 2 * len(told):
        for cell in rest:
            if cell not in found and (day := read_first_day(cell)) is not None:
                found[cell] = Measure(day.year, "", known=True)
    return found


def _commas(measures: dict[str, Measure], told: list[str]) -> dict[str, Measure]:
    """Decimals with a comma, where some cell is surely a number and no other cell is in the way."""
    odd = [c for c in told if c not in measures]
    if not odd or not all(_COMMA.fullmatch(c.strip()) for c in odd):
        return {}
    return {c: m for c in odd if (m := measure(c.replace(",", "."))) is not None}


def _is_year(found: Measure) -> bool:
    """Whether a number may be a year."""
    return not found.unit and isinstance(found.number, int) and 1000 <= found.number <= 2100


def _even(measures: dict[str, Measure], told: list[str]) -> dict[str, Measure]:
    """The zero of signed numbers, which golfers call E (even par)."""
    if not all(m.number == 0 or c.strip()[0] in "+-−–" for c, m in measures.items()):
        return {}
    return {c: Measure(0, "", known=True) for c in told if c.strip().casefold() in ("e", "even")}


def _marks(told: list[str]) -> dict[str, Measure]:
    """Marks out of the same number, all through: "7.5/10"."""
    parts = {c: found for c in told if (found := _OUT_OF.fullmatch(c.strip()))}
    if len(parts) < len(told) or len({found[2] for found in parts.values()}) > 1:
        return {}
    return {
        cell: Measure(float(found[1]), "/" + found[2], known=True) for cell, found in parts.items()
    }


def _unit(measures: dict[str, Measure], evidence: Evidence) -> str:
    """The unit that most rows carry; one word that is no known unit must stand in nearly all
    cells."""
    spellings: Counter[str] = Counter()
    for cell, read in measures.items():
        if read.unit and read.unit != "tie":
            spellings[read.unit] += evidence.counts[cell]
    kinds: Counter[str] = Counter()
    for spelling, count in spellings.items():
        kinds[dimension(spelling)] += count
    if not kinds:
        return ""
    wanted = kinds.most_common(1)[0][0]
    named = [spelling for spelling in spellings if dimension(spelling) == wanted]
    same = {cell: m for cell, m in measures.items() if m.unit and dimension(m.unit) == wanted}
    known = any(m.known for m in same.values())
    few = len(same) < 3 or len(same) < SHARE * len(evidence.told)
    if not known and (few or any(" " in spelling for spelling in named)):
        return ""
    often = Counter(m.unit for m in same.values())
    return max(named, key=lambda spelling: often[spelling])


def read_literal(text: str, decimal: str, unit: str | None) -> int | float | None:
    """A number that is compared with a column, in the unit of the column where it has one of the
    same dimension; None where it has another."""
    found = _measure(text, decimal)
    if found is None and decimal == ",":
        found = measure(text)
    if found is None or not found.known or abs(found.number) == float("inf"):
        return None
    if (
        not found.unit
        or found.unit == "tie"
        or not unit
        or dimension(unit) == dimension(found.unit)
    ):
        return convert(found.number, found.unit, unit or found.unit)
    return None
