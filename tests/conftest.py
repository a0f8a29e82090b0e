"""Fixtures for all tests: a local endpoint goes in, and nothing else of the outside world does. The
environment holds no settings of an endpoint, and connections to anything but this machine are
refused."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

import tests.effort
from tests.real import real
from tests.server import Server

settings.load_profile(tests.effort.PROFILE)


def _offline(event: str, arguments: tuple[Any, ...]) -> None:
    """Refuses connections to other machines, and names of other machines."""
    if (
        event in ("socket.connect", "socket.sendto")
        and isinstance(arguments[1], tuple)
        and not _local(arguments[1][0])
    ):
        raise RuntimeError(f"the tests are offline, but something connects to {arguments[1]}")
    if event == "socket.getaddrinfo" and arguments[0] and not _local(arguments[0]):
        raise RuntimeError(f"the tests are offline, but something looks up {arguments[0]!r}")


def _local(host: str | bytes) -> bool:
    """Whether a host is this machine."""
    name = host.decode() if isinstance(host, bytes) else host
    try:
        return name in ("localhost", "") or ip_address(name).is_loopback
    except ValueError:
        return False


sys.addaudithook(_offline)


@pytest.fixture(autouse=True)
def _clean_environment(
    monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """No test sees the settings, the proxies or the kept answers of whoever runs it, nor those of
    another test."""
    monkeypatch.delenv("VIRTUAL_ENV", raising=False)  # IPython warns of one that is not its own
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    for name in list(os.environ):
        if (
            name.startswith(("OPENAI_", "BINDER_"))
            and name != "BINDER_DATA"
            or name.lower().endswith("_proxy")
        ):
            monkeypatch.delenv(name)


@pytest.fixture
def server() -> Iterator[Server]:
    """A scripted endpoint."""
    with Server() as running:
        yield running


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of real tables and programs."""
    return real()
