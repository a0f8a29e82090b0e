"""Tests over real tables and programs run wherever these are: nothing else skips them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests import real
from tests.real import ROOT

BESIDE = ROOT.parent / "shared" / "data"
TESTS = sorted((*(ROOT / "tests").rglob("test_*.py"), *(ROOT / "tests").rglob("conftest.py")))


def test_the_checkout_is_the_folder_of_the_package() -> None:
    assert (ROOT / "setup.cfg").is_file() and (ROOT / "binder").is_dir()


@pytest.mark.skipif(not BESIDE.is_dir(), reason=f"no real data at {BESIDE}")
def test_the_data_beside_the_checkout_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(real, "DATA", BESIDE)
    for folder in ("human_programs", "large", "programs_2026", "replays", "tabfact", "wikitq"):
        assert real.real(folder).is_dir()


def test_nothing_that_is_missing_is_skipped_where_the_folder_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(real, "DATA", tmp_path)
    with pytest.raises(AssertionError, match="has no wikitq"):
        real.real("wikitq")


def test_only_one_place_looks_for_the_data() -> None:
    """The other one keeps it in the environment of the tests."""
    looking = {path for path in TESTS if "BINDER_DATA" in path.read_text(encoding="utf-8")}
    assert looking == {ROOT / "tests" / "conftest.py", ROOT / "tests" / "test_real.py"}
