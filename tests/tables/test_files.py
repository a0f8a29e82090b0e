"""Files: found, unpacked, refused in a sentence that helps; several as one table."""

import bz2
import gzip
import io
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from binder.errors import DataError
from binder.tables import csv
from binder.tables.table import load

TEXT = b"a,b\n1,x\n2,y\n"
ROWS = [{"row_id": 0, "a": 1, "b": "x"}, {"row_id": 1, "a": 2, "b": "y"}]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("t.csv.gz", gzip.compress(TEXT, mtime=0)),
        ("t.csv.bz2", bz2.compress(TEXT)),
        ("t.csv", gzip.compress(TEXT, mtime=0)),  # its name does not say so
        ("t.csv.zst", pa.Codec("zstd").compress(TEXT, asbytes=True)),
    ],
)
def test_packed_files(tmp_path: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)
    assert load(path).data.to_pylist() == ROWS


@pytest.mark.parametrize(
    ("address", "hint"),
    [
        ("https://example.org/t.csv", "download the file first"),
        ("s3://bucket/t.parquet", r"pandas\.read_parquet\(ADDRESS\)"),
        ("file:///t.csv", "without file://"),
    ],
)
def test_addresses_are_refused_in_one_sentence(address: str, hint: str) -> None:
    with pytest.raises(DataError, match=f"binder opens no addresses: {address}\n.*{hint}"):
        load(address)


@pytest.mark.parametrize(
    ("data", "message"),
    [(b"PK\x03\x04...", "is a zip or an Excel file"), (b"PAR1...", "is a Parquet file, not text")],
)
def test_files_under_a_wrong_name(tmp_path: Path, data: bytes, message: str) -> None:
    path = tmp_path / "t.csv"
    path.write_bytes(data)
    with pytest.raises(DataError, match=message):
        load(path)


def test_a_pattern_is_one_table(tmp_path: Path) -> None:
    (tmp_path / "1.csv").write_bytes(TEXT)
    (tmp_path / "2.csv").write_bytes(b"b,a\nz,3\n")
    table = load(str(tmp_path / "*.csv"))
    assert [(row["a"], row["b"]) for row in table.data.to_pylist()] == [
        (1, "x"),
        (2, "y"),
        (3, "z"),
    ]
    (tmp_path / "3.csv").write_bytes(b"a,c\n1,2\n")
    with pytest.raises(DataError, match=r"3\.csv has the columns a, c"):
        load(str(tmp_path / "*.csv"))
    with pytest.raises(DataError, match="no file matches"):
        load(str(tmp_path / "*.tsv"))
    with pytest.raises(DataError, match=r'is a folder\n.*a pattern names its files: ".*/\*\.csv"'):
        load(str(tmp_path))


@pytest.mark.parametrize("text", [TEXT, b'[{"a": 1, "b": "x"}, {"a": 2, "b": "y"}]'])
def test_standard_input(monkeypatch: pytest.MonkeyPatch, text: bytes) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    assert load("-").data.to_pylist() == ROWS


def test_open_files_and_any_ending(tmp_path: Path) -> None:
    (tmp_path / "t.dat").write_bytes(TEXT)
    assert load(csv.csv(tmp_path / "t.dat")).data.to_pylist() == ROWS
    assert load(csv.csv(io.StringIO(TEXT.decode()))).data.to_pylist() == ROWS


def test_a_decimal_comma_that_the_user_says(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("n;price;code\n1.234;1.234,50;007\n2;3;x\n")
    table = load(csv.csv(path, decimal=","))
    assert [(c.name, c.type) for c in table.columns] == [
        ("n", "BIGINT"),
        ("price", "DOUBLE"),
        ("code", "VARCHAR"),
    ]
    assert table.data.column("price").to_pylist() == [1234.5, 3.0]


def test_columns_load_in_linear_time(tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text(",".join(f"c{n}" for n in range(3000)) + "\n" + ",".join("1" * 3000) + "\n")
    assert len(load(path).columns) == 3000
