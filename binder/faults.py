"""A text that is no program comes in; the SyntaxFault that names its cause and marks the place goes out.

FAULTS is a table: what is said, what to do about it, how it is recognised, and texts that show it. Its order is the order of
asking: the first row that finds itself in the text explains the failure. `{word}` is the text at the place.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from binder.errors import Span, SyntaxFault
from binder.tokens import OPENERS, Token, tokens

LONGEST = 65536
DEEPEST = 64
SIGNS = (".", ":", "%", "/", "&", "-", "+", "*", "~")
TOO_DEEP, GLUED = "TOO_DEEP", "GLUED"  # kinds of tokens that no grammar accepts
STATEMENTS = frozenset(
    "ALTER ANALYZE ATTACH BEGIN CALL CHECKPOINT COMMENT COMMIT COPY CREATE DEALLOCATE DELETE DESCRIBE DETACH DROP EXECUTE EXPLAIN"
    " EXPORT FORCE GRANT IMPORT INSERT INSTALL LOAD MERGE PRAGMA PREPARE REINDEX REPLACE RESET REVOKE ROLLBACK SET SHOW SUMMARIZE"
    " TRUNCATE UPDATE USE VACUUM".split()
)
CLAUSES = frozenset("FROM WHERE GROUP HAVING QUALIFY WINDOW ORDER LIMIT OFFSET UNION INTERSECT EXCEPT".split())
WORDS = OPENERS | CLAUSES | frozenset("AND ASC DESC ELSE END EXISTS IS NULL OVER USING WITH".split())
UNREADABLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\ud800-\udfff]")


@dataclass(frozen=True)
class Failure:
    """Where the grammar said no, to what kind of token, what it expected there, and the words that are never names."""

    text: str
    start: int = 0
    kind: str = ""
    expected: frozenset[str] = frozenset()
    reserved: tuple[str, ...] = ()

    @functools.cached_property
    def tokens(self) -> list[Token]:
        """The tokens of the text."""
        return tokens(self.text)

    @functools.cached_property
    def index(self) -> int:
        """The index of the token at which the grammar failed; the number of tokens at the end of the text."""
        return next((i for i, token in enumerate(self.tokens) if token.end > self.start), len(self.tokens))

    @property
    def span(self) -> Span:
        """The place of that token."""
        return self.at(self.index)

    def at(self, index: int) -> Span:
        """The place of a token, or the end of the text."""
        if 0 <= index < len(self.tokens):
            return Span(self.tokens[index].start, self.tokens[index].end)
        end = self.tokens[-1].end if self.tokens else 0
        return Span(end, end)

    def token(self, offset: int = 0) -> Token:
        """The token at an offset from the failing one; an empty one outside the text."""
        index = self.index + offset
        if 0 <= index < len(self.tokens):
            return self.tokens[index]
        return Token("END", "", *self.at(index))

    @functools.cached_property
    def open(self) -> list[int]:
        """The indices of the parentheses that are open at the failing token."""
        stack: list[int] = []
        for index, token in enumerate(self.tokens[: self.index]):
            if token.text == "(":
                stack.append(index)
            elif token.text == ")" and stack:
                stack.pop()
        return stack

    @property
    def in_call(self) -> bool:
        """Whether the innermost open parenthesis is that of a call."""
        return bool(self.open) and self.tokens[self.open[-1] - 1].word == "QA" and self.open[-1] > 0


class Fault(NamedTuple):
    """One row of the table."""

    message: str
    hint: str | None
    find: Callable[[Failure], Span | None]
    examples: tuple[str, ...]


# ---- before the grammar is asked


def check(text: str) -> None:
    """Refuses, in linear time, a text that need not be shown to the grammar."""
    _raise_first(FIRST, Failure(text))


def explain(failure: Failure) -> SyntaxFault:
    """The fault behind a failure of the grammar."""
    try:
        _raise_first(FAULTS, failure)
    except SyntaxFault as fault:
        return fault
    raise AssertionError("the last row explains everything")


def _raise_first(table: tuple[Fault, ...], failure: Failure) -> None:
    """Raises the first row of a table that finds itself."""
    for fault in table:
        span = fault.find(failure)
        if span is not None:
            word = failure.text[span.start : span.end]
            known = {
                "word": word if len(word) <= 60 else word[:57] + "...",
                "before": failure.token(-1).text or "the beginning",
                "after": failure.token().text or "the end",
                "expected": _in_words(failure.expected),
            }
            hint = fault.hint and fault.hint.format(**known)
            raise SyntaxFault(fault.message.format(**known), text=failure.text, span=span, hint=hint or None)


def _in_words(expected: frozenset[str]) -> str:
    """What was expected, for a hint."""
    if not expected:
        return ""
    words = [word.upper() for word in expected if word.replace("_", "").isalpha() and word not in KINDS]
    signs = [f"'{sign}'" for sign in expected if not sign.replace("_", "").isalpha()]
    kinds = {KINDS[kind] for kind in expected if kind in KINDS}
    if "NUMBER" in expected and "NAME" in expected:  # an operand: its keywords need not be listed
        return "expected here: a column, a value, a function, a call or a sub-select in parentheses"
    shown = sorted(kinds) + sorted(signs) + sorted(words)
    return "expected here: " + ", ".join(shown[:12]) + (", ..." if len(shown) > 12 else "")


KINDS = {
    "NAME": "a name",
    "BACKTICK_NAME": "a name",
    "BRACKET_NAME": "a name",
    "DQ_NAME": "a name",
    "NUMBER": "a number",
    "STRING": "a text in quotes",
    "ESCAPED_STRING": "a text in quotes",
    "QUESTION": "a question in quotes",
    "COMPARISON": "a comparison",
    "OPERATOR": "an operator",
    "$END": "the end",
}


def _long(failure: Failure) -> Span | None:
    text = failure.text
    return Span(LONGEST, LONGEST) if len(text) > LONGEST or len(text.encode("utf-8", "replace")) > LONGEST else None


def _unreadable(failure: Failure) -> Span | None:
    match = UNREADABLE.search(failure.text)
    return Span(*match.span()) if match else None


def _empty(failure: Failure) -> Span | None:
    return None if failure.text.strip() else Span(0, len(failure.text))


def _placeholder(failure: Failure) -> Span | None:
    match = re.fullmatch(r"\s*(<[^<>]*>)\s*", failure.text)
    return Span(*match.span(1)) if match else None


# ---- after the grammar has said no


def _words_back(failure: Failure, index: int) -> int:
    """The index of the first of the words that end before an index: what may be one name of several words."""
    while index > 0:
        token, before = failure.tokens[index - 1], failure.tokens[index - 2].word if index > 1 else ""
        part = token.kind in ("NAME", "NUMBER") and token.word not in WORDS
        if not part and not (token.word == "BY" and before and before not in ("GROUP", "ORDER", "PARTITION")):
            break
        index -= 1
    return index


def _comment_only(failure: Failure) -> Span | None:
    return None if any(token.text != ";" for token in failure.tokens) else Span(0, len(failure.text))


def _deep(failure: Failure) -> Span | None:
    return failure.span if failure.kind == TOO_DEEP else None


def _glued(failure: Failure) -> Span | None:
    return Span(failure.token(-1).start, failure.token().end) if failure.kind == GLUED else None


def _not_select(failure: Failure) -> Span | None:
    token = failure.token()
    starts = failure.index == 0 or (failure.tokens[0].word == "WITH" and failure.token(-1).text == ")" and not failure.open)
    follows = failure.token(1).kind in ("NAME", "BACKTICK_NAME", "DQ_NAME", "STRING", "END")
    return failure.span if token.word in STATEMENTS and starts and follows else None


def _two(failure: Failure) -> Span | None:
    if failure.open or failure.index == len(failure.tokens):
        return None
    again = failure.token().word in ("SELECT", "WITH") and failure.token(-1).word not in WORDS and failure.index > 0
    ended = failure.token(-1).text == ";"
    return failure.span if ended or (again and failure.token(-1).kind != "OPERATOR") else None


def _prose(failure: Failure) -> Span | None:
    if failure.tokens[0].word in ("SELECT", "WITH", "VALUES", "QA") or failure.tokens[0].text == "(":
        return None
    return Span(0, len(failure.text.rstrip()))


def _quote(failure: Failure) -> Span | None:
    token = next((t for t in failure.tokens if t.kind == "OTHER" and t.text in "'\"`"), None)
    return Span(token.start, token.end) if token else None


def _apostrophe(failure: Failure) -> Span | None:
    text, name = failure.token(-1), failure.token()
    glued = text.kind == "STRING" and text.end == name.start and name.kind in ("NAME", "NUMBER", "OTHER")
    return Span(text.start, name.end) if glued else None


def _no_question(failure: Failure) -> Span | None:
    if failure.in_call and failure.open[-1] == failure.index - 1:
        return failure.span
    return None


def _after_call(failure: Failure) -> Span | None:
    return failure.span if failure.tokens[0].word == "QA" and not failure.open and failure.token(-1).text == ")" else None


def _extra(failure: Failure) -> Span | None:
    return failure.span if failure.token().text == ")" and not failure.open else None


def _unclosed(failure: Failure) -> Span | None:
    rest = failure.tokens[failure.index :]
    closed = sum(t.text == ")" for t in rest) - sum(t.text == "(" for t in rest)
    stops = failure.token().kind == "END" or failure.token().word in CLAUSES or failure.token().text == ";"
    return failure.at(failure.open[-1]) if stops and len(failure.open) > max(closed, 0) else None


def _bare_text(failure: Failure) -> Span | None:
    """An argument of a call that is several words."""
    if not failure.in_call or failure.token().kind not in ("NAME", "NUMBER", "OTHER", "OPERATOR", "STRING"):
        return None
    first = failure.index
    while first - 1 > failure.open[-1] and failure.tokens[first - 1].text not in (";", ","):
        first -= 1
    if failure.tokens[first].kind not in ("NAME", "NUMBER", "OTHER") or failure.tokens[first].word in WORDS or first == failure.index:
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
    return failure.span if failure.token().word == "FROM" and found and failure.token(-1).word != "FROM" else None


def _parameter(failure: Failure) -> Span | None:
    sign, number = failure.token(), failure.token(1)
    return failure.span if sign.text == "?" or (sign.text == "$" and number.kind in ("NUMBER", "NAME")) else None


def _signed(failure: Failure) -> Span | None:
    """A name with a sign in it: `rd.`, `win %`, `#`, `money ($)`, `final\\npoints`."""
    index = failure.index
    token, before, after = failure.token(), failure.token(-1), failure.token(1)
    stops = after.kind in ("END", "OPERATOR") or after.word in WORDS
    if token.kind == "OTHER" and before.text == "(" and after.text == ")":
        return Span(failure.at(_words_back(failure, index - 1)).start, after.end)
    if token.kind == "OTHER":
        end = after.end if after.kind in ("NAME", "NUMBER") and after.start == token.end else token.end
        return Span(failure.at(_words_back(failure, index)).start, end)
    if token.text in SIGNS and stops:
        return Span(failure.at(_words_back(failure, index)).start, token.end)
    stops = token.kind in ("END", "OPERATOR") or token.word in WORDS
    first = _words_back(failure, index - 1)
    if stops and token.text != "(" and before.text in SIGNS and first < index - 1:
        return Span(failure.at(first).start, before.end)
    return None


def _reserved(failure: Failure) -> Span | None:
    """A reserved word where a name can stand, and the text goes on as after a name."""
    token, before, after = failure.token(), failure.token(-1), failure.token(1)
    if token.word not in failure.reserved or "NAME" not in failure.expected:
        return None
    if token.word == before.word:
        return Span(failure.at(_words_back(failure, failure.index - 1)).start, before.end)
    goes_on = after.kind == "OPERATOR" and after.text not in ("(", "[", "*", ".")
    goes_on = goes_on or after.word in CLAUSES | {"AND", "OR", "IS", "IN", "LIKE", "AS", "ASC", "DESC", "BETWEEN"}
    ends = after.kind == "END" and before.text != ","
    return failure.span if before.word == "AS" or before.text == "." or goes_on or ends else None


def _nothing(failure: Failure) -> Span | None:
    token, before = failure.token(), failure.token(-1)
    stops = token.kind == "END" or token.word in failure.reserved or token.text in (")", ",", ";", "]")
    wants = before.text in (",", "(") or before.word in WORDS or before.word == "JOIN" or before.kind == "OPERATOR"
    return Span(before.start, token.end) if stops and wants and before.text not in (")", "]", "}") else None


def _file(failure: Failure) -> Span | None:
    return failure.span if failure.token().kind == "STRING" and failure.token(-1).word in ("FROM", "JOIN") else None


def _several(failure: Failure) -> Span | None:
    """A name of several words that is not quoted."""
    index, token = failure.index, failure.token()
    if failure.open and failure.open[-1] == index - 1:  # FROM Fantastic Four (1967 TV series)
        first = _words_back(failure, index - 1)
        close = next((t.end for t in failure.tokens[index:] if t.text == ")"), token.end)
        return Span(failure.tokens[first].start, close) if first < index - 2 else None
    first = _words_back(failure, index)
    words = token.kind in ("NAME", "NUMBER") and (token.word not in WORDS or token.word in ("BY", "IN", "AS", "ON", "OR", "AND", "ALL"))
    if not words or first == index:
        return None
    last = index
    while last + 1 < len(failure.tokens) and _words_back(failure, last + 2) <= last + 1:
        last += 1
    return Span(failure.tokens[first].start, failure.tokens[last].end)


def _list(failure: Failure) -> Span | None:
    return failure.span if failure.token().text == "[" else None


ONE = "write one SELECT, or QA(...)"
QUOTE_IT = "a name that is more than one word, or has signs in it, is quoted: `{word}`"
TWICE = "an apostrophe inside '...' is written twice, not with a backslash: 'o''flynn'"
FIRST: tuple[Fault, ...] = (
    Fault(f"the program is longer than {LONGEST // 1024} kB", "write a shorter program", _long, ("SELECT " + "1 + " * 20000 + "1",)),
    Fault("the program holds a character that cannot be read", "remove control characters", _unreadable, ("SELECT a\0 FROM w",)),
    Fault("the program is empty", ONE, _empty, ("", " \n")),
    Fault("{word} is a placeholder, not a program", ONE, _placeholder, ("<dummy program>",)),
)
FAULTS: tuple[Fault, ...] = (
    Fault("the program is empty", ONE, _comment_only, (";", "-- nothing")),
    Fault(f"the program is nested deeper than {DEEPEST}", "use WITH to name its parts", _deep, (
        "SELECT " + "(" * 65 + "1" + ")" * 65, "SELECT " + "CASE WHEN a THEN " * 65 + "1" + " END" * 65)),
    Fault("only one read-only SELECT is allowed, not {word}", ONE, _not_select, (
        "DROP TABLE w", "INSERT INTO w VALUES (1)", "COPY w TO 'f'", "ATTACH 'f'", "PRAGMA version", "WITH a AS (SELECT 1) DELETE FROM w")),
    Fault("only one statement is allowed, and another begins at {word}", ONE, _two, (
        "SELECT 1; SELECT 2", "SELECT 1; DROP TABLE w", "SELECT a FROM w SELECT b FROM w")),
    Fault("this is not a program: a program is one SELECT, or QA(...)", "begin with SELECT, WITH or QA(", _prose, (
        "africa", "70", "the answer is 7", "FROM w", "```sql\nSELECT 1\n```")),
    Fault("{word} is no number, and as a name it must be quoted", QUOTE_IT, _glued, (
        "SELECT 1st FROM w", "SELECT a FROM w WHERE 2nd = 1")),
    Fault("a quote is opened and never closed", TWICE, _quote, (
        "SELECT a FROM w WHERE b = 'x", "SELECT a FROM w WHERE b = 'val d'lsere'", "SELECT `a FROM w")),
    Fault("the text ends at the apostrophe in {word}", TWICE, _apostrophe, (
        "SELECT a FROM w WHERE b = 'd'x' OR b = 'd'y'",)),
    Fault("the question of QA(...) must be quoted", 'write QA("map@question"; column)', _no_question, (
        "SELECT QA(map@is it; a) FROM w", "QA()", "SELECT QA(a; 'b') FROM w")),
    Fault("QA(...) as the whole program stands alone", 'to go on, write SELECT QA("map@question"; column) FROM ...', _after_call, (
        "QA('map@q'; a) FROM w", "QA('ans@q'; a) = 'yes'")),
    Fault("there is one ) too many", None, _extra, ("SELECT (SELECT 1)) = 2", "SELECT a FROM w)")),
    Fault("this ( is never closed", None, _unclosed, ("SELECT (1 + 2", "SELECT a FROM w WHERE b IN (1, 2 ORDER BY a")),
    Fault("the argument {word} of QA(...) is several words and not quoted", "quote a text: '{word}'; quote a column: `{word}`", _bare_text, (
        "QA('ans@who?'; Uptown Girl)", "QA('ans@who?'; SELECT a FROM w; Green Lantern (film))", "SELECT QA('map@q'; cast member 1) FROM w")),
    Fault("a sub-select must stand in parentheses", "write (SELECT ...)", _bare_select, (
        "SELECT a FROM w WHERE b = 1 - SELECT 2", "SELECT MAX(SELECT 1)")),
    Fault("{word} is or holds a reserved word, so as a name it must be quoted", "write `{word}`", _reserved, (
        "SELECT order FROM w", "SELECT a FROM w WHERE group = 1", "SELECT a AS limit FROM w", "SELECT w.from FROM w",
        "SELECT transferred from FROM w")),
    Fault("there is a second FROM, so a SELECT is missing", "write a sub-select as (SELECT ... FROM ...)", _second_from, (
        "SELECT a FROM w WHERE b = 1 - a FROM w",)),
    Fault("a table is a name; a text or a path is no table", "name one of the tables", _file, ("SELECT a FROM 'f.csv'",)),
    Fault("parameters are not in the language", "write the value itself", _parameter, ("SELECT a FROM w WHERE b = ?", "SELECT $1")),
    Fault("{word} is no expression, and as a name it must be quoted", QUOTE_IT, _signed, (
        "SELECT a FROM w WHERE rd. = 1", "SELECT # FROM w", "SELECT a FROM w WHERE win % = 3", r"SELECT final\npoints FROM w",
        "SELECT money ($) FROM w", "SELECT MAX(%) FROM w", "SELECT selected by: FROM w", "SELECT pick # FROM w")),
    Fault("something is missing between {before} and {after}", "{expected}", _nothing, (
        "SELECT a, FROM w", "SELECT a FROM WHERE b = 1", "SELECT FROM w", "SELECT a FROM w WHERE", "SELECT a FROM w GROUP BY ORDER BY a")),
    Fault("{word} is several words: as one name it must be quoted", QUOTE_IT, _several, (
        "SELECT SUM(box office) FROM w", "SELECT took office FROM w WHERE took office = 1", "SELECT first cast member FROM w",
        "SELECT a FROM Fantastic Four (1967 TV series)")),
    Fault("{word} cannot stand here", "a list is not written in brackets, use list_value(...); {expected}", _list, ("SELECT [[1, 2], [3]]",)),
    Fault("the program ends too early", "{expected}", lambda f: f.span if f.token().kind == "END" else None, ("SELECT CASE WHEN a THEN b",)),
    Fault("{word} cannot stand here", "{expected}", lambda f: f.span, ("SELECT a FROM w ORDER a",)),
)
