"""The TabFact loader and metric, over the official repository (github
wenhuchen/Table-Fact-Checking).

The one metric is accuracy; an answer says that a statement holds or that it does not, and no answer
is neither."""

from __future__ import annotations

import json
from collections import abc
from functools import cache, partial
from pathlib import Path
from typing import Any

from binder.benchmarks import Benchmark, Example, RawTable
from binder.benchmarks.release import Release, open_release
from binder.errors import DataError

ORIGIN = "download github wenhuchen/Table-Fact-Checking and give its folder or zip"
STATEMENTS = "tokenized_data/test_examples.json"
SPLITS = {  # split -> its list of tables, the file that holds their statements
    "small_test": ("data/small_test_id.json", STATEMENTS),
    "test": ("data/test_id.json", STATEMENTS),
    "simple_test": ("data/simple_test_id.json", STATEMENTS),
    "complex_test": ("data/complex_test_id.json", STATEMENTS),
    "dev": ("data/val_id.json", "tokenized_data/val_examples.json"),
    "train": ("data/train_id.json", "tokenized_data/train_examples.json"),
}
READINGS = {
    **dict.fromkeys(("1", "1.0", "true", "yes", "entailed", "supported"), "1"),
    **dict.fromkeys(("0", "0.0", "false", "no", "refuted"), "0"),
}


class TabFact(Benchmark):
    """The benchmark over one release; the lists of statements are read once."""

    name = "TabFact"
    splits = tuple(SPLITS)

    def __init__(self, data: str | Path, titles: abc.Mapping[str, str] | None = None):
        # the release has the title of every table
        self.release = open_release(data, STATEMENTS, ORIGIN)
        self.document: abc.Callable[[str], Any] = cache(partial(load_json, self.release))

    def read(self, split: str) -> abc.Iterator[Example]:
        """The statements of a split: table by table in the order of its list, as numbered there
        (table#0, table#1, ...)."""
        return read_examples(self.release, self.document, *SPLITS[split])

    def question(self, example: Example) -> str:
        """Whether the statement holds."""
        return f'Is this true: "{example.question}"? Answer yes or no.'

    def is_right(self, example: Example, answer: list[str], metric: str) -> bool:
        """Whether all values of the answer say the label; an empty answer does not."""
        return {READINGS.get(value.strip().lower()) for value in answer} == set(example.gold)


def read_examples(
    release: Release, document: abc.Callable[[str], Any], tables: str, statements: str
) -> abc.Iterator[Example]:
    """The statements of the listed tables, each table read once."""
    known = document(statements)
    for name in document(tables):
        try:
            texts, labels, title = known[name]
            labelled = list(zip(texts, map(str, labels), strict=True))
        except (KeyError, TypeError, ValueError) as error:
            raise DataError(
                f"{statements} has no statements with labels and a title for {name}",
                path=statements,
            ) from error
        table = load_table(release, name, title)
        for number, (text, label) in enumerate(labelled):
            yield Example(f"{name}#{number}", text, table, (label,), (label,))


def load_json(release: Release, name: str) -> Any:
    """Read a JSON file of the release."""
    try:
        return json.loads(release.text(name))
    except ValueError as error:
        raise DataError(f"{name} is not JSON: {error}", path=name) from error


def load_table(release: Release, name: str, title: str) -> RawTable:
    """Read a table: one line a row, cells between `#`, nothing is quoted."""
    lines = release.text(f"data/all_csv/{name}").rstrip("\r\n").split("\n")
    header, *rows = (tuple(line.rstrip("\r").split("#")) for line in lines)
    return RawTable(name, title, header, tuple(rows))
