"""A benchmark's official release as its users have it, unpacked or still a zip; the text of its files comes out.

The path may be the release's folder, a folder above it, the zip, or a folder that holds the zip.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path
from typing import Protocol

from binder.errors import DataError


class Release(Protocol):
    """The files of a release, named by their paths inside it."""

    def holds(self, name: str) -> bool:
        """Whether there is such a file."""

    def text(self, name: str) -> str:
        """The text of a file, its line ends kept."""

    def close(self) -> None:
        """Give back what reading holds open."""


class Folder:
    """An unpacked release."""

    def __init__(self, root: Path):
        self.root = root

    def holds(self, name: str) -> bool:
        """Whether there is such a file."""
        return (self.root / name).is_file()

    def text(self, name: str) -> str:
        """The text of a file."""
        try:
            return decode((self.root / name).read_bytes(), name)
        except OSError as error:
            raise DataError(f"the release in {self.root} has no {name} that can be read: {error}", path=name) from error

    def close(self) -> None:
        """Nothing is held open."""


class Archive:
    """A release inside a zip, read through one handle; prefix is what stands before its names there."""

    def __init__(self, path: Path, archive: zipfile.ZipFile, prefix: str):
        self.path = path
        self.archive = archive
        self.prefix = prefix

    def holds(self, name: str) -> bool:
        """Whether there is such a file."""
        return self.prefix + name in self.archive.NameToInfo

    def text(self, name: str) -> str:
        """The text of a file."""
        if not self.holds(name):
            raise DataError(f"the release in {self.path} has no {name}", path=name)
        try:
            return decode(self.archive.read(self.prefix + name), name)
        except (zipfile.BadZipFile, zlib.error) as error:
            raise DataError(f"{name} in {self.path} is damaged: {error}", path=name) from error

    def close(self) -> None:
        """Close the zip."""
        self.archive.close()


def decode(data: bytes, path: str) -> str:
    """The text of UTF-8 bytes."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise DataError(f"{path} is not UTF-8 text", path=path) from error


def open_release(data: str | Path, landmark: str, origin: str) -> Release:
    """Find the release at a path by a file that it always holds; origin says in the error where to get it."""
    path = Path(data)
    if path.is_file():
        found: Release | None = open_archive(path, landmark)
    elif path.is_dir():
        found = find_below(path, landmark)
    else:
        raise DataError(f"there is no file or folder {path}", path=str(path), hint=origin)
    if found is None:
        raise DataError(f"{path} does not hold the release: no {landmark} in it", path=str(path), hint=origin)
    return found


def find_below(path: Path, landmark: str) -> Release | None:
    """The release in a folder: itself, a folder in it, or a zip in it."""
    inside = sorted(path.iterdir())
    for root in [path, *(p for p in inside if p.is_dir())]:
        if (root / landmark).is_file():
            return Folder(root)
    for candidate in inside:
        if candidate.suffix.lower() == ".zip" and (found := open_archive(candidate, landmark)):
            return found
    return None


def open_archive(path: Path, landmark: str) -> Archive | None:
    """The release in a zip, None where the zip holds something else."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path} cannot be read as a zip: {error}", path=str(path)) from error
    prefixes = [n.removesuffix(landmark) for n in archive.namelist() if n == landmark or n.endswith("/" + landmark)]
    if not prefixes:
        archive.close()
        return None
    return Archive(path, archive, min(prefixes, key=len))
