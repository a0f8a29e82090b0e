"""Providers of language models, one package each, chosen by the scheme of base_url."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from binder.lm import LM
from binder.lm.providers.openai import Endpoint, OpenAI

if TYPE_CHECKING:
    from binder.lm.store import Store

__all__ = ["PROVIDERS", "Endpoint", "Provider", "open_provider", "register"]


class Provider(Protocol):
    """Opens the language model of an endpoint. It sends each request once, within `timeout`
    seconds; retries, budget and cache are layers above. It keeps in `store` what it learns of the
    endpoint."""

    def __call__(self, endpoint: Endpoint, timeout: float, store: Store | None) -> LM:
        """The lowest layer of a connection."""
        ...


PROVIDERS: dict[str, Provider] = {"http": OpenAI, "https": OpenAI}


def register(scheme: str, provider: Provider) -> None:
    """Makes a provider known for base_url="scheme://..."."""
    PROVIDERS[scheme.lower()] = provider


def open_provider(endpoint: Endpoint, timeout: float, store: Store | None) -> LM:
    """The language model of an endpoint; OpenAI says what is wrong with an unknown scheme."""
    scheme = (endpoint.base_url or "").partition("://")[0].lower()
    return PROVIDERS.get(scheme, OpenAI)(endpoint, timeout, store)
