"""What the tests of the benchmarks share: small releases in the official layouts."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

WIKITQ = {
    "csv/204-csv/1.csv": '"Name","Note\nlong"\n"Ann","says \\"hi\\", twice"\n"Bo","a \\\\ b"\n"Cy",""\n',
    "csv/204-csv/2.csv": '"Year"\r\n"1999"\r\n"2000"',
    "page/204-page/1.json": json.dumps({"title": "People", "url": "http://example.org"}),
    "data/pristine-unseen-tables.tsv": "id\tutterance\tcontext\ttargetValue\n"
    "nu-0\twho says hi?\tcsv/204-csv/1.csv\tAnn\n"
    "nu-1\twhich\\nyears?\tcsv/204-csv/2.csv\t1999|2,000\n"
    "nu-2\twhat?\tcsv/204-csv/1.csv\ta\\pb \\\\ c\n",
    "tagged/data/pristine-unseen-tables.tagged": "id\tutterance\tcontext\ttargetValue\ttokens\ttargetCanon\ttargetCanonType\n"
    "nu-0\twho says hi?\tcsv/204-csv/1.csv\tAnn\twho|says\tAnn\tstring\n"
    "nu-1\twhich\\nyears?\tcsv/204-csv/2.csv\t1999|2,000\twhich|years\t1999.0|2000.0\tnumber\n"
    "nu-2\twhat?\tcsv/204-csv/1.csv\ta\\pb \\\\ c\twhat\ta\\pb \\\\ c\tstring\n",
    "data/random-split-1-dev.tsv": "id\tutterance\tcontext\ttargetValue\n"
    "nt-1\thow long?\tcsv/204-csv/2.csv\t17 years|May 2, 1999\n",
}
TABFACT = {
    "data/small_test_id.json": '["2-1.html.csv"]',
    "data/all_csv/2-1.html.csv": "name#points\r\nann#3\r\nbo#\r\n",
    "data/all_csv/2-2.html.csv": "year\n1999\n",
    "data/test_id.json": '["2-2.html.csv", "2-1.html.csv"]',
    "tokenized_data/test_examples.json": json.dumps(
        {
            "2-1.html.csv": [["ann have 3 point", "bo have 3 point"], [1, 0], "points"],
            "2-2.html.csv": [["1999"], [1], "years"],
        }
    ),
}


@pytest.fixture
def wikitq_files() -> dict[str, str]:
    """The files of a small release of WikiTableQuestions."""
    return dict(WIKITQ)


@pytest.fixture
def tabfact_files() -> dict[str, str]:
    """The files of a small release of TabFact."""
    return dict(TABFACT)


@pytest.fixture
def unpack() -> Callable[[dict[str, str], Path], Path]:
    """Write a release as files below a folder."""

    def write(files: dict[str, str], folder: Path) -> Path:
        for name, text in files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            (folder / name).write_bytes(text.encode())
        return folder

    return write


@pytest.fixture
def pack() -> Callable[[dict[str, str], Path, str], Path]:
    """Write a release as a zip in which names start with a prefix."""

    def write(files: dict[str, str], path: Path, prefix: str) -> Path:
        with zipfile.ZipFile(path, "w") as archive:
            for name, text in files.items():
                archive.writestr(prefix + name, text)
        return path

    return write
