"""Truth: columns of true and false."""

from __future__ import annotations

from binder.tables.readings.evidence import Conversion, Evidence

_TRUTH = {"true": True, "false": False}
_WIDER = {**_TRUTH, "yes": True, "no": False, "y": True, "n": False, "t": True, "f": False, "1": True, "0": False}  # fmt: skip


def read_truth(evidence: Evidence) -> Conversion | None:
    """True and false, all through; yes and no stay text, for programs compare with them."""
    words = _WIDER if evidence.said else _TRUTH
    values = {
        cell: words[folded]
        for cell in evidence.told
        if (folded := cell.strip().casefold()) in words
    }
    if not evidence.said and len(values) < len(evidence.told):
        return None
    return Conversion("truth", "BOOLEAN", values)
