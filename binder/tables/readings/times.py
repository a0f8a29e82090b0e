"""Times: those of day, and those that something took."""

from __future__ import annotations

import re
from datetime import time

from binder.tables.cells import clean, lead
from binder.tables.dates import read_duration
from binder.tables.numbers import measure
from binder.tables.readings.evidence import Conversion, Evidence

_CLOCK = re.compile(
    r"(?P<hour>\d{1,2})(?::(?P<minute>[0-5]\d)(?::(?P<second>[0-5]\d)(?P<part>\.\d{1,6})?)?)?"
    r"\s?(?P<half>[ap])?(?(half)\.?\s?m\.?)(?:\s?(?:h|uhr|hrs))?",
    re.IGNORECASE,
)
_LENGTH = re.compile(r"length|duration|running|m:s|elapsed|laufzeit|durée", re.IGNORECASE)
_TIMED = re.compile(
    r"\btimes?\b|\blap|\bgap|behind|deficit|notes|record|split|run\b|\bbest\b", re.IGNORECASE
)
_SCORES = re.compile(
    r"score|result|ergebnis|goals?|tore\b|sets?\b|ratio|aspect|odds|verse|final|match|w[-–:]l|agg",
    re.IGNORECASE,
)
_CLOCKS = re.compile(
    r"\b(?:dep|arr|departs?|departure|arrives?|arrival|start|starts|kick.?off|opens?|closes?|opening|closing"
    r"|begins?|ends?|hour|uhr|uhrzeit|heure|hora|ora|time of day|time|tee|sunrise|sunset|from|to|at)\b",
    re.IGNORECASE,
)
_DAILY = re.compile(  # of these, seconds too are those of a clock
    r"\b(?:dep|arr|departure|arrival|start|kick.?off|opens?|closes?|uhrzeit|heure|hora|time of day|sunrise|sunset)\b",
    re.IGNORECASE,
)
_PARTED = re.compile(
    r"(?:(?P<d>\d+(?:\.\d+)?)\s?d(?:ays?)?)?,?\s?(?:(?P<h>\d+(?:\.\d+)?)\s?h(?:(?:ou)?rs?)?)?,?\s?"
    r"(?:(?P<m>\d+(?:\.\d+)?)\s?m(?:in(?:ute)?s?)?)?,?\s?(?:(?P<s>\d+(?:\.\d+)?)\s?s(?:ec(?:ond)?s?)?)?\.?",
    re.IGNORECASE,
)
_ISO = re.compile(
    r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?"
)
_SECONDS = {"d": 86400, "h": 3600, "m": 60, "s": 1}


def read_clock(text: str) -> time | None:
    """The time of day in a text: 9:30, 14:05:10, 2:05 PM, 9 am."""
    found = _CLOCK.fullmatch(clean(text))
    if found is None or not (found["minute"] or found["half"]):
        return None
    hour = int(found["hour"])
    if half := found["half"]:
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (12 if half in "pP" else 0)
    if hour > 23:
        return None
    part = round(float(found["part"] or 0) * 1e6)
    return time(hour, int(found["minute"] or 0), int(found["second"] or 0), part)


def read_times(evidence: Evidence) -> Conversion | None:
    """Times of day, or those that were taken."""
    told = evidence.told
    if evidence.said is None and not any(":" in c or c[-1:].isalpha() for c in told[:200]):
        return None
    took = _durations(evidence)
    if took is not None:
        return took
    return read_clocks(evidence)


def read_clocks(evidence: Evidence) -> Conversion | None:
    """Times of day, all through; scores are none."""
    told = evidence.told
    clocks = {cell: clock for cell in told if (clock := read_clock(cell)) is not None}
    if evidence.said is None:
        halves = sum(cell.rstrip(" .").lower().endswith("m") for cell in clocks)
        if not clocks or not evidence.enough(clocks):
            return None
        if len(clocks) < len(told) and not (halves or evidence.says(_CLOCKS)):
            return None
        if not halves and (evidence.says(_SCORES) or not _is_timetable(evidence, clocks)):
            return None
    return Conversion("time", "TIME", dict(clocks))


def _is_timetable(evidence: Evidence, clocks: dict[str, time]) -> bool:
    """Whether hours and minutes are those of a clock: the header says so, or all are written as
    clocks show them."""
    if evidence.says(_CLOCKS):
        return True
    return (
        all(len(cell.strip()) >= 4 for cell in clocks)
        and any(
            cell.strip().startswith("0") or clock.minute % 5 == 0 for cell, clock in clocks.items()
        )
        and len({clock.hour for clock in clocks.values()}) > 1
        and max(clocks.values()).hour > 12
    )


def read_took(text: str) -> float | None:
    """Seconds, in any way that they are written: "1:46.30", "3m 37s", "45m", "PT1H30M"."""
    if (seconds := read_duration(text)) is not None:
        return seconds
    text = clean(text)
    found = _ISO.fullmatch(text) or (_PARTED.fullmatch(text) if text[:1].isdigit() else None)
    if found is None or not any(found.groups()):
        return None
    return sum(float(found[name] or 0) * size for name, size in _SECONDS.items())


def _durations(evidence: Evidence) -> Conversion | None:
    """Times that were taken, in seconds; not times of day, and not a winner's time followed by gaps
    ("+1.2")."""
    said = evidence.said is not None
    values = _taken(evidence.told, said)
    if not said and (not values or _clocks(values, evidence.header)):
        return None
    values, in_part = _beside(values, evidence.told)
    signed = sum(cell.strip().startswith("+") for cell in values)
    gaps = 0 < signed < sum(seconds != 0 for seconds in values.values())
    if not said and (gaps or not evidence.enough(values)):
        return None
    return Conversion("duration", "DOUBLE", values, "seconds", in_part)


def _taken(told: list[str], said: bool) -> dict[str, float]:
    """Seconds of the cells that are surely a time that was taken."""
    values = {c: s for c in told if (s := read_duration(c)) is not None}
    if not said and any(":" in cell for cell in values):
        return values
    endings = {cell.strip()[-1:] for cell in told if cell[:1].isdigit()} & set("dhms")
    iso = any(cell.strip().startswith("P") for cell in told[:50])
    # One letter all through may be a unit of something else: "5m".
    if values or said or iso or len(endings) > 1:
        return {c: s for c in told if (s := read_took(c)) is not None}
    return values


def _beside(values: dict[str, float], told: list[str]) -> tuple[dict[str, float], set[str]]:
    """The values with those of cells that are times only beside them, and the cells that say more
    than their time."""
    found, in_part = dict(values), set()
    for cell in told:
        if cell in found:
            continue
        if 2 * len(found) >= len(told) and (seconds := read_duration(lead(cell))) is not None:
            found[cell] = seconds
            in_part.add(cell)
        elif (m := measure(cell)) and not m.unit and isinstance(m.number, float) and m.number < 60:
            found[cell] = m.number  # "52.34" beside "1:02.10"
    return found, in_part


def _clocks(values: dict[str, float], header: str) -> bool:
    """Whether cells like 13:30 are times of day or scores: hours and minutes, with no word of a
    length in the header."""
    if _DAILY.search(header.replace("_", " ")) and all(read_clock(c) is not None for c in values):
        return True
    if any(c.count(":") > 1 or "." in c or ":" not in c for c in values) or _LENGTH.search(header):
        return False
    firsts = [seconds // 60 for seconds in values.values()]
    rounded = all(seconds % 5 == 0 for seconds in values.values())
    return not _TIMED.search(header) or max(firsts) < 24 and (rounded or max(firsts) >= 10)
