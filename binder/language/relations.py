"""Relations: what stands in a FROM clause, and the fields that it offers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sqlglot import exp

from binder.language.calls import Call
from binder.tables.table import Column, Table


class SharedByCopies:
    """Copied trees share what their nodes point to."""

    def __deepcopy__(self, memo: dict[int, Any]) -> SharedByCopies:
        return self


@dataclass(frozen=True, eq=False)
class Field(SharedByCopies):
    """One column that a source offers. origin: the stored column whose values it shows unchanged;
    call: the call it shows; calls: all of which it may show the value, also beside others."""

    name: str
    kind: str | None = None
    origin: tuple[Table, Column] | None = None
    call: Call | None = None
    calls: tuple[Call, ...] = ()


@dataclass(eq=False)
class Source(SharedByCopies):
    """Something in a FROM clause. select: the SELECT behind it, where there is one; shown: whether
    `*` includes it."""

    alias: str
    fields: list[Field]
    table: Table | None = None
    select: exp.Expr | None = None
    shown: bool = True

    @cached_property
    def _named(self) -> dict[str, Field]:
        return {f.name.casefold(): f for f in reversed(self.fields)}

    def find(self, name: str) -> Field | None:
        """The field of a name, case ignored; `row_id` of a stored table counts."""
        if (found := self._named.get(name.casefold())) is not None:
            return found
        if self.table is not None and name.casefold() in ("row_id", "rowid"):
            return Field("row_id", "number")
        return None
