"""Events come in, in order; questions about what happened are answered from them: the trace is the
only memory of a run.

Events are frozen and hold plain data only, so that a trace can be written to a file a line an
event."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from binder.tables.codec import dump

SAID = {
    "stopped": "not all that could change the vote was asked",
    "unembedded": "solved questions were found by words alone",
}


@dataclass(frozen=True)
class Event:
    """One thing that happened. kind: started, unembedded, retrieved, sampled, rejected, suspected,
    asked, recalled, failed, executed, repaired, skipped, stopped, voted or believed. at: seconds
    since the start."""

    kind: str
    at: float
    data: dict[str, Any]


@dataclass
class Trace:
    """An append-only list of events; tracer is told of each as it happens."""

    events: list[Event] = field(default_factory=list)
    tracer: Callable[[Event], None] | None = None
    started: float = field(default_factory=time.monotonic)

    def add(self, kind: str, **data: Any) -> int:
        """Appends an event that happens now; its number."""
        event = Event(kind, round(time.monotonic() - self.started, 6), data)
        self.events.append(event)
        if self.tracer is not None:
            self.tracer(event)
        return len(self.events) - 1

    def of(self, *kinds: str) -> Iterator[Event]:
        """The events of some kinds."""
        return (event for event in self.events if event.kind in kinds)

    @property
    def warnings(self) -> list[str]:
        """What a person should know: that a vote was cut short, that solved questions were not
        found by meaning, of the cells that were sent those that read like orders to the language
        model, and the cells that programs could not compute with."""
        told = [f"{SAID[event.kind]}: {event.data['message']}" for event in self.of(*SAID)]
        return told + [
            f"{event.data['count']} of the cells asked {event.data['question']!r} about read like orders to the language model, "
            f"first: {event.data['cells'][0]!r:.120}"
            for event in self.of("suspected")
        ] + self.doubts

    @property
    def doubts(self) -> list[str]:
        """What the programs could not compute with, and what they rest on."""
        lines = [line for event in self.of("executed") for line in event.data.get("warnings", ())]
        return list(dict.fromkeys(lines))

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __repr__(self) -> str:
        return f"Trace({len(self.events)} events)"

    def lines(self) -> Iterator[str]:
        """One JSON object an event."""
        for event in self.events:
            yield dump({"kind": event.kind, "at": event.at, **event.data})
