"""The WikiTableQuestions loader and metrics, over the official release (github
ppasupat/WikiTableQuestions, v1.0.2).

Its two metrics judge an answer: `official`, and `binder_lenient`, after the evaluator of the
original Binder."""

from __future__ import annotations

import json
import re
from collections import abc
from functools import cache, partial
from pathlib import Path

from binder.benchmarks import Benchmark, Example, RawTable
from binder.benchmarks.denotation import canonical_of, lenient_match, official_match
from binder.benchmarks.release import Release, open_release
from binder.errors import DataError

ORIGIN = (
    "download WikiTableQuestions v1.0.2 (github ppasupat/WikiTableQuestions)"
    " and give its zip or folder"
)
LANDMARK = "data/pristine-unseen-tables.tsv"
# split -> file of questions below data/; the same name below tagged/data/ where the release has it
FILES = {
    "test": "pristine-unseen-tables",
    "seen": "pristine-seen-tables",
    "dev": "random-split-1-dev",
    "train": "random-split-1-train",
}
PAGE = re.compile(r"^csv/(\d+)-csv/(\d+)\.csv$")
CELL = re.compile(r'"((?:[^"\\]|\\.)*)"(,|\r?\n|$)', re.DOTALL)
CELL_ESCAPE = re.compile(r"\\(.)", re.DOTALL)
ITEM_ESCAPE = re.compile(r"\\([np\\])")
ITEM_ESCAPES = {"n": "\n", "p": "|", "\\": "\\"}


class WikiTableQuestions(Benchmark):
    """The benchmark over one release; a table is read once and shared by its examples. titles: for
    a release without pages."""

    name = "WikiTableQuestions"
    splits = tuple(FILES)
    metrics = ("official", "binder_lenient")

    def __init__(self, data: str | Path, titles: abc.Mapping[str, str] | None = None):
        self.release = open_release(data, LANDMARK, ORIGIN)
        self.table: abc.Callable[[str], RawTable] = cache(
            partial(load_table, self.release, titles or {})
        )

    def read(self, split: str) -> abc.Iterator[Example]:
        """The examples of a split in the order of the release."""
        return read_examples(self.release, self.table, FILES[split])

    def is_right(self, example: Example, answer: list[str], metric: str) -> bool:
        """Whether the denotation is that of the gold values, as the metric compares the two."""
        matches = official_match if metric == "official" else lenient_match
        return matches(example, answer)


def read_examples(
    release: Release, table: abc.Callable[[str], RawTable], file: str
) -> abc.Iterator[Example]:
    """The questions of a file; canonical values come from its tagged twin where the release has
    one, else from rules."""
    tagged = f"tagged/data/{file}.tagged"
    canonical: dict[str, str] = {}
    if release.holds(tagged):
        for record in records(release, tagged, "targetCanon"):
            canonical[record["id"]] = record["targetCanon"]
    for record in records(release, f"data/{file}.tsv", "utterance", "context", "targetValue"):
        number, gold = record["id"], items(record["targetValue"])
        read = items(canonical[number]) if number in canonical else tuple(map(canonical_of, gold))
        if len(read) != len(gold):
            raise DataError(
                f"{number} has {len(gold)} values, but {len(read)} canonical ones", path=tagged
            )
        question = unescape(record["utterance"])
        yield Example(number, question, table(record["context"]), gold, read)


def load_table(release: Release, titles: abc.Mapping[str, str], name: str) -> RawTable:
    """Read csv/204-csv/772.csv; its title is in page/204-page/772.json where the release has
    pages."""
    header, *rows = read_csv(release.text(name), name)
    page = PAGE.sub(r"page/\1-page/\2.json", name)
    if page != name and release.holds(page):
        title = read_title(release.text(page), page)
    else:
        title = titles.get(name)
    return RawTable(name, title, header, tuple(rows))


def read_title(text: str, name: str) -> str | None:
    """The title in the description of a page."""
    try:
        page = json.loads(text)
    except ValueError as error:
        raise DataError(f"{name} is not JSON: {error}", path=name) from error
    return str(page["title"]) if isinstance(page, dict) and page.get("title") else None


def read_csv(text: str, name: str) -> list[tuple[str, ...]]:
    r"""The rows of a csv file of the release: every cell quoted, `\"` and `\\` inside for a quote
    and a backslash."""
    rows: list[tuple[str, ...]] = []
    cells: list[str] = []
    place = 0
    while place < len(text):
        cell = CELL.match(text, place)
        if cell is None:
            raise DataError(
                f"{name} is not in the csv form of the release",
                path=name,
                row=text.count("\n", 0, place) + 1,
            )
        content, end = cell.groups()
        if "\\" in content:
            content = CELL_ESCAPE.sub(lambda m: "\n" if m[1] == "n" else m[1], content)
        cells.append(content)
        if end != ",":
            rows.append(tuple(cells))
            cells = []
        place = cell.end()
    if not rows:
        raise DataError(f"{name} is empty", path=name)
    return rows


def records(release: Release, name: str, *needed: str) -> abc.Iterator[dict[str, str]]:
    """The lines of a tab-separated file by the names in its first line; values are still
    escaped."""
    header, *lines = release.text(name).rstrip("\r\n").split("\n")
    names = header.rstrip("\r").split("\t")
    if missing := [n for n in ("id", *needed) if n not in names]:
        raise DataError(
            f"the first line of {name} does not name {', '.join(missing)}", path=name, row=1
        )
    for row, line in enumerate(lines, 2):
        values = line.rstrip("\r").split("\t")
        if len(values) != len(names):
            raise DataError(
                f"{name} has {len(values)} fields where {len(names)} belong", path=name, row=row
            )
        yield dict(zip(names, values, strict=True))


def items(field: str) -> tuple[str, ...]:
    """The values of a field that holds several, split at `|`."""
    return tuple(map(unescape, field.split("|")))


def unescape(text: str) -> str:
    r"""Undo `\n`, `\p` (a `|`) and `\\`."""
    return ITEM_ESCAPE.sub(lambda m: ITEM_ESCAPES[m[1]], text) if "\\" in text else text
