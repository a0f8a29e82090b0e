"""Files: what is read, and what is said about a file that cannot be read."""

import gzip
import sqlite3
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from binder.errors import DataError
from binder.tables.table import load, load_all


def write(folder: Path, name: str, text: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    return path


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_csv_of_any_delimiter(tmp_path: Path, delimiter: str) -> None:
    text = '\ufeffName,"say ""hi""","two\nlines"\r\nA,1,"x\ny"\r\nB,2,\r\n'.replace(",", delimiter)
    table = load(write(tmp_path, "t.csv", text))
    assert [c.name for c in table.columns] == ["Name", 'say "hi"', "two\nlines"]
    assert table.data.to_pylist()[1] == {
        "row_id": 1,
        "Name": "B",
        'say "hi"': 2,
        "two\nlines": None,
    }


def test_commas_inside_cells_do_not_mislead(tmp_path: Path) -> None:
    table = load(write(tmp_path, "t.csv", "a;b\n1,5;x,y\n2,5;z\n"))
    assert [c.name for c in table.columns] == ["a", "b"]


def test_tsv_gzip_and_plain_text(tmp_path: Path) -> None:
    table = load(write(tmp_path, "t.tsv.gz", gzip.compress(b"a\tb\n1,000\tx\n", mtime=0)))
    assert table.data.to_pylist() == [{"row_id": 0, "a": 1000, "b": "x", "a (raw)": "1,000"}]
    plain = load(write(tmp_path, "t.csv", "a,b\n1,\n"), tidy=False)
    assert (plain.tidied, plain.data.to_pylist()) == (False, [{"row_id": 0, "a": "1", "b": None}])


def test_one_column_keeps_its_empty_lines(tmp_path: Path) -> None:
    assert load(write(tmp_path, "t.csv", "a\nx\n\ny\n")).data.column("a").to_pylist() == [
        "x",
        None,
        "y",
    ]


def test_header_only(tmp_path: Path) -> None:
    table = load(write(tmp_path, "t.csv", "a,b\n"))
    assert (table.num_rows, [c.type for c in table.columns]) == (0, ["VARCHAR", "VARCHAR"])


@pytest.mark.parametrize(
    ("name", "content", "message", "row"),
    [
        ("t.csv", "", "is empty", None),
        ("t.csv", 'a,b\n1,"x\ny"\n2,3,4\n', "line 4: 3 cells, expected 2", 4),
        ("t.csv", b"a,b\n1,caf\xe9\n", r"not UTF-8: byte 9 \(line 2\) is 0xe9", 2),
        ("t.json", "{", "is not JSON", None),
        ("t.json", "[1, 2]", "is not a list of objects", None),
        ("t.json", '{"a": [1], "b": []}', "differ in length", None),
        ("t.parquet", "no", "cannot read", None),
        ("t.csv.gz", "no", "cannot read", None),
        ("t.db", "this is no database at all, " * 50, "as SQLite", None),
        ("t.docx", "x", r"unsupported file type\s+hint: supported: \.csv", None),
        ("t.duckdb", "x", r"unsupported file type\s+hint: supported: \.csv", None),
    ],
)
def test_unreadable(
    tmp_path: Path, name: str, content: str | bytes, message: str, row: int | None
) -> None:
    path = write(tmp_path, name, content)
    with pytest.raises(DataError, match=message) as error:
        load(path)
    assert (error.value.path, error.value.row) == (str(path), row)


def test_missing_file_names_its_neighbours(tmp_path: Path) -> None:
    write(tmp_path, "cyclists.csv", "a\n")
    with pytest.raises(DataError, match=r"did you mean cyclists\.csv"):
        load(tmp_path / "cyclist.csv")


def test_json(tmp_path: Path) -> None:
    for name, text in {
        "t.json": '[{"a": "1", "b": 2.5}, {"b": null, "c": true}]',
        "t.jsonl": '{"a": "1", "b": 2.5}\n\n{"b": null, "c": true}\n',
    }.items():
        table = load(write(tmp_path, name, text))
        assert [(c.name, c.type) for c in table.columns] == [
            ("a", "VARCHAR"),
            ("b", "DOUBLE"),
            ("c", "BOOLEAN"),
        ]
    assert load(write(tmp_path, "c.json", '{"a": [1, 2]}')).data.column("a").to_pylist() == [1, 2]


def test_parquet_without_the_index_of_pandas(tmp_path: Path) -> None:
    pq.write_table(pa.table({"a": ["1"], "__index_level_0__": [7]}), tmp_path / "t.parquet")
    table = load(tmp_path / "t.parquet")
    assert [(c.name, c.type) for c in table.columns] == [("a", "VARCHAR")]


def test_sqlite(tmp_path: Path) -> None:
    path = tmp_path / "t # 1.db"
    connection = sqlite3.connect(path)
    connection.executescript(
        """CREATE TABLE "x y" (id INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT, born DATE, ok BOOLEAN, r REAL, loose INTEGER);
        INSERT INTO "x y" VALUES (1, '007', '1990-01-02', 1, 2, 5), (2, NULL, NULL, NULL, NULL, 'many');
        CREATE VIEW v AS SELECT name FROM "x y"; CREATE TABLE none (a INTEGER);"""
    )
    connection.close()
    tables = load_all(path)
    assert [t.name for t in tables] == ["x y", "v", "none"]
    assert [c.type for c in tables[0].columns] == [
        "BIGINT",
        "VARCHAR",
        "DATE",
        "BOOLEAN",
        "DOUBLE",
        "VARCHAR",
    ]
    assert (tables[2].num_rows, tables[2].columns[0].type) == (0, "BIGINT")
    with pytest.raises(DataError, match="has 3 tables"):
        load(path)


@pytest.mark.parametrize(
    "data", [b"no gzip", gzip.compress(b"a,b\n1,2\n", mtime=0)[:12] + b"\xff" * 20]
)
def test_damaged_gzip(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(DataError, match="cannot read"):
        load(write(tmp_path, "t.csv.gz", data))


def test_where_a_missing_file_was_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path, "bridges.csv", "a\n1\n")
    hints = {
        "bridge.csv": "did you mean bridges.csv?",
        "zzzzzz.json": "no such file in the current folder",
        "nowhere/bridge.csv": "folder nowhere does not exist",
    }
    for path, hint in hints.items():
        with pytest.raises(DataError, match=f"no such file: {path}") as caught:
            load(path)
        assert caught.value.hint == hint
