"""Identifiers: columns whose digits name something. They stay text, for a number would lose what
tells one name from another."""

from __future__ import annotations

import re

from binder.tables.readings.evidence import Evidence

# Headers whose digits name something: nobody adds them up.
_CODES = re.compile(
    r"\b(?:zip|postal|postcode|post code|phone|telephone|telefon|fax|isbn|issn|upc|ean|gtin|iban"
    r"|ssn|plz|postleitzahl)\b",
    re.IGNORECASE,
)
_DOTTED = re.compile(
    r"\b(?:versions?|releases?|sections?|chapters?|clauses?|paragraphs?|§|build|firmware|kapitel"
    r"|abschnitt|outline|ip)\b",
    re.IGNORECASE,
)
_OPAQUE = re.compile(
    r"\b(?:hash|sha\d*|md5|checksum|digest|commit|lot|batch|charge|sku|serial|part|uuid|guid|token"
    r"|key|ids?|codes?)\b",
    re.IGNORECASE,
)
# Headers below which two names that differ by little are two things.
_SUBSTANCES = re.compile(
    r"\b(?:drugs?|medications?|medicines?|substances?|ingredients?|compounds?|chemicals?|molecules?"
    r"|generic(?: name)?|genes?|proteins?|enzymes?|alleles?|strains?|species|taxon|cas|inn"
    r"|models?|versions?|tickers?|symbols?|usernames?|logins?|emails?|e-mails?|urls?|domains?"
    r"|accounts?|callsigns?|plates?|vin)\b",
    re.IGNORECASE,
)
_LEADING_ZERO = re.compile(r"0\d*[1-9]\d*")
_BARE_POWER = re.compile(r"\d+[eE]\d+")  # 1E2: a lot; as numbers people write 1.5E2 and 1E+2
_POWER = re.compile(r"[-+]?(?:\d+\.\d*|\.\d+|\d+)[eE][-+]?\d+")
_DECIMAL = re.compile(r"\d{1,3}\.\d{1,2}")
_PARTS = re.compile(r"[vV]?\d{1,4}(?:\.\d{1,4})*\.?")
_GROUPED = re.compile(r"\d{1,3}(?:\.\d{3})*")
_DATE = re.compile(r"\d{1,2}\.\d{1,2}\.(?:\d{4}|\d{2})\.?")
_MANY = 1000  # no thing has more versions
_DIALLED = re.compile(r"\+\d[\d ()./-]{7,20}")


def is_code(header: str) -> bool:
    """Whether a header says that the digits below it are names: zip codes, telephone numbers."""
    return _CODES.search(header.replace("_", " ")) is not None


def are_names(header: str) -> bool:
    """Whether a header says that its cells are names or codes of which a near one is another."""
    words = header.replace("_", " ")
    return any(pattern.search(words) for pattern in (_CODES, _DOTTED, _OPAQUE, _SUBSTANCES))


def names(evidence: Evidence) -> str | None:
    """Why the cells of a column that look like numbers are names; None where they are none."""
    if is_code(evidence.header):
        return "the header says that they are codes"
    cells = [cell.strip() for cell in evidence.told]
    for reason in (_zeros, _versions, _powers, _dialled):
        if (found := reason(cells, evidence)) is not None:
            return found
    return None


def _zeros(cells: list[str], evidence: Evidence) -> str | None:
    """Codes have leading zeros: 0123 beside 370."""
    if not all(cell.isdigit() for cell in cells):
        return None
    found = next((cell for cell in cells if _LEADING_ZERO.fullmatch(cell)), None)
    return None if found is None else f"{found!r} has a leading zero"


def _versions(cells: list[str], evidence: Evidence) -> str | None:
    """1.1 and 1.10 are two sections, but one number."""
    dotted = [cell for cell in cells if "." in cell]
    if not dotted or not all(_PARTS.fullmatch(cell) for cell in cells):
        return None
    if evidence.says(_DOTTED):
        return "the header says that they are numbers of versions or sections"
    long = [cell for cell in dotted if cell.count(".") > 1]
    if long and not all(_GROUPED.fullmatch(cell) for cell in cells):
        return None if all(_DATE.fullmatch(cell) for cell in long) else f"{long[0]!r} has no value"
    return _twins(cells, dotted)


def _twins(cells: list[str], dotted: list[str]) -> str | None:
    """Two cells that would be one number; None where they may well be decimals."""
    if len(cells) > _MANY or not all(_DECIMAL.fullmatch(cell) for cell in dotted):
        return None
    if any(cell.split(".")[1].startswith("0") for cell in dotted):
        return None  # 1.05: a decimal
    known = set(cells)
    twins = [cell for cell in dotted if cell.endswith("0") and cell[:-1] in known]
    return f"{twins[0][:-1]!r} and {twins[0]!r} would be one number" if twins else None


def _powers(cells: list[str], evidence: Evidence) -> str | None:
    """1E2 and 10E1 are two lots, but one number."""
    powers = [cell for cell in cells if _POWER.fullmatch(cell)]
    if not powers:
        return None
    if any(not _BARE_POWER.fullmatch(cell) for cell in powers) and not evidence.says(_OPAQUE):
        return None  # one of them is surely a number
    if evidence.says(_OPAQUE):
        return "the header says that they are names"
    if len(powers) < len(cells) and all(cell.isdigit() for cell in cells if cell not in powers):
        return f"{powers[0]!r} stands among plain digits"
    numbers = [float(cell) for cell in powers]
    return None if len(set(numbers)) == len(numbers) else "two of them would be one number"


def _dialled(cells: list[str], evidence: Evidence) -> str | None:
    if not cells or not all(_DIALLED.fullmatch(cell) for cell in cells):
        return None
    long = all(sum(map(str.isdigit, cell)) >= 9 for cell in cells)
    return "they are telephone numbers" if long else None
