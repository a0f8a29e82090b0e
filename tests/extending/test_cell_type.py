"""A cell type of its own: coordinates, read as they are written."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import binder
from binder.results.result import Result
from binder.tables.cell_types import CellType, register
from binder.tables.codec import decode, dump, encode, load, text, value_key, wire
from tests.server import Server


@dataclass(frozen=True)
class Coordinates:
    """A place on Earth, in degrees."""

    north: float
    east: float

    @classmethod
    def read(cls, written: str) -> Coordinates:
        """The place of `46.95, 7.45`."""
        return cls(*map(float, written.split(", ")))


def shown(place: Coordinates) -> str:
    return f"{place.north}° N, {place.east}° E"


def exact(place: Coordinates) -> str:
    return f"{place.north}, {place.east}"


register(CellType(Coordinates, "coordinates", exact, Coordinates.read, sent=shown, shown=shown))
BERN, ROME = Coordinates(46.95, 7.45), Coordinates(41.89, 12.49)


def test_all_forms() -> None:
    assert dump(BERN) == '{"$coordinates": "46.95, 7.45"}' and load(dump([BERN])) == [BERN]
    assert decode(encode({"at": BERN})) == {"at": BERN}
    assert wire(BERN) == text(BERN) == "46.95° N, 7.45° E"
    assert value_key(input=BERN) != value_key(input=exact(BERN))


def test_a_program_asks_about_coordinates(server: Server, tmp_path: Path) -> None:
    rows = [{"at": BERN}, {"at": ROME}]
    towns = {shown(BERN): "Bern", shown(ROME): "Rome"}
    server.answer = lambda task: {key: towns[row[0]] for key, row in task["rows"].items()}

    def town() -> Result:
        with binder.connect(rows, "m", server.url, cache=tmp_path / "answers.sqlite") as db:
            return db.run('SELECT at, QA("map@which town?"; at) AS town FROM w')

    first, again = town(), town()
    assert first.texts == again.texts == [(shown(BERN), "Bern"), (shown(ROME), "Rome")]
    assert first.usage.questions == 2 and again.usage.questions == 0
