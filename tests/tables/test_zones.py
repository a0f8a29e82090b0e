"""Time zones: that of the columns where they have one, UTC and a note where they have several."""

import pyarrow as pa
import pytest

from binder.tables.zones import zone_of


def table(**zones: str | None) -> pa.Table:
    return pa.table({name: pa.array([], pa.timestamp("us", zone)) for name, zone in zones.items()})


@pytest.mark.parametrize(
    ("zones", "expected"),
    [
        ({}, "UTC"),
        ({"a": None}, "UTC"),
        ({"a": "UTC"}, "UTC"),
        ({"a": "Europe/Berlin", "b": "Europe/Berlin", "c": None}, "Europe/Berlin"),
        ({"a": "+02:00"}, "Etc/GMT-2"),
        ({"a": "-05:00"}, "Etc/GMT+5"),
        ({"a": "+00:00"}, "UTC"),
    ],
)
def test_one_zone(zones: dict[str, str | None], expected: str) -> None:
    assert zone_of([table(**zones)]) == (expected, None)


def test_several_zones() -> None:
    zone, note = zone_of([table(a="Europe/Berlin"), table(b="Asia/Tokyo", c="UTC")])
    assert zone == "UTC"
    assert note is not None
    assert "a (Europe/Berlin), b (Asia/Tokyo)" in note
    assert zone_of([table(a="+05:30")])[1] is not None


def test_a_zone_inside_a_list() -> None:
    inside = pa.table({"a": pa.array([], pa.list_(pa.timestamp("us", "Asia/Tokyo")))})
    assert zone_of([inside]) == ("Asia/Tokyo", None)
