"""The append-only event log of a run, which is its only memory.

Events are frozen and hold plain data only, so that a trace can be written to a file, one event a
line."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from binder.tables.codec import dump

# Kinds of events that are warnings -> what they warn of.
_WARNINGS = {
    "stopped": "the budget ended before the vote was decided",
    "unembedded": "embeddings were not available; solved questions were found by words",
}


@dataclass(frozen=True)
class Event:
    """One thing that happened. kind: started, loaded, unembedded, retrieved, sampled, rejected,
    suspected, asked, recalled, applied, failed, executed, repaired, skipped, stopped, voted or
    believed. at: seconds since the start."""

    kind: str
    at: float
    data: dict[str, Any]

    def line(self) -> str:
        """The event as a JSON object on one line."""
        return dump({"kind": self.kind, "at": self.at, **self.data})


@dataclass
class Trace:
    """An append-only list of events; tracer is called with each as it happens."""

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
        """What a person should know of the run: a vote cut short, solved questions not found by
        meaning, cells that read like instructions to the language model, and cells that programs
        could not compute with."""
        found = [f"{_WARNINGS[e.kind]}: {e.data['message']}" for e in self.of(*_WARNINGS)]
        for event in self.of("loaded"):
            found += [f"table {event.data['table']}: {note}" for note in event.data["notes"]]
        for event in self.of("suspected"):
            count, question, cells = (event.data[key] for key in ("count", "question", "cells"))
            found.append(
                f"possible prompt injection: {count} cells of {question!r} read like instructions,"
                f" first: {cells[0]!r:.120}"
            )
        return found + self.doubts

    @property
    def doubts(self) -> list[str]:
        """What the programs could not compute with, and what they rest on."""
        lines = [line for event in self.of("executed") for line in event.data.get("warnings", ())]
        return list(dict.fromkeys(lines))

    def __getstate__(self) -> dict[str, Any]:
        """What a copy keeps: all but whoever is told of events."""
        return {**vars(self), "tracer": None}

    def __len__(self) -> int:
        return len(self.events)

    def __iter__(self) -> Iterator[Event]:
        return iter(self.events)

    def __repr__(self) -> str:
        return f"Trace({len(self.events)} events)"

    def lines(self) -> Iterator[str]:
        """One JSON object an event."""
        return (event.line() for event in self.events)
