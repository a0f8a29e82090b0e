"""A release is found wherever its users keep it, and what cannot be read is a DataError."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from binder.benchmarks.release import open_release
from binder.errors import DataError

Unpack = Callable[[dict[str, str], Path], Path]
Pack = Callable[[dict[str, str], Path, str], Path]
FILES = {"data/list.tsv": "a\tb\n", "csv/1.csv": "é\r\n"}


@pytest.mark.parametrize(
    "place", ["release", "release's parent", "zip", "zip's folder", "zip without folder"]
)
def test_every_place(place: str, tmp_path: Path, pack: Pack, unpack: Unpack) -> None:
    if place.startswith("release"):
        folder = unpack(FILES, tmp_path / "Some-Release-1.0")
        path = folder if place == "release" else tmp_path
    else:
        path = pack(
            FILES,
            tmp_path / "r.zip",
            "" if place.endswith("without folder") else "Some-Release-1.0/",
        )
        path = tmp_path if place == "zip's folder" else path
    release = open_release(path, "data/list.tsv", "get it")
    assert release.text("csv/1.csv") == "é\r\n"
    assert release.holds("data/list.tsv") and not release.holds("data/other.tsv")
    with pytest.raises(DataError, match="data/other.tsv"):
        release.text("data/other.tsv")
    release.close()


def test_nothing_there(tmp_path: Path, pack: Pack) -> None:
    for path in (tmp_path / "missing", tmp_path, pack({"x": ""}, tmp_path / "other.zip", "")):
        with pytest.raises(DataError, match="get it"):
            open_release(path, "data/list.tsv", "get it")


def test_damage(tmp_path: Path, pack: Pack, unpack: Unpack) -> None:
    (tmp_path / "no.zip").write_bytes(b"not a zip")
    with pytest.raises(DataError, match="zip"):
        open_release(tmp_path / "no.zip", "data/list.tsv", "get it")
    unpack(FILES, tmp_path / "r")
    (tmp_path / "r" / "csv" / "1.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(DataError, match="UTF-8"):
        open_release(tmp_path / "r", "data/list.tsv", "get it").text("csv/1.csv")
    packed = pack(FILES, tmp_path / "cut.zip", "r/")
    packed.write_bytes(packed.read_bytes().replace("é\r\n".encode(), b"e!\r\n", 1))
    with pytest.raises(DataError, match="damaged"):
        open_release(packed, "data/list.tsv", "get it").text("csv/1.csv")
