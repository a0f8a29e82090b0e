"""Repairs of the text of a program, where the tables make certain what was meant.

Headers get the quotes they need, a page title in FROM becomes the table, a sub-select gets its
parentheses, an apostrophe is doubled."""

from __future__ import annotations

import re
from collections.abc import Sequence

from binder.errors import SyntaxFault
from binder.language import grammar
from binder.language.context import CLAUSES
from binder.language.diagnose_sql import ForeignWord
from binder.language.lexer import Token, tokens
from binder.language.program import PLAIN, Given, Program
from binder.language.skeleton import parse
from binder.tables.cells import fold
from binder.tables.spelling import alike, key
from binder.tables.table import Table

PLACEHOLDERS = frozenset(
    "table thetable tbl t data dataset df dataframe mytable yourtable tablename table1".split()
)
_CLAUSES = CLAUSES | frozenset(
    "SELECT ON USING JOIN LEFT RIGHT FULL INNER CROSS NATURAL AS".split()
)
_WORDS = _CLAUSES | frozenset(
    "AND OR NOT IN LIKE ILIKE IS NULL BETWEEN CASE WHEN THEN ELSE END DESC ASC DISTINCT BY EXISTS"
    " QA COUNT SUM AVG MIN MAX".split()
)

_LONGEST_TITLE = 60  # tokens
_BEFORE_OPERAND = frozenset(
    "SELECT WHERE AND OR BY NOT HAVING WHEN THEN ELSE CASE DISTINCT BETWEEN LIKE".split()
)
_OPERATORS = frozenset("- + * / = < > <= >= != <>".split())


def parsed(text: str, tables: Sequence[Table], given: Given = PLAIN) -> Program:
    """The Program of a text, repaired for free where it needs to be; else the SyntaxFault of the
    text as it was given."""
    repairs: list[str] = []
    mended = _from_title(_headers(text, tables, repairs, given), tables, repairs)
    try:
        return parse(mended, tuple(repairs), given)
    except ForeignWord:
        raise
    except SyntaxFault as first:
        before = mended
        for attempt in (_apostrophes, _reserved, _near_headers, _bare_selects):
            mended = attempt(mended, tables, repairs)
        try:
            if mended == before:
                raise first
            return parse(mended, tuple(repairs), given)
        except SyntaxFault:
            if not repairs:
                raise first from None
            raise _original(text, first) from None


def _original(text: str, otherwise: SyntaxFault) -> SyntaxFault:
    """The fault of the text before any repair."""
    try:
        grammar.parse(text, "sql")
    except SyntaxFault as fault:
        return fault
    return otherwise


def _quote(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"


def _headers(text: str, tables: Sequence[Table], repairs: list[str], given: Given) -> str:
    """Quotes each header that is no plain name, longest first, where it stands bare. What a person
    wrote as an expression of columns stays one: `a-b`, where there are a, b and `a-b`."""
    known = {column.name for table in tables for column in table.columns}
    names = set(filter(_needs_quotes, known))
    if given.origin == "person":
        folded = set(map(fold, known))
        names = {name for name in names if not _is_expression(name, folded)}
    if not names:
        return text
    patterns = [(name, _pattern(name)) for name in sorted(names, key=len, reverse=True)]
    out, place = [], 0
    for token in tokens(text):
        if token.start < place or token.kind not in ("NAME", "NUMBER", "OTHER", "OPERATOR"):
            continue
        for name, pattern in patterns:
            match = pattern.match(text, token.start)
            if match and _stands_alone(text, token.start, match.end()):
                out += [text[place : token.start], _quote(name)]
                place = match.end()
                repairs.append(f"{match.group()!r} -> {_quote(name)}")
                break
    return "".join([*out, text[place:]])


def _is_expression(name: str, known: set[str]) -> bool:
    """Whether a header reads as an expression of other columns."""
    words = [fold(token.text) for token in tokens(name) if token.kind == "NAME"]
    return len(words) > 1 and all(word in known for word in words)


def _needs_quotes(name: str) -> bool:
    """Whether a header, written bare, would be read as something else, and is more than a sign or a
    number."""
    return (
        not re.fullmatch(r"[^\W\d]\w*", name)
        and bool(re.search(r"[^\W\d]|#|№", name))
        and not re.match(r"['\"`(\[]", name)
    )


def _pattern(name: str) -> re.Pattern[str]:
    words = [re.escape(word) for word in name.split()]
    return re.compile(r"(?:\s|\\n)+".join(words), re.IGNORECASE)


def _stands_alone(text: str, start: int, end: int) -> bool:
    before, after = text[start - 1 : start], text[end : end + 1]
    inside = (re.match(r"\w", before) and re.match(r"\w", text[start])) or (
        re.match(r"\w", after) and re.match(r"\w", text[end - 1])
    )
    return (
        not inside
        and before not in ("`", ".", "$")
        and not (after == "(" and re.search(r"\w$", text[start:end]))
    )


def _near_headers(text: str, tables: Sequence[Table], repairs: list[str]) -> str:
    """Quotes a run of bare words that is certainly a header."""
    names = [c.name for table in tables for c in table.columns]
    out, place = [], 0
    for run in _runs(tokens(text)):
        written = text[run[0].start : run[-1].end]
        if len(run) == 1 and re.fullmatch(r"[^\W\d]\w*", written):
            continue
        match = alike(written, names)
        if match is not None:
            out += [text[place : run[0].start], _quote(match)]
            place = run[-1].end
            repairs.append(f"{written!r} -> {_quote(match)}")
    return "".join([*out, text[place:]])


def _reserved(text: str, tables: Sequence[Table], repairs: list[str]) -> str:
    """Quotes a header that is a reserved word where an operand must stand."""
    names = {}
    for table in tables:
        for column in table.columns:
            names[column.name.upper()] = column.name
    reserved = names.keys() & (_WORDS | {"TO", "ALL"})
    found = tokens(text)
    out, place = [], 0
    for before, token in zip(found, found[1:], strict=False):
        operand = before.word in _BEFORE_OPERAND or (
            before.kind == "OPERATOR" and before.text not in (")", "]", ".")
        )
        if token.word in reserved and operand:
            out += [text[place : token.start], _quote(names[token.word])]
            place = token.end
            repairs.append(f"{token.text!r} -> {_quote(names[token.word])}")
    return "".join([*out, text[place:]])


def _runs(found: Sequence[Token]) -> list[list[Token]]:
    """Neighbouring words and signs between keywords, commas and parentheses."""
    runs: list[list[Token]] = [[]]
    for token in found:
        joins = token.kind in ("NAME", "NUMBER", "OTHER") and token.word not in _WORDS
        if joins or (token.text in ("/", "-", ".", "%", "&") and runs[-1]):
            runs[-1].append(token)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if run]


def _from_title(text: str, tables: Sequence[Table], repairs: list[str]) -> str:
    """FROM <page title> of the only table; an alias behind the title stays, and so does each table
    of a list."""
    if len(tables) != 1:
        return text
    only, found = tables[0], tokens(text)
    out, place = [], 0
    for index, token in enumerate(found):
        if token.word != "FROM" or token.start < place:
            continue
        near = found[: index + _LONGEST_TITLE]
        closing = _closing(near, index + 1)
        stop = index + 1
        while stop < closing and near[stop].word not in _CLAUSES and near[stop].text != ";":
            stop += 1
        last = near[stop - 1]
        if stop <= index + 2 or (last.kind in ("OPERATOR", "OTHER") and last.text != ")"):
            continue
        for written in _titles(text, near[index + 1 : stop], only):
            start, end = written[0].start, written[-1].end
            out += [text[place:start], _quote(only.name)]
            place = end
            told = f"FROM {text[start:end]!r} -> {only.name}"
            if told not in repairs:
                repairs.append(told)
    return "".join([*out, text[place:]])


def _titles(text: str, run: Sequence[Token], only: Table) -> list[Sequence[Token]]:
    """The page titles in what stands behind FROM: the whole of it, or one in each item of a
    list."""
    titles = [only.name, *([only.title] if only.title else [])]

    def written(part: Sequence[Token]) -> str:
        return text[part[0].start : part[-1].end]

    def means(part: Sequence[Token]) -> bool:
        return bool(alike(written(part), titles, 0.6)) or key(written(part)) in PLACEHOLDERS

    if run[0].text == "(":
        return []
    if fold(written(run)) in map(fold, titles):  # commas and all
        return [run]
    items: Sequence[Sequence[Token]] = _items(run)
    if not all(item and means(item) for item in items):
        items = [run]
    found = []
    for item in items:
        has_alias = len(item) > 1 and item[-1].kind == "NAME" and means(item[:-1])
        title = item[:-1] if has_alias else item
        # one word may name a CTE: it is looked at when names are resolved
        if len(title) > 1 and means(title):
            found.append(title)
    return found


def _items(run: Sequence[Token]) -> list[list[Token]]:
    """What commas divide."""
    items: list[list[Token]] = [[]]
    for token in run:
        if token.text == ",":
            items.append([])
        else:
            items[-1].append(token)
    return items


def _closing(found: Sequence[Token], start: int) -> int:
    """The index of the parenthesis that closes what a token stands in; the number of tokens where
    there is none."""
    depth = 0
    for index in range(start, len(found)):
        depth += (found[index].text == "(") - (found[index].text == ")")
        if depth < 0:
            return index
    return len(found)


def _apostrophes(text: str, _: Sequence[Table], repairs: list[str]) -> str:
    """An apostrophe inside a text is doubled, also where a backslash stands before it."""
    mended = re.sub(r"\\'", "''", text)
    if any(token.kind == "OTHER" and token.text == "'" for token in tokens(mended)):
        mended = re.sub(r"(?<=[^\W\d_])'(?=[^\W\d_])", "''", mended)
    if mended != text:
        repairs.append("doubled an apostrophe in a string")
    return mended


def _bare_selects(text: str, _: Sequence[Table], repairs: list[str]) -> str:
    """SELECT ... - SELECT ...: the difference of two queries; `= SELECT ...`: a sub-select."""
    found = tokens(text)
    depth = 0
    for before, token in zip(found, found[1:], strict=False):
        depth += (before.text == "(") - (before.text == ")")
        if token.word == "SELECT" and before.text in _OPERATORS:
            left, right = text[: before.start].strip(), text[token.start :].rstrip("; \n")
            whole = depth == 0 and before.text in "+-*/" and left.upper().startswith("SELECT")
            repairs.append("put a sub-select in parentheses")
            if whole:
                return f"SELECT ({left}) {before.text} ({right})"
            return f"{text[: token.start]}({right})" if depth == 0 else _wrapped(text, found, token)
    return text


def _wrapped(text: str, found: Sequence[Token], select: Token) -> str:
    """Parentheses around a SELECT up to the one that closes what it stands in."""
    start = found.index(select)
    end = _closing(found, start)
    stop = found[end].start if end < len(found) else len(text)
    return f"{text[: select.start]}({text[select.start : stop]}){text[stop:]}"
