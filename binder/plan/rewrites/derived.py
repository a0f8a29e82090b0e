"""The sub-selects in the FROMs of a tree that stay after inlining."""

from __future__ import annotations

from dataclasses import dataclass

from sqlglot import exp

from binder.language.annotations import notes
from binder.language.relations import Source
from binder.plan.blocks import SelectBlock


@dataclass(frozen=True)
class DerivedTable:
    """A sub-select, the SELECT in whose FROM it stands, and the number of its item there."""

    block: SelectBlock
    index: int

    @property
    def item(self) -> exp.Expr:
        """The FROM or the join that holds it."""
        return self.block.items[self.index]

    @property
    def table(self) -> exp.Subquery:
        """The sub-select with its alias."""
        found = self.item.this
        assert isinstance(found, exp.Subquery)
        return found

    @property
    def query(self) -> exp.Expr:
        """The query inside."""
        found: exp.Expr = self.table.this
        return found


def derived_tables(root: exp.Expr) -> list[DerivedTable]:
    """The sub-selects of all FROMs, outer ones first."""
    found = []
    for select in root.find_all(exp.Select):
        block = SelectBlock(select)
        if block.merges_columns:
            continue  # a column of USING belongs to no single item
        for index, item in enumerate(block.items):
            if _is_derived(item.this):
                found.append(DerivedTable(block, index))
    return found


def _is_derived(node: exp.Expr) -> bool:
    """Whether a node is a sub-select whose columns have the names that it gives them itself."""
    if not isinstance(node, exp.Subquery) or not isinstance(notes(node).source, Source):
        return False
    return not node.args["alias"].args.get("columns")


def keys_are_read_below(block: SelectBlock, source: Source) -> bool:
    """Whether a sub-select of a grouped SELECT reads a column of one of its sources: it may read
    the keys of a group as they are, and nothing that they would be computed from."""
    if not block.is_grouped:
        return False
    columns = (column for column in block.select.find_all(exp.Column))
    read = (column for column in columns if notes(column).source is source)
    return any(column.find_ancestor(exp.Select) is not block.select for column in read)
