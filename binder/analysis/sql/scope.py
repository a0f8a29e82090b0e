"""Scopes: what a name can stand for inside one SELECT, sources (tables, sub-selects, CTEs) and the
fields they offer.

A column of a resolved tree has its Field and Source in its notes, so that later passes never search
for names again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from sqlglot import exp

from binder.language.relations import Field, SharedByCopies, Source
from binder.language.sqltree import copied, nodes


@dataclass(eq=False)
class Scope(SharedByCopies):
    """The names that one SELECT sees; outer is the SELECT around it."""

    outer: Scope | None = None
    ctes: dict[str, Source] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    merged: dict[str, Field] = field(default_factory=dict)  # columns of USING and NATURAL
    aliases: dict[str, exp.Expr] = field(default_factory=dict)
    locals: set[str] = field(default_factory=set)  # parameters of lambdas

    def chain(self) -> Iterator[Scope]:
        """This scope and those around it, inside out."""
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.outer

    def cte(self, name: str) -> Source | None:
        return next(
            (s.ctes[name.casefold()] for s in self.chain() if name.casefold() in s.ctes), None
        )

    def source(self, alias: str) -> Source | None:
        return next(
            (s.sources[alias.casefold()] for s in self.chain() if alias.casefold() in s.sources),
            None,
        )

    def own(self, alias: str) -> str:
        """An alias, told apart from those of the SELECTs around: a condition may come to compare
        the rows of both."""
        around = {
            source.alias.casefold()
            for scope in self.chain()
            if scope is not self
            for source in scope.sources.values()
        }
        return next(
            own
            for n in itertools.count(1)
            if (own := f"{alias} {n}" if n > 1 else alias).casefold() not in around
        )

    def holders(self, name: str) -> list[tuple[Source, Field]]:
        """The sources of this scope alone that offer a name."""
        return [
            (source, found)
            for source in self.sources.values()
            if (found := source.find(name)) is not None
        ]

    def fields(self) -> list[tuple[Source, Field]]:
        """All that can be named here or further out."""
        return [
            (source, f)
            for scope in self.chain()
            for source in scope.sources.values()
            for f in source.fields
        ]


def united(left: list[Field], right: list[Field], by_name: bool) -> list[Field]:
    """The fields of a set operation."""
    if not by_name:
        return [_both(one, other) for one, other in zip(left, right, strict=True)]
    # reversed: of equal names the first counts, and a dict keeps the last
    rest = {f.name.casefold(): f for f in reversed(right)}
    fields: list[Field] = []
    for one in left:
        other = rest.pop(one.name.casefold(), None)
        fields.append(_both(one, other) if other else one)
    return [*fields, *(f for f in right if f.name.casefold() in rest)]


def _both(one: Field, other: Field) -> Field:
    """The field that shows the values of two; no stored column has them all."""
    kind = one.kind if one.kind == other.kind else None
    return Field(one.name, kind, None, one.call or other.call, (*one.calls, *other.calls))


class Copies:
    """Copies of what aliases stand for. An alias of aliases doubles with each step, so that they
    are counted."""

    def __init__(self, fault: Callable[[exp.Expr, str, str], Exception]):
        self.fault, self.nodes = fault, 0

    def of(self, node: exp.Expr, meant: exp.Expr) -> exp.Expr:
        """A copy of what the alias at a node stands for."""
        self.nodes += len(nodes(meant))
        if self.nodes > MOST_COPIED:
            raise self.fault(
                node, "aliases of aliases expand beyond the limit", "use WITH to compute in steps"
            )
        return copied(meant)


MOST_COPIED = 20_000  # nodes of a tree, by which the aliases that a program uses may make it grow
