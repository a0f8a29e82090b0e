"""The grammars of both languages, and the tree of a program in one of them.

A text that is not in the language is a SyntaxFault that names the cause and marks the place. This
is the only door to lark, with lalr. The languages are written down in grammars/*.lark: common.lark,
then binder_<language>.lark. Every token of a program is in the tree, in order. A call is a tree
`call`: a token QUESTION and trees `argument`. A name is a tree `name` or `bare_name` around one
token: NAME, BACKTICK_NAME, BRACKET_NAME, DQ_NAME, or a keyword that is a name there."""

from __future__ import annotations

import functools
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

from binder.data import cache_folder
from binder.errors import SyntaxFault, UsageError
from binder.language import diagnose_python, diagnose_sql
from binder.language.context import Failure
from binder.language.diagnose_python import MISPLACED
from binder.language.diagnose_sql import DEEPEST, GLUED, TOO_DEEP
from binder.language.lexer import Token, tokens

if TYPE_CHECKING:
    import lark

    from binder.language.lalr import Machine, Plain

__all__ = ["RESERVED", "Token", "parse", "text", "tokens"]

# Words that are never names, so that a forgotten item is an error and not a column called FROM.
# DuckDB reserves more of them.
RESERVED = {
    "sql": tuple(
        "ALL AND AS CASE DISTINCT ELSE EXCEPT FALSE FROM GROUP HAVING IN INTERSECT LIMIT NOT NULL"
        " ON OR ORDER QUALIFY SELECT THEN TRUE UNION WHEN WHERE WITH".split()
    ),
    "python": tuple(
        "AND AS ASSERT BREAK CONTINUE DEF DEL ELIF ELSE EXCEPT FALSE FINALLY FOR FROM GLOBAL IF"
        " IMPORT IN IS LAMBDA NONE NONLOCAL NOT OR PASS RAISE RETURN TRUE TRY WHILE".split()
    ),
}


def parse(program: str, language: str = "sql") -> lark.Tree[lark.Token]:
    """The tree of a program; a SyntaxFault where it is not in the language."""
    from binder.language.lalr import Stuck

    parser, syntax = _parser(language), _SYNTAX[language]
    syntax.faults.check(program)
    try:
        return parser.parse(program + syntax.end)
    except Stuck as stuck:
        start = min(stuck.start, len(program))
        raise syntax.faults.explain(
            Failure(program, start, stuck.kind, stuck.expected, RESERVED[language])
        ) from None


@functools.cache
def _source(language: str) -> str:
    """The grammar of a language as it is written down."""
    if language not in RESERVED:
        raise UsageError(
            f"unknown language {language!r}", hint="available languages: " + ", ".join(RESERVED)
        )
    # an installed package holds the grammars; a checkout has them beside the package
    inside = Path(__file__).parents[1] / "grammars"
    folder = inside if inside.is_dir() else Path(__file__).parents[2] / "grammars"
    return "\n".join(
        (folder / f"{name}.lark").read_text(encoding="utf-8")
        for name in ("common", f"binder_{language}")
    )


def text(language: str, columns: Mapping[str, Sequence[str]] | None = None) -> str:
    """The grammar of a language in one piece, for servers that constrain decoding; columns: the
    headers of each table.

    With columns, a name in backticks is one of these headers, and there are no names in brackets.
    What it allows is a little wider than what parse accepts (a reserved word passes for a name):
    parse what comes back. Of Python it does not tell the blocks, and wants each statement on a line
    and a line end after the last."""
    if _SYNTAX[language].blocks:
        return _without_blocks(_source(language))
    headers = dict.fromkeys(
        header for names in (columns or {}).values() for header in names if header
    )
    source = _without_parameters(_source(language))
    if not headers:
        return source
    terminal = " | ".join(
        json.dumps("`" + header.replace("`", "``") + "`", ensure_ascii=False) for header in headers
    )
    lines = source.replace(" | BRACKET_NAME", "").splitlines()
    kept = (line for line in lines if not line.startswith("BRACKET_NAME:"))
    return "\n".join(
        f"BACKTICK_NAME: {terminal}" if line.startswith("BACKTICK_NAME:") else line for line in kept
    )


def _without_parameters(source: str) -> str:
    """A grammar for a language model, which writes the values that it means."""
    kept = [line for line in source.splitlines(True) if not line.upper().startswith("PARAMETER:")]
    return "".join(kept).replace(" | parameter", "")


def _without_blocks(source: str) -> str:
    """A grammar whose statements may stand at any indentation: a server has no lexer of ours that
    could tell blocks."""
    kept = [line for line in source.splitlines() if not line.startswith(("INDENT:", "DEDENT:"))]
    return "\n".join(kept).replace(" INDENT ", " ").replace(" DEDENT", "")


class _Watch:
    """Stands between lexer and parser: tells the lexer which keywords are never names, and spoils
    tokens that go too far."""

    opening = frozenset({"LPAR", "LSQB", "LBRACE", "CASE"})
    closing = frozenset({"RPAR", "RSQB", "RBRACE", "END"})
    chained = DEEPEST  # subscripts of subscripts, a[1][2], nest as parentheses do

    def __init__(self, reserved: Iterable[str]):
        self.always_accept = tuple(reserved)

    def process(self, stream: Iterator[lark.Token]) -> Iterator[lark.Token]:
        """The tokens, but of a kind no rule accepts where the nesting is too deep or a word touches
        a word or a number."""
        depth, chained, before, word_end = 0, 0, "", None
        for token in _slices(stream):
            depth += (token.type in self.opening) - (token.type in self.closing)
            chained += token.type == "LSQB" and before == "RSQB"
            before = token.type
            if depth > DEEPEST or chained > self.chained:
                yield token.new_borrow_pos(TOO_DEEP, token.value, token)
            elif token.start_pos == word_end and (token[0].isalnum() or token[0] == "_"):
                yield token.new_borrow_pos(GLUED, token.value, token)
            else:
                yield token
            word = token.type == "NUMBER" or token[-1].isalnum() or token[-1] == "_"
            word_end = token.end_pos if word else None


def _slices(stream: Iterator[lark.Token]) -> Iterator[lark.Token]:
    """The tokens, where `[:b` is a slice up to a column b and not a parameter of that name."""
    before = ""
    for token in stream:
        if before == "LSQB" and token.type == "PARAMETER" and token[0] == ":":
            middle = (token.start_pos or 0) + 1
            yield type(token)("COLON", ":", token.start_pos, end_pos=middle)
            token = type(token)("NAME", token[1:], middle, end_pos=token.end_pos)
        before = token.type
        yield token


class _Layout(_Watch):
    """Also tells the blocks of Python by their indentation: INDENT and DEDENT where it changes, no
    NEWLINE inside brackets."""

    opening = frozenset({"LPAR", "LSQB", "LBRACE", "INDENT"})
    closing = frozenset({"RPAR", "RSQB", "RBRACE", "DEDENT"})
    chained = 10_000

    def __init__(self, reserved: Iterable[str]):
        self.always_accept = ("NEWLINE", *reserved)

    def process(self, stream: Iterator[lark.Token]) -> Iterator[lark.Token]:
        """The tokens, and those that stand for what is not written."""
        return super().process(self._blocks(stream))

    def _blocks(self, stream: Iterator[lark.Token]) -> Iterator[lark.Token]:
        brackets, columns, token = 0, [0], None
        for token in stream:
            brackets += (token.type in ("LPAR", "LSQB", "LBRACE")) - (
                token.type in ("RPAR", "RSQB", "RBRACE")
            )
            if token.type == "NEWLINE" and brackets > 0:
                continue
            yield token
            if token.type != "NEWLINE":
                continue
            column = len(token.rpartition("\n")[2].partition("#")[0].expandtabs())
            if column > columns[-1]:
                columns.append(column)
                yield token.new_borrow_pos("INDENT", " ", token)
            while column < columns[-1]:
                columns.pop()
                yield token.new_borrow_pos("DEDENT", " ", token)
            if column > columns[-1]:
                yield token.new_borrow_pos(MISPLACED, " ", token)
        while token is not None and len(columns) > 1:
            columns.pop()
            yield token.new_borrow_pos("DEDENT", " ", token)


@dataclass(frozen=True)
class _Syntax:
    """What a language needs besides its grammar. faults: checks a text and explains a failure;
    watch: stands between lexer and parser; end: what the grammar wants after the last line; blocks:
    whether indentation means something."""

    faults: _Faults
    watch: type[_Watch]
    end: str = ""
    blocks: bool = False


class _Faults(Protocol):
    """A module that tells what is wrong with a text."""

    def check(self, text: str) -> None: ...
    def explain(self, failure: Failure) -> SyntaxFault: ...


_SYNTAX = {
    "sql": _Syntax(diagnose_sql, _Watch),
    "python": _Syntax(diagnose_python, _Layout, end="\n", blocks=True),
}


@functools.cache
def _parser(language: str) -> Machine | Plain:
    """The parser of a language."""
    from binder.language.lalr import parser_of

    return parser_of(_lark(language))


def _lark(language: str) -> lark.Lark:
    """lark's parser of a language; its tables are built once and kept in the cache folder of the
    platform."""
    import lark

    folder = cache_folder()
    version = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return lark.Lark(
        _source(language),
        parser="lalr",
        lexer="contextual",
        keep_all_tokens=True,
        maybe_placeholders=False,
        postlex=_SYNTAX[language].watch(RESERVED[language]),
        cache=str(folder / f"{language}-{version}.lark") if folder else False,
    )
