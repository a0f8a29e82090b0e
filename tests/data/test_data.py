"""Caches are kept where the platform keeps them, or nowhere."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from binder.data import cache_folder


@pytest.fixture(autouse=True)
def _nothing_set(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.delenv("LOCALAPPDATA", raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))


@pytest.mark.parametrize("name", ["XDG_CACHE_HOME", "LOCALAPPDATA"])
def test_it_is_where_the_environment_says(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(name, str(tmp_path / "a" / "b"))
    assert cache_folder() == tmp_path / "a" / "b" / "binder"


@pytest.mark.skipif(sys.platform != "linux", reason="other platforms have other places")
@pytest.mark.parametrize("told", [None, "", "relative/path"])
def test_it_is_else_below_the_home(
    told: str | None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if told is not None:
        monkeypatch.setenv("XDG_CACHE_HOME", told)
    folder = cache_folder()
    assert folder == tmp_path / ".cache" / "binder"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700, "it is for its owner's eyes"
    assert cache_folder() == folder, "a second time"


def test_it_is_nowhere_if_it_cannot_be_made(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert cache_folder() is None
