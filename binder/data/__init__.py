"""The settings of the platform come in; the folder in which binder keeps what it can make anew goes
out, and what comes with it. The environment is read here; nothing else knows where a cache
belongs."""

from __future__ import annotations

import os
import sys
from importlib import resources
from pathlib import Path


def shipped(name: str) -> str:
    """The text of a file that comes with binder."""
    return resources.files("binder").joinpath("data", name).read_text(encoding="utf-8")


def listed(name: str) -> list[str]:
    """The lines of such a file, without comments and empty ones."""
    return [line for line in shipped(name).splitlines() if line and not line.startswith("#")]


def cache_folder() -> Path | None:
    """Where this user's caches are kept; None where nothing can be written."""
    try:
        folder = _caches() / "binder"
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except (OSError, RuntimeError):  # RuntimeError: there is no home
        return None
    return folder if os.access(folder, os.W_OK) else None


def _caches() -> Path:
    """The folder for the caches of all programs."""
    told = os.environ.get("XDG_CACHE_HOME") or os.environ.get("LOCALAPPDATA") or ""
    if os.path.isabs(told):  # the standard says of others that they are to be ignored
        return Path(told)
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache")
