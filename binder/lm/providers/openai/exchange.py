"""One request on its way to a reply: what the endpoint refused of it so far, and what is left."""

from __future__ import annotations

import re
from collections.abc import Set
from dataclasses import dataclass, field
from typing import Any

from binder.errors import BadReply, LMError
from binder.lm import RequestUsage
from binder.lm.providers.openai.chat import Response, refusal, said
from binder.lm.providers.openai.features import PASSING, TURNED_DOWN, UNWELL, features_of

# of one grammar, not of all
LARGE = re.compile(rb"(?i)too (?:large|long|complex|many)|exceeds|maximum")


@dataclass
class Exchange:
    """known: what the endpoint does not take, by earlier requests; taken: the features that it
    took. left_out and dropped: features and forms that it refused now, and whether for good; spent:
    on replies that were no use."""

    known: Set[str]
    taken: set[str]
    left_out: dict[str, bool] = field(default_factory=dict)
    dropped: dict[str, bool] = field(default_factory=dict)
    spent: RequestUsage = RequestUsage()
    first: Response | None = None  # the first refusal, which counts if leaving out is no help

    @property
    def refused(self) -> Set[str]:
        """All that is not to be sent."""
        return self.known | self.left_out.keys() | self.dropped.keys()

    def leaves_out(self, response: Response, sent: dict[str, Any]) -> bool:
        """Whether a response refuses a feature that the next try can do without."""
        feature = refusal(response, sent, self.taken)
        if feature is None:
            return False
        self.left_out[feature.name] = not PASSING.search(said(response.body))
        self.first = self.first or response
        return True

    def drops(self, form: str | None, response: Response, error: LMError) -> bool:
        """Whether a response refuses a form that the next try can do without."""
        turned_down = response.status in TURNED_DOWN
        failed = isinstance(error, BadReply) or response.status in UNWELL
        if form is None or not (turned_down or failed):
            return False
        self.spent += error.usage or RequestUsage(requests=1)
        self.dropped[form] = turned_down and not LARGE.search(response.body)
        return True

    def counted(self, response: Response) -> Response:
        """The response that counts: where nothing was won by leaving out, the refusal was about
        something else."""
        if self.first is not None and response.status in TURNED_DOWN:
            return self.first
        return response

    def learnt(self, sent: dict[str, Any]) -> set[str]:
        """What the endpoint does not take, now that it has taken this."""
        self.taken |= features_of(sent)
        refusals = {**self.dropped, **self.left_out}
        return {name for name, for_good in refusals.items() if for_good}
