"""Programs of strangers go in: each hostile one is refused before it costs or does anything, each benign one is right.

The fixtures hold one program a line, by class (`== class`); a class is one test.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pyarrow as pa
import pytest

from binder.engine import Binder, connect
from binder.errors import ProgramError
from binder.result import plain
from tests.oracle import Oracle

SAFETY = Path(__file__).parent / "fixtures" / "safety"
RIDERS = pa.table({
    "name": ["Alejandro Valverde", "Alexandr Kolobnev", "Carlos Sastre", "Franco Pellizotti", "Davide Rebellin"],
    "country": ["Spain", "Russia", "Spain", "Italy", "Italy"],
    "points": [90, 84, 60, 55, 51],
    "time": [5.25, 5.5, 6.125, 6.75, 7.0],
    "born": [datetime.date(1980, 4, 25), datetime.date(1981, 5, 4), datetime.date(1975, 4, 22), datetime.date(1978, 1, 15),
             datetime.date(1977, 8, 9)],
    "team": ["Caisse", "CSC", None, "Liquigas", "Acqua"],
    "h / a": ["home", "home", "away", "home", "away"],
})  # fmt: skip
LANDS = pa.table({"country": ["Spain", "Italy", "France"], "code": ["ES", "IT", "FR"], "people": [47, 60, 67]})


def classes(path: str) -> list[object]:
    """The classes of a file with their programs, as parameters of a test."""
    found: dict[str, list[str]] = {}
    programs: list[str] = []
    for line in (SAFETY / path).read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            programs = found.setdefault(line[3:], [])
        elif line and not line.startswith("#"):
            programs.append(line.replace("\\n", "\n"))
    return [pytest.param(programs, id=name) for name, programs in found.items()]


@pytest.fixture(scope="module")
def oracle() -> Oracle:
    return Oracle()


@pytest.fixture(scope="module")
def db(oracle: Oracle) -> Iterator[Binder]:
    with connect({"w": RIDERS, "v": LANDS}, lm=oracle) as opened:
        yield opened


@pytest.mark.parametrize("programs", classes("hostile.txt"))
def test_hostile_programs_are_refused_before_they_cost_or_do_anything(
    db: Binder, oracle: Oracle, programs: list[str], tmp_path: Path
) -> None:
    canary, target = tmp_path / "canary.csv", tmp_path / "target"
    canary.write_text("secret\nCANARY-IN-A-FILE\n")
    oracle.asked.clear()
    for program in programs:
        text = program.replace("CANARY", str(canary)).replace("TARGET", str(target))
        with pytest.raises(ProgramError) as refusal:
            db.run(text)
        assert "CANARY-IN-A-FILE" not in str(refusal.value), program
    assert not oracle.asked
    assert _content(db) == (RIDERS.to_pylist(), LANDS.to_pylist()), "a table was changed"
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == {"canary.csv": "secret\nCANARY-IN-A-FILE\n"}


@pytest.mark.parametrize("programs", classes("benign.txt"))
def test_benign_programs_are_accepted_and_right(db: Binder, programs: list[str]) -> None:
    with duckdb.connect(config={"threads": "1"}) as plain_duckdb:
        plain_duckdb.register("w", RIDERS)
        plain_duckdb.register("v", LANDS)
        for line in programs:
            program, _, stated = line.partition(" => ")
            right = json.loads(stated) if stated else plain_duckdb.execute(program).fetchall()
            rows = db.run(program).rows
            ordered = bool(stated) or "ORDER BY" in program
            assert _comparable(rows, ordered) == _comparable(right, ordered), program
    assert _content(db) == (RIDERS.to_pylist(), LANDS.to_pylist()), "a table was changed"


def _content(db: Binder) -> tuple[list[object], list[object]]:
    """What the engine holds of the two tables now."""
    w, v = db.run("SELECT * FROM w"), db.run("SELECT * FROM v")
    return [dict(zip(w.columns, row, strict=True)) for row in w], [dict(zip(v.columns, row, strict=True)) for row in v]


def _comparable(rows: object, ordered: bool) -> list[object]:
    """Rows as JSON data of which equal numbers are equal; without an order they are a bag."""
    assert isinstance(rows, list)
    values = [[_number(plain(value)) for value in row] for row in rows]
    return values if ordered else sorted(values, key=repr)


def _number(value: object) -> object:
    if isinstance(value, list):
        return [_number(item) for item in value]
    return round(float(value), 9) if isinstance(value, (int, float)) and not isinstance(value, bool) else value
