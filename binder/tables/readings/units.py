"""Units: which measure the same, and how many of one make another.

Factors are exact by definition: SI prefixes (BIPM brochure), the international yard and pound of
1959 and units built on them (NIST SP 811, appendix B), IEC 80000-13 for kibi and mebi, and 60 and 24
for times. Units of several sizes (ton, gallon, horsepower) measure only themselves."""

from __future__ import annotations

from typing import NamedTuple


class Scale(NamedTuple):
    """What a unit measures, and its size in the base unit; zero: what 0 of it is there."""

    dimension: str
    factor: float
    zero: float = 0.0


_SIZES = {
    "length": (
        'mm 0.001; cm 0.01; dm 0.1; m metre meter 1; km kilometre kilometer 1000; in inch " 0.0254;'
        "ft foot feet ' 0.3048; yd yard 0.9144; mi mile 1609.344; nmi 1852"
    ),
    "mass": (
        "ng 0.000000000001; µg μg ug mcg 0.000000001; mg 0.000001; g gram 0.001; kg kilogram kilo 1; tonne 1000; lb pound 0.45359237;"
        "oz ounce 0.028349523125"
    ),
    "data": (
        "byte 1; kb 1e3; mb 1e6; gb 1e9; tb 1e12; pb 1e15; kib 1024; mib 1048576; gib 1073741824;"
        "tib 1099511627776"
    ),
    "data rate": "kbps kbit/s 1e3; mbps mbit/s 1e6; gbps gbit/s 1e9",
    "time": ("ms 0.001; s sec second 1; min minute 60; h hr hour 3600; day 86400; week 604800"),
    "calendar time": "month 1; yr year 12",
    "volume": "ml 0.001; cl 0.01; dl 0.1; l litre liter 1; hl 100; m³ m3 1000",
    "area": (
        "mm² mm2 0.000001; cm² cm2 0.0001; m² m2 sqm 1; ha hectare 10000; km² km2 sqkm 1000000;"
        "ft² ft2 sqft 0.09290304; acre 4046.8564224; sqmi mi² 2589988.110336"
    ),
    "speed": "m/s 1; km/h kph 0.2777777777777778; mph 0.44704; kn knot 0.5144444444444445",
    "power": "w watt 1; kw 1e3; mw 1e6; gw 1e9",
    "energy": "wh 1; kwh 1e3; mwh 1e6; gwh 1e9; twh 1e12",
    "frequency": "hz 1; khz 1e3; mhz 1e6; ghz 1e9",
    "temperature": "°c 1; °f 0.5555555555555556",
    "ratio": "% percent 1; ‰ 0.1",
}
_ZERO = {"°f": -32 / 1.8}
_SAME = {"us$": "$", "usd": "$", "dollar": "$", "eur": "€", "euro": "€", "gbp": "£", "jpy": "¥", "inr": "₹", "rs": "₹"}  # fmt: skip


def _table() -> dict[str, Scale]:
    found = {}
    for dimension, sizes in _SIZES.items():
        for line in sizes.split(";"):
            *names, factor = line.split()
            for name in names:
                found[name] = Scale(dimension, float(factor), _ZERO.get(name, 0.0))
    return found


SCALES = _table()


def kind_of(unit: str) -> str:
    """A unit without its plural and its capitals; all names of a currency are one."""
    folded = unit.casefold().replace(" ", "").rstrip(".")
    folded = {"feet": "ft", "foot": "ft", "'": "ft", '"': "in", "inches": "in"}.get(folded, folded)
    if len(folded) > 2 and folded.endswith("s") and folded not in SCALES:
        folded = folded[:-1]
    return _SAME.get(folded, folded)


def dimension(unit: str) -> str:
    """What a unit measures: units of other sizes of it, or only itself."""
    kind = kind_of(unit)
    return SCALES[kind].dimension if kind in SCALES else kind


def convert(number: float, unit: str, target: str) -> float | int:
    """A measure in another unit of its dimension. What is whole stays whole."""
    given, wanted = kind_of(unit), kind_of(target)
    if given == wanted or given not in SCALES or wanted not in SCALES:
        return number
    base = number * SCALES[given].factor + SCALES[given].zero
    found = (base - SCALES[wanted].zero) / SCALES[wanted].factor
    return float(f"{found:.12g}")
