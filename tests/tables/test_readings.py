"""The kinds of columns, one by one: what each makes of cells, and how much evidence is enough."""

import datetime

from binder.tables.readings import Evidence, booleans, dates, durations, is_code, numbers


def evidence(*cells: str, header: str = "", last: str | None = None) -> Evidence:
    return Evidence(list(cells), header, last)


def test_nine_in_ten_are_enough() -> None:
    cells = [*map(str, range(9)), "W12"]
    assert evidence(*cells).enough(cells[:9])
    assert not evidence(*cells, "W13").enough(cells[:9])


def test_words_and_a_total_are_exceptions() -> None:
    assert evidence("1", "2", "3", "none").enough(["1", "2", "3"])
    assert not evidence("1", "2", "none", "some").enough(["1", "2"])
    assert evidence("1", "2", "3", "6 in all", last="6 in all").enough(["1", "2", "3"])
    assert not evidence("1", "2", "3", "6 in all", last="1").enough(["1", "2", "3"])


def test_each_kind_reads_its_cells() -> None:
    assert booleans(evidence("TRUE", "false")) == ("BOOLEAN", None, {"TRUE": True, "false": False})
    assert numbers(evidence("5 km", "6")) == ("BIGINT", "km", {"5 km": 5, "6": 6})
    assert durations(evidence("1:46.30", "59.8")) == (
        "DOUBLE",
        "seconds",
        {"1:46.30": 106.3, "59.8": 59.8},
    )
    day = datetime.date(2010, 5, 3)
    assert dates(evidence("May 3, 2010")) == ("DATE", None, {"May 3, 2010": day})


def test_no_kind_reads_words() -> None:
    for kind in (booleans, numbers, dates, durations):
        assert kind(evidence("Rome", "Oslo")) is None


def test_a_header_of_codes() -> None:
    assert is_code("Zip code") and not is_code("Price")
    assert numbers(evidence("94110", header="Zip code")) is None
