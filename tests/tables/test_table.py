"""Tables from text cells and from sources in memory: names, types, raw text, missing values."""

import datetime
import gzip
import json
from decimal import Decimal

import duckdb
import pandas as pd
import pyarrow as pa
import pytest

from binder.errors import DataError
from binder.tables.table import Table, load, load_all, tidy
from tests.real import real
from tests.timing import grows_in_proportion


def values(table: Table, name: str) -> list:
    column = table.column(name)
    assert column is not None
    return table.data.column(column.name).to_pylist()


def test_tidy_keeps_the_raw_text_beside_the_value() -> None:
    table = tidy(["City", "Population"], [["Rome[1]", "2,8 m"], ["Oslo", "-"]], "w", "Cities")
    assert (values(table, "city"), table.texts(table.columns[0])) == (
        ["Rome", "Oslo"],
        ["Rome[1]", "Oslo"],
    )
    table = tidy(["Population"], [["1,234"], ["-"], ["5"]])
    column = table.columns[0]
    assert (column.type, column.raw) == ("BIGINT", "Population (raw)")
    assert (values(table, "Population"), table.texts(column)) == (
        [1234, None, 5],
        ["1,234", None, "5"],
    )
    assert table.data.column_names == ["row_id", "Population", "Population (raw)"]


def test_no_raw_column_where_the_value_spells_the_text() -> None:
    table = tidy(
        ["a", "b", "c", "d"], [["1990", "x", "2010-05-03", "0.5"], ["", "y", "2010-05-04", "2.25"]]
    )
    assert [c.type for c in table.columns] == ["BIGINT", "VARCHAR", "DATE", "DOUBLE"]
    assert [c.raw for c in table.columns] == [None] * 4
    assert [table.texts(c)[0] for c in table.columns] == ["1990", "x", "2010-05-03", "0.5"]


def test_names() -> None:
    header = [" a ", "A", "a_2", "", "span,\nleaning", "a (raw)", "x\0"]
    table = tidy(header, [["1,0", *"bcdefg"]])
    assert [c.name for c in table.columns] == [
        "a",
        "A_3",
        "a_2",
        "column_4",
        "span,\nleaning",
        "a (raw)",
        "x",
    ]
    assert [c.header for c in table.columns] == header
    raws = tidy(["a", "a (raw)"], [["1,000", "x"]])
    assert raws.columns[0].raw == "a (raw)_2"


def test_row_id_of_the_source_is_kept() -> None:
    assert values(tidy(["Row_ID"], [["7"], ["8"]]), "row_id") == [7, 8]
    assert tidy(["Row_ID"], [["7"]]).data.column_names == ["Row_ID"]
    assert tidy(["a"], [["x"], ["y"]]).data.column("row_id").to_pylist() == [0, 1]


def test_rows_shorter_and_longer_than_the_header() -> None:
    assert values(tidy(["a", "b"], [["x"], ["y", "z"]]), "b") == [None, "z"]
    with pytest.raises(DataError, match="row 1 .* has 3 cells"):
        tidy(["a", "b"], [["x", "y"], ["x", "y", "z"]])
    with pytest.raises(DataError, match="no columns"):
        tidy([], [])
    assert tidy(["a", "b"], []).num_rows == 0


def test_list_of_dicts() -> None:
    table = load(
        [
            {"n": "1,000", "k": 5, "mixed": 1},
            {"n": "2", "mixed": "n/a", "tags": ["a", "b"], "at": {"x": 1}},
        ]
    )
    assert {c.name: c.type for c in table.columns} == {
        "n": "BIGINT", "k": "BIGINT", "mixed": "BIGINT", "tags": "VARCHAR[]", "at": 'STRUCT("x" BIGINT)'
    }  # fmt: skip
    assert values(table, "k") == [5, None]
    assert load([{"n": "1,000"}], tidy=False).columns[0].type == "VARCHAR"


def test_values_that_arrow_refuses() -> None:
    table = load(
        [
            {
                "a": "x\ud83d",
                "b": 10**30,
                "c": {},
                "d": [1, "x"],
                "e": Decimal("1.50"),
                "f": "a\0b🙂" * 100_000,
            }
        ]
    )
    assert [c.type for c in table.columns] == [
        "VARCHAR",
        "VARCHAR",
        "VARCHAR",
        "VARCHAR",
        "DECIMAL(3,2)",
        "VARCHAR",
    ]
    assert duckdb.from_arrow(table.data).fetchall()[0][1:5] == ("x?", str(10**30), "{}", '[1, "x"]')


def test_dataframe() -> None:
    frame = pd.DataFrame(
        {
            "o": pd.Series(["x", None, float("nan"), pd.NA], dtype=object),
            "t": pd.to_datetime(["2010-05-03", None, None, None]).tz_localize("UTC"),
            "c": pd.Categorical(["u", "v", None, "u"]),
            "m": pd.Series([1, "x", 2.5, None], dtype=object),
            "n": ["1,000"] * 4,
        }
    )
    frame.index = list("abcd")
    frame.columns = ["o", 2010, "c", "c", ("n", "x")]
    table = load(frame)
    assert [c.name for c in table.columns] == ["o", "2010", "c", "c_2", "n x"]
    assert [c.type for c in table.columns] == [
        "VARCHAR",
        "TIMESTAMP WITH TIME ZONE",
        "VARCHAR",
        "VARCHAR",
        "VARCHAR",
    ]
    assert (values(table, "o"), values(table, "c_2")) == (
        ["x", None, None, None],
        ["1", "x", "2.5", None],
    )
    assert not table.tidied
    assert values(load(frame, tidy=True), "n x") == [1000] * 4


def test_arrow_and_relations() -> None:
    arrow = pa.table({"a": [1, 2], "b": pa.array(["x", "y"]).dictionary_encode()})
    for source in (
        arrow,
        arrow.to_batches()[0],
        arrow.to_reader(),
        duckdb.sql("SELECT * FROM arrow"),
    ):
        table = load(source, "t", "A title")
        assert [(c.name, c.type) for c in table.columns] == [("a", "BIGINT"), ("b", "VARCHAR")]
        assert (table.name, table.title, table.num_rows) == ("t", "A title", 2)
    with pytest.raises(DataError, match="cannot make a table from int"):
        load(3)


def test_load_all() -> None:
    rows = [{"a": "x"}]
    table = load(rows, "t")
    assert [t.name for t in load_all({"p": rows, "q": table})] == ["p", "q"]
    assert [t.name for t in load_all(rows)] == ["w"]
    assert load_all([table]) == load_all(table) == (table,)
    for wrong in ({"p": rows, "P": rows}, {}):
        with pytest.raises(DataError):
            load_all(wrong)


def test_column_and_repr() -> None:
    table = tidy(["Name", "When"], [["x", "May 3, 2010"]], "w")
    assert table.column("wHEN") == table.columns[1]
    assert table.column("row_id") is table.column("other") is None
    assert repr(table) == "Table(w: 1 rows; 'Name' VARCHAR, 'When' DATE)"
    assert values(table, "When") == [datetime.date(2010, 5, 3)]


def test_a_table_is_typed_in_time_that_grows_with_its_rows() -> None:
    row = ["1,234", "May 3, 2010", "Rome[1]", "3:42.1", "-", "a text of several words", "45%"]
    header = [f"column {number}" for number in range(len(row))]
    assert grows_in_proportion(lambda count: tidy(header, [row] * count, "w"), 500, 4_000)


def test_the_tables_of_the_wikitablequestions_test_keep_their_texts() -> None:
    with gzip.open(real("wikitq", "questions_test.jsonl.gz"), "rt", encoding="utf-8") as lines:
        wanted = {json.loads(line)["table_id"] for line in lines}
    with gzip.open(real("wikitq", "tables.jsonl.gz"), "rt", encoding="utf-8") as lines:
        tables = [table for table in map(json.loads, lines) if table["table_id"] in wanted]
    typed = [tidy(t["header"], t["rows"], "w", t["title"]) for t in tables]
    for table, source in zip(typed, tables, strict=True):
        assert table.num_rows == len(source["rows"])
        for position, column in enumerate(table.columns):
            shown = zip(
                table.texts(column), source["rows"], values(table, column.name), strict=True
            )
            assert all(
                text in (None, row[position]) and (text is not None or value is None)
                for text, row, value in shown
            )


def test_large_tables_have_sensible_types() -> None:
    def types(name: str) -> dict[str, str]:
        return {c.name: c.type for c in load(real("large", name)).columns}

    strikes, movies, guests = (
        types("birdstrikes.csv.gz"),
        types("bechdel_movies.csv.gz"),
        types("daily_show_guests.csv.gz"),
    )
    assert (
        strikes["Flight Date"],
        strikes["Cost Total $"],
        strikes["Effect Amount of damage"],
    ) == ("DATE", "BIGINT", "VARCHAR")
    assert (movies["domgross"], movies["imdb"], guests["Show"]) == ("BIGINT", "VARCHAR", "DATE")
    assert types("biopics.csv.gz")["box_office"] == "BIGINT"
    assert types("marvel_characters.csv.gz")["FIRST APPEARANCE"] == "DATE"
    assert types("earthquakes.parquet")["time"] == "TIMESTAMP"
