"""The bytes of a file: found by its path or a pattern, unpacked, or read from standard input.

What a name says is checked against what the bytes are, so that a packed or a renamed file is
read, or refused in a sentence that says what it is."""

from __future__ import annotations

import glob
import re
import sys
from pathlib import Path
from typing import Any

from binder.errors import DataError, nearest

PACKED = (".gz", ".zst", ".bz2")
STANDARD_INPUT = "-"
_ADDRESS = re.compile(r"([a-z][a-z0-9+]{1,9})://?", re.IGNORECASE)
_MAGIC = ((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd"), (b"BZh", "bz2"))
_OTHERS = (
    (b"PK\x03\x04", "a zip or an Excel file", "name it .xlsx or .ods if it is one, else unpack it"),
    (b"PAR1", "a Parquet file", "name it .parquet"),
    (b"SQLite format 3\0", "a SQLite file", "name it .sqlite"),
    (b"\xd0\xcf\x11\xe0", "an old Excel file", "name it .xls"),
    (b"%PDF", "a PDF", "copy its table into a text file"),
)


def ending(path: Path | str) -> str:
    """The ending of a file name in lower case, without that of its packing."""
    name = Path(path).name.lower()
    for packing in PACKED:
        name = name.removesuffix(packing)
    return Path(name).suffix


def no_address(path: Any) -> None:
    """Refuses an address: binder opens files alone."""
    if (found := _ADDRESS.match(str(path))) is None:
        return
    if found[1].lower() == "file":
        hint = "give the path without file://"
    elif found[1].lower() in ("http", "https"):
        hint = (
            "download the file first (curl -O ADDRESS), or give the frame: pandas.read_csv(ADDRESS)"
        )
    else:
        hint = (
            "give a frame, such as pandas.read_parquet(ADDRESS), or copy the file to this machine"
        )
    raise DataError(f"binder opens no addresses: {path}", path=str(path), hint=hint)


def existing(path: Path) -> Path:
    """The path of a file that is there."""
    if path.is_file():
        return path
    no_address(path)
    if path.is_dir():
        raise DataError(
            f"{path} is a folder", path=str(path), hint=f'a pattern names its files: "{path}/*.csv"'
        )
    raise DataError(f"no such file: {path}", path=str(path), hint=_no_file(path))


def _no_file(path: Path) -> str:
    """A hint for a path without a file: files with such a name, or where it was looked for."""
    folder = path.parent
    if not folder.is_dir():
        return f"folder {folder} does not exist"
    others = sorted(p.name for p in folder.iterdir() if p.is_file())
    near = nearest(path.name, others)
    if near:
        return f"did you mean {' or '.join(near)}?"
    place = "the current folder" if folder == Path() else str(folder)
    return f"no such file in {place}"


def matching(path: Path | str) -> list[Path]:
    """The files that a path or a pattern names, in order."""
    no_address(path)
    path = Path(path)
    if path.exists() or not glob.has_magic(str(path)):
        return [path]
    found = sorted(name for name in glob.glob(str(path), recursive=True) if Path(name).is_file())
    if not found:
        raise DataError(f"no file matches {path}", path=str(path))
    return [Path(name) for name in found]


def read_bytes(path: Path | str) -> bytes:
    """What a file holds, unpacked; - is standard input."""
    if str(path) == STANDARD_INPUT:
        return _unpacked(sys.stdin.buffer.read(), "standard input")
    try:
        return _unpacked(Path(path).read_bytes(), str(path))
    except OSError as error:
        raise DataError(f"cannot read {path}: {error}", path=str(path)) from error


def _unpacked(data: bytes, path: str) -> bytes:
    """The bytes inside a packed file; others as they are."""
    import pyarrow as pa

    packing = next((name for mark, name in _MAGIC if data.startswith(mark)), None)
    if packing is None and Path(path).suffix.lower() in PACKED:
        raise DataError(f"cannot read {path}: it is not packed as its name says", path=path)
    if packing is None:
        return data
    try:
        unpacked: bytes = pa.CompressedInputStream(pa.BufferReader(data), packing).read()
    except (OSError, EOFError, pa.ArrowException) as error:
        raise DataError(f"cannot read {path}: {error}", path=path) from error
    if data and not unpacked and len(data) > 64:
        raise DataError(f"cannot read {path}: it ends too early", path=path)
    return unpacked


def must_be_text(data: bytes, path: str) -> None:
    """Refuses the bytes of a known kind of file that is no text."""
    for mark, what, hint in _OTHERS:
        if data.startswith(mark):
            raise DataError(f"{path} is {what}, not text", path=path, hint=hint)
