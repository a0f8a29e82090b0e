"""Random queries over random SQLite files: binder against SQLite itself.

`python -m tests.executors.sqlite_differential N [SEED [HABIT ...]]` tries N queries and prints how many
have SQLite's rows, then those that differ, by the habit that they try.
"""

from __future__ import annotations

import random
import re
import sqlite3
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, NamedTuple

import binder
from tests.oracle import MAPS, Oracle

Row = tuple[Any, ...]
PER_FILE = 100  # queries over one file
NAMES = ("Ann", "bob", "Cy", "ann", "Dee", "Émile", "O'Hara", "12th", "7", "")
CITIES = ("Rome", "rome", "Oslo", "New York", "Bern")
DAYS = ("2008-01-31", "2010-02-28", "2012-02-29", "2015-12-31", "2019-07-04", "2020-05-01")
STRAYS = ("n/a", "", "12abc", 3.5, "-")


class Query(NamedTuple):
    """A query and the habit of SQLite that it tries."""

    habit: str
    sql: str


class Outcome(NamedTuple):
    """What came of a query: the rows of both, or the message of binder's refusal."""

    query: Query
    theirs: list[Row]
    ours: list[Row] | str

    @property
    def equal(self) -> bool:
        """Whether binder has SQLite's rows."""
        return not isinstance(self.ours, str) and alike(self.theirs, self.ours)


# ---- what both say, side by side


def plain(value: Any) -> Any:
    """A value as SQLite has it: truth as a number, a date as its text, a fraction rounded."""
    if value is None or isinstance(value, (str, bytes)):
        return value
    if isinstance(value, (bool, int)):
        return int(value)
    try:
        return float(f"{float(value):.9g}")
    except (TypeError, ValueError):
        return str(value)


def alike(one: list[Row], other: list[Row]) -> bool:
    """Whether two results are the same rows, in any order."""
    return Counter(map(_row, one)) == Counter(map(_row, other))


def _row(row: Row) -> Row:
    return tuple(map(plain, row))


# ---- files


def fill(connection: sqlite3.Connection, chance: random.Random) -> None:
    """Two tables under random declarations, with stray cells in some columns."""
    whole = chance.choice(["INTEGER", "INT", "BIGINT"])
    part = chance.choice(["REAL", "DOUBLE", "FLOAT", "NUMERIC", "DECIMAL(8,2)"])
    text = chance.choice(["TEXT", "VARCHAR(30)", "CHAR(30)"])
    day = chance.choice(["DATE", "TEXT", "DATETIME"])
    connection.execute(
        f"CREATE TABLE team (id INTEGER PRIMARY KEY, city {text}, founded {whole}, budget {part})"
    )
    connection.execute(
        f"CREATE TABLE person (id INTEGER PRIMARY KEY, name {text}, age {whole}, height {part},"
        f" born {day}, team_id {whole}, score {text}, active BOOLEAN)"
    )
    stray = chance.random() < 0.3
    for number in range(1, 7):
        connection.execute(
            "INSERT INTO team VALUES (?, ?, ?, ?)",
            (number, chance.choice(CITIES), chance.randint(1890, 1999), _fraction(chance)),
        )
    for number in range(1, 31):
        age: Any = chance.choice([None, *range(17, 40)])
        if stray and chance.random() < 0.1:
            age = chance.choice(STRAYS)
        cells = (
            number,
            chance.choice((None, *NAMES)),
            age,
            chance.choice([None, _fraction(chance)]),
            chance.choice((None, *DAYS)),
            chance.choice([None, *range(1, 8)]),
            chance.choice([None, str(chance.randint(1, 120)), f"{_fraction(chance)}"]),
            chance.choice([None, 0, 1]),
        )
        connection.execute("INSERT INTO person VALUES (?, ?, ?, ?, ?, ?, ?, ?)", cells)


def _fraction(chance: random.Random) -> float:
    return chance.choice([chance.randint(1, 300) / 4, float(chance.randint(1, 80))])


# ---- queries

NUMBERS = ("p.age", "p.height", "p.id", "p.team_id", "t.founded", "t.budget", "p.active")
TEXTS = ("p.name", "p.score", "t.city", "p.born")
EVERY = (*NUMBERS, *TEXTS)
FROM = "FROM person AS p JOIN team AS t ON p.team_id = t.id"
COMPARED = ("=", "<", ">", "<=", ">=", "<>", "==", "IS", "IS NOT")
LITERALS = (
    "5", "20", "30", "'20'", "'30.0'", "'abc'", "3.5", "'2012'", "'2012-02-29'", "'1'", "NULL", "1",
    "''", '"Rome"', "'ROME'",
)  # fmt: skip
MODIFIERS = (
    "'+1 month'", "'-3 days'", "'start of month'", "'start of year'", "'weekday 1'", "'+01:30'",
    "'start of month', '+1 month', '-1 day'", "'+1 year'", "'start of day'", "'+36 hours'",
    "'-90 minutes'", "'+10 seconds'",
)  # fmt: skip
FORMATS = ("%Y", "%m", "%d", "%Y-%m", "%j", "%w", "%W", "%s", "%H:%M:%S", "%J", "%Y%m%d", "%%")

Choice = random.Random
Maker = Callable[[random.Random], str]


def _where(chance: Choice) -> str:
    test = f"{chance.choice(EVERY)} {chance.choice(COMPARED)} {chance.choice(LITERALS)}"
    return f"SELECT p.id {FROM} WHERE {test}"


def _columns(chance: Choice) -> str:
    test = f"{chance.choice(EVERY)} {chance.choice(COMPARED)} {chance.choice(EVERY)}"
    return f"SELECT p.id, {test} {FROM}"


def _between(chance: Choice) -> str:
    low, high = chance.choice([("20", "30"), ("'20'", "'30'"), ("'2008'", "'2013'"), ("1", "50")])
    return f"SELECT p.id {FROM} WHERE {chance.choice(EVERY)} BETWEEN {low} AND {high}"


def _in_list(chance: Choice) -> str:
    return f"SELECT p.id {FROM} WHERE {chance.choice(EVERY)} IN (20, '21', '22.0', 'Rome', 'Ann')"


def _arithmetic(chance: Choice) -> str:
    sign = chance.choice(["+", "-", "*", "/", "%"])
    other = chance.choice([*EVERY, "2", "2.0", "0", "'3'", "7"])
    return f"SELECT p.id, {chance.choice(EVERY)} {sign} {other} {FROM}"


def _division(chance: Choice) -> str:
    column = chance.choice(["p.age", "p.id", "t.founded"])
    return chance.choice(
        [
            f"SELECT p.id, {column} / 2 / 2.0 {FROM}",
            f"SELECT SUM({column}) / COUNT(*) {FROM}",
            f"SELECT CAST(SUM({column}) AS REAL) * 100 / COUNT(*) {FROM}",
            f"SELECT COUNT(*) / 7, COUNT(*) * 1.0 / 7, SUM({column} > 25) / 2 {FROM}",
            f"SELECT p.id, {column} / 0 {FROM}",
            f"SELECT AVG({column}), AVG({column}) / 2 {FROM}",
        ]
    )


def _joined(chance: Choice) -> str:
    return f"SELECT p.id, {chance.choice(EVERY)} || '-' || {chance.choice(EVERY)} {FROM}"


def _like(chance: Choice) -> str:
    pattern = chance.choice(["'%o%'", "'A%'", "'_o%'", "'2%'", "'%-02-%'", "'rome'", "'%É%'", "5"])
    word = chance.choice(["LIKE", "NOT LIKE"])
    return f"SELECT p.id {FROM} WHERE {chance.choice(EVERY)} {word} {pattern}"


def _glob(chance: Choice) -> str:
    pattern = chance.choice(["'A*'", "'?o*'", "'[A-C]*'", "'2*'"])
    return f"SELECT p.id {FROM} WHERE {chance.choice(EVERY)} GLOB {pattern}"


def _chosen(chance: Choice) -> str:
    one, other = chance.choice(EVERY), chance.choice([*EVERY, "'none'", "0"])
    return chance.choice(
        [
            f"SELECT p.id, COALESCE({one}, {other}) {FROM}",
            f"SELECT p.id, IIF(p.age > 25, {one}, {other}) {FROM}",
            f"SELECT p.id, CASE WHEN {one} > 20 THEN {one} ELSE {other} END {FROM}",
            f"SELECT p.id, CASE {one} WHEN 20 THEN 'a' WHEN '21' THEN 'b' END {FROM}",
            f"SELECT p.id, IFNULL({one}, {other}), NULLIF({one}, {other}) {FROM}",
        ]
    )


def _cast(chance: Choice) -> str:
    kind = chance.choice(["INTEGER", "REAL", "TEXT", "NUMERIC", "FLOAT", "INT"])
    return f"SELECT p.id, CAST({chance.choice(EVERY)} AS {kind}) {FROM}"


def _scalar(chance: Choice) -> str:
    one, other = chance.choice(EVERY), chance.choice(EVERY)
    made = chance.choice(
        [
            f"substr({one}, {chance.choice(['1, 4', '2', '-2', '0, 3', '-3, 2', '2, -1'])})",
            "instr(" + one + ", " + chance.choice(["0", "'o'", "'2'"]) + ")",
            f"round({one}{chance.choice(['', ', 1', ', 0', ', -1'])})",
            f"typeof({one})",
            f"length({one})",
            f"upper({one})",
            f"lower({one})",
            f"abs({one})",
            f"printf('%d|%.2f|%s|%5d|%05d|%x', {one}, {one}, {one}, {one}, {one}, p.id)",
            f"max({one}, {other})",
            f"min({one}, {other})",
            f"replace({one}, 'o', '0')",
            f"trim({one}, '0')",
            f"hex({chance.choice(TEXTS)})",
            f"quote({one})",
            f"{one} IS NULL",
            f"NOT {one}",
            f"-{one}",
            f"unicode({one})",
            f"sign({one})",
        ]
    )
    return f"SELECT p.id, {made} {FROM}"


def _aggregate(chance: Choice) -> str:
    one = chance.choice(EVERY)
    many = ["SUM", "AVG", "TOTAL", "MIN", "MAX", "COUNT", "GROUP_CONCAT"]
    made = ", ".join(f"{name}({one})" for name in chance.sample(many, 2))
    end = chance.choice(["", " GROUP BY t.city", " GROUP BY p.active", " GROUP BY t.id"])
    return f"SELECT {made} {FROM}{end}"


def _grouped(chance: Choice) -> str:
    by = chance.choice(["t.city", "p.team_id", "p.name", "p.active", "t.city, p.active"])
    one = chance.choice(NUMBERS)
    having = chance.choice(
        ["", " HAVING COUNT(*) > 2", f" HAVING SUM({one}) > '30'", f" HAVING MAX({one}) > 3"]
    )
    return f"SELECT {by}, COUNT(*), SUM({one}) {FROM} GROUP BY {by}{having}"


def _bare(chance: Choice) -> str:
    most = chance.choice(["MIN", "MAX"])
    return f"SELECT t.id, p.name, {most}(p.id) {FROM} GROUP BY t.id"


def _ordered(chance: Choice) -> str:
    way = chance.choice(["", " DESC", " ASC"])
    limit = chance.choice(["LIMIT 5", "LIMIT 3 OFFSET 2", "LIMIT 2, 3", "LIMIT -1"])
    return f"SELECT p.id {FROM} ORDER BY {chance.choice(EVERY)}{way}, p.id {limit}"


def _quoted(chance: Choice) -> str:
    return chance.choice(
        [
            f'SELECT "p"."id" {FROM} WHERE t.city = "Rome"',
            f"SELECT p.id AS 'key' {FROM} ORDER BY 'key'",
            f'SELECT "no such", p.id {FROM}',
            f"SELECT [p].[id], `p`.`name` {FROM}",
        ]
    )


def _nested(chance: Choice) -> str:
    one = chance.choice(NUMBERS)
    return chance.choice(
        [
            f"SELECT p.id {FROM} WHERE {one} > (SELECT AVG({one}) {FROM})",
            "SELECT id FROM person WHERE team_id IN (SELECT id FROM team WHERE city LIKE 'r%')",
            "SELECT id FROM team WHERE id NOT IN (SELECT team_id FROM person WHERE team_id > 2)",
            "SELECT id FROM team AS t WHERE EXISTS (SELECT 1 FROM person WHERE team_id = t.id)",
            "SELECT id, (SELECT name FROM person WHERE team_id = t.id) FROM team AS t",
            f"SELECT COUNT(*) FROM (SELECT DISTINCT {one} {FROM})",
            "SELECT id FROM person WHERE score = (SELECT MAX(score) FROM person)",
            "SELECT id FROM person WHERE age = (SELECT MAX(age) FROM person)",
        ]
    )


def _together(chance: Choice) -> str:
    word = chance.choice(["UNION", "UNION ALL", "INTERSECT", "EXCEPT"])
    one, other = chance.choice(["age", "name", "score"]), chance.choice(["id", "city", "founded"])
    return f"SELECT {one} FROM person {word} SELECT {other} FROM team"


def _window(chance: Choice) -> str:
    made = chance.choice(
        [
            "RANK() OVER (PARTITION BY t.city ORDER BY p.age)",
            "ROW_NUMBER() OVER (ORDER BY p.height DESC, p.id)",
            "SUM(p.age) OVER (PARTITION BY p.active ORDER BY p.id)",
            "LAG(p.name) OVER (ORDER BY p.id)",
            "DENSE_RANK() OVER (ORDER BY p.score)",
            "NTILE(3) OVER (ORDER BY p.id)",
        ]
    )
    return f"SELECT p.id, {made} {FROM}"


def _date(chance: Choice) -> str:
    name = chance.choice(["date", "datetime", "time", "julianday"])
    return f"SELECT p.id, {name}(p.born, {chance.choice(MODIFIERS)}) {FROM}"


def _format(chance: Choice) -> str:
    pattern = chance.choice(FORMATS)
    return chance.choice(
        [
            f"SELECT p.id, strftime('{pattern}', p.born) {FROM}",
            "SELECT p.id FROM person AS p WHERE strftime('%Y', p.born) > '2011'",
            "SELECT p.id FROM person AS p WHERE strftime('%Y', p.born) = 2012",
            f"SELECT p.id, CAST(strftime('%Y', p.born) AS INTEGER) - 1 {FROM}",
            f"SELECT p.id, julianday(p.born) - julianday('2000-01-01') {FROM}",
            f"SELECT p.id, strftime('%Y', 'now') > '2000', date(0, 'unixepoch') {FROM}",
            f"SELECT p.id, datetime(1092941466, 'unixepoch', '+1 day') {FROM}",
            f"SELECT p.id, (strftime('%J', p.born) - 2451545) / 365.25 {FROM}",
            f"SELECT strftime('%Y', p.born), COUNT(*) {FROM} GROUP BY strftime('%Y', p.born)",
        ]
    )


def _truth(chance: Choice) -> str:
    test = chance.choice(
        ["p.active", "p.active = 1", "p.active = '1'", "NOT p.active", "p.age", "p.score", "p.name"]
    )
    return f"SELECT p.id {FROM} WHERE {test}"


# ---- queries with calls, which SQLite makes as functions of its own

CALL = re.compile(r"(\w+)\?\(([^()]*)\)")  # upper?(p.name, t.city)


def for_binder(sql: str) -> str:
    """A query with its calls as binder writes them."""
    return CALL.sub(lambda call: f"QA('map@{call[1]}?'; {call[2].replace(',', ';')})", sql)


def for_sqlite(sql: str) -> str:
    """A query with its calls as functions of SQLite."""
    return CALL.sub(r"asked_\1(\2)", sql)


def _call(question: str) -> Callable[..., Any]:
    def answer(*row: Any) -> Any:
        said = None if all(value is None for value in row) else MAPS[question](list(row))
        return None if said == "" else said  # an empty answer is none

    return answer


def _asked(chance: Choice) -> str:
    text, other = chance.sample(["p.name", "t.city", "p.born"], 2)
    one = f"upper?({text})"
    shown = f"{one} || ''"  # what is only shown may be read as a number
    test = chance.choice([f"long?({other})", f"length?({text}) > 4", f"{one} LIKE '%O%'",
        f"{one} = upper?({other})", f"yesno?({text}) = 'yes'", f"length?({text}) = p.age / 5",
        f"known?({text}) IS NULL", f"NOT vowel?({text})", f"both?({text}, {other}) > 'b'"])  # fmt: skip
    plain = chance.choice(
        ["p.age > 25", "p.score < '5'", "t.city = 'rome'", "p.height / 2 > 30", "p.active"]
    )
    return chance.choice(
        [
            f"SELECT p.id {FROM} WHERE {test}",
            f"SELECT p.id {FROM} WHERE {plain} AND {test}",
            f"SELECT p.id {FROM} WHERE {plain} OR NOT ({test})",
            f"SELECT p.id, {shown}, {plain} {FROM} WHERE {plain}",
            f"SELECT p.id FROM person AS p LEFT JOIN team AS t ON p.team_id = t.id AND {test}",
            f"SELECT p.id, {shown} {FROM} ORDER BY {one} DESC, p.id LIMIT 5",
            f"SELECT p.id {FROM} WHERE {test} ORDER BY p.height, p.id LIMIT 3",
            f"SELECT {one}, COUNT(*), SUM(p.age) {FROM} GROUP BY {one}",
            f"SELECT t.city, MAX({one}), COUNT(DISTINCT yesno?({text})) {FROM} GROUP BY t.city",
            f"SELECT t.city, COUNT(*) {FROM} GROUP BY t.city HAVING MAX(p.age) > 30 AND upper?(t.city) <> 'OSLO'",
            f"SELECT p.id, CASE WHEN {test} THEN {one} ELSE p.score END {FROM}",
            f"SELECT p.id, COALESCE(known?({text}), p.age, 'none') {FROM}",
            f"SELECT DISTINCT {one} {FROM} WHERE {plain}",
            "SELECT id FROM person AS p WHERE p.team_id IN (SELECT t.id FROM team AS t WHERE long?(t.city))",
            "SELECT id FROM person AS p WHERE EXISTS (SELECT 1 FROM team AS t WHERE t.id = p.team_id AND upper?(t.city) = upper?(p.name))",
            "SELECT p.id, (SELECT upper?(t.city) FROM team AS t WHERE t.id = p.team_id) FROM person AS p",
            "SELECT upper?(p.name) FROM person AS p UNION SELECT t.city FROM team AS t WHERE vowel?(t.city)",
            f"SELECT SUM(CASE WHEN {test} THEN 1 ELSE 0 END), COUNT(*) {FROM}",
            f"SELECT p.id, RANK() OVER (ORDER BY {one}) {FROM}",
            f"SELECT AVG(p.age) FILTER (WHERE {test}) {FROM}",
            f"WITH big AS (SELECT p.id, {one} AS said {FROM} WHERE {plain}) SELECT said, id FROM big WHERE said > 'C'",
        ]
    )


MAKERS: dict[str, Maker] = {
    "where": _where, "columns": _columns, "between": _between, "in": _in_list,
    "arithmetic": _arithmetic, "division": _division, "concat": _joined, "like": _like,
    "glob": _glob, "choice": _chosen, "cast": _cast, "scalar": _scalar, "aggregate": _aggregate,
    "group": _grouped, "bare": _bare, "order": _ordered, "quotes": _quoted, "sub-select": _nested,
    "set": _together, "window": _window, "date": _date, "format": _format, "truth": _truth,
    "call": _asked,
}  # fmt: skip


def tried(
    number: int, seed: int = 0, habits: Sequence[str] = tuple(MAKERS), dialect: str = "sqlite"
) -> Iterator[Outcome]:
    """The outcomes of random queries that SQLite itself takes."""
    chance = random.Random(seed)
    done = 0
    with tempfile.TemporaryDirectory() as folder:
        while done < number:
            path = Path(folder) / f"{done}.sqlite"
            with closing(sqlite3.connect(path)) as theirs:
                fill(theirs, chance)
                theirs.commit()
                for question in MAPS:
                    theirs.create_function(
                        "asked_" + question[:-1].replace(" ", "_"), -1, _call(question)
                    )
                with binder.connect(path, lm=Oracle(), dialect=dialect) as ours:
                    for _ in range(min(PER_FILE, number - done)):
                        habit = chance.choice(list(habits))
                        query = Query(habit, MAKERS[habit](chance))
                        yield Outcome(
                            query,
                            rows_of(theirs, for_sqlite(query.sql)),
                            _ours(ours, for_binder(query.sql)),
                        )
                        done += 1


def rows_of(connection: sqlite3.Connection, sql: str) -> list[Row]:
    """SQLite's rows."""
    return connection.execute(sql).fetchall()


def _ours(db: binder.Binder, sql: str) -> list[Row] | str:
    try:
        return list(db.run(sql).rows)
    except binder.BinderError as error:
        return str(error)


def main(words: list[str]) -> None:
    """The rate of equal rows, and what differs."""
    number = int(words[0]) if words else 1000
    habits = words[2:] or list(MAKERS)
    outcomes = list(tried(number, int(words[1]) if len(words) > 1 else 0, habits))
    different = [outcome for outcome in outcomes if not outcome.equal]
    for outcome in sorted(different, key=lambda o: o.query.habit):
        print(f"{outcome.query.habit}: {outcome.query.sql}")
        if isinstance(outcome.ours, str):
            print("   refused:", outcome.ours.splitlines()[0])
            continue
        theirs, ours = Counter(map(_row, outcome.theirs)), Counter(map(_row, outcome.ours))
        print("   SQLite only:", list(theirs - ours)[:3], " binder only:", list(ours - theirs)[:3])
    equal = len(outcomes) - len(different)
    print(Counter(outcome.query.habit for outcome in different).most_common())
    print(f"{equal} of {len(outcomes)} equal: {100 * equal / len(outcomes):.1f} %")


if __name__ == "__main__":
    main(sys.argv[1:])
