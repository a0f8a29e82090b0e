"""What analysis has learnt about the nodes of a tree, kept on the nodes themselves.

sqlglot's nodes may be compiled and then cannot be subclassed, so a node carries one typed record.
Records are frozen: a copied node shares that of its original until either learns something new.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlglot import exp

from binder.language.calls import Call
from binder.language.relations import Field, Source


@dataclass(frozen=True)
class Notes:
    """What is known of one node; a part that does not apply to it, or is not known yet, is None.

    call: the call that a placeholder stands for. field: what a column shows. source: where the rows
    of a column, or of an item of FROM, come from. family: the type family of an expression that was
    rewritten; "" where it is known to be unknown.
    """

    call: Call | None = None
    field: Field | None = None
    source: Source | None = None
    family: str | None = None
    # an argument of a call: the name under which it is sent
    header: str | None = None
    # a placeholder: whether it asks only if the mapping of its call holds the arguments
    is_lookup: bool = False
    # a placeholder: its number among all, what is sent along, and where it stood before rewrites
    site: int | None = None
    columns: tuple[str, ...] | None = None
    title: str | None = None
    layer: int = 0
    home: int | None = None

    def __deepcopy__(self, memo: dict[int, Any]) -> Notes:
        return self


_NOTHING = Notes()


def notes(node: exp.Expr) -> Notes:
    """What is known of a node."""
    meta: dict[Any, Any] | None = node._meta
    found: Notes = meta.get(Notes, _NOTHING) if meta else _NOTHING
    return found


def field_of(column: exp.Expr) -> Field:
    """What a resolved column shows."""
    found = notes(column).field
    assert found is not None
    return found


def source_of(node: exp.Expr) -> Source:
    """Where the rows of a resolved column, or of an item of FROM, come from."""
    found = notes(node).source
    assert found is not None
    return found


def site_of(placeholder: exp.Expr) -> int:
    """The number of a place of a call, once the plan has numbered them."""
    found = notes(placeholder).site
    assert found is not None
    return found


def annotate(node: exp.Expr, **known: Any) -> None:
    """Adds to what is known of a node."""
    meta: dict[Any, Any] = node.meta
    meta[Notes] = replace(notes(node), **known)
