"""The two commands: write and compare."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from tests.golden.differences import differences
from tests.golden.endpoint import PORT, Endpoint
from tests.golden.kept import again
from tests.golden.sections import Golden, write


def main(arguments: Sequence[str] | None = None) -> int:
    """One command; 1 where something is different."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.golden", description="what users get from binder, to be compared"
    )
    commands = parser.add_subparsers(dest="command", required=True)
    writes = commands.add_parser("write", help="run everything and write what came of it")
    writes.add_argument("file", type=Path)
    writes.add_argument(
        "--port",
        type=int,
        default=PORT,
        help="of the scripted endpoint; answers are kept under its address",
    )
    writes.add_argument("--only", help="the sections to write, with commas between")
    compares = commands.add_parser(
        "compare", help="print what is different; exit with 1 where anything is"
    )
    compares.add_argument("old", type=Path)
    compares.add_argument("new", type=Path)
    compares.add_argument("--cache", type=Path, help="the answers kept by the old run (OLD.cache)")
    compares.add_argument(
        "--recording", type=Path, help="the recording of the old run (OLD.recording)"
    )
    options = parser.parse_args(arguments)
    if options.command == "write":
        return _write(options.file, options.port, options.only)
    old, new = _read(options.old), _read(options.new)
    kept = [
        options.cache or beside(options.old, "cache"),
        options.recording or beside(options.old, "recording"),
        beside(options.old, "trace"),
    ]
    return _compare(old, new, kept)


def _write(file: Path, port: int, only: str | None) -> int:
    start = time.monotonic()
    with Endpoint(port) as endpoint:
        kept = [beside(file, what) for what in ("cache", "recording", "trace")]
        golden = write(endpoint, only.split(",") if only else None, *kept)
    file.write_text(
        json.dumps(golden.data(endpoint.port), ensure_ascii=False, indent=1, sort_keys=True),
        encoding="utf-8",
    )
    for name, items in golden.sections.items():
        print(f"{name:12} {len(items):5,} items")
    total = sum(map(len, golden.sections.values()))
    print(f"{total:,} items, {len(golden.texts):,} texts, {time.monotonic() - start:.0f} s: {file}")
    return 0


def _compare(old: dict[str, Any], new: dict[str, Any], kept: Sequence[Path]) -> int:
    different = list(differences(old, new))
    print("\n\n".join(different) or "the runs are equal")
    if "kept" not in old["sections"]:
        return 1 if different else 0
    used = Golden()
    with Endpoint(old["port"]) as endpoint:
        used.sections["kept"] = again(endpoint, used, *kept)
    expected = {"sections": {"kept": old["sections"]["kept"]}, "texts": old["texts"]}
    stale = list(differences(expected, used.data(0)))
    print(
        "\n\n".join(stale)
        or "what the old run kept is used by the present code, and nothing is asked again"
    )
    return 1 if different or stale else 0


def beside(file: Path, what: str) -> Path:
    """A file that a run leaves beside its own."""
    return file.with_name(f"{file.name}.{what}")


def _read(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


if __name__ == "__main__":
    sys.exit(main())
