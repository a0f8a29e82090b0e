"""A benchmark's official release, unpacked or zipped.

The path may be the release's folder, a folder above it, the zip, or a folder that holds the zip.
"""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

from binder.errors import DataError


class Release:
    """The files of a release, named by their paths below its root: a folder, or one inside a zip
    that is open."""

    def __init__(self, place: Path, root: Path | zipfile.Path):
        self.place = place
        self.root = root

    def holds(self, name: str) -> bool:
        """Whether there is such a file."""
        return self.root.joinpath(name).is_file()

    def text(self, name: str) -> str:
        """The text of a file, its line ends kept."""
        if isinstance(self.root, zipfile.Path) and not self.holds(name):
            raise DataError(f"the release in {self.place} has no {name}", path=name)
        try:
            return self.root.joinpath(name).read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise DataError(
                f"the release in {self.place} has no {name} that can be read: {error}", path=name
            ) from error
        except (zipfile.BadZipFile, zlib.error) as error:
            raise DataError(f"{name} in {self.place} is damaged: {error}", path=name) from error
        except UnicodeDecodeError as error:
            raise DataError(f"{name} is not UTF-8 text", path=name) from error

    def close(self) -> None:
        """Close the zip, where it is one."""
        if isinstance(self.root, zipfile.Path):
            self.root.root.close()


def open_release(data: str | Path, landmark: str, origin: str) -> Release:
    """Find the release at a path by a file that it always holds; origin says in the error where to
    get it."""
    path = Path(data)
    if path.is_file():
        found = open_archive(path, landmark)
    elif path.is_dir():
        found = find_below(path, landmark)
    else:
        raise DataError(f"there is no file or folder {path}", path=str(path), hint=origin)
    if found is None:
        raise DataError(
            f"{path} does not hold the release: no {landmark} in it", path=str(path), hint=origin
        )
    return found


def find_below(path: Path, landmark: str) -> Release | None:
    """The release in a folder: itself, a folder in it, or a zip in it."""
    inside = sorted(path.iterdir())
    for root in [path, *(p for p in inside if p.is_dir())]:
        if (root / landmark).is_file():
            return Release(root, root)
    for candidate in inside:
        if candidate.suffix.lower() == ".zip" and (found := open_archive(candidate, landmark)):
            return found
    return None


def open_archive(path: Path, landmark: str) -> Release | None:
    """The release in a zip, None where the zip holds something else."""
    try:
        archive = zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError) as error:
        raise DataError(f"{path} cannot be read as a zip: {error}", path=str(path)) from error
    landmarks = [name for name in archive.namelist() if f"/{name}".endswith(f"/{landmark}")]
    prefixes = [name.removesuffix(landmark) for name in landmarks]
    if not prefixes:
        archive.close()
        return None
    return Release(path, zipfile.Path(archive, min(prefixes, key=len)))
