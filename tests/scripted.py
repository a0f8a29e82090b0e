"""An LM that answers by a script, where a test needs no endpoint."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from binder.errors import NotConfigured
from binder.lm import LM, Choice, Reply, Request, RequestUsage


class Scripted(LM):
    """Answers with what a function says to a request, or with the next of a series of texts; keeps
    the requests it was given."""

    def __init__(self, answers: Callable[[Request], str | Reply] | Iterable[str | Reply]):
        self.answers = answers if callable(answers) else iter(answers)
        self.requests: list[Request] = []

    async def complete(self, request: Request) -> Reply:
        """What the script says."""
        self.requests.append(request)
        said = self.answers(request) if callable(self.answers) else next(self.answers, None)
        if said is None:
            raise NotConfigured("the script has no more replies")
        return said if isinstance(said, Reply) else Reply((Choice(said),), RequestUsage(requests=1))
