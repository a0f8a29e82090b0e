"""Programs: a text in one language, its calls, and the skeleton in which they are placeholders."""

from __future__ import annotations

import bisect
import functools
from dataclasses import dataclass, field
from typing import Any, Literal

import sqlglot
from sqlglot import exp

from binder.errors import Span, SyntaxFault
from binder.language.annotations import annotate
from binder.language.calls import Call
from binder.language.functions.own import VALUES, Function
from binder.language.parameters import NONE, Parameters
from binder.language.sqltree import nodes, parsed_with

Origin = Literal["person", "lm"]  # who wrote a program
PREFIX = "call_"  # of the names of placeholders
DEEPEST = 160  # levels of a tree


@dataclass(frozen=True)
class Given:
    """What comes with the text of a program: who wrote it, the values of its parameters, the own
    functions that it may call, and whose SQL it is, duckdb or sqlite."""

    origin: Origin = "person"
    params: Parameters = NONE
    functions: tuple[Function, ...] = ()
    dialect: str = "duckdb"


PLAIN = Given()


@dataclass(frozen=True)
class Program:
    """A program in one language; text is what runs, repairs say how it came from what was given.

    given: what came with the text; bound: the values in the places `?` of the skeleton."""

    text: str
    language: str
    calls: tuple[Call, ...]
    skeleton: str
    functions: tuple[tuple[str, Span], ...] = ()
    places: tuple[tuple[int, Span], ...] = field(repr=False, default=())
    repairs: tuple[str, ...] = ()
    given: Given = PLAIN
    bound: tuple[Any, ...] = field(default=(), compare=False)

    def tree(self) -> exp.Expr:
        """A fresh tree of the skeleton."""
        try:
            tree = parsed_with(self.skeleton, self.bound, self.given.dialect)
        except (sqlglot.errors.SqlglotError, RecursionError) as error:
            detail = getattr(error, "errors", None) or [{"description": "nested too deeply"}]
            raise SyntaxFault(
                f"invalid SQL: {detail[0]['description']}".rstrip("."),
                text=self.text,
                span=self.place(_offset(self.skeleton, detail[0])),
            ) from error
        self._mark_calls(tree)
        level: list[exp.Expr] = [tree]
        for _ in range(DEEPEST):
            level = [child for node in level for child in node.iter_expressions()]
            if not level:
                return tree
        raise SyntaxFault(
            f"the program nests or chains more than {DEEPEST} levels",
            text=self.text,
            span=self.span(level[0]),
            hint="replace a chain of OR by IN; split the program with WITH",
        )

    def _mark_calls(self, tree: exp.Expr) -> None:
        """Notes at every placeholder which call it stands for."""
        for node in nodes(tree) if self.calls else ():
            call = self._named.get(node.name.lower()) if isinstance(node, exp.Anonymous) else None
            if call is not None:
                annotate(node, call=call)
            if call is not None and call.function is not None:
                returns = call.function.returns
                annotate(node, family=returns if returns in VALUES else "")

    def place(self, offset: int) -> Span:
        """Where in the text the token stands that covers an offset of the skeleton."""
        index = bisect.bisect_right(self.places, (offset, Span(len(self.text) + 1, 0))) - 1
        return self.places[max(index, 0)][1] if self.places else Span(0, len(self.text))

    def span(self, node: exp.Expr) -> Span:
        """Where in the text a node of the tree begins; the whole program where it cannot be
        told."""
        starts = [part.meta["start"] for part in nodes(node) if "start" in part.meta]
        return self.place(min(starts)) if starts else Span(0, len(self.text))

    def call(self, name: str) -> Call | None:
        """The call of a placeholder."""
        return self._named.get(name.lower())

    @functools.cached_property
    def _named(self) -> dict[str, Call]:
        return {call.name: call for call in self.calls}


def _offset(text: str, detail: dict[str, object]) -> int:
    """Where in a text an error of sqlglot stands, which counts lines and columns from 1."""
    line, column = detail.get("line"), detail.get("col")
    if not isinstance(line, int) or not isinstance(column, int):
        return 0
    return sum(len(part) + 1 for part in text.split("\n")[: line - 1]) + max(column - 1, 0)
