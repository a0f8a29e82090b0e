"""The folder of real tables and programs: beside the checkout, or where BINDER_DATA says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DATA = Path(os.environ.get("BINDER_DATA") or ROOT.parent / "shared" / "data")


def real(*names: str) -> Path:
    """A file or folder of the real data. Without the folder the test is skipped, and says so; with
    it nothing may be missing."""
    if not DATA.is_dir():
        pytest.skip(f"no real data at {DATA}: set BINDER_DATA")
    path = DATA.joinpath(*names)
    assert path.exists(), f"{DATA} is there, but has no {'/'.join(names)}"
    return path
