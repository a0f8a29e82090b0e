"""Parts of structs and tables of schemas, named with a point as other engines have it."""

from collections.abc import Iterator

import pytest

from binder import CheckFault, connect
from binder.engine import Binder

ROWS = [
    {"id": 1, "addr": {"city": "Rome", "zip": 1}},
    {"id": 2, "addr": {"city": "Oslo", "zip": 2}},
]


@pytest.fixture(scope="module")
def db() -> Iterator[Binder]:
    with connect({"w": ROWS, "s.w": [{"a": 5}]}, cache=None) as opened:
        yield opened


@pytest.mark.parametrize(
    ("program", "rows"),
    [
        ("SELECT addr.city FROM w ORDER BY id", [("Rome",), ("Oslo",)]),
        ("SELECT w.addr.city FROM w ORDER BY id", [("Rome",), ("Oslo",)]),
        ("SELECT x.addr.zip + 1 FROM w AS x WHERE addr.city = 'Rome'", [(2,)]),
        ("SELECT COUNT(*) FROM main.w", [(2,)]),
        ("SELECT a FROM s.w", [(5,)]),
    ],
)
def test_names_with_a_point(db: Binder, program: str, rows: list[tuple[object, ...]]) -> None:
    assert db.run(program).rows == rows


def test_a_part_gives_its_column_a_name(db: Binder) -> None:
    assert db.run("SELECT addr.city FROM w").columns == ("city",)


@pytest.mark.parametrize("program", ["SELECT nothing.city FROM w", "SELECT * FROM t.w"])
def test_what_is_not_there(db: Binder, program: str) -> None:
    with pytest.raises(CheckFault, match="unknown table"):
        db.run(program)
