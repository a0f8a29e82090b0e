"""How much the tests do that could go on for ever: little, always the same, in `make test`; much,
and each time something else, where the environment says BINDER_TESTS=full."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

FULL = os.environ.get("BINDER_TESTS") == "full"


def examples(count: int) -> settings:
    """The settings of a property that deserves so many examples; a tenth of them by default."""
    return settings(
        max_examples=count if FULL else max(20, count // 10),
        deadline=None,  # a busy machine is no fault
        derandomize=not FULL,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


PROFILE = "binder"
settings.register_profile(PROFILE, examples(200))
