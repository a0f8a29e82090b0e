"""Diagnoses of texts that are not programs: each names the cause and marks the place.

FAULTS is a table: what is said, what to do about it, how it is recognised, and texts that show it.
Its order is the order of asking: the first row that finds itself in the text explains the failure.
`{word}` is the text at the place."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import NamedTuple

from binder.errors import Span, SyntaxFault
from binder.language import foreign
from binder.language.context import CLAUSES, WORDS, Failure

LONGEST = 65536
DEEPEST = 64
TOO_DEEP, GLUED = "TOO_DEEP", "GLUED"  # kinds of tokens that no grammar accepts
SIGNS = (".", ":", "%", "/", "&", "-", "+", "*", "~")
# keywords that are also in the middle of headers
LINKS = frozenset({"BY", "IN", "AS", "ON", "OR", "AND", "ALL"})
# words that a name is followed by
FOLLOWERS = CLAUSES | frozenset("AND OR IS IN LIKE AS ASC DESC BETWEEN".split())
CLOSERS = (")", ",", ";", "]")
STATEMENTS = frozenset(
    "ALTER ANALYZE ATTACH BEGIN CALL CHECKPOINT COMMENT COMMIT COPY CREATE DEALLOCATE DELETE"
    " DESCRIBE DETACH DROP EXECUTE EXPLAIN EXPORT FORCE GRANT IMPORT INSERT INSTALL LOAD MERGE"
    " PRAGMA PREPARE REINDEX REPLACE RESET REVOKE ROLLBACK SET SHOW SUMMARIZE TRUNCATE UPDATE USE"
    " VACUUM".split()
)
UNREADABLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\ud800-\udfff]")


class ForeignWord(SyntaxFault):
    """A word of another dialect: no repair of names makes a program of its text."""


class Diagnosis(NamedTuple):
    """One row of the table."""

    message: str
    hint: str | None
    find: Callable[[Failure], Span | None]
    examples: tuple[str, ...]


# ---- before the grammar is asked


def check(text: str, begin: str = "") -> None:
    """Refuses, in linear time, a text that need not be shown to the grammar. begin: how a program
    begins that is no SQL."""
    fault = _first(FIRST, Failure(text))
    if fault is not None:
        fault.hint = begin if begin and fault.hint == ONE else fault.hint
        raise fault


def explain(failure: Failure) -> SyntaxFault:
    """The fault behind a failure of the grammar."""
    if (word := foreign.found(failure)) is not None:
        span, hint = word
        written = failure.text[span.start : span.end]
        message = f"{written} is of another dialect"
        return ForeignWord(message, text=failure.text, span=span, hint=hint)
    return _first(FAULTS, failure) or _made(OTHERWISE, failure, failure.span)


def _first(table: tuple[Diagnosis, ...], failure: Failure) -> SyntaxFault | None:
    """The first row of a table that finds itself in a text."""
    found = ((fault, fault.find(failure)) for fault in table)
    return next((_made(fault, failure, span) for fault, span in found if span is not None), None)


def _made(fault: Diagnosis, failure: Failure, span: Span) -> SyntaxFault:
    """A row as an error at a place."""
    word = failure.text[span.start : span.end]
    word = word if len(word) <= 60 else word[:57] + "..."
    hint = (fault.hint or "").format(word=word, at=failure)
    return SyntaxFault(
        fault.message.format(word=word, at=failure), text=failure.text, span=span, hint=hint or None
    )


def _long(failure: Failure) -> Span | None:
    size = len(failure.text.encode("utf-8", "replace"))
    return Span(LONGEST, LONGEST) if size > LONGEST else None


def _unreadable(failure: Failure) -> Span | None:
    match = UNREADABLE.search(failure.text)
    return Span(*match.span()) if match else None


def _empty(failure: Failure) -> Span | None:
    return None if failure.text.strip() else Span(0, len(failure.text))


def _placeholder(failure: Failure) -> Span | None:
    match = re.fullmatch(r"\s*(<[^<>]*>)\s*", failure.text)
    return Span(*match.span(1)) if match else None


# ---- after the grammar has said no


def _comment_only(failure: Failure) -> Span | None:
    written = any(token.text != ";" for token in failure.tokens)
    return None if written else Span(0, len(failure.text))


def _deep(failure: Failure) -> Span | None:
    return Span(failure.start, failure.start + 1) if failure.kind == TOO_DEEP else None


def _glued(failure: Failure) -> Span | None:
    return Span(failure.token(-1).start, failure.token().end) if failure.kind == GLUED else None


def _not_select(failure: Failure) -> Span | None:
    token = failure.token()
    below_with = failure.tokens[0].word == "WITH" and failure.token(-1).text == ")"
    starts = failure.index == 0 or (below_with and not failure.open)
    follows = failure.token(1).kind in ("NAME", "BACKTICK_NAME", "DQ_NAME", "STRING", "END")
    return failure.span if token.word in STATEMENTS and starts and follows else None


def _two(failure: Failure) -> Span | None:
    if failure.open or failure.index == len(failure.tokens):
        return None
    token, before = failure.token(), failure.token(-1)
    whole = failure.index > 0 and before.word not in WORDS and before.kind != "OPERATOR"
    again = whole and token.word in ("SELECT", "WITH")
    return failure.span if again or before.text == ";" else None


def _prose(failure: Failure) -> Span | None:
    first = failure.tokens[0]
    if first.word in ("SELECT", "WITH", "VALUES", "QA") or first.text == "(":
        return None
    return Span(0, len(failure.text.rstrip()))


def _quote(failure: Failure) -> Span | None:
    token = next((t for t in failure.tokens if t.kind == "OTHER" and t.text in "'\"`"), None)
    return Span(token.start, token.end) if token else None


def _apostrophe(failure: Failure) -> Span | None:
    text, name = failure.token(-1), failure.token()
    glued = text.kind == "STRING" and text.end == name.start
    word = name.kind in ("NAME", "NUMBER", "OTHER")
    return Span(text.start, name.end) if glued and word else None


def _no_question(failure: Failure) -> Span | None:
    if failure.in_call and failure.open[-1] == failure.index - 1:
        return failure.span
    return None


def _after_call(failure: Failure) -> Span | None:
    called = failure.tokens[0].word == "QA" and not failure.open
    return failure.span if called and failure.token(-1).text == ")" else None


def _extra(failure: Failure) -> Span | None:
    return failure.span if failure.token().text == ")" and not failure.open else None


def _unclosed(failure: Failure) -> Span | None:
    rest = failure.tokens[failure.index :]
    closed = sum(t.text == ")" for t in rest) - sum(t.text == "(" for t in rest)
    token = failure.token()
    stops = token.kind == "END" or token.word in CLAUSES or token.text == ";"
    return failure.at(failure.open[-1]) if stops and len(failure.open) > max(closed, 0) else None


def _bare_text(failure: Failure) -> Span | None:
    """An argument of a call that is several words."""
    if not failure.in_call or failure.token().kind not in ("NAME", "NUMBER", "OTHER", "STRING"):
        return None
    first = failure.words_back(failure.index)
    if first == failure.index or failure.tokens[first - 1].text not in (";", ","):
        return None
    depth, last = 0, failure.index
    for last in range(failure.index, len(failure.tokens)):
        text = failure.tokens[last].text
        depth += (text == "(") - (text == ")")
        if depth < 0 or (depth == 0 and text in (";", ",")):
            last -= 1
            break
    return Span(failure.tokens[first].start, failure.tokens[last].end)


def _bare_select(failure: Failure) -> Span | None:
    for offset in (0, -1):
        if failure.token(offset).word == "SELECT" and failure.index + offset > 0:
            return failure.at(failure.index + offset)
    return None


def _second_from(failure: Failure) -> Span | None:
    level = failure.open[-1] if failure.open else -1
    depth, found = 0, False
    for token in failure.tokens[level + 1 : failure.index]:
        depth += (token.text == "(") - (token.text == ")")
        found = found or (depth == 0 and token.word == "FROM")
    again = failure.token().word == "FROM" and failure.token(-1).word != "FROM"
    return failure.span if found and again else None


def _parameter(failure: Failure) -> Span | None:
    return failure.span if failure.kind == "PARAMETER" else None


def _signed(failure: Failure) -> Span | None:
    """A name with a sign in it: `rd.`, `win %`, `#`, `money ($)`, `final\\npoints`."""
    index = failure.index
    token, before, after = failure.token(), failure.token(-1), failure.token(1)
    stops = after.kind in ("END", "OPERATOR") or after.word in WORDS
    if token.kind == "OTHER" and before.text == "(" and after.text == ")":
        return Span(failure.at(failure.words_back(index - 1)).start, after.end)
    if token.kind == "OTHER":
        glued = after.kind in ("NAME", "NUMBER") and after.start == token.end
        last = after if glued else token
        return Span(failure.at(failure.words_back(index)).start, last.end)
    if token.text in SIGNS and stops:
        return Span(failure.at(failure.words_back(index)).start, token.end)
    stops = token.kind in ("END", "OPERATOR") or token.word in WORDS
    first = failure.words_back(index - 1)
    if stops and token.text != "(" and before.text in SIGNS and first < index - 1:
        return Span(failure.at(first).start, before.end)
    return None


def _reserved(failure: Failure) -> Span | None:
    """A reserved word where a name can stand, and the text goes on as after a name."""
    token, before, after = failure.token(), failure.token(-1), failure.token(1)
    if token.word not in failure.reserved or "NAME" not in failure.expected:
        return None
    if token.word == before.word:
        return Span(failure.at(failure.words_back(failure.index - 1)).start, before.end)
    goes_on = after.kind == "OPERATOR" and after.text not in ("(", "[", "*", ".")
    goes_on = goes_on or after.word in FOLLOWERS
    ends = after.kind == "END" and before.text != ","
    return failure.span if before.word == "AS" or before.text == "." or goes_on or ends else None


def _nothing(failure: Failure) -> Span | None:
    token, before = failure.token(), failure.token(-1)
    stops = token.kind == "END" or token.word in failure.reserved or token.text in CLOSERS
    wants = before.word in WORDS or before.word == "JOIN" or before.kind == "OPERATOR"
    closed = before.text in (")", "]", "}")
    return Span(before.start, token.end) if stops and wants and not closed else None


def _file(failure: Failure) -> Span | None:
    source = failure.token(-1).word in ("FROM", "JOIN")
    return failure.span if source and failure.token().kind == "STRING" else None


def _several(failure: Failure) -> Span | None:
    """A name of several words that is not quoted."""
    index, token = failure.index, failure.token()
    if failure.open and failure.open[-1] == index - 1:  # FROM Fantastic Four (1967 TV series)
        first = failure.words_back(index - 1)
        close = next((t.end for t in failure.tokens[index:] if t.text == ")"), token.end)
        return Span(failure.tokens[first].start, close) if first < index - 2 else None
    first = failure.words_back(index)
    name = token.kind == "NAME" and (token.word not in WORDS or token.word in LINKS)
    if not (name or token.kind == "NUMBER") or first == index:
        return None
    last = index
    while last + 1 < len(failure.tokens) and failure.is_part(last + 1):
        last += 1
    return Span(failure.tokens[first].start, failure.tokens[last].end)


def _list(failure: Failure) -> Span | None:
    return failure.span if failure.token().text == "[" else None


def _early(failure: Failure) -> Span | None:
    return failure.span if failure.token().kind == "END" else None


ONE = "write one SELECT, or QA(...)"
QUOTE_IT = "quote a name with spaces or symbols: `{word}`"
TWICE = "double an apostrophe inside '...': 'o''flynn'"
# fmt: off
FIRST: tuple[Diagnosis, ...] = (
    Diagnosis(f"the program is longer than {LONGEST // 1024} kB", "write less", _long, (
        "SELECT " + "1 + " * 20000 + "1",
    )),
    Diagnosis("the program contains an invalid character", "remove it", _unreadable, (
        "SELECT a\0 FROM w",
    )),
    Diagnosis("the program is empty", ONE, _empty, (
        "", " \n",
    )),
    Diagnosis("{word} is a placeholder: fill it in", ONE, _placeholder, (
        "<dummy program>",
    )),
)
FAULTS: tuple[Diagnosis, ...] = (
    Diagnosis(f"the program is nested deeper than {DEEPEST}",
              "use WITH to split it into named parts", _deep, (
        "SELECT " + "(" * 65 + "1" + ")" * 65,
        "SELECT " + "CASE WHEN a THEN " * 65 + "1" + " END" * 65,
    )),
    Diagnosis("the program is empty", ONE, _comment_only, (
        ";", "-- nothing",
    )),
    Diagnosis("{word} is not allowed: a program is one read-only SELECT", ONE, _not_select, (
        "DROP TABLE w", "INSERT INTO w VALUES (1)", "COPY w TO 'f'", "ATTACH 'f'", "PRAGMA version",
        "WITH a AS (SELECT 1) DELETE FROM w",
    )),
    Diagnosis("only one statement is allowed; a second one starts at {word}", ONE, _two, (
        "SELECT 1; SELECT 2", "SELECT 1; DROP TABLE w", "SELECT a FROM w SELECT b FROM w",
    )),
    Diagnosis("not a Binder program", "start with SELECT, WITH or QA(", _prose, (
        "africa", "70", "the answer is 7", "FROM w", "```sql\nSELECT 1\n```",
    )),
    Diagnosis("{word} is neither a number nor an unquoted name", QUOTE_IT, _glued, (
        "SELECT 1st FROM w", "SELECT a FROM w WHERE 2nd = 1",
    )),
    Diagnosis("quote the argument {word} of QA(...)",
              "a string: '{word}'; a column: `{word}`", _bare_text, (
        "QA('ans@who?'; Uptown Girl)", "QA('ans@who?'; SELECT a FROM w; Green Lantern (film))",
        "QA('ans@who?'; Can't Stop)", "SELECT QA('map@q'; cast member 1) FROM w",
    )),
    Diagnosis("unclosed quote", TWICE, _quote, (
        "SELECT a FROM w WHERE b = 'x", "SELECT a FROM w WHERE b = 'val d'lsere'",
        "SELECT `a FROM w",
    )),
    Diagnosis("the string ends at the apostrophe in {word}", TWICE, _apostrophe, (
        "SELECT a FROM w WHERE b = 'd'x' OR b = 'd'y'",
    )),
    Diagnosis("the question of QA(...) must be quoted",
              'write QA("map@question"; column)', _no_question, (
        "SELECT QA(map@is it; a) FROM w", "QA()", "SELECT QA(a; 'b') FROM w",
    )),
    Diagnosis("nothing may follow a program that is one QA(...)",
              'use SELECT QA("map@question"; column) FROM ...', _after_call, (
        "QA('map@q'; a) FROM w", "QA('ans@q'; a) = 'yes'",
    )),
    Diagnosis("unmatched )", None, _extra, (
        "SELECT (SELECT 1)) = 2", "SELECT a FROM w)",
    )),
    Diagnosis("unclosed (", None, _unclosed, (
        "SELECT (1 + 2", "SELECT a FROM w WHERE b IN (1, 2 ORDER BY a",
    )),
    Diagnosis("{word} contains a reserved word and must be quoted as a name",
              "write `{word}`", _reserved, (
        "SELECT order FROM w", "SELECT a FROM w WHERE group = 1", "SELECT a AS limit FROM w",
        "SELECT w.from FROM w", "SELECT transferred from FROM w",
    )),
    Diagnosis("a sub-select needs parentheses", "(SELECT ...)", _bare_select, (
        "SELECT a FROM w WHERE b = 1 - SELECT 2", "SELECT MAX(SELECT 1)",
    )),
    Diagnosis("a second FROM without its own SELECT",
              "write a sub-select as (SELECT ... FROM ...)", _second_from, (
        "SELECT a FROM w WHERE b = 1 - a FROM w",
    )),
    Diagnosis("FROM needs a table name, not a string or a path",
              "use the name of a loaded table", _file, (
        "SELECT a FROM 'f.csv'",
    )),
    Diagnosis("a parameter cannot stand here: it is a value, never a name or a part of one",
              "{at.wanted}", _parameter, (
        "SELECT a FROM $t", "SELECT a AS ? FROM w",
    )),
    Diagnosis("{word} is not an expression; as a name it must be quoted", QUOTE_IT, _signed, (
        "SELECT a FROM w WHERE rd. = 1", "SELECT # FROM w", "SELECT a FROM w WHERE win % = 3",
        r"SELECT final\npoints FROM w", "SELECT money ($) FROM w", "SELECT MAX(%) FROM w",
        "SELECT selected by: FROM w", "SELECT pick # FROM w",
    )),
    Diagnosis("missing expression between {at.before} and {at.after}", "{at.wanted}", _nothing, (
        "SELECT a, FROM w", "SELECT a FROM WHERE b = 1", "SELECT FROM w", "SELECT a FROM w WHERE",
        "SELECT a FROM w GROUP BY ORDER BY a",
    )),
    Diagnosis("{word} is several words; quote it to make it one name", QUOTE_IT, _several, (
        "SELECT SUM(box office) FROM w", "SELECT took office FROM w WHERE took office = 1",
        "SELECT first cast member FROM w", "SELECT a FROM Fantastic Four (1967 TV series)",
    )),
    Diagnosis("unexpected {word}: nested lists in brackets are not supported",
              "write list_value(...)", _list, (
        "SELECT [[1, 2], [3]]",
    )),
    Diagnosis("unexpected end of the program", "{at.wanted}", _early, (
        "SELECT CASE WHEN a THEN b",
    )),
)
# fmt: on
OTHERWISE = Diagnosis(
    "unexpected {word}", "{at.wanted}", lambda failure: failure.span, ("SELECT a FROM w ORDER a",)
)
