"""Schema linking: the columns and rows of a table that a question is about.

Cells are searched by Arrow, distinct texts only, so that a long table costs little more than a
short one."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from binder.tables import arrow
from binder.tables.cells import fold

if TYPE_CHECKING:
    from binder.tables.table import Column, Table

SEARCHED = 200_000  # first rows of a table
PROBE = 1000  # first rows that are compared with a key before all are
MOST = 200  # rows of a column that are looked at, of those with one of the words

# Words that say how to answer rather than what about: they stand in cells by chance.
_PLAIN = """
a an the of in on at to for from by with and or not no
is are was were be been has have had do does did
that this these those there it its their his her he she they
who whom whose which what when where why how many much more most less least than as so if
any all each every other same only both first last next previous before after between
total number name list give tell true false yes
"""
PLAIN = frozenset(_PLAIN.split())


@dataclass(frozen=True)
class Relevance:
    """What of a table a question speaks of: names of columns, numbers of rows, the best first, and
    the words that were found."""

    columns: frozenset[str] = frozenset()
    rows: tuple[int, ...] = ()
    words: frozenset[str] = field(default=frozenset())


def words(text: str) -> list[str]:
    """The words of a text, as they are compared: without case, accents and a plural's ending."""
    return [stem(word) for word in re.findall(r"\w+", fold(text))]


def telling(text: str) -> frozenset[str]:
    """The words of a question that may stand in a table."""
    kept = [word for word in words(text) if word not in PLAIN]
    return frozenset(word for word in kept if len(word) > 1 or word.isdigit())


def relevant(table: Table, question: str) -> Relevance:
    """The columns and rows of a table that hold words of a question; a row counts the more, the
    rarer its words are, and one that holds the same words as another comes after all that hold
    others."""
    asked = telling(question)
    if not asked:
        return Relevance()
    named = {column.name for column in table.columns if asked & set(words(column.name))}
    held: dict[int, set[str]] = {}  # row -> words
    celled = set()
    for column in table.columns:
        for row, found in _rows(table, column, asked):
            held.setdefault(row, set()).update(found)
            celled.add(column.name)
    heading = {word for name in named for word in words(name)}
    spoken = heading.union(*held.values())
    return Relevance(frozenset(named | celled), tuple(_ranked(held)), asked & spoken)


def _ranked(held: Mapping[int, set[str]]) -> list[int]:
    """Rows by the words that they hold, the best first: rare words count more, and of rows with the
    same words the first ones come before the second ones."""
    common = Counter(word for found in held.values() for word in found)
    worth = {word: math.log(1 + len(held) / common[word]) for word in common}
    best = sorted(held, key=lambda row: (-sum(worth[word] for word in held[row]), row))
    turns: dict[int, int] = {}
    alike: Counter[frozenset[str]] = Counter()
    for row in best:
        found = frozenset(held[row])
        turns[row] = alike[found]
        alike[found] += 1
    return sorted(best, key=lambda row: turns[row])


def _rows(
    table: Table, column: Column, asked: frozenset[str]
) -> Iterator[tuple[int, frozenset[str]]]:
    """Rows whose cell in a column holds words, with these words."""
    import pyarrow.compute as pc

    wanted = asked
    if column.type != "VARCHAR" and not column.raw:
        wanted = frozenset(word for word in asked if any(map(str.isdigit, word)))
    if not wanted:
        return
    data = table.data.column(column.raw or column.name).slice(0, SEARCHED)
    encoded = data.combine_chunks().dictionary_encode()
    texts = arrow.spelled(encoded.dictionary)

    def hits(words: Iterable[str]) -> list[int]:
        held = pc.match_substring_regex(texts, _pattern(words), ignore_case=True)
        rows = pc.indices_nonzero(pc.fill_null(pc.take(held, encoded.indices), False))
        return list(rows.slice(0, MOST).to_pylist())

    rows = hits(wanted)
    if len(rows) == MOST:  # a word that stands everywhere must not hide the others
        rows = sorted({row for word in wanted for row in hits([word])})
    for row in rows:
        found = asked & set(words(texts[encoded.indices[row].as_py()].as_py()))
        if found:
            yield row, found


def _pattern(wanted: Iterable[str]) -> str:
    """What finds any of these words in a text, and some others: longer ones, and those with a
    letter that is not of ASCII."""
    return r"(?:^|\W)(?:" + "|".join(sorted(map(_loose, wanted))) + ")"


def _loose(word: str) -> str:
    """A pattern for a word that also matches it with accents."""
    if not word.isascii():
        return re.escape(word)
    return re.sub(r"[aceinouy]", lambda letter: f"(?:{letter[0]}|[^\\x00-\\x7f])", word)


def stem(word: str) -> str:
    """A word without the ending of a plural."""
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith("ss") and len(word) > 3:
        return word[:-1]
    return word


def joins(tables: Iterable[Table]) -> dict[tuple[str, str], str]:
    """(table, column) -> the column of another table that it refers to, as `w2`.`id`: each of its
    values stands there once.

    Of numbers, which may be equal by chance, the names must have a word in common, the name of the
    other table included. A table of more rows than are searched is taken to have no keys, and of a
    column the first rows speak for all."""
    listed = list(tables)
    if len(listed) < 2:
        return {}
    columns = [(table, column) for table in listed for column in table.columns]
    keys: list[_Key] = []
    for table, column in columns:
        data = _key(table, column)
        if data is not None:
            keys.append(_Key(table, column, data))
    found: dict[tuple[str, str], str] = {}
    for table, column in columns:
        for key in keys:
            if key.table is not table and _refers(table, column, key):
                found[table.name, column.name] = f"`{key.table.name}`.`{key.column.name}`"
                break
    return found


class _Key(NamedTuple):
    """A column that tells the rows of its table apart, and its values."""

    table: Table
    column: Column
    values: Any


def _key(table: Table, column: Column) -> Any:
    """The values of a column that tells its rows apart, else None."""
    import pyarrow.compute as pc

    data = table.data.column(column.name)
    if column.type not in ("VARCHAR", "BIGINT", "INTEGER") or data.null_count:
        return None
    if not 1 < table.num_rows <= SEARCHED:
        return None
    return data if pc.count_distinct(data).as_py() == table.num_rows else None


def _refers(table: Table, column: Column, key: _Key) -> bool:
    """Whether all values of a column, two or more, are values of a key."""
    import pyarrow.compute as pc

    if column.type != key.column.type:
        return False
    called = set(words(column.name.replace("_", " ")))
    if column.type != "VARCHAR" and not called & set(_names(key.table, key.column)):
        return False
    data = table.data.column(column.name)
    some, every = (pc.unique(data.slice(0, rows).drop_null()) for rows in (PROBE, SEARCHED))
    if not 1 < len(every) <= len(key.values):
        return False
    keys = key.values.combine_chunks()
    return all(pc.all(pc.is_in(part, value_set=keys)).as_py() for part in (some, every))


def _names(table: Table, key: Column) -> list[str]:
    """The words that a column which refers to a key may be called by."""
    own = words(key.name.replace("_", " "))
    if len(own) > 1:
        own = [word for word in own if word != "id"]
    return own + words(table.name.replace("_", " "))
